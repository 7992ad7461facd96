"""Incidents as they were at an earlier moment, from what is kept of them: their row, findings and timeline. Pure.

The timeline says when an incident was closed and opened again, what its cause and severity were before; findings say which
targets belonged to it. What it had cost by then is for the revenue book to say.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from data.model.ids import CauseId
from data.model.incident import IncidentState, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from data.model.ids import IncidentId
    from data.model.incident import Finding, Incident, TimelineEntry

_CLOSED, _REOPENED, _MERGED = "closed", "reopened", "merged into"
_CAUSE = re.compile(r"cause is now \S+, was (?P<was>\S+)")
_OWNER = re.compile(r"owner is now .+, was (?P<was>.+)")
_SEVERITY = re.compile(r"(?:rose|fell) from (?P<was>SEV[1-4]) to SEV[1-4]")


def as_of(
    incident: Incident, findings: Sequence[Finding], told: Sequence[TimelineEntry], at: datetime
) -> Incident | None:
    """The incident as it stood at `at`; `None` before it was detected. Its loss is today's: price it anew."""
    if incident.detected_at > at:
        return None
    later = [entry for entry in told if entry.at > at]
    closed = _closed(told, at)
    acknowledged = incident.acknowledged_at is not None and incident.acknowledged_at <= at
    known = [one for one in findings if one.detected_at <= at]
    failing = {one.target for one in known if one.closed_at is None or one.closed_at > at}
    state = IncidentState.ACKNOWLEDGED if acknowledged else IncidentState.NEW
    return replace(
        incident,
        cause=CauseId(_before(later, _CAUSE, incident.cause)),
        owner_role=_before(later, _OWNER, incident.owner_role),
        severity=Severity(_before(later, _SEVERITY, incident.severity)),
        state=IncidentState.CLOSED if closed is not None else state,
        closed_at=closed.at if closed else None,
        closed_by=closed.who if closed else "",
        acknowledged_at=incident.acknowledged_at if acknowledged else None,
        acknowledged_by=incident.acknowledged_by if acknowledged else "",
        members=len({one.target for one in known}) or incident.members,
        open_members=len(failing),
        updated_at=max((entry.at for entry in told if entry.at <= at), default=incident.detected_at),
    )


def findings_as_of(findings: Iterable[Finding], at: datetime) -> list[Finding]:
    """Those known by then; what ended later had not ended."""
    known = [one for one in findings if one.detected_at <= at]
    return [one if one.closed_at is None or one.closed_at <= at else replace(one, closed_at=None) for one in known]


def by_incident(findings: Iterable[Finding]) -> Mapping[IncidentId, list[Finding]]:
    found: dict[IncidentId, list[Finding]] = defaultdict(list)
    for one in findings:
        if one.incident is not None:
            found[one.incident].append(one)
    return found


def _closed(told: Sequence[TimelineEntry], at: datetime) -> TimelineEntry | None:
    """The entry that closed it, if it was closed then."""
    last = None
    for entry in told:
        if entry.at > at:
            break
        if entry.what.startswith((_CLOSED, _MERGED)):
            last = entry
        elif entry.what.startswith(_REOPENED):
            last = None
    return last


def _before(later: Sequence[TimelineEntry], pattern: re.Pattern[str], now: str) -> str:
    """What the first change after the moment says was there before it; without one, what is there now."""
    return next((found["was"] for entry in later if (found := pattern.match(entry.what))), now)
