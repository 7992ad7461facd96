"""Whether money is in another currency: the same records, all at one exchange rate from what they were."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.feeds.pairs import ENOUGH, Pairs

if TYPE_CHECKING:
    from checks.feeds.profiles import Profile

Rates = Mapping[str, float]
"""Units of each currency for one euro."""

USUAL: Rates = {
    "EUR": 1.0, "USD": 1.16, "GBP": 0.87, "CHF": 0.93, "PLN": 4.25, "CZK": 24.3, "HUF": 388.0, "RON": 5.09, "SEK": 10.95,
    "NOK": 11.7, "DKK": 7.46, "BGN": 1.956, "BRL": 6.2, "MXN": 21.4, "CAD": 1.63, "AUD": 1.77, "NZD": 2.04, "JPY": 177.0,
    "INR": 103.0, "ZAR": 20.0, "TRY": 48.8,
}  # fmt: skip
"""Rounded rates: good enough to name a currency, not to convert with."""
CODES = frozenset(USUAL) | {
    "AED", "ARS", "BTC", "CLP", "CNY", "COP", "ETH", "GEL", "HKD", "IDR", "ILS", "ISK", "KES", "KRW", "KZT", "MYR", "NGN", "PEN",
    "PHP", "RSD", "RUB", "SAR", "SGD", "THB", "TWD", "UAH", "USDC", "USDT", "UYU", "VND",
}  # fmt: skip
SAME = math.log10(1.005)
"""Decades within which the ratios of single records count as one rate."""
NEAR = math.log10(1.03)
"""Decades between a ratio and the table's: a table is some weeks old."""
SHARE = 0.9
STEADY = math.log10(1.01)


@dataclass(frozen=True, slots=True)
class Switch:
    """One path whose values are all at one rate of what they were; `pair` is (from, to), the table's nearest."""

    path: str
    ratio: float
    pair: tuple[str, str]
    n: int

    @property
    def words(self) -> tuple[str, str]:
        return f"as {self.pair[0]}", f"× {self.ratio:.4g}, as {self.pair[1]}, on the same records"


def are_codes(words: Collection[str]) -> bool:
    """Whether all words, one or more, are currency codes."""
    return bool(words) and all(word in CODES for word in words)


def switches(
    now: Profile, money: Callable[[str], bool | None], pairs: Pairs | None, rates: Rates = USUAL, own: str = ""
) -> tuple[Switch, ...]:
    """Money paths that moved together by an exchange rate on the records known from before.

    1. A path's ratios are its joined records'; five or more, nine in ten within half a percent of one another. 2. All
    money with a ratio agrees on it, and a count or another number stands still: a deal that changed moves one column,
    a currency moves all money, rows that came twice move everything. 3. The ratio is within 3 % of a rate in the table,
    from `own` currency where it is known, and is no power of ten.
    """
    if pairs is None:
        return ()
    found = {path: ratio for path in now.paths if (ratio := _rate(pairs.ratios(path))) is not None}
    moved = {path: ratio for path, ratio in found.items() if abs(ratio) > STEADY}
    still = found.keys() - moved.keys()
    if not moved or not still or any(money(path) is False for path in moved) or any(money(path) for path in still):
        return ()
    centre = statistics.median(moved.values())
    pair = nearest_pair(centre, rates, own)
    if pair is None or any(abs(ratio - centre) > SAME for ratio in moved.values()):
        return ()
    if len(moved) < 2 and sum(1 for path in found if money(path)) != 1:
        return ()
    return tuple(Switch(path, 10**ratio, pair, len(pairs.ratios(path))) for path, ratio in moved.items())


def _rate(ratios: list[float]) -> float | None:
    """The one ratio (log10) of nearly all joined records; `None` where they have none or are too few."""
    if len(ratios) < ENOUGH:
        return None
    centre = statistics.median(ratios)
    return centre if sum(abs(ratio - centre) <= SAME for ratio in ratios) >= SHARE * len(ratios) else None


def nearest_pair(ratio: float, rates: Rates, own: str = "") -> tuple[str, str] | None:
    """The two currencies whose rate is nearest to `ratio` (log10), from `own` where given; nothing within 3 %.

    Pairs with the euro go first: without `own`, any number lies near the cross rate of some two currencies.
    """
    if abs(ratio - round(ratio)) < SAME:
        return None
    sources = [own] if own in rates else ["EUR", "USD", "GBP"]
    pairs = [
        (abs(math.log10(rates[to] / rates[source]) - ratio), source, to)
        for source in sources
        if source in rates
        for to in rates
        if to != source
    ]
    away, source, to = min(pairs, default=(math.inf, "", ""))
    return (source, to) if away <= NEAR else None
