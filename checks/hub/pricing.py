"""What incidents cost: their findings become slices of the revenue facts, each hour of a leaf counted once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import sqrt
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from checks.hub.sharing import BASES, Claim, Move, Stake, Taken, left_by, overlap, share_out, spans
from checks.incidents.correlation import rank
from checks.incidents.severity import is_blind
from checks.revenue.alarm import slice_of
from checks.revenue.book import Explained
from data.model.cause import family_of, state_of
from data.model.money import NO_LOSS, ZERO, Loss, cents
from data.model.state import State
from data.model.target import TargetKind, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
    from decimal import Decimal

    from checks.revenue.alarm import Alarm
    from data.model.ids import IncidentId, TargetId
    from data.model.incident import Finding, Incident
    from data.model.snapshot import BandPoint
    from data.model.target import Target

_RECOVERABLE = {"link.param_lost": 0.5}
"""Share of what is lost that can be claimed: the partner has the players, and click logs show whose they were."""
DIMS = ("partner", "offer", "geo", "site")
ECHO = timedelta(hours=2)
"""How long conversions are missing after their clicks are back."""
SAME_TIME = timedelta(minutes=10)
"""Members that began this close together are priced as one union: 400 sites cost as much to price as one."""


class Book(Protocol):
    """What pricing needs of `checks.revenue.book.RevenueBook`."""

    def loss_of(
        self,
        slices: list[Mapping[str, str]],
        start: datetime,
        now: datetime,
        *,
        basis: str,
        without: Sequence[Explained],
        guests: Sequence[Explained],
    ) -> Loss: ...

    def expected_per_hour(self, where: Mapping[str, str], now: datetime) -> float: ...

    def series_of(self, slices: list[Mapping[str, str]], since: datetime, until: datetime) -> tuple[BandPoint, ...]: ...


@dataclass(frozen=True, slots=True)
class Priced:
    """One incident's price."""

    loss: Loss
    shares: dict[TargetId, Decimal]
    """Each running member's part of `loss.per_hour`."""
    counted_in: IncidentId | None = None
    """Another incident that counts part of what this one claims, or all of it."""


