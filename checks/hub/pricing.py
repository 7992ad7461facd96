"""What an incident costs: its findings become slices of the revenue facts, each counted once."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Protocol

from data.model.cause import family_of
from data.model.money import NO_LOSS, ZERO, Loss, cents
from data.model.target import TargetKind, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from data.model.ids import TargetId
    from data.model.incident import Finding, Incident
    from data.model.target import Target

BLIND_FAMILIES = frozenset({"feed"})
"""Causes that hide money instead of losing it."""

DIMS = ("partner", "offer", "geo", "site", "team")


class Book(Protocol):
    """What pricing needs of `checks.revenue.book.RevenueBook`."""

    def loss(self, slice_: Mapping[str, str], start: datetime, now: datetime, *, basis: str) -> Loss: ...

    def expected_per_hour(self, slice_: Mapping[str, str], now: datetime) -> float: ...


@dataclass(frozen=True, slots=True)
class Stake:
    """A slice of the facts that one finding puts at risk."""

    dims: tuple[tuple[str, str], ...]
    basis: str
    """`calendar` when the clicks vanish with the target, `clicks` when they go on and earn nothing."""
    start: datetime
    end: datetime
    target: TargetId


@dataclass(slots=True)
class Pricing:
    """Prices incidents from the revenue book."""

    book: Book
    target: Callable[[TargetId], Target | None]
    currency: Callable[[], str]

    def price(
        self, incident: Incident, findings: Sequence[Finding], now: datetime
    ) -> tuple[Loss, dict[TargetId, Decimal]]:
        """The incident's loss so far and per hour, and each target's share per hour.

        Independent slices add up; their variances add, so the interval grows with the square root of the members.
        """
        if family_of(incident.cause) in BLIND_FAMILIES:
            return self._unseen(findings, now), {}
        stakes = independent([stake for finding in findings if (stake := self.stake(finding, now))])
        losses = [
            (stake, self.book.loss(dict(stake.dims), stake.start, stake.end, basis=stake.basis)) for stake in stakes
        ]
        shares = {stake.target: loss.per_hour for stake, loss in losses if stake.end == now}
        return self._sum([loss for _, loss in losses], [loss for stake, loss in losses if stake.end == now]), shares

    def stake(self, finding: Finding, now: datetime) -> Stake | None:
        """The slice a finding puts at risk; `None` where no money hangs on it."""
        dims = self._dims(finding)
        if not dims:
            return None
        basis = "calendar" if finding.kind is TargetKind.SITE or finding.cause == "revenue.traffic" else "clicks"
        return Stake(dims, basis, finding.opened_at, finding.closed_at or now, finding.target)

    def _dims(self, finding: Finding) -> tuple[tuple[str, str], ...]:
        if finding.kind is TargetKind.SLICE:
            pairs = (part.partition("=") for part in name_of(finding.target).split(",") if "=" in part)
            return tuple((name, value) for name, _, value in pairs)
        target = self.target(finding.target)
        if target is None or finding.kind in {TargetKind.PARSER, TargetKind.FEED}:
            return ()
        if finding.kind is TargetKind.SITE:
            return (("site", target.name),)
        return tuple((name, value) for name in DIMS[:4] if (value := str(getattr(target, name))))

    def _unseen(self, findings: Sequence[Finding], now: datetime) -> Loss:
        total, rate = 0.0, 0.0
        for finding in findings:
            target = self.target(finding.target)
            if target is None or not target.partner or finding.kind is not TargetKind.FEED:
                continue
            per_hour = self.book.expected_per_hour({"partner": target.partner}, now)
            end = finding.closed_at or now
            total += per_hour * (end - finding.opened_at).total_seconds() / 3600
            rate += per_hour if finding.closed_at is None else 0.0
        return Loss(unseen=cents(total), unseen_per_hour=cents(rate), currency=self.currency())

    def _sum(self, losses: Sequence[Loss], running: Sequence[Loss]) -> Loss:
        if not losses:
            return NO_LOSS
        lost, lost_lo, lost_hi = _together([(loss.lost, loss.lost_lo, loss.lost_hi) for loss in losses])
        rate, rate_lo, rate_hi = _together([(one.per_hour, one.per_hour_lo, one.per_hour_hi) for one in running])
        recoverable = sum((loss.recoverable for loss in losses), ZERO)
        return Loss(lost, lost_lo, lost_hi, rate, rate_lo, rate_hi, recoverable, currency=self.currency())


def independent(stakes: Sequence[Stake]) -> list[Stake]:
    """Stakes of which none lies inside another at the same time: a loss is counted once."""
    by_dims: dict[tuple[tuple[str, str], ...], Stake] = {}
    for stake in sorted(stakes, key=lambda one: one.start):
        known = by_dims.get(stake.dims)
        if known is None or known.end < stake.end:
            start = known.start if known and known.end >= stake.start else stake.start
            by_dims[stake.dims] = Stake(stake.dims, stake.basis, start, stake.end, stake.target)
    if len({frozenset(name for name, _ in dims) for dims in by_dims}) <= 1:
        return list(by_dims.values())  # all of one shape: different values, nothing can lie inside another
    sets = {dims: frozenset(dims) for dims in by_dims}
    return [
        stake
        for dims, stake in by_dims.items()
        if not any(other < sets[dims] and by_dims[wide].start <= stake.start for wide, other in sets.items())
    ]


def _together(parts: Sequence[tuple[Decimal, Decimal, Decimal]]) -> tuple[Decimal, Decimal, Decimal]:
    middle = sum((part[0] for part in parts), ZERO)
    below = sqrt(sum(float(mid - lo) ** 2 for mid, lo, _ in parts))
    above = sqrt(sum(float(hi - mid) ** 2 for mid, _, hi in parts))
    return middle, cents(max(float(middle) - below, 0.0)), cents(float(middle) + above)
