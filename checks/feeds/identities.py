"""Figures that must agree with one another: each check says what it measured, within which band, and whether it holds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from checks.feeds.change import Change
from checks.feeds.kinds import KINDS

LEARNED = 7
"""Days from which a partner's own share of clicks is known."""
LEAST_CLICKS = 100
BAND = 0.1
"""Least half-width of the band of clicks, as a share of its middle."""
DEVIATIONS = 4.0
CENT = Decimal("0.01")
ROUNDING = Decimal("0.005")
"""What one row's money may be off by rounding."""
SHARE_BAND = 0.02
"""What a revenue share may be off the agreed one, as a share of it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One check. `holds` is `None` where there is too little to say; `low` and `high` are the band of `measured`."""

    kind: str
    path: str
    holds: bool | None
    measured: float
    low: float
    high: float
    words: str
    n: int

    def change(self) -> Change | None:
        """The change that a broken identity is."""
        if self.holds is not False:
            return None
        band = f"{self.low:,.4g} to {self.high:,.4g}" if self.high < math.inf else f"at least {self.low:,.4g}"
        return Change(self.kind, self.path, KINDS[self.kind].severity, band, self.words, self.n, self.n)


def clicks_matched(own: Sequence[int], partner: Sequence[int]) -> Identity:
    """Partner clicks over our own, day by day, oldest first; the last day is judged by the days before it.

    Programmes count other things (loaded pages, unique visitors), so the band is this partner's: median and four robust
    deviations, at least 10 % of it, and the counts' own noise.
    """
    ratios = [theirs / ours for ours, theirs in zip(own[:-1], partner[:-1], strict=True) if ours >= LEAST_CLICKS]
    ours, theirs = (own[-1], partner[-1]) if own else (0, 0)
    if len(ratios) < LEARNED or ours < LEAST_CLICKS:
        return Identity("clicks-unmatched", "clicks", None, 0.0, 0.0, math.inf, "too few clicks to say", len(ratios))
    middle = statistics.median(ratios)
    spread = 1.4826 * statistics.median(abs(ratio - middle) for ratio in ratios)
    noise = math.sqrt(max(middle, 1 / ours) / ours)
    half = max(DEVIATIONS * math.hypot(spread, noise), BAND * middle)
    measured = theirs / ours
    words = f"{theirs:,} partner clicks to {ours:,} of ours, usual is {middle:.2f}"
    holds = middle - half <= measured <= middle + half
    return Identity("clicks-unmatched", "clicks", holds, measured, max(middle - half, 0), middle + half, words, ours)


STEPS = (("clicks", "registrations"), ("registrations", "ftd_count"), ("ftd_count", "qftd_count"))


def funnel(days: Sequence[Mapping[str, Decimal | None]]) -> list[Identity]:
    """No more of a step than of the one before: registrations within a day, first and qualified deposits over all days.

    `days` are day totals by canonical measure, oldest first. Deposits follow registrations of earlier days, so both are
    summed over the span given, which should be a month or more; three deviations are allowed for what came before it.
    """
    found = []
    for before, after in STEPS:
        both = [(day[before], day[after]) for day in days if day.get(before) is not None and day.get(after) is not None]
        pairs = [(float(first), float(second)) for first, second in both if first is not None and second is not None]
        if not pairs:
            found.append(Identity("funnel-impossible", after, None, 0, 0, math.inf, f"no {before} and {after}", 0))
            continue
        first, second = (
            _worst_day(pairs) if before == "clicks" else (sum(a for a, _ in pairs), sum(b for _, b in pairs))
        )
        allowed = first if before == "clicks" else first + 3 * math.sqrt(max(first, 0)) + 3
        words = f"{second:,.0f} {after} of {first:,.0f} {before}"
        found.append(Identity("funnel-impossible", after, second <= allowed, second, 0, allowed, words, len(pairs)))
    return found


def _worst_day(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return max(pairs, key=lambda pair: pair[1] - pair[0])


def cpa_whole(rows: Sequence[Mapping[str, Decimal | None]], cpa: Decimal) -> Identity:
    """Commission by CPA is a whole multiple of the deal's CPA on every row; a remainder means that the CPA changed.

    Where the rows' commission divides by their qualified deposits without a remainder, that figure is named.
    """
    paid = [
        (money, row.get("qftd_count"))
        for row in rows
        if (money := row.get("commission_cpa")) is not None and money != 0
    ]
    if not paid or cpa <= 0:
        return Identity("deal-changed", "commission_cpa", None, 0, 0, math.inf, "no CPA was paid", 0)
    off = [(money, count) for money, count in paid if abs(money - cpa * round(money / cpa)) > ROUNDING]
    rates = {(money / count).quantize(CENT) for money, count in off if count}
    implied = f", {next(iter(rates)):,.2f} a player" if len(rates) == 1 else ""
    words = f"{len(off)} of {len(paid)} rows are no multiple of {cpa:,.2f}{implied}"
    return Identity("deal-changed", "commission_cpa", not off, float(len(off)), 0, 0, words, len(paid))


def share_kept(rows: Sequence[Mapping[str, Decimal | None]], share: float) -> Identity:
    """Commission by revenue share over NGR is the agreed share (0 to 1), summed over rows with a positive NGR."""
    both = [
        (float(money), float(ngr))
        for row in rows
        if (money := row.get("commission_revshare")) is not None and (ngr := row.get("ngr")) is not None and ngr > 0
    ]
    whole = sum(amount for _, amount in both)
    if whole <= 0 or share <= 0:
        return Identity("deal-changed", "commission_revshare", None, 0, 0, math.inf, "no positive NGR", len(both))
    measured = sum(money for money, _ in both) / whole
    half = SHARE_BAND * share + len(both) * float(ROUNDING) / whole
    words = f"{measured:.1%} of NGR, agreed is {share:.1%}"
    holds = abs(measured - share) <= half
    return Identity(
        "deal-changed", "commission_revshare", holds, measured, share - half, share + half, words, len(both)
    )


def adds_up(rows: Sequence[Mapping[str, Decimal | None]], totals: Mapping[str, Decimal | None]) -> list[Identity]:
    """Each measure of the report's totals row is the sum of its rows, but for the rounding of each row."""
    found = []
    for name, total in totals.items():
        parts = [part for row in rows if (part := row.get(name)) is not None]
        if total is None or not parts:
            continue
        found.append(_sum("totals-mismatched", name, sum(parts, Decimal(0)), total, len(parts), "the report says"))
    return found


def invoiced(days: Sequence[Decimal | None], invoice: Decimal) -> Identity:
    """The days of a month add up to its invoice, but for the rounding of each day."""
    parts = [day for day in days if day is not None]
    return _sum(
        "invoice-mismatched", "commission_total", sum(parts, Decimal(0)), invoice, len(parts), "the invoice says"
    )


def _sum(kind: str, path: str, summed: Decimal, said: Decimal, n: int, who: str) -> Identity:
    allowed = float(ROUNDING * n + ROUNDING)
    words = f"{n} rows add up to {summed:,.2f}, {who} {said:,.2f}"
    holds = abs(float(summed - said)) <= allowed
    return Identity(kind, path, holds, float(summed), float(said) - allowed, float(said) + allowed, words, n)
