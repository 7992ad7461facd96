"""Incidents that turn out to be one, and one that turns out to be several, as far as the census shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from checks.incidents.case import SYSTEM
from checks.incidents.change import Change, batch
from checks.incidents.labels import read_all
from checks.incidents.merging import acknowledged_first, closed_by_merge, merged_words, own_failures
from checks.incidents.proof import evidence, reason, renewed
from checks.incidents.upstream import infer, now_of
from data.model.incident import MERGED, TimelineEntry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from checks.incidents.case import Case
    from checks.incidents.census import Census
    from checks.incidents.shelf import Shelf
    from checks.incidents.upstream import Explanation
    from data.model.incident import Finding


def regroup(shelf: Shelf, census: Census, now: datetime) -> Change:
    """Merge incidents that have one upstream; the oldest number stays."""
    changes = []
    for found in infer(census, now):
        members = shelf.failing_in(found.targets)
        mostly = [shelf.cases[number] for number in sorted(members) if _is_mostly(shelf.cases[number], members[number])]
        cases = [case for case in mostly if case.is_kin(mostly[0])]
        if sum(members[case.incident.id] for case in cases) > 1:
            changes.append(_merge(shelf, census, cases, found, now))
    return batch(changes)


def review(shelf: Shelf, census: Census, case: Case, now: datetime) -> list[Change]:
    """Refresh what speaks for the upstream; give members away whose failures turned out to be their own."""
    if not case.shared:
        return []
    judged = now_of(census, case.shared, case.incident.started_at)
    own, why = own_failures(case, judged, census)
    if own:
        return _split(shelf, case, own, why, now)
    told = renewed(case.incident.evidence, judged)
    if told == case.incident.evidence or not judged.failed:
        return []
    case.incident = replace(case.incident, evidence=told, updated_at=now)
    return [Change((case.incident,))]


def _is_mostly(case: Case, explained: int) -> bool:
    return explained * 2 > case.open_on_the_web


def _merge(shelf: Shelf, census: Census, cases: Sequence[Case], found: Explanation, now: datetime) -> Change:
    """Everything moves to the oldest; the others close and say where to. An acknowledgement survives."""
    into, others = cases[0], cases[1:]
    was, number, labels = into.incident, into.incident.id, found.judged.labels
    why, began = reason(labels), min(case.incident.started_at for case in cases)
    told = evidence(found, now_of(census, labels, began))
    if not others and (into.shared, was.reason, was.evidence) == (labels, why, told | _asked(was.evidence)):
        return Change()
    moved = shelf.absorb(into, others)
    into.incident = acknowledged_first(was, [other.incident for other in others])
    into.adopt(labels, why, told)
    into.refresh(now)
    shelf.index.share(into)
    shelf.index.weigh(into)
    said = [TimelineEntry(other.incident.id, now, SYSTEM, f"{MERGED}{number}: {why}") for other in others]
    said += [TimelineEntry(number, now, SYSTEM, what) for what in merged_words(was, into.incident, others)]
    closed = [closed_by_merge(other.incident, was, now) for other in others]
    return Change((*closed, into.incident), tuple(moved), tuple(said))


def _asked(evidence: Mapping[str, str]) -> dict[str, str]:
    """What a case adds to its evidence by itself."""
    return {name: words for name, words in evidence.items() if name == "origin"}


def _split(shelf: Shelf, case: Case, own: Sequence[Finding], why: str, now: datetime) -> list[Change]:
    """Each of `own` becomes an incident of its own; one stays when nothing else would."""
    name = read_all(case.shared)
    given = own if len(own) < len(case.findings) else own[1:]
    changes = [shelf.part(case, [finding], why, now) for finding in shelf.give_away(case, given)]
    told = [TimelineEntry(case.incident.id, now, SYSTEM, f"{len(given)} split off: {why}")]
    if case.open_members == 0:
        shelf.end(case, now)
        told.append(TimelineEntry(case.incident.id, now, SYSTEM, f"closed: nothing else fails behind {name}"))
    elif len(given) < len(own) or case.is_echo:
        shelf.index.unshare(case)
        case.incident = replace(case.incident, upstream="", evidence={}, reason="")
    case.refresh(now)
    shelf.index.weigh(case)
    return [*changes, Change((case.incident,), (), tuple(told))]
