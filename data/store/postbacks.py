from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
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
