from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from data.model.plan import RUNNING, SwitchState
from data.store.query import records, rows, within
from data.store.tables import SWITCH

if TYPE_CHECKING:
    from data.model.ids import IncidentId
    from data.model.plan import Switch
    from data.model.principal import Scope
    from data.store.store import Store

_LIVE = sorted(state.value for state in RUNNING | {SwitchState.ASKED})


def live(store: Store, scope: Scope) -> list[Switch]:
    """Those that wait for a yes or have, or may have, changed the world; oldest first."""
    return records(store, SWITCH, within(scope), "state = ANY(?)", [_LIVE], "ORDER BY asked_at, id")


def of_incident(store: Store, scope: Scope, incident: IncidentId) -> list[Switch]:
    """Newest first."""
    return records(store, SWITCH, within(scope), "incident = ?", [incident], "ORDER BY asked_at DESC, id")


def latest(store: Store, scope: Scope, limit: int = 200) -> list[Switch]:
    """Newest first."""
    return records(store, SWITCH, within(scope), "true", [limit], "ORDER BY asked_at DESC, id LIMIT ?")


def since(store: Store, scope: Scope, begin: datetime) -> list[Switch]:
    """Those for incidents, asked from `begin` on; oldest first."""
    where = "incident IS NOT NULL AND asked_at >= ?"
    return records(store, SWITCH, within(scope), where, [begin], "ORDER BY asked_at, id")


def drilled(store: Store) -> dict[str, date]:
    """The day of the last drill that went well, by plan."""
    sql = "SELECT plan, max(ended_at) FROM switch WHERE drill AND state = ? GROUP BY plan"
    return {plan: ended.date() for plan, ended in rows(store, sql, [SwitchState.REVERTED.value]) if ended}
