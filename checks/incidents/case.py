from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.incidents import correlation, explain, routing
from checks.incidents.correlation import BY_START
from checks.incidents.labels import WEB, base, parsed, written
from checks.incidents.severity import grade
from data.model.cause import nature_of
from data.model.incident import Finding, Incident, IncidentState, Severity
from data.model.observation import ORIGIN_FINE
from data.model.target import TargetKind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from checks.incidents.labels import Label
    from data.model.ids import CauseId, FindingId, TargetId, TeamId

SYSTEM = "losswatch"
MONEY = frozenset({TargetKind.SLICE})
_BLAMED = frozenset({"edge", "host", "network", "ns", "registrar", "issuer", "vantage"})
"""Kinds of upstream that are themselves to blame."""
_BLAMES = 64
"""Findings that blame more different hosts than this have no host to blame."""
SAME_START = timedelta(minutes=10)
FLAPPING = timedelta(minutes=15)
"""What falls again this soon after it recovered is the same incident."""
_MILESTONES = tuple(step * 10**power for power in range(6) for step in (1, 2, 5))


class Case:
    """One incident with the tallies its row is derived from, kept as its findings come and go."""

    def __init__(self, incident: Incident) -> None:
        self.incident = incident
        self.findings: dict[FindingId, Finding] = {}
        self._ordered: list[Finding] = []
        """Oldest first..."""
        self._members: tuple[Finding, ...] | None = None
        """...and the same as it was last given out."""
        self._targets: dict[TargetId, FindingId] = {}
        self._open: set[FindingId] = set()
        self._open_kinds: Counter[TargetKind] = Counter()
        """Of open findings."""
        self._kinds: Counter[TargetKind] = Counter()
        """Of distinct targets."""
        self._teams: set[TeamId] = set()
        self._causes: Counter[CauseId] = Counter()
        self._blames: Counter[str] = Counter()
        self._upstreams: Counter[tuple[int, correlation.Upstream]] = Counter()
        self._sites: set[str] = set()
        self._geos: set[str] = set()
        self._origins: Counter[bool] = Counter()
        """Of findings whose origin was asked directly, whether it answered."""
        self._compliance = False
        self._roots = 0
        """Findings that are no symptoms."""
        self._first: Finding | None = None
        self._last_start = incident.started_at

    @classmethod
    def of(cls, finding: Finding, now: datetime) -> Case:
        assert finding.incident is not None
        case = cls(
            Incident(
                id=finding.incident,
                team=finding.team,
                teams=(finding.team,),
                cause=finding.cause,
                severity=Severity.SEV3,
                state=IncidentState.NEW,
                title="",
                where="",
                blame=finding.blame,
                owner_role="",
                started_at=finding.opened_at,
                detected_at=now,
            )
        )
        case.take(finding)
        case.refresh(now)
        return case

    @property
    def is_open(self) -> bool:
        return self.incident.state is not IncidentState.CLOSED

    @property
    def open_members(self) -> int:
        return len(self._open)

    @property
    def members(self) -> tuple[Finding, ...]:
        """Oldest first; the same object until one comes, goes or changes."""
        if self._members is None:
            self._members = tuple(self._ordered)
        return self._members

    @property
    def whole(self) -> str:
        """`all 12 members`, or `it`."""
        return f"all {self.incident.members} members" if self.incident.members > 1 else "it"

    @property
    def open_findings(self) -> Iterator[Finding]:
        """In no order."""
        return map(self.findings.__getitem__, self._open)

    @property
    def shared(self) -> tuple[Label, ...]:
        """The upstream that was inferred from what fails and what does not; nothing when a rule alone made the group."""
        return parsed(self.incident.upstream) if self.incident.evidence else ()

    @property
    def is_loose(self) -> bool:
        """Open, of sites or links, and without an inferred upstream: it may turn out to be part of something larger."""
        return self.is_open and not self.incident.evidence and self.touches_web

    @property
    def is_money(self) -> bool:
        """Nothing but money that is missing: what fails is not known."""
        return bool(self.findings) and not any(count for kind, count in self._kinds.items() if kind not in MONEY)

    @property
    def is_echo(self) -> bool:
        """Nothing but symptoms: money that is missing, or postbacks that tell of none."""
        return bool(self.findings) and not self._roots

    @property
    def is_mixed(self) -> bool:
        """Symptoms with what explains them."""
        return 0 < self._roots < len(self.findings)

    @property
    def touches_web(self) -> bool:
        """Sites or links are part of it."""
        return not WEB.isdisjoint(+self._kinds)

    @property
    def open_on_the_web(self) -> int:
        """Open findings of sites and links."""
        return sum(count for kind, count in self._open_kinds.items() if kind in WEB)

    def of_target(self, target: TargetId) -> Finding | None:
        """The target's last trouble in here."""
        known = self._targets.get(target)
        return self.findings.get(known) if known is not None else None

    def may_take(self, now: datetime, flapping: timedelta) -> bool:
        """Open, or closed by itself so recently that it is still the same trouble."""
        closed_at = self.incident.closed_at
        recovered = closed_at is not None and self.incident.closed_by == SYSTEM and now - closed_at <= flapping
        return self.is_open or recovered

    def is_of(self, finding: Finding) -> bool:
        """Whether the target's last trouble in here was of the same nature."""
        known = self.of_target(finding.target)
        if known is None or known.kind in WEB:
            return known is None or nature_of(known.cause) == nature_of(finding.cause)
        return correlation.is_symptom(known) == correlation.is_symptom(finding)

    def takes_kindly(self, finding: Finding) -> bool:
        """Whether a site's or link's finding may be of this trouble, whatever they share.

        A breach of a licence is never mixed with anything else. Trouble of another nature belongs here only when it
        began with it: what begins an hour later behind the same host is another story.
        """
        if self._compliance != ("compliance" in finding.fingerprint):
            return False
        alike = nature_of(self.incident.cause) == nature_of(finding.cause)
        return alike or finding.kind not in WEB or abs(finding.opened_at - self.incident.started_at) <= SAME_START

    def is_kin(self, other: Case) -> bool:
        """Whether the two may be one incident, as far as their own stories tell."""
        first = other._first
        apart = abs(self.incident.started_at - other.incident.started_at)
        return first is None or (apart <= BY_START and self.takes_kindly(first))

    def is_near(self, opened_at: datetime, window: timedelta | None) -> bool:
        return window is None or self.incident.started_at - window <= opened_at <= self._last_start + window

    def reopen(self, now: datetime) -> None:
        state = IncidentState.ACKNOWLEDGED if self.incident.acknowledged_at else IncidentState.NEW
        self.incident = replace(self.incident, state=state, closed_at=None, closed_by="", updated_at=now)

    def take(self, finding: Finding) -> None:
        """Count a finding, new or in a newer version."""
        known = self.findings.get(finding.id)
        if known is not None:
            self._tally(known, -1)
        self._tally(finding, 1)
        self._put_in_order(finding, known)
        self.findings[finding.id] = finding
        if finding.target not in self._targets:
            self._kinds[finding.kind] += 1
        if known is None:
            self._targets[finding.target] = finding.id
        self._teams.add(finding.team)
        self._compliance |= "compliance" in finding.fingerprint
        self._count_open(finding, is_open=finding.closed_at is None)
        if site := finding.fingerprint.get("site"):
            self._sites.add(site)
        if geo := finding.fingerprint.get("geo"):
            self._geos.add(geo)
        if self._first is None or (finding.opened_at, finding.id) <= (self._first.opened_at, self._first.id):
            self._first = finding
        self._last_start = max(self._last_start, finding.opened_at)

    def drop(self, findings: Iterable[Finding]) -> None:
        """Give findings away; at least one other must stay."""
        for finding in findings:
            self._tally(self.findings.pop(finding.id), -1)
            self._count_open(finding, is_open=False)
        self._ordered = [one for one in self._ordered if one.id in self.findings]
        self._members = None
        self._first, self._last_start = self.members[0], self.members[-1].opened_at
        self._targets = {one.target: one.id for one in self.members}
        self._kinds = Counter(kind_of(target) for target in self._targets)
        self._teams = {one.team for one in self.members}
        self._sites = {site for one in self.members if (site := one.fingerprint.get("site"))}
        self._geos = {geo for one in self.members if (geo := one.fingerprint.get("geo"))}
        self._compliance = any("compliance" in one.fingerprint for one in self.members)

    def adopt(self, labels: Sequence[Label], reason: str, evidence: dict[str, str]) -> None:
        """Take over what was inferred about the upstream; call `refresh` after it."""
        self.incident = replace(self.incident, upstream=written(labels), reason=reason, evidence=evidence)

    def refresh(self, now: datetime) -> None:
        """Derive the incident's row from its tallies."""
        assert self._first is not None
        teams = tuple(sorted(self._teams))
        cause = min(self._causes, key=lambda name: (correlation.rank(name), -self._causes[name], name))
        was, shared = self.incident, self.shared
        alone = sum(self._kinds[kind] for kind in WEB) == 1 and not cause.startswith("edge.")
        upstream = explain.upstream_of(shared) if shared else self._leading_upstream()
        if alone and upstream and not shared and upstream.label == "edge":
            upstream = None  # one site's own error, passed on by its edge
        place = explain.where(self._kinds, self._sites, upstream, self._first, self._geos)
        blamed = base(shared[0]) if shared else (upstream.label, upstream.value) if upstream else ("", "")
        if alone and len(self._targets) == 1:
            blamed = ("", "")
        blame = blamed[1] if blamed[0] in _BLAMED else self._leading_blame()
        if not shared:
            several = upstream is not None and len(self._targets) > 1
            upstream_text = written([(upstream.label, upstream.value)]) if upstream and several else ""
            was = replace(was, upstream=upstream_text)
        elif told := explain.origins(self._origins):
            was = replace(was, evidence=was.evidence | {"origin": told})
        self.incident = replace(
            was,
            team=routing.owner_team(teams),
            teams=teams,
            cause=cause,
            severity=grade(cause, was.loss, len(self._targets), compliance=self._compliance, was=was.severity),
            title=explain.title(cause, was),
            where=place,
            blame=blame,
            owner_role=was.owner_role or routing.owner_role(cause),
            started_at=min(was.started_at, self._first.opened_at),
            members=max(was.members, len(self._targets)),
            open_members=len(self._open),
            updated_at=now,
        )

    def _put_in_order(self, finding: Finding, known: Finding | None) -> None:
        """Of a hundred thousand nobody sorts all again because one came; most come in the order in which they began."""
        self._members = None
        is_last = not self._ordered or _age(self._ordered[-1]) < _age(finding)
        at = len(self._ordered) if is_last else bisect_left(self._ordered, _age(finding), key=_age)
        if known is None:
            self._ordered.insert(at, finding)
        else:
            self._ordered[at] = finding  # an id tells when it began

    def _count_open(self, finding: Finding, *, is_open: bool) -> None:
        if is_open and finding.id not in self._open:
            self._open.add(finding.id)
            self._open_kinds[finding.kind] += 1
        elif not is_open and finding.id in self._open:
            self._open.remove(finding.id)
            self._open_kinds[finding.kind] -= 1

    def _leading_upstream(self) -> correlation.Upstream | None:
        """Of the findings nearest to the root, the upstream most of them share."""
        return min(
            self._upstreams, key=lambda known: (known[0], -self._upstreams[known], str(known[1])), default=(0, None)
        )[1]

    def _leading_blame(self) -> str:
        """The host that most of the findings blame; of many that each blame their own, nobody."""
        if len(self._blames) > _BLAMES:
            return ""
        leading = min(self._blames, key=lambda blame: (-self._blames[blame], blame), default="")
        return leading if self._blames[leading] * 2 > self._blames.total() else ""

    def _tally(self, finding: Finding, by: int) -> None:
        self._causes[finding.cause] += by
        self._roots += 0 if correlation.is_symptom(finding) else by
        upstream = correlation.upstream_of(finding)
        if upstream is not None:
            self._upstreams[correlation.rank(finding.cause), upstream] += by
            if self._upstreams[correlation.rank(finding.cause), upstream] <= 0:
                del self._upstreams[correlation.rank(finding.cause), upstream]
        if self._causes[finding.cause] <= 0:
            del self._causes[finding.cause]
        if finding.blame:
            self._blames[finding.blame] += by
            if self._blames[finding.blame] <= 0:
                del self._blames[finding.blame]
        if origin := finding.fingerprint.get("origin_state"):
            self._origins[origin == ORIGIN_FINE] += by


def _age(finding: Finding) -> tuple[datetime, FindingId]:
    return finding.opened_at, finding.id


def milestone(before: int, after: int) -> bool:
    """Whether growing from `before` to `after` members is worth a line: 2, 5, 10, 20, 50, 100, ..."""
    return any(before < step <= after for step in _MILESTONES)
