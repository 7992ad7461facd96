from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
from data.store.tables import PARSER_RUN

if TYPE_CHECKING:
    from data.model.fact import ParserRun
    from data.model.principal import Scope
    from data.store.store import Store


def history(store: Store, scope: Scope, parser: str, limit: int = 50) -> list[ParserRun]:
    """Newest first."""
    return records(store, PARSER_RUN, within(scope), "parser = ?", [parser, limit], 'ORDER BY "at" DESC LIMIT ?')
