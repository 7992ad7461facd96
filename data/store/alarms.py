from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
from data.store.tables import ALARM

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.alarm import AlarmEntry
    from data.model.principal import Scope
    from data.store.store import Store

_LATEST = 'QUALIFY row_number() OVER (PARTITION BY id ORDER BY "at" DESC, rowid DESC) = 1 ORDER BY detected_at DESC, id'


def running(store: Store, scope: Scope) -> list[AlarmEntry]:
    """The last word of each alarm that is open."""
    return [entry for entry in records(store, ALARM, within(scope), tail=_LATEST) if entry.status == "open"]


def words(
    store: Store, scope: Scope, alarm: str, until: datetime | None = None, limit: int = 1_000
) -> list[AlarmEntry]:
    """What was said of one alarm up to `until`, newest first."""
    tail = 'ORDER BY "at" DESC, rowid DESC LIMIT ?'
    return records(
        store, ALARM, within(scope), 'id = ? AND (? IS NULL OR "at" <= ?)', [alarm, until, until, limit], tail
    )


def all_words(store: Store, scope: Scope, since: datetime) -> list[AlarmEntry]:
    """Everything said of alarms that were detected from `since` on, oldest first."""
    return records(store, ALARM, within(scope), "detected_at >= ?", [since], 'ORDER BY "at", rowid')


def lasting(store: Store, scope: Scope, since: datetime, until: datetime) -> list[AlarmEntry]:
    """Of each alarm that was raised before `until` and not over before `since`: its last word by `until`."""
    found = records(store, ALARM, within(scope), '"at" <= ?', [until], _LATEST)
    return [entry for entry in found if entry.status == "open" or (entry.end or entry.at) >= since]
