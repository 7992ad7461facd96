"""Whether day and month changed places: dates that lie where none was expected and are right the other way round."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

Days = Mapping[str, int]
"""Values by calendar day as written."""

REACH = 10
"""Days beyond what is expected from which a date is out of place; a swap moves a date by 29 days or more."""
ENOUGH = 0.05
"""Share of values out of place from which they are a fault and not a slip."""
RIGHTED = 0.9
"""Share of those that must be in place when read the other way round."""
LEAST = 3
_PARTS = re.compile(r"\s*(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})")


class Order(StrEnum):
    """Which part of a written date comes first."""

    YMD = "year-month-day"
    YDM = "year-day-month"
    DMY = "day/month/year"
    MDY = "month/day/year"

    @property
    def swapped(self) -> Order:
        return {Order.YMD: Order.YDM, Order.YDM: Order.YMD, Order.DMY: Order.MDY, Order.MDY: Order.DMY}[self]


@dataclass(frozen=True, slots=True)
class Swap:
    """`usual` is the order so far; `out` of `n` values are out of place, for example `example`."""

    usual: Order
    out: int
    n: int
    example: str

    @property
    def now(self) -> Order:
        return self.usual.swapped


def day_month_swap(before: Sequence[Days], now: Days) -> Swap | None:
    """Days of a payload that the usual order puts far away and the swapped order puts in place.

    1. The order so far is the one that every day before fits and that spans the fewest days. 2. Expected is from as far
    back as any payload reached behind its time to as far ahead as one got of another, and 10 days more either side.
    3. Days outside are out of place; when nine in ten of them are inside the other way round, day and month were
    swapped. Dates whose day is above 12 cannot swap and stay where they are: what is left out of place proves it.
    """
    order = usual_order(before)
    if order is None or not now:
        return None
    first, last = _expected(before, order)
    out: Counter[str] = Counter()
    righted = 0
    for text, count in now.items():
        here, other = _ordinal(text, order), _ordinal(text, order.swapped)
        if here is None or not first <= here <= last:
            out[text] += count
            righted += count if other is not None and first <= other <= last else 0
    n, lost = sum(now.values()), out.total()
    if lost < LEAST or lost < ENOUGH * n or righted < RIGHTED * lost:
        return None
    return Swap(order, lost, n, out.most_common(1)[0][0])


def _expected(before: Sequence[Days], order: Order) -> tuple[int, int]:
    """Ordinals between which the next payload's days should lie."""
    spans = [span for days in before if (span := _span(days, order))]
    newest = list(itertools.accumulate((high for _, high in spans), max))
    behind = max(high - low for high, (low, _) in zip(newest, spans, strict=True))
    ahead = max((later - earlier for earlier, later in itertools.pairwise(newest)), default=1)
    return newest[-1] - behind - REACH, newest[-1] + max(ahead, 1) + REACH


def usual_order(before: Sequence[Days]) -> Order | None:
    """The order of the dates so far; `None` when there are none, several, or either order would do.

    ISO dates are year-month-day while they can be. Of the others a day above 12 decides, else the narrower span: a
    fortnight is no two years.
    """
    texts = {text for days in before for text in days}
    fits: dict[Order, int] = {}
    for order in Order:
        found = [_ordinal(text, order) for text in texts]
        known = [ordinal for ordinal in found if ordinal is not None]
        if known and len(known) == len(found):
            fits[order] = max(known) - min(known)
    if Order.YMD in fits:
        return Order.YMD
    best = sorted(fits.items(), key=lambda item: item[1])
    if not best or (len(best) > 1 and best[0][1] == best[1][1]):
        return None
    return best[0][0]


def _span(days: Days, order: Order) -> tuple[int, int] | None:
    found = [ordinal for text in days if (ordinal := _ordinal(text, order)) is not None]
    return (min(found), max(found)) if found else None


def _ordinal(text: str, order: Order) -> int | None:
    parts = _PARTS.match(text)
    if not parts:
        return None
    one, two, three = int(parts.group(1)), int(parts.group(3)), int(parts.group(4))
    leading = len(parts.group(1)) == 4
    if leading != (order in {Order.YMD, Order.YDM}):
        return None
    year, month, day = {
        Order.YMD: (one, two, three),
        Order.YDM: (one, three, two),
        Order.DMY: (three, two, one),
        Order.MDY: (three, one, two),
    }[order]
    try:
        return date(year + 2000 if year < 100 else year, month, day).toordinal()
    except ValueError:
        return None
