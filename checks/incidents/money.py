"""Missing money and what explains it: money joins the incident of its cause, and leaves it when the cause alone recovers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from checks.incidents.case import SYSTEM
from checks.incidents.change import Change, batch
from checks.incidents.correlation import ECHO, is_symptom, missing
from checks.incidents.merging import acknowledged_first, closed_by_merge, numbered
from data.model.incident import MERGED, TimelineEntry

if TYPE_CHECKING:
    from datetime import datetime

    from checks.incidents.case import Case
    from checks.incidents.causes import Causes
    from checks.incidents.shelf import Shelf
    from data.model.ids import IncidentId
    from data.model.incident import Finding


def take_in(shelf: Shelf, causes: Causes, now: datetime) -> Change:
    """Incidents of symptoms alone become part of what explains most of them, found later; the older number stays."""
    changes = []
    alone = [case for case in shelf.cases.values() if case.is_open and case.is_echo]
    for money in alone:
        reasons: dict[IncidentId, str] = {}
        found = Counter[int]()
        for finding in money.open_findings:
            cause, why = causes.of(finding, now)
            if cause is not None and cause.is_open:
                found[cause.incident.id] += 1
                reasons.setdefault(cause.incident.id, why)
        number = min(reasons, key=lambda one: (-found[one], one), default=None)
        if number is not None and found[number] * 2 > money.open_members:
            changes.append(_merge(shelf, money, shelf.cases[number], reasons[number], now))
    return batch(changes)


def part(shelf: Shelf, case: Case, now: datetime) -> list[Change]:
    """What is still missing long after its cause recovered has another cause: an incident of its own, one a kind."""
    if not case.is_mixed or not case.open_members or any(not is_symptom(one) for one in case.open_findings):
        return []
    ended = max(one.closed_at for one in case.findings.values() if one.closed_at is not None and not is_symptom(one))
    if now - ended <= ECHO:
        return []
    left = [one for one in case.members if one.closed_at is None]
    back = f"missing though #{case.incident.id} recovered at {ended:%H:%MZ}"
    parted = []
    for kind in dict.fromkeys(one.kind for one in left):
        mine = [one for one in left if one.kind is kind]
        given = shelf.give_away(case, mine)
        parted.append(shelf.part(case, given, f"{_are(mine[0])} still {back}", now))
    shelf.end(case, now)
    case.refresh(now)
    what = " and ".join(
        f"what {_are(change.findings[0])} still missing is #{change.incidents[0].id}" for change in parted
    )
    told = TimelineEntry(case.incident.id, now, SYSTEM, f"closed: it recovered; {what}")
    shelf.index.weigh(case)
    return [*parted, Change((case.incident,), (), (told,))]


def _are(symptom: Finding) -> str:
    what = missing(symptom)
    return f"{what} {'are' if what.endswith('s') else 'is'}"


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
