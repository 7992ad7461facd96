from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
from data.store.tables import FEED_CHANGE

if TYPE_CHECKING:
    from data.model.fact import FeedChange
    from data.model.principal import Scope
    from data.store.store import Store


def of_feed(store: Store, scope: Scope, feed: str, limit: int = 200) -> list[FeedChange]:
    """Open and closed, latest seen first."""
    tail = "ORDER BY last_seen DESC, kind, path LIMIT ?"
    return records(store, FEED_CHANGE, within(scope), "feed = ?", [feed, limit], tail)
