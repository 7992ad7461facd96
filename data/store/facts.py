from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
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


def clicks_of_partner(store: Store, partner: str, since: datetime, without: Sequence[str] = ()) -> dict[datetime, int]:
    """Clicks of all teams that went to a partner, by the start of their hour; to be compared with its own count.

    Those that the sources `without` told of are its own count.
    """
    sql = (
        "SELECT hour, sum(clicks) FROM fact WHERE partner = ? AND hour >= ? AND NOT list_contains(?, source) "
        "GROUP BY hour HAVING sum(clicks) > 0"
    )
    found = rows(store, sql, [partner, since, list(without)])
    return {hour.replace(tzinfo=UTC): int(count) for hour, count in found}


Cell = tuple[str, datetime, str, str, str, int, int, int, Decimal]
"""Source, hour, offer, geo, site, clicks, registrations, FTD, commission."""


def told_by(
    store: Store, scope: Scope, partner: str, sources: Sequence[str], since: datetime, until: datetime
) -> list[Cell]:
    """What each of the sources told of a partner's hours `since <= hour < until`, summed; in the order of hours."""
    mine, teams = within(scope)
    sql = (
        "SELECT source, hour, offer, geo, site, sum(clicks), sum(regs), sum(ftd), sum(revenue) FROM fact "
        f"WHERE {mine} AND partner = ? AND list_contains(?, source) AND hour >= ? AND hour < ? GROUP BY ALL ORDER BY ALL"
    )
    return [
        (source, hour.replace(tzinfo=UTC), offer, geo, site, int(clicks), int(regs), int(ftd), revenue)
        for source, hour, offer, geo, site, clicks, regs, ftd, revenue in rows(
            store, sql, [*teams, partner, list(sources), since, until]
        )
    ]


def clicks_by_cell(
    store: Store, scope: Scope, partner: str, without: Sequence[str], since: datetime, until: datetime
) -> list[tuple[datetime, str, str, str, int]]:
    """Hour, offer, geo, site and clicks to a partner that others than the sources `without` told of."""
    mine, teams = within(scope)
    sql = (
        f"SELECT hour, offer, geo, site, sum(clicks) FROM fact WHERE {mine} AND partner = ? "
        "AND NOT list_contains(?, source) AND hour >= ? AND hour < ? GROUP BY ALL HAVING sum(clicks) > 0 ORDER BY ALL"
    )
    found = rows(store, sql, [*teams, partner, list(without), since, until])
    return [(hour.replace(tzinfo=UTC), offer, geo, site, int(count)) for hour, offer, geo, site, count in found]


def click_days(
    store: Store, scope: Scope, partner: str, without: Sequence[str], since: datetime, until: datetime
) -> set[date]:
    """Days of UTC with clicks to a partner that others than the sources `without` told of."""
    mine, teams = within(scope)
    sql = (
        f"SELECT DISTINCT hour::DATE FROM fact WHERE {mine} AND partner = ? AND NOT list_contains(?, source) "
        "AND hour >= ? AND hour < ? AND clicks > 0"
    )
    return {day for (day,) in rows(store, sql, [*teams, partner, list(without), since, until])}


def partners_clicked(store: Store, scope: Scope, sources: Sequence[str], since: datetime) -> set[str]:
    """Partners of which `sources` told of clicks, and nobody else did."""
    mine, teams = within(scope)
    sql = (
        f"SELECT partner FROM fact WHERE {mine} AND hour >= ? AND clicks > 0 GROUP BY partner "
        "HAVING bool_and(list_contains(?, source))"
    )
    return {partner for (partner,) in rows(store, sql, [*teams, since, list(sources)])}


def has_conversions(store: Store, scope: Scope, partner: str, without: Sequence[str], since: datetime) -> bool:
    """Whether anybody but the sources `without` told of registrations, FTD or commission of a partner."""
    mine, teams = within(scope)
    sql = (
        f"SELECT 1 FROM fact WHERE {mine} AND partner = ? AND NOT list_contains(?, source) AND hour >= ? "
        "AND (regs <> 0 OR ftd <> 0 OR revenue <> 0) LIMIT 1"
    )
    return bool(rows(store, sql, [*teams, partner, list(without), since]))


def sums_by_source(
    store: Store, scope: Scope, partner: str, since: datetime, until: datetime
) -> dict[str, tuple[int, int, Decimal]]:
    """Registrations, FTD and commission of a partner that each source told of."""
    mine, teams = within(scope)
    sql = (
        f"SELECT source, sum(regs), sum(ftd), sum(revenue) FROM fact WHERE {mine} AND partner = ? "
        "AND hour >= ? AND hour < ? GROUP BY source"
    )
    found = rows(store, sql, [*teams, partner, since, until])
    return {source: (int(regs), int(ftd), revenue) for source, regs, ftd, revenue in found}


def day_shape(store: Store, scope: Scope, since: datetime) -> tuple[float, ...]:
    """Share of all clicks by hour of the day, UTC; even where there are none."""
    mine, teams = within(scope)
    sql = f"SELECT hour(hour), sum(clicks) FROM fact WHERE {mine} AND hour >= ? GROUP BY 1"
    found = {hour: float(count) for hour, count in rows(store, sql, [*teams, since])}
    total = sum(found.values())
    return tuple(found.get(hour, 0.0) / total if total > 0 else 1 / 24 for hour in range(24))


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
