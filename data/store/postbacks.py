from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, rows, within
from data.store.table import aware
from data.store.tables import POSTBACK

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.delivery import Postback
    from data.model.principal import Scope
    from data.store.store import Store


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


def by_hour(
    store: Store, scope: Scope, feed: str, since: datetime, until: datetime
) -> list[tuple[datetime, int, int, int]]:
    """(start of the hour, good, duplicate, other faults), oldest first; hours without a call are left out."""
    mine, teams = within(scope)
    found = rows(
        store,
        f"""
        SELECT date_trunc('hour', received_at) AS hour, count(*) FILTER (fault = ''),
            count(*) FILTER (fault = 'duplicate'), count(*) FILTER (fault NOT IN ('', 'duplicate'))
        FROM postback WHERE {mine} AND feed = ? AND received_at >= ? AND received_at < ? GROUP BY hour ORDER BY hour
        """,
        [*teams, feed, since, until],
    )
    return [(aware(hour), good, twice, faulty) for hour, good, twice, faulty in found]
