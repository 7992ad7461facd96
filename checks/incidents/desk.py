"""The desk: findings in, incidents out. Pure; every decision is returned as rows to be written.

A desk rebuilt from the rows it wrote decides as the one that wrote them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.incidents.case import SYSTEM, Case, milestone
from checks.incidents.change import Change, together
from checks.incidents.correlation import bridge_between, rule_of, upstream_of
from checks.incidents.index import Index
from checks.incidents.labels import WEB, base, compatible, read_all
from checks.incidents.merging import acknowledged_first, closed_by_merge, merged_words, own_failures
from checks.incidents.upstream import WINDOW, evidence, infer, now_of, reason, told_now
from data.model.ids import IncidentId
from data.model.incident import MERGED, Finding, Incident, IncidentState, TimelineEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from checks.incidents.census import Census
    from checks.incidents.correlation import Upstream
    from checks.incidents.upstream import Explanation
    from data.model.ids import FindingId, TargetId
    from data.model.money import Loss

    Price = Callable[[Incident, Sequence[Finding]], Loss]

_FIRST_LOOK = 3
"""Open incidents of sites and links that are not grouped yet: from so many on a shared upstream is looked for."""
FLAPPING = timedelta(minutes=15)
"""What falls again this soon after it recovered is the same incident."""


class IncidentDesk:
    """Groups findings into incidents and keeps their story.

    `incidents` and `findings` are what the store holds: every open incident with all its findings, and, so that
    flapping is recognised across a restart, those closed within the last quarter of an hour. Findings of other
    incidents may be given too. `last_id` is the highest incident number ever used. With a `census` the upstream of sites
    and links is inferred from what fails and what does not; without one only the rules of `correlation` group them.
    """

    def __init__(
        self,
        incidents: Iterable[Incident] = (),
        findings: Iterable[Finding] = (),
        last_id: int = 0,
        census: Census | None = None,
    ) -> None:
        self._census = census
        self._cases: dict[IncidentId, Case] = {incident.id: Case(incident) for incident in incidents}
        self._last_id = max([last_id, *self._cases])
        self._findings: dict[FindingId, Finding] = {}
        self._index = Index()
        self._orphans: list[Finding] = []
        for finding in sorted(findings, key=lambda known: (known.opened_at, known.id)):
            self._restore(finding)
        for case in list(self._cases.values()):
            if not case.findings and not case.is_open:
                del self._cases[case.incident.id]  # merged into another
            self._index.share(case)

    @property
    def census(self) -> Census | None:
        return self._census

    @property
    def open_incidents(self) -> tuple[Incident, ...]:
        return tuple(case.incident for case in self._cases.values() if case.is_open)

    def get(self, incident: IncidentId) -> Incident | None:
        case = self._cases.get(incident)
        return case.incident if case else None

    def members(self, incident: IncidentId) -> tuple[Finding, ...]:
        """The findings of an incident, oldest first."""
        case = self._cases.get(incident)
        return case.members if case else ()

    def incident_of(self, target: TargetId) -> IncidentId | None:
        """The incident a target is in now."""
        known = self._index.by_target.get(target)
        return known if known is not None and self._cases[known].is_open_for(target) else None

    def open(self, finding: Finding, now: datetime) -> Change:
        """Take in a finding: new ones join the incident they belong to or start one; a known id is revised."""
        known = self._findings.get(finding.id)
        if known is not None and known.closed_at is None:
            return self._revise(known, finding, now)
        found, reason = self._place_for(finding, now)
        if found is None:
            change = self._start(finding, now)
            return together(change, self.regroup(now)) if self._is_time_to_look(finding, now) else change
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
        changes.append(self.regroup(now))
        for case in list(self._cases.values()):
            if case.is_open:
                changes += self._review(case, now)
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

    def assign(self, incident: IncidentId, whom: str, who: str, now: datetime) -> Change:
        """It is in somebody's hands from now on, whoever had it before."""
        case = self._cases.get(incident)
        if case is None or not case.is_open or case.incident.acknowledged_by == whom:
            return Change()
        since, state = case.incident.acknowledged_at or now, IncidentState.ACKNOWLEDGED
        case.incident = replace(case.incident, state=state, acknowledged_at=since, acknowledged_by=whom, updated_at=now)
        return Change((case.incident,), (), (TimelineEntry(incident, now, who, f"assigned to {whom}"),))

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
        before = self._index.by_target.get(finding.target)
        flapped = self._cases.get(before) if before is not None else None
        if flapped is not None and flapped.may_take(now, FLAPPING) and flapped.is_of(finding):
            return flapped, "the same target fell again"
        if (known := self._inferred_for(finding)) is not None:
            return known, reason(known.shared)
        rule, upstream = rule_of(finding), upstream_of(finding)
        if rule is not None and upstream is not None:
            for number in self._index.of_upstream(upstream):
                case = self._cases[number]
                fits = case.may_take(now, FLAPPING) and case.is_near(finding.opened_at, rule.window)
                if fits and case.takes_kindly(finding) and self._may_speak(upstream, finding, case.incident.started_at):
                    return case, rule.reason.format(value=upstream.value)
        return self._bridged(finding)

    def _inferred_for(self, finding: Finding) -> Case | None:
        """The oldest open incident whose inferred upstream this finding shares, can be explained by and does not refute."""
        if self._census is None:
            return None
        labels = [label for label in self._census.labels(finding.target) if compatible(label[0], finding.cause)]
        for case in (self._cases[number] for number in self._index.of_shared(labels)):
            if (
                case.is_open
                and case.takes_kindly(finding)
                and not now_of(self._census, case.shared, case.incident.started_at).refuted
            ):
                return case
        return None

    def _may_speak(self, upstream: Upstream, finding: Finding, began: datetime) -> bool:
        """Whether a rule may join sites or links by this label: an edge only by inference, others unless most are fine.

        Where most are fine the same upstream may still fail in one country or for one offer.
        """
        if self._census is None or finding.kind not in WEB:
            return True
        if upstream.label == "edge":
            return False
        label, since = (upstream.label, upstream.value), min(began, finding.opened_at)
        pairs = [pair for pair in self._census.labels(finding.target) if pair != label and base(pair) == label]
        return not all(now_of(self._census, [one], since).refuted for one in (label, *pairs))

    def _bridged(self, finding: Finding) -> tuple[Case | None, str]:
        best: tuple[IncidentId, Case, str] | None = None
        for value, member_id in self._index.bridged(finding):
            member = self._findings[member_id]
            case = self._cases.get(member.incident) if member.incident is not None else None
            if case is None or not case.is_open or (best is not None and best[0] <= case.incident.id):
                continue
            bridge = bridge_between(finding, member)
            if bridge is not None:
                best = case.incident.id, case, bridge.reason.format(value=value)
        return (best[1], best[2]) if best else (None, "")

    def _start(self, finding: Finding, now: datetime) -> Change:
        self._last_id += 1
        member = replace(finding, incident=IncidentId(self._last_id))
        case = Case.of(member, now)
        self._cases[case.incident.id] = case
        self._keep(member)
        said = TimelineEntry(case.incident.id, now, SYSTEM, f"opened: {case.incident.where}, {case.incident.title}")
        return Change((case.incident,), (member,), (said,))

    def _is_time_to_look(self, finding: Finding, now: datetime) -> bool:
        """At the 3rd, 5th, 10th, 20th, ... recent incident of its own: the first minute of an outage."""
        if self._census is None or finding.kind not in WEB:
            return False
        since = now - WINDOW
        loose = sum(1 for case in self._cases.values() if case.incident.started_at >= since and case.is_loose)
        return loose == _FIRST_LOOK or milestone(loose - 1, loose)

    def regroup(self, now: datetime) -> Change:
        """Merge incidents that have one upstream, as far as the census shows it; the oldest number stays."""
        change = Change()
        for found in infer(self._census, now) if self._census is not None else ():
            members: dict[IncidentId, int] = Counter(
                number for target in found.targets if (number := self.incident_of(target)) is not None
            )
            mostly = [self._cases[number] for number in sorted(members) if self._is_mostly(number, members[number])]
            cases = [case for case in mostly if case.is_kin(mostly[0])]
            if sum(members[case.incident.id] for case in cases) > 1:
                change = together(change, self._merge(cases, found, now))
        return change

    def _is_mostly(self, number: IncidentId, explained: int) -> bool:
        case = self._cases[number]
        return explained * 2 > sum(1 for finding in case.open_findings if finding.kind in WEB)

    def _merge(self, cases: Sequence[Case], found: Explanation, now: datetime) -> Change:
        """Everything moves to the oldest; the others close and say where to. An acknowledgement survives."""
        into, others = cases[0], cases[1:]
        was, number, why = into.incident, into.incident.id, reason(found.judged.labels)
        moved: list[Finding] = []
        for other in others:
            moved += [replace(finding, incident=number) for finding in other.members]
            self._forget(other)
        for finding in sorted(moved, key=lambda one: (one.closed_at is None, one.opened_at, one.id)):
            into.take(finding)
            self._keep(finding)
        into.incident = acknowledged_first(was, [other.incident for other in others])
        into.adopt(found.judged.labels, why, evidence(found))
        into.refresh(now)
        self._index.share(into)
        said = [TimelineEntry(other.incident.id, now, SYSTEM, f"{MERGED}{number}: {why}") for other in others]
        said += [TimelineEntry(number, now, SYSTEM, what) for what in merged_words(was, into.incident, others)]
        if not said and replace(into.incident, updated_at=was.updated_at) == was:
            return Change()
        closed = [closed_by_merge(other.incident, was, now) for other in others]
        return Change((*closed, into.incident), tuple(moved), tuple(said))

    def _review(self, case: Case, now: datetime) -> list[Change]:
        """Refresh what speaks for the upstream; give members away whose failures turned out to be their own."""
        if self._census is None or not case.shared:
            return []
        judged = now_of(self._census, case.shared, case.incident.started_at)
        own, why = own_failures(case, judged, self._census)
        if own:
            return self._split(case, own, why, now)
        told = case.incident.evidence | told_now(judged)
        if told == case.incident.evidence or not judged.failed:
            return []
        case.incident = replace(case.incident, evidence=told, updated_at=now)
        return [Change((case.incident,))]

    def _split(self, case: Case, own: Sequence[Finding], why: str, now: datetime) -> list[Change]:
        """Each of `own` becomes an incident of its own; one stays when nothing else would."""
        name = read_all(case.shared)
        given = own if len(own) < len(case.findings) else own[1:]
        changes = []
        for finding in given:
            case.drop(finding)
            change = self._start(replace(finding, incident=None), now)
            alone = self._cases[change.incidents[0].id]
            alone.incident = replace(alone.incident, reason=why)
            said = TimelineEntry(alone.incident.id, now, SYSTEM, f"split off #{case.incident.id}: {why}")
            changes.append(Change((alone.incident,), change.findings, (*change.timeline, said)))
        told = [TimelineEntry(case.incident.id, now, SYSTEM, f"{len(given)} split off: {why}")]
        if case.open_members == 0:
            case.incident = replace(
                case.incident, state=IncidentState.CLOSED, closed_at=now, closed_by=SYSTEM, updated_at=now
            )
            told.append(TimelineEntry(case.incident.id, now, SYSTEM, f"closed: nothing else fails behind {name}"))
        elif len(given) < len(own):
            self._index.unshare(case)
            case.incident = replace(case.incident, upstream="", evidence={}, reason="")
        case.refresh(now)
        return [*changes, Change((case.incident,), (), tuple(told))]

    def _join(self, case: Case, finding: Finding, now: datetime, reason: str) -> Change:
        before, teams = case.incident.members, case.incident.teams
        said: list[TimelineEntry] = []
        if not case.is_open:
            case.reopen(now)
            said.append(TimelineEntry(case.incident.id, now, SYSTEM, "reopened: it failed again"))
        member = replace(finding, incident=case.incident.id)
        case.take(member)
        self._keep(member)
        case.incident = replace(case.incident, reason=case.incident.reason or reason)
        case.refresh(now)
        after = case.incident.members
        if milestone(before, after):
            said.append(TimelineEntry(case.incident.id, now, SYSTEM, f"grew to {after} members: {reason}"))
        reached = sorted(set(case.incident.teams) - set(teams))
        said += [TimelineEntry(case.incident.id, now, SYSTEM, f"reached team {team}") for team in reached]
        change = Change((case.incident,), (member,), tuple(said))
        return together(change, self.regroup(now)) if milestone(before, after) and case.is_loose else change

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
        self._keep(revised)
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
            self._keep(finding)
        elif finding.incident is None and finding.closed_at is None:
            self._orphans.append(finding)
        else:
            self._findings[finding.id] = finding

    def _take_orphans(self) -> list[Finding]:
        orphans, self._orphans = self._orphans, []
        return orphans

    def _keep(self, member: Finding) -> None:
        self._findings[member.id] = member
        self._index.add(member)

    def _forget(self, case: Case) -> None:
        del self._cases[case.incident.id]
        self._index.drop(case)
        for member in case.findings:
            self._findings.pop(member, None)


def _everything(case: Case) -> str:
    return f"all {case.incident.members} members" if case.incident.members > 1 else "it"
