from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from data.store.query import plain, rows, within
from data.store.table import MONEY
from data.store.tables import FACT, RECEIPT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.model.principal import Scope
    from data.store.store import Store


def frame(
    store: Store,
    scope: Scope,
    since: datetime,
    until: datetime | None = None,
    seen_until: datetime | None = None,
) -> pl.DataFrame:
    """Facts with `since <= hour < until` that were visible at `seen_until`: the columns of `Fact`, revenue a float.

    In the order they became visible.
    """
    mine, teams = within(scope)
    shown = FACT.select.replace('"revenue"', "revenue::DOUBLE AS revenue")
    return _frame(
        store,
        f"SELECT {shown} FROM fact WHERE {mine} AND hour >= ? AND (? IS NULL OR hour < ?)"
        " AND (? IS NULL OR seen_at <= ?) ORDER BY seen_at, rowid",
        [*teams, since, until, until, seen_until, seen_until],
    )


def receipts(
    store: Store,
    scope: Scope,
    since: datetime,
    until: datetime | None = None,
    seen_until: datetime | None = None,
) -> pl.DataFrame:
    """Receipts with `since <= hour < until` visible at `seen_until`: `partner`, `hour`, `seen_at`.

    A scope sees those of the partners its teams have facts of.
    """
    mine, teams = within(scope)
    known = "true" if scope.teams is None else f"partner IN (SELECT partner FROM fact WHERE {mine})"
    return _frame(
        store,
        f"SELECT {RECEIPT.select} FROM receipt WHERE {known} AND hour >= ? AND (? IS NULL OR hour < ?)"
        " AND (? IS NULL OR seen_at <= ?) ORDER BY seen_at, rowid",
        [*teams, since, until, until, seen_until, seen_until],
    )


def clicks_by_hour(store: Store, scope: Scope, source: str, since: datetime) -> dict[datetime, int]:
    """Clicks that `source` told of, by the start of their hour."""
    mine, teams = within(scope)
    sql = f"SELECT hour, sum(clicks) FROM fact WHERE {mine} AND source = ? AND hour >= ? GROUP BY hour"
    return {hour.replace(tzinfo=UTC): int(count) for hour, count in rows(store, sql, [*teams, source, since])}


def clicks_of_partner(store: Store, partner: str, since: datetime) -> dict[datetime, int]:
    """Clicks of all teams that went to a partner, by the start of their hour; to be compared with its own count."""
    sql = "SELECT hour, sum(clicks) FROM fact WHERE partner = ? AND hour >= ? GROUP BY hour HAVING sum(clicks) > 0"
    return {hour.replace(tzinfo=UTC): int(count) for hour, count in rows(store, sql, [partner, since])}


def columns(facts: pl.DataFrame) -> pa.Table:
    """A frame with the columns of `Fact` as `Store.write_facts` takes it; times carry a zone, `source` may be missing.

    Raises:
        ValueError: a column is missing, or a time has no zone.
    """
    if missing := {column.name for column in FACT.columns} - set(facts.columns) - {"source"}:
        raise ValueError(f"facts without the columns {', '.join(sorted(missing))}")
    for name in ("hour", "seen_at"):
        if getattr(facts.schema[name], "time_zone", None) is None:
            raise ValueError(f"the facts' column {name} has no time zone")
    filled = facts if "source" in facts.columns else facts.with_columns(source=pl.lit(""))
    exact = filled.with_columns(
        pl.col("hour", "seen_at").dt.convert_time_zone("UTC").dt.replace_time_zone(None).dt.cast_time_unit("us"),
        pl.col("revenue").cast(pl.Decimal(MONEY.precision, MONEY.scale)),
    )
    schema = pa.schema([(column.name, column.type) for column in FACT.columns])
    return exact.select(schema.names).to_arrow().cast(schema)


def _frame(store: Store, sql: str, parameters: Sequence[Any]) -> pl.DataFrame:
    with store.cursor() as cursor:
        arrow = cursor.execute(sql, plain(parameters)).to_arrow_table()
    found = pl.from_arrow(arrow)
    assert isinstance(found, pl.DataFrame)
    return found.with_columns(pl.col("hour", "seen_at").dt.replace_time_zone("UTC"))
