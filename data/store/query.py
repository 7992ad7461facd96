"""What every read shares: the scope's filter, parameters as the database keeps them, records from rows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from data.store.table import utc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.model.principal import Scope
    from data.store.store import Store
    from data.store.table import Table

R = TypeVar("R")


def within(scope: Scope, column: str = "team") -> tuple[str, list[Any]]:
    """A condition that holds for the rows of the scope's teams, and its parameters."""
    return ("true", []) if scope.teams is None else (f"{column} = ANY(?)", [sorted(scope.teams)])


def within_any(scope: Scope, column: str = "teams") -> tuple[str, list[Any]]:
    """The same for a column that lists several teams."""
    return ("true", []) if scope.teams is None else (f"list_has_any({column}, ?)", [sorted(scope.teams)])


def rows(store: Store, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        return cursor.execute(sql, plain(parameters)).fetchall()


def plain(parameters: Sequence[Any]) -> list[Any]:
    """Times as the database keeps them; raises `ValueError` for one without a zone."""
    return [utc(value) if isinstance(value, datetime) else value for value in parameters]


def records(
    store: Store,
    table: Table[R],
    scope: tuple[str, list[Any]],
    where: str = "true",
    parameters: Sequence[Any] = (),
    tail: str = "",
) -> list[R]:
    """Records of `table` in scope that meet `where`; `tail` orders and limits."""
    mine, teams = scope
    sql = f"SELECT {table.select} FROM {table.name} WHERE {mine} AND ({where}) {tail}"
    return [table.record(row) for row in rows(store, sql, [*teams, *parameters])]
