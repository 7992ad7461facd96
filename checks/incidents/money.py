"""Missing money and what explains it: money joins the incident of its cause, and leaves it when the cause alone recovers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from checks.incidents.case import FLAPPING, SYSTEM
from checks.incidents.change import Change, together
from checks.incidents.correlation import ECHO, bridge_between, is_symptom
from checks.incidents.merging import acknowledged_first, closed_by_merge, numbered
from checks.incidents.upstream import SHARE, now_of
from data.model.incident import MERGED, TimelineEntry
from data.model.target import TargetKind

if TYPE_CHECKING:
    from datetime import datetime

    from checks.incidents.case import Case
    from checks.incidents.census import Census
    from checks.incidents.correlation import Bridge
    from checks.incidents.labels import Label
    from checks.incidents.shelf import Shelf
    from data.model.ids import IncidentId
    from data.model.incident import Finding

_ENOUGH_FINE = 5
_NARROWER = ("offer", "geo")


def explained(shelf: Shelf, census: Census | None, finding: Finding, now: datetime) -> tuple[Case | None, str]:
    """The oldest incident that explains this missing money, or whose missing money this explains, and why."""
    best: tuple[IncidentId, str] | None = None
    for number, value, members in shelf.index.bridged(finding):
        case = shelf.cases[number]
        if (best is not None and best[0] <= number) or not _takes(case, finding, now):
            continue
        for known in members:
            bridge = _bridge(census, finding, shelf.findings[known], now)
            if bridge is not None:
                best = number, bridge.reason.format(value=value)
                break
    return (shelf.cases[best[0]], best[1]) if best else (None, "")


def take_in(shelf: Shelf, census: Census | None, now: datetime) -> Change:
    """Incidents of money alone become part of what explains most of it, found later; the older number stays."""
    change = Change()
    alone = [case for case in shelf.cases.values() if case.is_open and case.is_money]
    for money in alone:
        reasons: dict[IncidentId, str] = {}
        found = Counter[int]()
        for finding in money.open_findings:
            cause, why = explained(shelf, census, finding, now)
            if cause is not None and cause.is_open:
                found[cause.incident.id] += 1
                reasons.setdefault(cause.incident.id, why)
        for number in sorted(reasons, key=lambda one: (-found[one], one))[:1]:
            if found[number] * 2 > money.open_members:
                change = together(change, _merge(shelf, money, shelf.cases[number], reasons[number], now))
    return change


def part(shelf: Shelf, case: Case, now: datetime) -> list[Change]:
    """Money that is still missing long after its cause recovered has another cause: an incident of its own."""
    roots = [one for one in case.findings.values() if not is_symptom(one)]
    left = sorted((one for one in case.open_findings if is_symptom(one)), key=lambda one: (one.opened_at, one.id))
    ended = [one.closed_at for one in roots if one.closed_at is not None]
    if not left or not roots or len(ended) < len(roots) or now - max(ended) <= ECHO:
        return []
    why = f"money is still missing though #{case.incident.id} recovered at {max(ended):%H:%MZ}"
    first, *others = shelf.give_away(case, left)
    change = shelf.start(first, now)
    alone = shelf.cases[change.incidents[0].id]
    number = alone.incident.id
    members = [replace(one, incident=number) for one in others]
    for member in members:
        alone.take(member)
        shelf.keep(member)
    alone.incident = replace(alone.incident, reason=why)
    alone.refresh(now)
    said = TimelineEntry(number, now, SYSTEM, f"split off #{case.incident.id}: {why}")
    shelf.end(case, now)
    case.refresh(now)
    told = TimelineEntry(
        case.incident.id, now, SYSTEM, f"closed: it recovered; what money is still missing is #{number}"
    )
    shelf.index.weigh(case)
    return [
        Change((alone.incident,), (*change.findings, *members), (*change.timeline, said)),
        Change((case.incident,), (), (told,)),
    ]


def _takes(case: Case, finding: Finding, now: datetime) -> bool:
    """Whether the two may be one story: money joins what is open or ended a moment ago, a cause joins what is open."""
    if is_symptom(finding):
        return not case.is_money and case.may_take(now, FLAPPING)
    return case.is_open and (case.is_money or case.takes_kindly(finding))


def _bridge(census: Census | None, one: Finding, other: Finding, now: datetime) -> Bridge | None:
    """The bridge between two, unless the cause ended long ago or most links of that money are fine."""
    bridge = bridge_between(one, other)
    symptom, root = (one, other) if is_symptom(one) else (other, one)
    if bridge is None or (root.closed_at is not None and now - root.closed_at > ECHO):
        return None
    if census is None or root.kind is not TargetKind.LINK:
        return bridge
    judged = now_of(census, [_label(symptom)], root.opened_at)
    return None if judged.fine >= _ENOUGH_FINE and judged.share < SHARE else bridge


def _label(symptom: Finding) -> Label:
    """What links of a slice share in a census."""
    partner = symptom.fingerprint.get("partner", "")
    for name in _NARROWER:
        if partner and (value := symptom.fingerprint.get(name)):
            return (f"partner+{name}", f"{partner} / {value}")
    return ("partner", partner)


def _merge(shelf: Shelf, money: Case, cause: Case, why: str, now: datetime) -> Change:
    into, other = sorted((money, cause), key=lambda case: case.incident.id)
    was, gone, shared = into.incident, other.incident, cause.shared
    told = cause.incident.reason or why, cause.incident.evidence
    moved = shelf.absorb(into, [other])
    into.incident = acknowledged_first(was, [gone])
    if shared:
        into.adopt(shared, *told)
    elif into is money:
        into.incident = replace(into.incident, reason=told[0])
    into.refresh(now)
    shelf.index.share(into)
    shelf.index.weigh(into)
    number = was.id
    said = [
        TimelineEntry(gone.id, now, SYSTEM, f"{MERGED}{number}: {why}"),
        TimelineEntry(number, now, SYSTEM, f"took in {numbered([gone])}: {why}"),
    ]
    if into.incident.cause != was.cause:
        said.append(TimelineEntry(number, now, SYSTEM, f"cause is now {into.incident.cause}, was {was.cause}"))
    if into.incident.acknowledged_at and not was.acknowledged_at:
        said.append(TimelineEntry(number, now, SYSTEM, f"stays acknowledged by {into.incident.acknowledged_by}"))
    return Change((closed_by_merge(gone, was, now), into.incident), tuple(moved), tuple(said))
