from __future__ import annotations

from typing import TYPE_CHECKING

from data.model.delivery import Outcome
from data.store.query import records, within
from data.store.tables import DELIVERY

if TYPE_CHECKING:
    from data.model.delivery import Delivery
    from data.model.principal import Scope
    from data.store.store import Store


def of_feed(store: Store, scope: Scope, feed: str, limit: int = 50) -> list[Delivery]:
    """Newest first."""
    return records(store, DELIVERY, within(scope), "feed = ?", [feed, limit], 'ORDER BY "at" DESC LIMIT ?')


def quarantined(store: Store, scope: Scope, feed: str = "") -> list[Delivery]:
    """Those that wait for a person, oldest first; of one feed or of all."""
    where = "outcome = ? AND (? = '' OR feed = ?)"
    return records(
        store, DELIVERY, within(scope), where, [Outcome.QUARANTINED.value, feed, feed], 'ORDER BY feed, "at"'
    )
