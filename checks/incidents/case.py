from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from checks.incidents import correlation, explain, routing
from checks.incidents.severity import grade
from data.model.cause import words_of
from data.model.incident import Finding, Incident, IncidentState, Severity

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from data.model.ids import CauseId, FindingId, TargetId, TeamId
    from data.model.target import TargetKind

SYSTEM = "losswatch"
_MILESTONES = tuple(step * 10**power for power in range(6) for step in (1, 2, 5))


class Case:
    """One incident with the tallies its row is derived from, kept as its findings come and go."""

    def __init__(self, incident: Incident) -> None:
        self.incident = incident
        self.findings: dict[FindingId, Finding] = {}
        self._targets: dict[TargetId, FindingId] = {}
        self._open: set[FindingId] = set()
        self._kinds: Counter[TargetKind] = Counter()
        """Of distinct targets."""
        self._teams: set[TeamId] = set()
        self._causes: Counter[CauseId] = Counter()
        self._blames: Counter[str] = Counter()
        self._upstreams: Counter[tuple[int, correlation.Upstream]] = Counter()
        self._sites: set[str] = set()
        self._geos: set[str] = set()
        self._compliance = False
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

    def is_open_for(self, target: TargetId) -> bool:
        return self.is_open and self._targets.get(target) in self._open

    def may_take(self, now: datetime, flapping: timedelta) -> bool:
        """Open, or closed by itself so recently that it is still the same trouble."""
        closed_at = self.incident.closed_at
        recovered = closed_at is not None and self.incident.closed_by == SYSTEM and now - closed_at <= flapping
        return self.is_open or recovered

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
        self.findings[finding.id] = finding
        if finding.target not in self._targets:
            self._kinds[finding.kind] += 1
        self._targets[finding.target] = finding.id
        self._teams.add(finding.team)
        self._compliance |= "compliance" in finding.fingerprint
        (self._open.discard if finding.closed_at else self._open.add)(finding.id)
        self._sites.add(finding.fingerprint.get("site", ""))
        self._geos.add(finding.fingerprint.get("geo", ""))
        if self._first is None or (finding.opened_at, finding.id) <= (self._first.opened_at, self._first.id):
            self._first = finding
        self._last_start = max(self._last_start, finding.opened_at)

    def refresh(self, now: datetime) -> None:
        """Derive the incident's row from its tallies."""
        assert self._first is not None
        teams = tuple(sorted(self._teams))
        cause = min(self._causes, key=lambda name: (correlation.rank(name), -self._causes[name], name))
        upstream = self._leading_upstream()
        place = explain.where(self._kinds, self._sites - {""}, upstream, self._first, self._geos - {""})
        blame = upstream.value if upstream and upstream.label in {"edge", "host"} else self._leading_blame()
        was = self.incident
        self.incident = replace(
            was,
            team=routing.owner_team(teams),
            teams=teams,
            cause=cause,
            severity=grade(cause, was.loss, len(self._targets), compliance=self._compliance, was=was.severity),
            title=words_of(cause),
            where=place,
            blame=blame,
            owner_role=routing.owner_role(cause),
            started_at=min(was.started_at, self._first.opened_at),
            members=max(was.members, len(self._targets)),
            open_members=len(self._open),
            updated_at=now,
        )

    def _leading_upstream(self) -> correlation.Upstream | None:
        """Of the findings nearest to the root, the upstream most of them share."""
        return min(
            self._upstreams, key=lambda known: (known[0], -self._upstreams[known], str(known[1])), default=(0, None)
        )[1]

    def _leading_blame(self) -> str:
        return min(self._blames, key=lambda blame: (-self._blames[blame], blame), default="")

    def _tally(self, finding: Finding, by: int) -> None:
        self._causes[finding.cause] += by
        upstream = correlation.upstream_of(finding)
        if upstream is not None:
            self._upstreams[correlation.rank(finding.cause), upstream] += by
        if finding.blame:
            self._blames[finding.blame] += by
        for counts in (self._causes, self._upstreams, self._blames):
            for empty in [name for name, count in counts.items() if count <= 0]:
                del counts[empty]


def milestone(before: int, after: int) -> bool:
    """Whether growing from `before` to `after` members is worth a line: 2, 5, 10, 20, 50, 100, ..."""
    return any(before < step <= after for step in _MILESTONES)
