from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
from data.store.tables import FINDING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.model.ids import IncidentId
    from data.model.incident import Finding
    from data.model.principal import Scope
    from data.store.store import Store


def open_or_of(store: Store, scope: Scope, incidents: Iterable[IncidentId]) -> list[Finding]:
    """All that are open, and those of the incidents, closed ones included; oldest first."""
    condition = "closed_at IS NULL OR incident = ANY(?)"
    return records(store, FINDING, within(scope), condition, [list(incidents)], "ORDER BY opened_at, id")


def of_incident(store: Store, scope: Scope, incident: IncidentId) -> list[Finding]:
    """Oldest first, closed ones included."""
    return records(store, FINDING, within(scope), "incident = ?", [incident], "ORDER BY opened_at, id")


def of_incidents(store: Store, scope: Scope, incidents: Iterable[IncidentId]) -> list[Finding]:
    """Oldest first, closed ones included."""
    return records(store, FINDING, within(scope), "incident = ANY(?)", [list(incidents)], "ORDER BY opened_at, id")
