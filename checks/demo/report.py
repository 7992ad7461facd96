"""What was found against what really happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from checks.demo.audit import NOTHING, Answer, Books, answers
from checks.demo.telling import questions
from data.model.target import TargetKind, kind_of, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.demo.script import Reach
    from checks.demo.truth import EventTruth, Truth
    from data.model.incident import Incident
    from data.model.snapshot import TargetRow

AFTERMATH = timedelta(minutes=30)
"""An incident that starts this long after an event's end can still be its doing."""
_ONE_INCIDENT = frozenset({"F5"})
"""Events that must not become more than one incident, however many targets they touch."""
_ONLY_AS_EXPECTED = frozenset({"D9", "D10"})
"""Look-alikes of a failure: any other cause is a wrong name for them."""


@dataclass(frozen=True, slots=True)
class Found:
    """An incident with its members."""

    incident: Incident
    members: tuple[TargetRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One line of `losswatch demo report --json`. Times are simulated UTC, money is in the company's currency."""

    id: str
    kind: str
    began_at: datetime | None
    expected_causes: tuple[str, ...]
    found_at: datetime | None
    cause: str | None
    incidents: int
    loss: float
    loss_lo: float
    loss_hi: float
    true_loss: float
    ok: bool
    answers: tuple[Answer, ...] = ()
    """What else the event asks of losswatch, where it does."""
    recoverable: float = 0.0
    """Part of `loss` that can be backfilled or disputed."""
    inside: bool | None = None
    """Whether the truth lies within `loss_lo` and `loss_hi`; `None` where no money is at stake, or nothing was found."""


def report(truth: Truth, found: Sequence[Found], books: Books = NOTHING) -> tuple[ReportRow, ...]:
    """A row an event, in the script's order.

    1. An incident is a failure's when it overlaps in time and blames, or has a member, within the failure's reach.
    2. A failure is `ok` when one of its incidents has an expected cause; F5 must be one incident as well, and a look-alike
       must have no other cause.
    3. A decoy is `ok` when nothing was raised that no failure explains.
    4. No row is `ok` that has a question answered with no.
    """
    mine = {event.id: [each for each in found if belongs(event, each)] for event in truth.events}
    explained = {
        each.incident.id
        for event in truth.events
        for each in mine[event.id]
        if event.kind == "failure" and each.incident.cause in event.expected_causes
    }
    rows = []
    for event in truth.events:
        matches = mine[event.id]
        if event.kind == "decoy":
            matches = [each for each in matches if each.incident.id not in explained]
        said = answers(event, truth, found, books) + questions(event, truth, matches, books)
        rows.append(_row(event, matches, said))
    return tuple(rows)


def unexplained(truth: Truth, found: Sequence[Found]) -> tuple[Found, ...]:
    """Incidents that belong to no event at all: false alarms of the simulated day."""
    return tuple(each for each in found if not any(belongs(event, each) for event in truth.events))


def belongs(event: EventTruth, found: Found) -> bool:
    """Whether an incident overlaps `event` in time and touches its reach."""
    incident = found.incident
    if event.began_at is None or (incident.closed_at is not None and incident.closed_at < event.began_at):
        return False
    if event.ended_at is not None and incident.started_at > event.ended_at + AFTERMATH:
        return False
    return _touches(event.reach, found)


def _touches(reach: Reach, found: Found) -> bool:
    cause, blame = str(found.incident.cause), found.incident.blame.lower()
    if reach.causes and not cause.startswith(reach.causes):
        return False
    if any(name in blame for name in reach.blames):
        return True
    return any(_within(reach, member) for member in found.members)


def _within(reach: Reach, member: TargetRow) -> bool:
    if kind_of(member.target).value not in reach.kinds:
        return False
    dims = _dims(member)
    wanted = {"partner": reach.partner, "geo": reach.geo, "team": reach.team, "site": reach.site}
    if member.kind is TargetKind.SITE:
        wanted["partner"] = ""  # a site sends its people to several
    return all(dims[name] == value for name, value in wanted.items() if value)


def _dims(member: TargetRow) -> dict[str, str]:
    """A member's dimensions; a slice has them in its name, whatever its row says."""
    dims = {"partner": member.partner, "geo": member.geo, "team": str(member.team), "site": member.site}
    name = name_of(member.target)
    match kind_of(member.target):
        case TargetKind.SLICE:
            dims |= dict(part.split("=", 1) for part in name.split(",") if "=" in part)
        case TargetKind.SITE:
            dims["site"] = name
        case TargetKind.FEED if not dims["partner"]:
            dims["partner"] = name.partition("-")[0].upper()
        case _:
            pass
    return dims


def _row(event: EventTruth, matches: Sequence[Found], told: tuple[Answer, ...]) -> ReportRow:
    incidents = sorted((each.incident for each in matches), key=lambda incident: incident.detected_at)
    right = [incident for incident in incidents if incident.cause in event.expected_causes]
    first = next(iter(right or incidents), None)
    if event.kind == "decoy":
        ok = not incidents
    else:
        ok = bool(right) and (event.id not in _ONE_INCIDENT or len(incidents) == 1)
        ok = ok and (event.id not in _ONLY_AS_EXPECTED or right == incidents)
    low, high = _sum(incidents, "lost_lo"), _sum(incidents, "lost_hi")
    return ReportRow(
        id=event.id,
        kind=event.kind,
        began_at=event.began_at,
        expected_causes=event.expected_causes,
        found_at=first.detected_at if first else None,
        cause=str(first.cause) if first else None,
        incidents=len(incidents),
        loss=_sum(incidents, "lost"),
        loss_lo=low,
        loss_hi=high,
        true_loss=event.true_loss,
        recoverable=_sum(incidents, "recoverable"),
        inside=low <= event.true_loss <= high if incidents and max(event.true_loss, high) > 0 else None,
        ok=ok and all(answer.yes is not False for answer in told),
        answers=told,
    )


def _sum(incidents: Sequence[Incident], name: str) -> float:
    return round(float(sum(getattr(incident.loss, name) for incident in incidents)), 2)
