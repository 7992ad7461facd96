"""The desk: findings in, incidents out. Pure; every decision is returned as rows to be written.

A desk rebuilt from the rows it wrote decides as the one that wrote them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from checks.incidents.byhand import ByHand
from checks.incidents.case import FLAPPING, SYSTEM, Case, milestone
from checks.incidents.causes import Causes
from checks.incidents.change import Change, batch, together
from checks.incidents.correlation import is_symptom
from checks.incidents.labels import WEB
from checks.incidents.money import part, take_in
from checks.incidents.owning import Owners
from checks.incidents.parents import Parents, is_held
from checks.incidents.placing import Placing
from checks.incidents.regrouping import regroup, review
from checks.incidents.shelf import Shelf
from checks.incidents.traffic import Traffic
from checks.incidents.upstream import WINDOW
from checks.incidents.withheld import Withheld
from data.model.incident import Finding, Incident, IncidentState, TimelineEntry
from data.model.money import Loss
from data.model.target import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from checks.incidents.census import Census
    from data.config.notifying import Route
    from data.config.parents import Parent
    from data.model.ids import FindingId, IncidentId, TargetId

    Price = Callable[[Incident, Sequence[Finding]], Loss | None]

_FIRST_LOOK = 3
"""Open incidents of sites and links that are not grouped yet: from so many on a shared upstream is looked for."""
_MORE = 50
"""Between two looks the failures must grow by one in so many."""
_FELL, _WORTH_TELLING = 0.5, 5
"""A loss per hour that falls below this share of what it was, from so much on, is told."""


class IncidentDesk:
    """Groups findings into incidents and keeps their story.

    `incidents` and `findings` are what the store holds: every open incident with all its findings, and, so that
    flapping is recognised across a restart, those closed within the last quarter of an hour. Findings of other
    incidents may be given too. `last_id` is the highest incident number ever used. With a `census` the upstream of sites
    and links is inferred from what fails and what does not; without one only the rules of `correlation` group them.
    `parents` say whose failure keeps others from opening incidents of their own, `traffic` which sites a slice's clicks pass.
    `owners` knows the rules that name an owner, `looked_at` when a target was observed last.
    """

    def __init__(
        self,
        incidents: Iterable[Incident] = (),
        findings: Iterable[Finding] = (),
        last_id: int = 0,
        census: Census | None = None,
        parents: Parents | None = None,
        traffic: Callable[[], Traffic] = Traffic,
        owners: Owners | None = None,
        looked_at: Callable[[TargetId], datetime | None] = lambda _: None,
    ) -> None:
        self._census = census
        self._parents = parents or Parents()
        self._shelf = Shelf({incident.id: Case(incident) for incident in incidents})
        self._shelf.last_id = max([last_id, *self._shelf.cases])
        self._orphans: dict[FindingId, Finding] = {}
        """Open findings without an incident, as they were read back: taken in at the next tick."""
        self._owners = owners or Owners()
        self._by_hand = ByHand(self._shelf, looked_at)
        self._withheld = Withheld(self._shelf, self._parents)
        self._causes = Causes(self._shelf, census, traffic)
        self._placing = Placing(self._shelf, census, self._causes)
        self._has_news = True
        """Findings came, went or moved since money was last looked at for what explains it."""
        self._since_look = 0
        for finding in sorted(findings, key=lambda known: (known.opened_at, known.id)):
            self._restore(finding)
        for case in list(self._shelf.cases.values()):
            if not case.findings and not case.is_open:
                del self._shelf.cases[case.incident.id]  # merged into another
            self._shelf.index.share(case)
            self._shelf.index.weigh(case)

    @property
    def census(self) -> Census | None:
        return self._census

    @property
    def open_incidents(self) -> tuple[Incident, ...]:
        return tuple(case.incident for case in self._shelf.cases.values() if case.is_open)

    def get(self, incident: IncidentId) -> Incident | None:
        case = self._shelf.cases.get(incident)
        return case.incident if case else None

    def members(self, incident: IncidentId) -> tuple[Finding, ...]:
        """The findings of an incident, oldest first."""
        case = self._shelf.cases.get(incident)
        return case.members if case else ()

    def incident_of(self, target: TargetId) -> IncidentId | None:
        """The incident a target is in now."""
        return self._shelf.incident_of(target)

    def declare(self, rules: Iterable[Parent]) -> None:
        """The configuration's parents, in place of those declared before."""
        self._parents.declare(rules)
        for finding in self._shelf.findings.values():
            if finding.closed_at is None:
                self._parents.saw(finding)

    def route(self, root: Route, now: datetime) -> Change:
        """Other rules name other owners."""
        self._owners.root = root
        return self._owners.review(self._shelf, now)

    def open(self, finding: Finding, now: datetime) -> Change:
        """Take in a finding: new ones join the incident they belong to or start one; a known id is revised."""
        known = self._shelf.findings.get(finding.id)
        self._orphans.pop(finding.id, None)
        if known is not None and known.closed_at is None:
            return self._seen(self._revise(known, _newer(known, finding), now), now)
        return self._seen(self._admit(finding, now), now)

    def _admit(self, finding: Finding, now: datetime) -> Change:
        """A new finding: joined to what it belongs to, held back by a parent, or an incident of its own."""
        self._since_look += 1
        found, why = self._placing.place_for(finding, now)
        if found is not None:
            return self._join(found, finding, now, why)
        if (held := self._parents.holds(finding)) is not None:
            return self._withheld.hold(finding, held, now)
        change = self._shelf.start(finding, now)
        return together(change, self.regroup(now)) if self._is_time_to_look(finding, now) else change

    def _seen(self, change: Change, now: datetime) -> Change:
        self._has_news |= bool(change.findings)
        for finding in change.findings:
            self._parents.saw(finding)
            self._owners.saw(finding)
        return self._owners.settle(change, self._shelf, now)

    def _release(self, parents: Iterable[TargetId], now: datetime) -> list[Change]:
        """Findings whose parent no longer holds them back are told at once."""
        changes = []
        for parent in parents:
            for plain, held in self._withheld.freed(parent, lambda one: self._is_explained(one, now)):
                told = self._withheld.hold(plain, held, now) if held else self._tell(plain, parent, now)
                changes.append(self._seen(told, now))
        return changes

    def _is_explained(self, finding: Finding, now: datetime) -> bool:
        return self._has_news and is_symptom(finding) and self._causes.of(finding, now)[0] is not None

    def _tell(self, finding: Finding, parent: TargetId, now: datetime) -> Change:
        change = self._admit(finding, now)
        number = change.findings[-1].incident
        if number is None:
            return change
        what = f"{name_of(finding.target)} was suppressed until now: {name_of(parent)} does not account for it"
        return together(change, Change((), (), (TimelineEntry(number, now, SYSTEM, what),)))

    def close(self, finding_id: FindingId, now: datetime) -> Change:
        """A finding is over; an incident whose findings are all over closes with it."""
        known = self._shelf.findings.get(finding_id) or self._orphans.pop(finding_id, None)
        if known is None or known.closed_at is not None:
            return Change()
        closed = replace(known, closed_at=now)
        if is_held(known):
            self._withheld.let_go(known)
        elif known.incident in self._shelf.cases:
            self._shelf.findings[finding_id] = closed
        else:
            self._shelf.findings.pop(finding_id, None)
        change = self._seen(self._closed(closed, now), now)
        return batch([change, *self._release([closed.target], now)])

    def _closed(self, closed: Finding, now: datetime) -> Change:
        case = self._shelf.cases.get(closed.incident) if closed.incident is not None else None
        if case is None:
            return Change(findings=(closed,))
        case.take(closed)
        self._shelf.index.recovered(closed)
        if not case.is_open:
            return self._by_hand.recovered(case, closed, now)
        said = self._recovered(case, now)
        case.refresh(now)
        self._shelf.index.weigh(case)
        return Change((case.incident,), (closed,), said)

    def _recovered(self, case: Case, now: datetime) -> tuple[TimelineEntry, ...]:
        """An open incident ends when nothing of it fails any more."""
        if not case.is_open or case.open_members:
            return ()
        self._shelf.end(case, now)
        return (TimelineEntry(case.incident.id, now, SYSTEM, f"closed: {case.whole} recovered"),)

    def tick(
        self, now: datetime, price: Price, counted_in: Mapping[IncidentId, IncidentId] | None = None
    ) -> tuple[Change, ...]:
        """`look_over`, then `charge`, at once."""
        return (*self.look_over(now), *self.charge(now, price, counted_in))

    def look_over(self, now: datetime) -> tuple[Change, ...]:
        """Take in findings that had no incident, regroup, and forget what can no longer flap.

        What fails on though a person closed it opens again; whose incidents are by what changed in them is told.
        """
        orphans, self._orphans = self._orphans, {}
        changes = [self.open(orphan, now) for orphan in orphans.values()]
        changes += self._release(self._withheld.holders, now)
        changes.append(self.regroup(now))
        if self._has_news:
            self._has_news = False
            changes.append(self._seen(take_in(self._shelf, self._causes, now), now))
        changes += [self._seen(change, now) for change in self._by_hand.review(now)]
        for case in list(self._shelf.cases.values()):
            if case.is_open:
                changes += [self._seen(change, now) for change in self._review(case, now)]
            elif case.incident.closed_at and now - case.incident.closed_at > FLAPPING and case.open_members == 0:
                self._shelf.forget(case)
                self._owners.forget(case.incident.id)
        changes.append(self._owners.review(self._shelf, now))
        return tuple(change for change in changes if change)

    def charge(
        self, now: datetime, price: Price, counted_in: Mapping[IncidentId, IncidentId] | None = None
    ) -> tuple[Change, ...]:
        """Price what is open; `price` gives `None` for what keeps the price it has.

        `counted_in`: incidents part of whose loss is counted in another.
        """
        owners = counted_in or {}
        cases = [case for case in self._shelf.cases.values() if case.is_open]
        changes = [self._price(case, now, price, owners.get(case.incident.id)) for case in cases]
        return tuple(change for change in changes if change)

    def _review(self, case: Case, now: datetime) -> list[Change]:
        parted = part(self._shelf, case, now)
        if parted or self._census is None:
            return parted
        return review(self._shelf, self._census, case, now)

    def regroup(self, now: datetime) -> Change:
        """Merge incidents that have one upstream, as far as the census shows it; the oldest number stays."""
        self._since_look = 0
        return self._seen(regroup(self._shelf, self._census, now), now) if self._census is not None else Change()

    def acknowledge(self, incident: IncidentId, who: str, now: datetime) -> Change:
        """Somebody has it. The first one who says so stays; an unknown or closed incident changes nothing."""
        case = self._shelf.cases.get(incident)
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
        case = self._shelf.cases.get(incident)
        if case is None or not case.is_open or case.incident.acknowledged_by == whom:
            return Change()
        since, state = case.incident.acknowledged_at or now, IncidentState.ACKNOWLEDGED
        case.incident = replace(case.incident, state=state, acknowledged_at=since, acknowledged_by=whom, updated_at=now)
        return Change((case.incident,), (), (TimelineEntry(incident, now, who, f"assigned to {whom}"),))

    def close_by(self, incident: IncidentId, who: str, now: datetime) -> Change:
        """A person closes it, whatever still fails; its findings stay with it and end in their own time."""
        case = self._shelf.cases.get(incident)
        if case is None or not case.is_open:
            return Change()
        still = f" with {case.open_members} still affected" if case.open_members else ""
        case.incident = replace(case.incident, state=IncidentState.CLOSED, closed_at=now, closed_by=who, updated_at=now)
        self._shelf.index.weigh(case)
        return Change((case.incident,), (), (TimelineEntry(incident, now, who, f"closed by hand{still}"),))

    def note(self, incident: IncidentId, who: str, text: str, now: datetime) -> Change:
        if incident not in self._shelf.cases:
            return Change()
        return Change((), (), (TimelineEntry(incident, now, who, f"noted: {text}"),))

    def _is_time_to_look(self, finding: Finding, now: datetime) -> bool:
        """At the 3rd, 5th, 10th, 20th, ... recent incident of its own: the first minute of an outage."""
        if self._census is None or finding.kind not in WEB:
            return False
        loose = self._shelf.index.loose_since(now - WINDOW)
        return self._is_worth_it() and (loose == _FIRST_LOOK or milestone(loose - 1, loose))

    def _is_worth_it(self) -> bool:
        """A look costs as much as there are failures: of thousands it waits for some more of them, or for the next tick."""
        return self._census is not None and self._since_look * _MORE >= self._census.failures

    def _join(self, case: Case, finding: Finding, now: datetime, reason: str) -> Change:
        before, teams = case.incident.members, case.incident.teams
        said: list[TimelineEntry] = []
        if not case.is_open:
            case.reopen(now)
            said.append(TimelineEntry(case.incident.id, now, SYSTEM, "reopened: it failed again"))
        member = replace(finding, incident=case.incident.id)
        case.take(member)
        self._shelf.keep(member)
        case.incident = replace(case.incident, reason=case.incident.reason or reason)
        case.refresh(now)
        after = case.incident.members
        if milestone(before, after):
            said.append(TimelineEntry(case.incident.id, now, SYSTEM, f"grew to {after} members: {reason}"))
        reached = sorted(set(case.incident.teams) - set(teams))
        said += [TimelineEntry(case.incident.id, now, SYSTEM, f"reached team {team}") for team in reached]
        self._shelf.index.weigh(case)
        change = Change((case.incident,), (member,), tuple(said))
        worth_it = milestone(before, after) and case.is_loose and self._is_worth_it()
        return together(change, self.regroup(now)) if worth_it else change

    def _revise(self, known: Finding, revised: Finding, now: datetime) -> Change:
        case = self._shelf.cases.get(known.incident) if known.incident is not None else None
        self._shelf.findings[known.id] = revised
        if case is None:
            return Change(findings=(revised,))
        if case.is_mixed and is_symptom(known) and not is_symptom(revised):
            return self._leave(case, known, revised, now)
        self._shelf.index.remove(known)
        case.take(revised)
        self._shelf.keep(revised)
        if not case.is_open:
            return Change(findings=(revised,))
        was = case.incident.cause
        case.refresh(now)
        said = TimelineEntry(case.incident.id, now, SYSTEM, f"cause is now {case.incident.cause}, was {was}")
        return Change((case.incident,), (revised,), (said,) if case.incident.cause != was else ())

    def _leave(self, case: Case, known: Finding, revised: Finding, now: datetime) -> Change:
        """What was taken for a symptom has a cause of its own, and is admitted anew."""
        self._shelf.give_away(case, [known])
        said = f"{name_of(known.target)} is another story: {revised.cause}"
        told = (TimelineEntry(case.incident.id, now, SYSTEM, said), *self._recovered(case, now))
        case.refresh(now)
        self._shelf.index.weigh(case)
        return together(Change((case.incident,), (), told), self._admit(replace(revised, incident=None), now))

    def _price(self, case: Case, now: datetime, price: Price, counted_in: IncidentId | None) -> Change:
        was = case.incident
        loss = price(was, case.members)
        if loss is None or (loss == was.loss and counted_in == was.counted_in):
            return Change()
        case.incident = replace(was, loss=loss, counted_in=counted_in)
        case.refresh(now)
        said = []
        if case.incident.severity < was.severity:
            said.append(TimelineEntry(was.id, now, SYSTEM, f"rose from {was.severity} to {case.incident.severity}"))
        if fell := fallen(was.loss, case.incident.loss):
            said.append(TimelineEntry(was.id, now, SYSTEM, fell))
        return Change((case.incident,), (), tuple(said))

    def _restore(self, finding: Finding) -> None:
        if finding.incident is not None and finding.incident in self._shelf.cases:
            self._shelf.cases[finding.incident].take(finding)
            self._shelf.keep(finding)
        elif is_held(finding):
            self._withheld.put(finding)
        elif finding.incident is None and finding.closed_at is None:
            self._orphans[finding.id] = finding
        else:
            self._shelf.findings[finding.id] = finding
        self._parents.saw(finding)
        self._owners.saw(finding)


def _newer(known: Finding, finding: Finding) -> Finding:
    """A known finding in the words of a newer look at it."""
    labels = known.fingerprint | finding.fingerprint
    return replace(known, cause=finding.cause, detail=finding.detail, blame=finding.blame, fingerprint=labels)


def fallen(was: Loss, now: Loss) -> str:
    """`loss per hour from 96 EUR to 20 EUR`, when it fell that much at once: something was done about it."""
    if was.per_hour < _WORTH_TELLING or float(now.per_hour) > _FELL * float(was.per_hour):
        return ""
    return f"loss per hour from {was.per_hour} {was.currency} to {now.per_hour} {now.currency}"
