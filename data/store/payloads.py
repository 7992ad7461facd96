from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
from data.store.tables import PAYLOAD

if TYPE_CHECKING:
    from data.model.fact import Payload
    from data.model.principal import Scope
    from data.store.store import Store


def get(store: Store, scope: Scope, payload_hash: str) -> Payload | None:
    found = records(store, PAYLOAD, within(scope), "hash = ?", [payload_hash], "ORDER BY received_at DESC LIMIT 1")
    return found[0] if found else None


def of_feed(store: Store, scope: Scope, feed: str, limit: int = 20) -> list[Payload]:
    """Newest first; a body that arrived again has its latest time."""
    return records(store, PAYLOAD, within(scope), "feed = ?", [feed, limit], "ORDER BY received_at DESC LIMIT ?")
