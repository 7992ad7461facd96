from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data.store.query import records, rows, within
from data.store.tables import POSTBACK

if TYPE_CHECKING:
    from data.model.delivery import Postback
    from data.model.principal import Scope
    from data.store.store import Store

Hours = dict[datetime, dict[str, int]]
"""Start of the hour, UTC, to the number of calls by fault; good ones under the empty word."""


def since(store: Store, scope: Scope, feed: str, moment: datetime, limit: int = 100_000) -> list[Postback]:
    """Received from `moment` on, oldest first."""
    return records(
        store,
        POSTBACK,
        within(scope),
        "feed = ? AND received_at >= ?",
        [feed, moment, limit],
        "ORDER BY received_at LIMIT ?",
    )


def latest(store: Store, scope: Scope, feed: str, limit: int) -> list[Postback]:
    """The newest, oldest of them first."""
    found = records(store, POSTBACK, within(scope), "feed = ?", [feed, limit], "ORDER BY received_at DESC, rowid DESC LIMIT ?")  # fmt: skip
    return found[::-1]


def by_hour(store: Store, scope: Scope, feed: str, moment: datetime) -> Hours:
    """Calls received from `moment` on."""
    mine, teams = within(scope)
    found: Hours = defaultdict(dict)
    sql = (
        f"SELECT date_trunc('hour', received_at), fault, count(*) FROM postback WHERE {mine} AND feed = ? "
        "AND received_at >= ? GROUP BY ALL"
    )
    for hour, fault, count in rows(store, sql, [*teams, feed, moment]):
        found[hour.replace(tzinfo=UTC)][fault] = count
    return found


def events_by_hour(store: Store, scope: Scope, feed: str, moment: datetime) -> Hours:
    """Good calls received from `moment` on, by the hour of what they tell of (two days before the call at most) and event."""
    mine, teams = within(scope)
    found: Hours = defaultdict(dict)
    when = 'CASE WHEN "at" BETWEEN received_at - INTERVAL 2 DAY AND received_at THEN "at" ELSE received_at END'
    sql = (
        f"SELECT date_trunc('hour', {when}), event, count(*) FROM postback WHERE {mine} AND feed = ? "
        "AND received_at >= ? AND fault = '' GROUP BY ALL"
    )
    for hour, event, count in rows(store, sql, [*teams, feed, moment]):
        found[hour.replace(tzinfo=UTC)][event] = count
    return found


def last_good(store: Store, scope: Scope, feed: str) -> datetime | None:
    """When the newest call came that nothing was wrong with."""
    mine, teams = within(scope)
    sql = f"SELECT max(received_at) FROM postback WHERE {mine} AND feed = ? AND fault = ''"
    ((found,),) = rows(store, sql, [*teams, feed])
    return found.replace(tzinfo=UTC) if found else None


def keys(store: Store, scope: Scope, feed: str, limit: int) -> list[tuple[str, str, str]]:
    """Event, click and transaction of the newest good calls, newest first."""
    mine, teams = within(scope)
    sql = (
        f"SELECT event, click, \"transaction\" FROM postback WHERE {mine} AND feed = ? AND fault = '' "
        "ORDER BY received_at DESC LIMIT ?"
    )
    return [(event, click, transaction) for event, click, transaction in rows(store, sql, [*teams, feed, limit])]
