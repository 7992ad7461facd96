from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.incidents.case import SYSTEM, Case
from checks.incidents.change import Change
from checks.incidents.index import Index
from data.model.ids import IncidentId
from data.model.incident import IncidentState, TimelineEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from data.model.ids import FindingId, TargetId
    from data.model.incident import Finding


@dataclass(slots=True)
class Shelf:
    """The incidents a desk has before it, with their findings, kept so that each can be found."""

    cases: dict[IncidentId, Case] = field(default_factory=dict)
    findings: dict[FindingId, Finding] = field(default_factory=dict)
    index: Index = field(default_factory=Index)
    last_id: int = 0

    def incident_of(self, target: TargetId) -> IncidentId | None:
        """The incident a target is in now."""
        return next(iter(self.failing_in([target])), None)

    def failing_in(self, targets: Iterable[TargetId]) -> dict[IncidentId, int]:
        """The open incidents in which any of these fail, and how many do."""
        counted = Counter(map(self.index.failing.get, targets))
        return {number: count for number, count in counted.items() if number is not None and self.cases[number].is_open}

    def case_of(self, target: TargetId) -> Case | None:
        """The incident a target is in now or was in last."""
        known = self.index.by_target.get(target)
        return self.cases.get(known) if known is not None else None

    def start(self, finding: Finding, now: datetime) -> Change:
        """A new incident of one finding."""
        self.last_id += 1
        member = replace(finding, incident=IncidentId(self.last_id))
        case = Case.of(member, now)
        self.cases[case.incident.id] = case
        self.keep(member)
        self.index.weigh(case)
        said = TimelineEntry(case.incident.id, now, SYSTEM, f"opened: {case.incident.where}, {case.incident.title}")
        return Change((case.incident,), (member,), (said,))

    def keep(self, member: Finding) -> None:
        self.findings[member.id] = member
        self.index.add(member)

    def forget(self, case: Case) -> None:
        del self.cases[case.incident.id]
        self.index.drop(case)
        for member in case.findings:
            self.findings.pop(member, None)

    def absorb(self, into: Case, others: Iterable[Case]) -> list[Finding]:
        """Everything of the others moves; returns what moved. The others are forgotten, their rows are the caller's."""
        moved: list[Finding] = []
        for other in others:
            moved += [replace(finding, incident=into.incident.id) for finding in other.members]
            self.forget(other)
        for finding in sorted(moved, key=lambda one: (one.closed_at is None, one.opened_at, one.id)):
            into.take(finding)
            self.keep(finding)
        return moved

    def give_away(self, case: Case, findings: Sequence[Finding]) -> list[Finding]:
        """Take findings out of a case, at least one of which stays; they are as if they had never had an incident."""
        case.drop(findings)
        for finding in findings:
            self.index.remove(finding)
        return [replace(finding, incident=None) for finding in findings]

    def part(self, case: Case, given: Sequence[Finding], why: str, now: datetime) -> Change:
        """What a case gave away becomes one incident of its own."""
        first, *others = given
        change = self.start(first, now)
        alone = self.cases[change.incidents[0].id]
        number = alone.incident.id
        members = [replace(one, incident=number) for one in others]
        for member in members:
            alone.take(member)
            self.keep(member)
        alone.incident = replace(alone.incident, reason=why)
        alone.refresh(now)
        said = TimelineEntry(number, now, SYSTEM, f"split off #{case.incident.id}: {why}")
        return Change((alone.incident,), (*change.findings, *members), (*change.timeline, said))

    def end(self, case: Case, now: datetime) -> None:
        """Nothing of it fails any more."""
        case.incident = replace(
            case.incident, state=IncidentState.CLOSED, closed_at=now, closed_by=SYSTEM, updated_at=now
        )
