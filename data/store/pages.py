from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, rows, within
from data.store.table import aware
from data.store.tables import PAGE

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.page import KeptPage
    from data.model.principal import Scope
    from data.store.store import Store


def of_parser(store: Store, scope: Scope, parser: str, *, good: bool, limit: int = 5) -> list[KeptPage]:
    """Newest first, bodies included."""
    newest = 'ORDER BY "at" DESC LIMIT ?'
    return records(store, PAGE, within(scope), "parser = ? AND good = ?", [parser, good, limit], newest)


def latest(store: Store, scope: Scope, parser: str) -> datetime | None:
    """When the newest page of this parser was kept."""
    mine, teams = within(scope)
    ((newest,),) = rows(store, f'SELECT max("at") FROM page WHERE {mine} AND parser = ?', [*teams, parser])
    return aware(newest) if newest else None
