from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
from data.store.tables import FLIP

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.ids import TargetId
    from data.model.observation import Flip
    from data.model.principal import Scope
    from data.store.store import Store


def of_target(store: Store, scope: Scope, target: TargetId, limit: int = 100) -> tuple[Flip, ...]:
    """Newest first."""
    return tuple(records(store, FLIP, within(scope), "target = ?", [target, limit], 'ORDER BY "at" DESC LIMIT ?'))


def between(store: Store, scope: Scope, begin: datetime, end: datetime, limit: int = 5_000) -> tuple[Flip, ...]:
    """Oldest first, within [begin, end]."""
    condition, tail = '"at" BETWEEN ? AND ?', 'ORDER BY "at" LIMIT ?'
    return tuple(records(store, FLIP, within(scope), condition, [begin, end, limit], tail))


def since(store: Store, scope: Scope, moment: datetime, limit: int = 10_000) -> tuple[Flip, ...]:
    """Oldest first; of more than `limit` the newest."""
    found = records(store, FLIP, within(scope), '"at" >= ?', [moment, limit], 'ORDER BY "at" DESC LIMIT ?')
    return tuple(reversed(found))
