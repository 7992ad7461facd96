from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
from data.store.tables import RANKS

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.fact import Ranks
    from data.model.principal import Scope
    from data.store.store import Store


def since(store: Store, scope: Scope, begin: datetime, most: int) -> list[Ranks]:
    """Believed pages from `begin` on, oldest first; of each query in a country the newest `most`."""
    tail = 'QUALIFY row_number() OVER (PARTITION BY parser, query, geo, team ORDER BY "at" DESC) <= ? ORDER BY "at", parser'
    return records(store, RANKS, within(scope), '"at" >= ?', [begin, most], tail)
