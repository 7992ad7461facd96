from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within_any
from data.store.tables import TIMELINE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from data.model.ids import IncidentId
    from data.model.incident import TimelineEntry
    from data.model.principal import Scope
    from data.store.store import Store


def of_incident(store: Store, scope: Scope, incident: IncidentId) -> tuple[TimelineEntry, ...]:
    """Oldest first; nothing when the incident is out of scope."""
    mine, teams = within_any(scope)
    visible = (f"incident IN (SELECT id FROM incident WHERE {mine})", teams)
    return tuple(records(store, TIMELINE, visible, "incident = ?", [incident], 'ORDER BY "at", rowid'))


def of_incidents(store: Store, scope: Scope, incidents: Iterable[IncidentId]) -> tuple[TimelineEntry, ...]:
    """Of several, oldest first; of those in scope."""
    mine, teams = within_any(scope)
    visible = (f"incident IN (SELECT id FROM incident WHERE {mine})", teams)
    return tuple(records(store, TIMELINE, visible, "incident = ANY(?)", [list(incidents)], 'ORDER BY "at", rowid'))


def by_people(
    store: Store, scope: Scope, begin: datetime, end: datetime, system: str, limit: int = 200
) -> tuple[TimelineEntry, ...]:
    """What people (not `system`) did from `begin` to `end`, oldest first."""
    mine, teams = within_any(scope)
    visible = (f"incident IN (SELECT id FROM incident WHERE {mine})", teams)
    where = 'who <> ? AND "at" >= ? AND "at" < ?'
    return tuple(records(store, TIMELINE, visible, where, [system, begin, end, limit], 'ORDER BY "at", rowid LIMIT ?'))
