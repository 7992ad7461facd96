"""The desk: findings in, incidents out. Pure; every decision is returned as rows to be written.

A desk rebuilt from the rows it wrote decides as the one that wrote them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.incidents.case import SYSTEM, Case, milestone
from checks.incidents.correlation import bridge_between, bridge_labels, rule_of, upstream_of
from data.model.ids import IncidentId
from data.model.incident import Finding, Incident, IncidentState, TimelineEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from checks.incidents.correlation import Upstream
    from data.model.ids import FindingId, TargetId
    from data.model.money import Loss

    Price = Callable[[Incident, Sequence[Finding]], Loss]

FLAPPING = timedelta(minutes=15)
"""What falls again this soon after it recovered is the same incident."""


@dataclass(frozen=True, slots=True)
class Change:
    """Rows to be written, newest word each: upsert the first two, append the last."""

    incidents: tuple[Incident, ...] = ()
    findings: tuple[Finding, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.incidents or self.findings or self.timeline)


class IncidentDesk:
    """Groups findings into incidents and keeps their story.

    `incidents` and `findings` are what the store holds: every open incident with all its findings, and, so that
    flapping is recognised across a restart, those closed within the last quarter of an hour. Findings of other
    incidents may be given too. `last_id` is the highest incident number ever used.
    """

    def __init__(self, incidents: Iterable[Incident] = (), findings: Iterable[Finding] = (), last_id: int = 0) -> None:
        self._cases: dict[IncidentId, Case] = {incident.id: Case(incident) for incident in incidents}
        self._last_id = max([last_id, *self._cases])
        self._findings: dict[FindingId, Finding] = {}
        self._by_upstream: dict[Upstream, dict[IncidentId, None]] = {}
        self._by_label: dict[tuple[str, str], dict[FindingId, None]] = {}
        self._by_target: dict[TargetId, IncidentId] = {}
        self._orphans: list[Finding] = []
        for finding in sorted(findings, key=lambda known: (known.opened_at, known.id)):
            self._restore(finding)

    @property
    def open_incidents(self) -> tuple[Incident, ...]:
        return tuple(case.incident for case in self._cases.values() if case.is_open)

    def get(self, incident: IncidentId) -> Incident | None:
        case = self._cases.get(incident)
        return case.incident if case else None

    def members(self, incident: IncidentId) -> tuple[Finding, ...]:
        """The findings of an incident, oldest first."""
        case = self._cases.get(incident)
        return tuple(sorted(case.findings.values(), key=lambda member: (member.opened_at, member.id))) if case else ()

    def incident_of(self, target: TargetId) -> IncidentId | None:
        """The incident a target is in now."""
        known = self._by_target.get(target)
        return known if known is not None and self._cases[known].is_open_for(target) else None

    def open(self, finding: Finding, now: datetime) -> Change:
        """Take in a finding: new ones join the incident they belong to or start one; a known id is revised."""
        known = self._findings.get(finding.id)
        if known is not None and known.closed_at is None:
            return self._revise(known, finding, now)
        found, reason = self._place_for(finding, now)
        if found is None:
            return self._start(finding, now)
        return self._join(found, finding, now, reason)

    def close(self, finding_id: FindingId, now: datetime) -> Change:
        """A finding is over; an incident whose findings are all over closes with it."""
        known = self._findings.get(finding_id)
        if known is None or known.closed_at is not None:
            return Change()
        closed = replace(known, closed_at=now)
        self._findings[finding_id] = closed
        case = self._cases.get(known.incident) if known.incident is not None else None
        if case is None:
            return Change(findings=(closed,))
        case.take(closed)
        if not case.is_open:
            return Change(findings=(closed,))
        said = []
        if case.open_members == 0:
            case.incident = replace(
                case.incident, state=IncidentState.CLOSED, closed_at=now, closed_by=SYSTEM, updated_at=now
            )
            said.append(TimelineEntry(case.incident.id, now, SYSTEM, f"closed: {_everything(case)} recovered"))
        case.refresh(now)
        return Change((case.incident,), (closed,), tuple(said))

    def tick(self, now: datetime, price: Price) -> tuple[Change, ...]:
        """Price what is open, take in findings that had no incident, and forget what can no longer flap."""
        changes = [self.open(orphan, now) for orphan in self._take_orphans()]
        for case in list(self._cases.values()):
            if case.is_open:
                changes.append(self._price(case, now, price))
            elif case.incident.closed_at and now - case.incident.closed_at > FLAPPING and case.open_members == 0:
                self._forget(case)
        return tuple(change for change in changes if change)

    def acknowledge(self, incident: IncidentId, who: str, now: datetime) -> Change:
        """Somebody has it. The first one who says so stays; an unknown or closed incident changes nothing."""
        case = self._cases.get(incident)
        if case is None or case.incident.state is not IncidentState.NEW:
            return Change()
        case.incident = replace(
            case.incident,
            state=IncidentState.ACKNOWLEDGED,
            acknowledged_at=now,
            acknowledged_by=who,
            updated_at=now,
        )
        return Change((case.incident,), (), (TimelineEntry(incident, now, who, "acknowledged"),))

    def close_by(self, incident: IncidentId, who: str, now: datetime) -> Change:
        """A person closes it, whatever still fails; its findings stay with it and end in their own time."""
        case = self._cases.get(incident)
        if case is None or not case.is_open:
            return Change()
        still = f" with {case.open_members} still affected" if case.open_members else ""
        case.incident = replace(case.incident, state=IncidentState.CLOSED, closed_at=now, closed_by=who, updated_at=now)
        return Change((case.incident,), (), (TimelineEntry(incident, now, who, f"closed by hand{still}"),))

    def note(self, incident: IncidentId, who: str, text: str, now: datetime) -> Change:
        if incident not in self._cases:
            return Change()
        return Change((), (), (TimelineEntry(incident, now, who, f"noted: {text}"),))

    def _place_for(self, finding: Finding, now: datetime) -> tuple[Case | None, str]:
        """The oldest incident that a rule, a bridge or flapping assigns this finding to, and why."""
        flapped = self._cases.get(self._by_target[finding.target]) if finding.target in self._by_target else None
        if flapped is not None and flapped.may_take(now, FLAPPING):
            return flapped, "the same target fell again"
        rule, upstream = rule_of(finding), upstream_of(finding)
        if rule is not None and upstream is not None:
            for number in sorted(self._by_upstream.get(upstream, ())):
                case = self._cases[number]
                if case.may_take(now, FLAPPING) and case.is_near(finding.opened_at, rule.window):
                    return case, rule.reason.format(value=upstream.value)
        return self._bridged(finding)

    def _bridged(self, finding: Finding) -> tuple[Case | None, str]:
        best: tuple[IncidentId, Case, str] | None = None
        for label in bridge_labels(finding):
            for member_id in self._by_label.get(label, ()):
                member = self._findings[member_id]
                case = self._cases.get(member.incident) if member.incident is not None else None
                if case is None or not case.is_open or (best is not None and best[0] <= case.incident.id):
                    continue
                bridge = bridge_between(finding, member)
                if bridge is not None:
                    best = case.incident.id, case, bridge.reason.format(value=label[1])
        return (best[1], best[2]) if best else (None, "")

    def _start(self, finding: Finding, now: datetime) -> Change:
        self._last_id += 1
        member = replace(finding, incident=IncidentId(self._last_id))
        case = Case.of(member, now)
        self._cases[case.incident.id] = case
        self._index(member)
        said = TimelineEntry(case.incident.id, now, SYSTEM, f"opened: {case.incident.where}, {case.incident.title}")
        return Change((case.incident,), (member,), (said,))

    def _join(self, case: Case, finding: Finding, now: datetime, reason: str) -> Change:
        before, teams = case.incident.members, case.incident.teams
        said: list[TimelineEntry] = []
        if not case.is_open:
            case.reopen(now)
            said.append(TimelineEntry(case.incident.id, now, SYSTEM, "reopened: it failed again"))
        member = replace(finding, incident=case.incident.id)
        case.take(member)
        self._index(member)
        case.incident = replace(case.incident, reason=case.incident.reason or reason)
        case.refresh(now)
        after = case.incident.members
        if milestone(before, after):
            said.append(TimelineEntry(case.incident.id, now, SYSTEM, f"grew to {after} members: {reason}"))
        reached = sorted(set(case.incident.teams) - set(teams))
        said += [TimelineEntry(case.incident.id, now, SYSTEM, f"reached team {team}") for team in reached]
        return Change((case.incident,), (member,), tuple(said))

    def _revise(self, known: Finding, finding: Finding, now: datetime) -> Change:
        revised = replace(
            known,
            cause=finding.cause,
            detail=finding.detail,
            blame=finding.blame,
            fingerprint=known.fingerprint | finding.fingerprint,
        )
        case = self._cases.get(known.incident) if known.incident is not None else None
        self._findings[known.id] = revised
        if case is None:
            return Change(findings=(revised,))
        case.take(revised)
        self._index(revised)
        if not case.is_open:
            return Change(findings=(revised,))
        was = case.incident.cause
        case.refresh(now)
        said = TimelineEntry(case.incident.id, now, SYSTEM, f"cause is now {case.incident.cause}, was {was}")
        return Change((case.incident,), (revised,), (said,) if case.incident.cause != was else ())

    def _price(self, case: Case, now: datetime, price: Price) -> Change:
        was = case.incident
        case.incident = replace(was, loss=price(was, self.members(was.id)))
        if case.incident.loss == was.loss:
            return Change()
        case.refresh(now)
        said = []
        if case.incident.severity < was.severity:
            said.append(TimelineEntry(was.id, now, SYSTEM, f"rose from {was.severity} to {case.incident.severity}"))
        return Change((case.incident,), (), tuple(said))

    def _restore(self, finding: Finding) -> None:
        if finding.incident is not None and finding.incident in self._cases:
            self._cases[finding.incident].take(finding)
            self._index(finding)
        elif finding.incident is None and finding.closed_at is None:
            self._orphans.append(finding)
        else:
            self._findings[finding.id] = finding

    def _take_orphans(self) -> list[Finding]:
        orphans, self._orphans = self._orphans, []
        return orphans

    def _index(self, member: Finding) -> None:
        assert member.incident is not None
        self._findings[member.id] = member
        self._by_target[member.target] = member.incident
        upstream = upstream_of(member)
        if upstream is not None:
            self._by_upstream.setdefault(upstream, {})[member.incident] = None
        for label in bridge_labels(member):
            self._by_label.setdefault(label, {})[member.id] = None

    def _forget(self, case: Case) -> None:
        number = case.incident.id
        del self._cases[number]
        for member in case.findings.values():
            self._findings.pop(member.id, None)
            if self._by_target.get(member.target) == number:
                del self._by_target[member.target]
            for label in bridge_labels(member):
                self._by_label.get(label, {}).pop(member.id, None)
        for numbers in self._by_upstream.values():
            numbers.pop(number, None)


def _everything(case: Case) -> str:
    return f"all {case.incident.members} members" if case.incident.members > 1 else "it"
