"""What is left of incidents once they are over: reports, and figures over months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from data.model.incident import Incident, TimelineEntry
from data.model.plan import Switch
from data.model.snapshot import ChecklistItem, Statement


@dataclass(frozen=True, slots=True)
class Times:
    """How long an incident took, in seconds; `None` where it has not happened."""

    to_detect: float | None
    """From its beginning, as well as that is known, to its confirmation."""
    to_acknowledge: float | None
    """From the confirmation to the first person."""
    to_mitigate: float | None
    """From the confirmation to the first plan that took effect, else to its end."""
    to_resolve: float | None
    """From the confirmation to its end."""


@dataclass(frozen=True, slots=True)
class Report:
    """One incident, whole, for people who were not there."""

    incident: Incident
    times: Times
    statements: tuple[Statement, ...]
    timeline: tuple[TimelineEntry, ...]
    switches: tuple[Switch, ...]
    checklist: tuple[ChecklistItem, ...]
    members: tuple[tuple[str, int], ...]
    """Targets by kind."""
    first: tuple[str, ...]
    """Names of the first targets it touched, a few."""
    verdict: str = ""
    """What a person said of it, of `data.model.verdict`; empty: nobody did."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Incidents of one cause, team, partner, provider or month."""

    name: str
    count: int
    open: int
    merged: int
    """Became part of another; not among `count`."""
    reopened: int
    detect_s: float | None
    """Median over those that have one; the same for the next three."""
    acknowledge_s: float | None
    mitigate_s: float | None
    resolve_s: float | None
    lost: Decimal | None
    """`None` for who may not see money."""
    lost_per_minute: Decimal | None
    """Lost over the minutes from beginning to end, all together."""
    unseen: Decimal | None
    right: int = 0
    """What people said of them: of the rest nobody said anything."""
    false: int = 0
    not_ours: int = 0


@dataclass(frozen=True, slots=True)
class Statistics:
    since: datetime
    until: datetime
    by: str
    """cause | team | partner | provider | month | severity | owner"""
    currency: str
    rows: tuple[Tally, ...] = ()
    """Most lost first; months in their order."""
    total: Tally | None = None
