"""The outbox: what waits to be said, who has taken it on, and what was said before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from data.model.notice import LATE, Notice, NoticeState
from data.store.query import plain, records, rows, within_any
from data.store.tables import MUTE, NOTICE

if TYPE_CHECKING:
    from concurrent.futures import Future
    from datetime import datetime

    from data.model.ids import IncidentId
    from data.model.notice import Mute
    from data.model.principal import Scope
    from data.store.engine import Cursor
    from data.store.store import Store

_OPEN = "state IN ('waiting', 'claimed')"
_STATES = {
    "all": "true",
    "waiting": _OPEN,
    "sent": "state = 'sent'",
    "dead": "state = 'dead'",
    "late": "state <> 'dead' AND coalesce(sent_at, $now) - created_at > $late",
}
STATES = tuple(_STATES)
"""What a list may be asked for; `late` is what arrived late or still waits past its time."""


def claim(store: Store, notice: str, worker: str, now: datetime, lease: timedelta) -> Future[Notice | None]:
    """Take a notice on until `now + lease`: of all who try at once exactly one is given it.

    `None` when it is sent, dead, another's whose lease still runs, or not stored (yet). One that was taken on before by
    somebody whose lease ended comes back as `repeated`: nobody knows whether it arrived.
    """
    return store.work(lambda cursor: _claim(cursor, notice, worker, now, lease))


def _claim(cursor: Cursor, notice: str, worker: str, now: datetime, lease: timedelta) -> Notice | None:
    found = cursor.execute(f"SELECT {NOTICE.select} FROM notice WHERE id = ?", [notice]).fetchall()
    if not found:
        return None
    known = NOTICE.record(found[0])
    held = known.state is NoticeState.CLAIMED
    if known.is_over or (held and known.until is not None and known.until > now):
        return None
    mine = replace(
        known,
        state=NoticeState.CLAIMED,
        worker=worker,
        until=now + lease,
        attempts=known.attempts + 1,
        repeated=known.repeated or held,
    )
    cursor.execute(
        "UPDATE notice SET state = ?, worker = ?, until = ?, attempts = ?, repeated = ? WHERE id = ?",
        plain([mine.state.value, worker, mine.until, mine.attempts, mine.repeated, notice]),
    )
    return mine


def release(store: Store, worker: str) -> int:
    """Give back what others than `worker` hold, for the start: whoever held it is gone. Says how many were in the air."""

    def give_back(cursor: Cursor) -> int:
        ((count,),) = cursor.execute(
            "UPDATE notice SET state = 'waiting', repeated = true, until = NULL WHERE state = 'claimed' AND worker <> ?",
            [worker],
        ).fetchall()
        return int(count)

    return store.work(give_back).result()


def get(store: Store, scope: Scope, notice: str) -> Notice | None:
    found = records(store, NOTICE, within_any(scope), "id = ?", [notice])
    return found[0] if found else None


def unfinished(store: Store, scope: Scope) -> list[Notice]:
    """What is neither sent nor given up, oldest first."""
    return records(store, NOTICE, within_any(scope), _OPEN, tail="ORDER BY created_at, id")


def since(store: Store, scope: Scope, moment: datetime, limit: int = 100_000) -> list[Notice]:
    """The newest that were made from `moment` on, oldest of them first."""
    tail = "ORDER BY created_at DESC, id DESC LIMIT ?"
    return records(store, NOTICE, within_any(scope), "created_at >= ?", [moment, limit], tail)[::-1]


def of_incident(store: Store, scope: Scope, incident: IncidentId, begin: datetime, limit: int = 1_000) -> list[Notice]:
    """What was made from `begin` on and tells of the incident, oldest first; of more than `limit` the first ones."""
    where = "created_at >= ? AND contains(incidents, ?) AND list_contains(CAST(incidents::JSON AS BIGINT[]), ?)"
    tail = "ORDER BY created_at, id LIMIT ?"
    return records(store, NOTICE, within_any(scope), where, [begin, str(incident), incident, limit], tail)


def page(
    store: Store, scope: Scope, state: str, now: datetime, *, offset: int = 0, limit: int = 200
) -> tuple[int, list[Notice]]:
    """How many there are of `state` (one of `STATES`), and a window of them, newest first."""
    mine, teams = within_any(scope)
    where, given = _condition(state, now)
    ((total,),) = rows(store, f"SELECT count(*) FROM notice WHERE {mine} AND ({where})", [*teams, *given])
    tail = "ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
    return total, records(store, NOTICE, (mine, teams), where, [*given, limit, offset], tail)


def counts(store: Store, scope: Scope, now: datetime) -> dict[str, dict[str, int]]:
    """Notices by channel and by state of `STATES`."""
    mine, teams = within_any(scope)
    late, given = _condition("late", now)
    sql = (
        f"SELECT channel, count(*), count(*) FILTER ({_OPEN}), count(*) FILTER (state = 'sent'), "
        f"count(*) FILTER (state = 'dead'), count(*) FILTER ({late}) FROM notice WHERE {mine} GROUP BY channel"
    )
    order = ("all", "waiting", "sent", "dead", "late")
    return {channel: dict(zip(order, many, strict=True)) for channel, *many in rows(store, sql, [*given, *teams])}


def _condition(state: str, now: datetime) -> tuple[str, list[object]]:
    where = _STATES[state]
    given: list[object] = [now, LATE] if "$now" in where else []
    return where.replace("$now", "?").replace("$late", "?"), given


def mutes(store: Store, scope: Scope, now: datetime) -> list[Mute]:
    """Those that have not ended, the next to end first."""
    mine, teams = within_any(scope)
    everybody = f"({mine} OR list_contains(teams, '*'))"
    return records(store, MUTE, (everybody, teams), "ends_at > ?", [now], "ORDER BY ends_at, id")
