from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
from data.store.tables import RESTATEMENT

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.delivery import Restatement
    from data.model.principal import Scope
    from data.store.store import Store


def of_feed(store: Store, scope: Scope, feed: str, limit: int = 200) -> list[Restatement]:
    """Latest observed first, then the latest days."""
    tail = "ORDER BY observed_at DESC, day DESC, measure LIMIT ?"
    return records(store, RESTATEMENT, within(scope), "feed = ?", [feed, limit], tail)


def since(store: Store, scope: Scope, moment: datetime, limit: int = 1_000) -> list[Restatement]:
    """Of all feeds, observed from `moment` on, latest first."""
    tail = "ORDER BY observed_at DESC, feed, day DESC, measure LIMIT ?"
    return records(store, RESTATEMENT, within(scope), "observed_at >= ?", [moment, limit], tail)
