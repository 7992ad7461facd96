"""Figures as people read them: one unit, three significant digits, a true minus, `—` for what does not apply."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

NONE = "—"
MINUS = "−"
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}


def age(seconds: float | None) -> str:
    """How long: `4s`, `6m`, `81m`, `2h`, `9d`; seconds and minutes until 99, hours until 48."""
    if seconds is None:
        return NONE
    whole = max(int(seconds), 0)
    if whole < 100:
        return f"{whole}s"
    if whole < 6000:
        return f"{whole // 60}m"
    if whole < 172_800:
        return f"{whole // 3600}h"
    return f"{whole // 86_400}d"


def since(moment: datetime | None, now: datetime) -> str:
    """The age of `moment` at `now`."""
    return NONE if moment is None else age((now - moment).total_seconds())


def clock(moment: datetime | None) -> str:
    """When, to the second: `14:26:01Z`."""
    return NONE if moment is None else f"{moment:%H:%M:%S}Z"


def short_clock(moment: datetime | None) -> str:
    """When, to the minute: `14:26Z`."""
    return NONE if moment is None else f"{moment:%H:%M}Z"


def day_clock(moment: datetime, now: datetime) -> str:
    """When, with the day in front unless it is today's."""
    return clock(moment) if moment.date() == now.date() else f"{moment:%d %b %H:%M}Z"


def ms(milliseconds: float | None) -> str:
    """`410 ms`, `3.1 s`, `12 s`."""
    if milliseconds is None:
        return NONE
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s" if milliseconds < 9950 else f"{milliseconds / 1000:,.0f} s"


def pct(share: float | None, decimals: int = 2) -> str:
    """A share of 0..1 as `99.58%`; never rounded up to 100 nor down to 0."""
    if share is None:
        return NONE
    percent = share * 100
    step = 10.0**-decimals
    if 0 < share < 1:
        percent = min(max(percent, step), 100 - step)
    return f"{percent:.{decimals}f}%"


def number(value: float | None) -> str:
    """A count or rate: `412`, `2,826`, `1.24 M`."""
    if value is None:
        return NONE
    size = abs(value)
    text = f"{size / 1e6:,.2f} M" if size >= 1e6 else f"{size:,.0f}"
    return f"{MINUS}{text}" if value < 0 and text != "0" else text


def events(value: float | None) -> str:
    """How many things happened or should have: `0`, `1.9`, `412`; a fraction only where it says something."""
    if value is None or not math.isfinite(value):
        return NONE
    return number(value) if abs(value) >= 99.95 or value == int(value) else f"{value:.1f}".replace("-", MINUS)


def hours(length: float | None) -> str:
    """How long in hours: `4.4 h`, `26 h`, `3 days`."""
    if length is None:
        return NONE
    if length < 47.5:
        return f"{length:.1f} h" if length < 9.95 else f"{length:.0f} h"
    return f"{length / 24:.0f} days"


def odds(nats: float) -> str:
    """How much likelier with a failure than without, from the natural logarithm: `22,000 to 1`."""
    if nats < math.log(1.5):
        return "even"
    if nats > math.log(1e6):
        return "over a million to 1"
    ratio = math.exp(nats)
    step = 10.0 ** (math.floor(math.log10(ratio)) - 1)
    return f"{round(ratio / step) * step:,.{0 if ratio >= 9.95 else 1}f} to 1"


def money(amount: Decimal | float | None, symbol: str = "€") -> str:
    """Whole units: `€1,390`, `−€310`; less than one but not nothing is `<€1`."""
    if amount is None:
        return NONE
    size = abs(float(amount))
    if 0 < size < 1:
        return f"<{symbol}1"
    return f"{MINUS if amount < 0 else ''}{symbol}{size:,.0f}"


def loss(amount: Decimal | None, symbol: str = "€") -> str:
    """A loss as a negative figure: `−€1,700`; nothing lost is `€0`."""
    return NONE if amount is None else money(-amount, symbol)


def tick(value: float, unit: str, symbol: str = "€") -> str:
    """A label of a chart's value axis: `€1.5k`, `410 ms`, `150%`, `30`; a `share` is of what is expected."""
    if unit == "ms":
        return ms(value)
    if unit == "share":
        return f"{value:.0%}"
    prefix = symbol if unit == "money" else ""
    if value >= 9_950:
        return f"{prefix}{value / 1000:,.0f}k"
    if value >= 1000:
        return f"{prefix}{value / 1000:.1f}k"
    return f"{prefix}{value:.0f}" if value >= 10 or value == int(value) else f"{prefix}{value:.1f}"


def symbol_of(currency: str, *, ascii_only: bool = False) -> str:
    """`€` for EUR where the terminal can show it, else `EUR `."""
    return f"{currency} " if ascii_only else SYMBOLS.get(currency, f"{currency} ")
