from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
from data.store.tables import PAGE

if TYPE_CHECKING:
    from data.model.page import KeptPage
    from data.model.principal import Scope
    from data.store.store import Store


def of_parser(store: Store, scope: Scope, parser: str, *, good: bool, limit: int = 5) -> list[KeptPage]:
    """Newest first, bodies included."""
    newest = 'ORDER BY "at" DESC LIMIT ?'
    return records(store, PAGE, within(scope), "parser = ? AND good = ?", [parser, good, limit], newest)
