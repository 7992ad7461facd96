from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, rows, within
from data.store.tables import FLIP

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.ids import TargetId
    from data.model.observation import Flip
    from data.model.principal import Scope
    from data.store.store import Store


def of_target(
    store: Store, scope: Scope, target: TargetId, limit: int = 100, until: datetime | None = None
) -> tuple[Flip, ...]:
    """Newest first; those by `until`."""
    where, tail = 'target = ? AND (? IS NULL OR "at" <= ?)', 'ORDER BY "at" DESC LIMIT ?'
    return tuple(records(store, FLIP, within(scope), where, [target, until, until, limit], tail))


def between(store: Store, scope: Scope, begin: datetime, end: datetime, limit: int = 5_000) -> tuple[Flip, ...]:
    """Oldest first, within [begin, end]."""
    condition, tail = '"at" BETWEEN ? AND ?', 'ORDER BY "at" LIMIT ?'
    return tuple(records(store, FLIP, within(scope), condition, [begin, end, limit], tail))


def since(store: Store, scope: Scope, moment: datetime, limit: int = 10_000) -> tuple[Flip, ...]:
    """Oldest first; of more than `limit` the newest."""
    found = records(store, FLIP, within(scope), '"at" >= ?', [moment, limit], 'ORDER BY "at" DESC LIMIT ?')
    return tuple(reversed(found))


def states_at(store: Store, scope: Scope, moment: datetime) -> dict[TargetId, Flip]:
    """The change of state that held at `moment`, by target. A target without one by then had its first one's `old` state."""
    mine, teams = within(scope)
    last = f"""
        SELECT * FROM flip WHERE {mine} AND "at" <= ?
        QUALIFY row_number() OVER (PARTITION BY target ORDER BY "at" DESC, rowid DESC) = 1
    """
    first = f"""
        SELECT * REPLACE (old AS new, '' AS cause) FROM flip WHERE {mine} AND "at" > ?
        QUALIFY row_number() OVER (PARTITION BY target ORDER BY "at", rowid) = 1
    """
    found = rows(store, f"SELECT {FLIP.select} FROM ({first})", [*teams, moment])
    found += rows(store, f"SELECT {FLIP.select} FROM ({last})", [*teams, moment])
    return {flip.target: flip for flip in map(FLIP.record, found)}