@dataclass(slots=True)
class Pricing:
    """Prices incidents from the revenue book."""

    book: Book
    target: Callable[[TargetId], Target | None]
    currency: Callable[[], str]
    alarm: Callable[[TargetId], Alarm | None] = lambda _: None
    """The open alarm of a slice: its price holds what is missing beside all that is explained."""
    disputed: Callable[[Finding], Decimal] = lambda _: ZERO
    """What a partner took back since then and nobody has agreed to."""
    moves: Callable[[IncidentId], Sequence[Move]] = lambda _: ()
    """Whose visitors plans for an incident send elsewhere."""
    guests: Callable[[], Sequence[Move]] = lambda: ()
    """Where plans send them."""

    def share_out(self, incidents: Iterable[tuple[Incident, Sequence[Finding]]]) -> dict[IncidentId, tuple[Taken, ...]]:
        """What of each incident's stakes is counted in another one: see `checks.hub.sharing`."""
        return share_out(
            Claim(one.id, rank(one.cause), one.started_at, tuple(self._lossy(one, findings)))
            for one, findings in incidents
            if not is_blind(one.cause)
        )

    def price(
        self, incident: Incident, findings: Sequence[Finding], now: datetime, taken: Sequence[Taken] = ()
    ) -> Priced:
        """The incident's loss so far and per hour, without what is `taken` by others.

        1. Findings become stakes; one that lies inside another of the same basis is dropped, and the hours in which a plan
        sent their visitors elsewhere are cut out. 2. Stakes that began together are priced as one union of slices, so
        that a leaf counts once; those of a stronger basis come first, and what they cover is no longer counted. 3. The
        unions add up; their variances add, too.
        """
        if is_blind(incident.cause):
            return Priced(self._unseen(incident, findings, now), {})
        priced: list[tuple[list[Stake], Loss]] = []
        mine: list[Stake] = []
        for members in together(self._lossy(incident, findings, now)):
            theirs = [one.stake for one in taken if one.from_basis == members[0].basis]
            priced.append((members, self._loss(members, now, [*mine, *theirs])))
            mine += members
        shares: dict[TargetId, Decimal] = {}
        for members, loss in priced:
            if members[0].end is None:
                shares.update(self._shares(members, loss, now))
        loss = self._sum([loss for _, loss in priced], [loss for some, loss in priced if some[0].end is None])
        claimed = sum((self.disputed(one) for one in findings if one.cause == "feed.restated"), ZERO)
        claimed += cents(float(loss.lost) * _RECOVERABLE.get(incident.cause, 0.0))
        return Priced(replace(loss, recoverable=claimed), shares, taken[0].incident if taken else None)

    def stake(self, finding: Finding, began: datetime | None = None) -> Stake | None:
        """The slice a finding puts at risk; `None` where no money hangs on it.

        A target seldom looked at failed before we saw it: half an interval earlier, but not before `began`, when the
        common cause did.
        """
        dims, target = self._dims(finding), self.target(finding.target)
        if not dims:
            return None
        start = finding.opened_at
        if began is not None and target is not None:
            start = min(start, max(began, start - timedelta(seconds=target.interval_s / 2)))
        return Stake(dims, self._basis(finding), start, finding.closed_at, finding.target)

    def series_of(self, findings: Sequence[Finding], since: datetime, now: datetime) -> tuple[BandPoint, ...]:
        """Commission per hour of all that is affected, expected and actual; empty where no money hangs on it."""
        stakes = self._stakes(findings)
        return self.book.series_of([dict(stake.dims) for stake in stakes], since, now) if stakes else ()

    def _basis(self, finding: Finding) -> str:
        if self._clicks_vanish(finding):
            return "calendar"
        return "counts" if finding.kind is TargetKind.SLICE else "clicks"

    def _clicks_vanish(self, finding: Finding) -> bool:
        """A dead site sends no clicks; a link whose own first host is dead (our redirector) counts none."""
        target = self.target(finding.target)
        if finding.kind is TargetKind.LINK and target is not None:
            return bool(finding.blame) and finding.blame == _host(target.url)
        on_page = finding.cause.startswith("link.")  # the page is there and its links are followed, for nothing
        return (finding.kind is TargetKind.SITE and not on_page) or finding.cause == "revenue.traffic"

    def explained(self, incident: Incident, findings: Sequence[Finding], now: datetime) -> tuple[Explained, ...]:
        """What the incident's links and sites account for: missing money there is no news.

        Conversions lag behind their clicks, so the hours after the end are accounted for, too.
        """
        probed = [one for one in findings if one.kind in {TargetKind.LINK, TargetKind.SITE}]
        return tuple(
            Explained(tuple(dict(stake.dims) for stake in members), members[0].start, (members[0].end or now) + ECHO)
            for members in together(self._stakes(probed, incident.started_at))
        )

    def _stakes(self, findings: Sequence[Finding], began: datetime | None = None) -> list[Stake]:
        return independent([stake for one in findings if (stake := self.stake(one, began))])

    def _lossy(self, incident: Incident, findings: Sequence[Finding], now: datetime | None = None) -> list[Stake]:
        """Stakes while their visitors earn nothing; `now` is the moment as of which plans count."""
        moves = [
            replace(one, until=None) if now and one.until and one.until > now else one
            for one in self.moves(incident.id)
            if now is None or one.since < now
        ]
        stakes = self._stakes(findings, incident.started_at)
        return [
            left for stake in stakes for left in left_by(stake, [one for one in moves if self._concerns(one, stake)])
        ]

    def _concerns(self, move: Move, stake: Stake) -> bool:
        target, dims = self.target(stake.target), dict(stake.dims)
        if target is not None:
            dims |= {"team": str(target.team), "project": target.project}
        return all(dims.get(name) == value for name, value in move.where.items())

    def _dims(self, finding: Finding) -> tuple[tuple[str, str], ...]:
        if finding.kind is TargetKind.SLICE:
            return tuple(slice_of(finding.target).items())
        target = self.target(finding.target)
        if target is None or finding.kind in {TargetKind.PARSER, TargetKind.FEED}:
            return ()
        if finding.kind is TargetKind.SITE:
            return _of_site(finding, target.name)
        return tuple((name, value) for name in DIMS if (value := str(getattr(target, name))))

    def _loss(self, members: Sequence[Stake], now: datetime, before: Sequence[Stake]) -> Loss:
        """Of stakes that began together, without what those `before` them count."""
        running = members[0].end is None
        if running and (alarm := self.alarm(members[0].target)) and alarm.updated_at <= now:
            return alarm.loss
        slices: list[Mapping[str, str]] = [dict(stake.dims) for stake in members]
        start, end = members[len(members) // 2].start, members[0].end or now
        basis = members[0].basis
        without = (
            () if basis == "counts" else spans(overlap(members, before), now)
        )  # what explains counts, the book knows
        guests = self._spared(members, end) if basis == "clicks" else ()
        return self.book.loss_of(slices, start, end, basis=basis, without=without, guests=guests)

    def _spared(self, members: Sequence[Stake], end: datetime) -> Sequence[Explained]:
        """Visitors sent there by a plan: a link that a page spoilt is not theirs, what is wrong with the partner is."""
        moves = [one for one in self.guests() if one.since < end]
        if moves and any(kind_of(one.target) is not TargetKind.SITE for one in members):
            return ()
        return [Explained((one.where,), one.since, min(one.until or end, end)) for one in moves]

    def _shares(self, members: Sequence[Stake], loss: Loss, now: datetime) -> dict[TargetId, Decimal]:
        """The union's loss per hour, handed to its members by what the calendar expects of each."""
        if len(members) == 1:
            return {members[0].target: loss.per_hour}
        usual = [self.book.expected_per_hour(dict(stake.dims), now) for stake in members]
        total = sum(usual)
        if total <= 0:
            return {}
        return {
            stake.target: cents(float(loss.per_hour) * part / total) for stake, part in zip(members, usual, strict=True)
        }

    def _unseen(self, incident: Incident, findings: Sequence[Finding], now: datetime) -> Loss:
        """What is earned and not seen; what postbacks did not tell can be asked for again."""
        total, rate = 0.0, 0.0
        for finding in findings:
            target = self.target(finding.target)
            if target is None or not target.partner or finding.kind is not TargetKind.FEED:
                continue
            per_hour = self.book.expected_per_hour({"partner": target.partner}, now)
            total += per_hour * ((finding.closed_at or now) - finding.opened_at).total_seconds() / 3600
            rate += per_hour if finding.closed_at is None else 0.0
        again = cents(total) if family_of(incident.cause) == "postback" else ZERO
        return Loss(recoverable=again, unseen=cents(total), unseen_per_hour=cents(rate), currency=self.currency())

    def _sum(self, losses: Sequence[Loss], running: Sequence[Loss]) -> Loss:
        if not losses:
            return NO_LOSS
        lost, lost_lo, lost_hi = _added([(one.lost, one.lost_lo, one.lost_hi) for one in losses])
        rate, rate_lo, rate_hi = _added([(one.per_hour, one.per_hour_lo, one.per_hour_hi) for one in running])
        return Loss(lost, lost_lo, lost_hi, rate, rate_lo, rate_hi, currency=self.currency())


def _of_site(finding: Finding, site: str) -> tuple[tuple[str, str], ...]:
    """What a site's trouble touches.

    A site that works costs nothing today, whatever search engines or a calendar hold against it; links that are gone or
    stripped cost what their partner's links there bring.
    """
    if state_of(finding.cause) is State.DEGRADED:
        return ()
    partner = finding.fingerprint.get("partner", "")
    return (("partner", partner), ("site", site)) if partner else (("site", site),)


def independent(stakes: Sequence[Stake]) -> list[Stake]:
    """Stakes of which none lies inside another of its basis at the same time: a loss is counted once."""
    return [stake for basis in BASES for stake in _outermost([one for one in stakes if one.basis == basis])]


def _outermost(stakes: Sequence[Stake]) -> list[Stake]:
    by_dims: dict[tuple[tuple[str, str], ...], list[Stake]] = defaultdict(list)
    for stake in sorted(stakes, key=lambda one: one.start):
        known = by_dims[stake.dims]
        if known and (known[-1].end is None or known[-1].end >= stake.start):
            last = known[-1]
            end = None if last.end is None or stake.end is None else max(last.end, stake.end)
            known[-1] = Stake(last.dims, last.basis, last.start, end, last.target)
        else:
            known.append(stake)
    kept = [stake for same in by_dims.values() for stake in same]
    if len({frozenset(name for name, _ in dims) for dims in by_dims}) <= 1:
        return kept  # all of one shape: different values, nothing can lie inside another
    sets = {dims: frozenset(dims) for dims in by_dims}
    wide = [(one, sets[one.dims]) for one in kept]
    return [stake for stake in kept if not any(other < sets[stake.dims] and _covers(one, stake) for one, other in wide)]


def together(stakes: Sequence[Stake]) -> list[list[Stake]]:
    """Groups that can be priced at once: one basis, begun within minutes, ended within minutes or all running.

    The strongest basis comes first; what is missing for no known reason has one price a slice.
    """
    groups: dict[tuple[int, int, int | None, Hashable], list[Stake]] = defaultdict(list)
    for stake in sorted(stakes, key=lambda one: (BASES.index(one.basis), one.start)):
        place = BASES.index(stake.basis), _slot(stake.start), None if stake.end is None else _slot(stake.end)
        groups[*place, stake.dims if stake.basis == "counts" else None].append(stake)
    return list(groups.values())


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _slot(at: datetime) -> int:
    return int(at.timestamp() // SAME_TIME.total_seconds())


def _covers(wide: Stake, narrow: Stake) -> bool:
    """Whether the wider slice was open for most of what the narrower one claims."""
    return wide.start <= narrow.start + timedelta(hours=2) and (
        wide.end is None or (narrow.end is not None and wide.end >= narrow.end)
    )


def _added(parts: Sequence[tuple[Decimal, Decimal, Decimal]]) -> tuple[Decimal, Decimal, Decimal]:
    middle = sum((part[0] for part in parts), ZERO)
    below = sqrt(sum(float(mid - lo) ** 2 for mid, lo, _ in parts))
    above = sqrt(sum(float(hi - mid) ** 2 for mid, _, hi in parts))
    return middle, cents(max(float(middle) - below, 0.0)), cents(float(middle) + above)
