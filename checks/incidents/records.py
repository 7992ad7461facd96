"""Incidents looked at afterwards: how long each took, what was done, and figures over many. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median
from typing import TYPE_CHECKING

from checks.incidents.labels import parsed
from data.model.incident import IncidentState
from data.model.money import ZERO, cents
from data.model.record import Report, Tally, Times
from data.model.snapshot import ChecklistItem
from data.model.target import name_of
from data.model.verdict import Verdict, verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from data.config.settings import Checklist
    from data.model.ids import CauseId, IncidentId
    from data.model.incident import Finding, Incident, TimelineEntry
    from data.model.plan import Switch
    from data.model.snapshot import Statement

TICKED, UNTICKED = "ticked: ", "unticked: "
_FIRST = 5
_PROVIDERS = ("edge", "network", "issuer", "registrar", "ns", "tracker", "host")


def times_of(incident: Incident, switches: Iterable[Switch] = ()) -> Times:
    """Seconds from step to step. A plan that was refused, failed or only drilled mitigates nothing."""
    applied = [one.applied_at for one in switches if one.applied_at is not None and not one.drill]
    ends = [moment for moment in (*applied, incident.closed_at) if moment is not None]
    found = incident.detected_at
    return Times(
        to_detect=max((found - incident.started_at).total_seconds(), 0.0),
        to_acknowledge=_after(found, incident.acknowledged_at),
        to_mitigate=_after(found, min(ends, default=None)),
        to_resolve=_after(found, incident.closed_at),
    )


def checklist_of(
    lists: Iterable[Checklist], cause: CauseId, timeline: Iterable[TimelineEntry]
) -> tuple[ChecklistItem, ...]:
    """What is to be done for this cause, in the order declared; the last tick of each item counts."""
    done: dict[str, TimelineEntry] = {}
    for entry in timeline:
        for word in (TICKED, UNTICKED):
            if entry.what.startswith(word):
                done[entry.what.removeprefix(word)] = entry
    found = []
    for item in dict.fromkeys(item for one in lists if one.is_for(cause) for item in one.items):
        last = done.get(item)
        ticked = last is not None and last.what.startswith(TICKED)
        found.append(ChecklistItem(item, last.who, last.at) if last and ticked else ChecklistItem(item))
    return tuple(found)


def report_of(
    incident: Incident,
    findings: Sequence[Finding],
    timeline: tuple[TimelineEntry, ...],
    switches: tuple[Switch, ...],
    statements: tuple[Statement, ...],
    checklist: tuple[ChecklistItem, ...],
) -> Report:
    """All that is known of one incident; the same for an open and a closed one."""
    kinds = Counter({one.target: one.kind.value for one in findings}.values())
    first = sorted(findings, key=lambda one: (one.opened_at, one.id))[:_FIRST]
    return Report(
        incident=incident,
        times=times_of(incident, switches),
        statements=statements,
        timeline=timeline,
        switches=switches,
        checklist=checklist,
        members=tuple(sorted(kinds.items())),
        first=tuple(dict.fromkeys(name_of(one.target) for one in first)),
        verdict=verdict_of(timeline) or "",
    )


def provider_of(incident: Incident) -> str:
    """Whose thing broke: the upstream when it is somebody's service, else nobody's."""
    return next((value for label, value in parsed(incident.upstream) if label.split("+")[0] in _PROVIDERS), "")


BY: Mapping[str, Callable[[Incident, Mapping[IncidentId, str]], str]] = {
    "cause": lambda incident, _: incident.cause,
    "team": lambda incident, _: incident.team,
    "partner": lambda incident, partners: partners.get(incident.id, ""),
    "provider": lambda incident, _: provider_of(incident),
    "month": lambda incident, _: f"{incident.detected_at:%Y-%m}",
    "severity": lambda incident, _: incident.severity.value,
    "owner": lambda incident, _: incident.owner_role,
}


def tallies(
    incidents: Iterable[Incident],
    by: str,
    *,
    partners: Mapping[IncidentId, str],
    switches: Mapping[IncidentId, Sequence[Switch]],
    reopened: Mapping[IncidentId, int],
    now: datetime,
    verdicts: Mapping[IncidentId, Verdict] | None = None,
) -> tuple[tuple[Tally, ...], Tally]:
    """One row a value of `by`, most lost first (months in their order), and all of them together."""
    groups: dict[str, list[Incident]] = defaultdict(list)
    every = list(incidents)
    for incident in every:
        groups[BY[by](incident, partners) or "-"].append(incident)

    def tally(name: str, some: Sequence[Incident]) -> Tally:
        return _tally(name, some, switches, reopened, now, verdicts or {})

    rows = [tally(name, some) for name, some in groups.items()]
    rows.sort(key=lambda row: row.name if by == "month" else (-(row.lost or ZERO), -row.count, row.name))
    return tuple(rows), tally("all", every)


def _tally(
    name: str,
    some: Sequence[Incident],
    switches: Mapping[IncidentId, Sequence[Switch]],
    reopened: Mapping[IncidentId, int],
    now: datetime,
    verdicts: Mapping[IncidentId, Verdict],
) -> Tally:
    own = [incident for incident in some if not incident.is_merged]
    said = Counter(verdicts.get(incident.id) for incident in own)
    took = [times_of(incident, switches.get(incident.id, ())) for incident in own]
    lost = sum((incident.loss.lost for incident in own), ZERO)
    minutes = sum(((incident.closed_at or now) - incident.started_at).total_seconds() / 60 for incident in own)
    return Tally(
        name=name,
        count=len(own),
        open=sum(incident.state is not IncidentState.CLOSED for incident in own),
        merged=len(some) - len(own),
        reopened=sum(reopened.get(incident.id, 0) for incident in own),
        detect_s=_median(one.to_detect for one in took),
        acknowledge_s=_median(one.to_acknowledge for one in took),
        mitigate_s=_median(one.to_mitigate for one in took),
        resolve_s=_median(one.to_resolve for one in took),
        lost=lost,
        lost_per_minute=cents(float(lost) / minutes) if minutes > 0 else ZERO,
        unseen=sum((incident.loss.unseen for incident in own), ZERO),
        right=said[Verdict.RIGHT],
        false=said[Verdict.FALSE],
        not_ours=said[Verdict.NOT_OURS],
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _after(begin: datetime, end: datetime | None) -> float | None:
    return None if end is None else max((end - begin).total_seconds(), 0.0)
