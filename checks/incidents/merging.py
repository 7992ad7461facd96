"""What becomes of incidents that turn out to be one, and of one that turns out to be several. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from checks.incidents.case import SYSTEM
from checks.incidents.census import slot_of
from checks.incidents.labels import parsed, read_all
from checks.incidents.proof import counted
from data.model.incident import MERGED, IncidentState
from data.model.money import NO_LOSS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from checks.incidents.case import Case
    from checks.incidents.census import Census
    from checks.incidents.upstream import Judged
    from data.model.incident import Finding, Incident

RECOVERED: Final = 0.8
"""Once this share of an incident's members is fine again its upstream has recovered."""
SETTLE: Final = timedelta(minutes=10)
"""Whoever still fails this long after its upstream recovered fails for a reason of its own."""
_NAMED = 5


def acknowledged_first(into: Incident, others: Sequence[Incident]) -> Incident:
    """`into` with the earliest acknowledgement of all."""
    known = [(one.acknowledged_at, one.acknowledged_by) for one in (into, *others) if one.acknowledged_at]
    if not known:
        return into
    at, who = min(known)
    return replace(into, state=IncidentState.ACKNOWLEDGED, acknowledged_at=at, acknowledged_by=who)


def closed_by_merge(other: Incident, into: Incident, now: datetime) -> Incident:
    """Closed and worth nothing: what it cost is counted where its members went."""
    return replace(
        other,
        state=IncidentState.CLOSED,
        open_members=0,
        loss=NO_LOSS,
        reason=f"{MERGED}{into.id}",
        upstream="",
        evidence={},
        closed_at=now,
        closed_by=SYSTEM,
        updated_at=now,
    )


def merged_words(was: Incident, now: Incident, others: Sequence[Case]) -> list[str]:
    """Lines for the incident that the others became part of; nothing when its upstream is an old story."""
    said = []
    if others:
        said.append(f"took in {numbered([other.incident for other in others])}: {now.reason}")
    if was.upstream != now.upstream or not was.evidence:
        told = [now.evidence[name] for name in ("fails", "fine", "elsewhere") if name in now.evidence]
        said.append(f"upstream is {read_all(parsed(now.upstream))}: {', '.join(told)}")
        if rivals := now.evidence.get("rivals"):
            said.append(f"less likely: {rivals}")
    if now.acknowledged_at and not was.acknowledged_at:
        said.append(f"stays acknowledged by {now.acknowledged_by}")
    return said


def numbered(incidents: Sequence[Incident]) -> str:
    """`#4, #5 and 12 more`."""
    more = f" and {len(incidents) - _NAMED:,} more" if len(incidents) > _NAMED else ""
    return ", ".join(f"#{one.id}" for one in incidents[:_NAMED]) + more


def own_failures(case: Case, judged: Judged, census: Census) -> tuple[list[Finding], str]:
    """The open members whose failures are not the upstream's, oldest first, and why; nothing in an ordinary outage.

    1. The call was wrong: nearly all its open members still fail while most others behind the upstream are fine.
    2. It is over: four of five recovered, and these were seen failing again `SETTLE` after that.
    """
    many, running, name = len(case.findings), case.open_members, read_all(case.shared)
    if judged.refuted and many - running < running:
        failing = [finding for finding in _running(case) if census.mark(finding.target).failed]
        if len(failing) >= RECOVERED * running:
            return failing, f"the failure is its own: behind {name} {counted(judged)}"
        return [], ""
    needed = max(int(RECOVERED * many), 1)
    if many - running < needed or (judged.failed and not judged.refuted and judged.fine < judged.failed):
        return [], ""
    ended = sorted(finding.closed_at for finding in case.members if finding.closed_at is not None)
    settled = slot_of(ended[needed - 1] + SETTLE)
    left = [one for one in _running(case) if census.mark(one.target).failed and census.seen(one.target) > settled]
    return left, f"still fails while {name} recovered: {len(ended):,} of {many:,} are fine again"


def _running(case: Case) -> list[Finding]:
    """Oldest first."""
    return [finding for finding in case.members if finding.closed_at is None]
