"""What was foretold of each slice-hour when it was first judged: one row a leaf and hour that had clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from data.store.query import plain, within
from data.store.table import aware

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future
    from datetime import datetime

    from data.model.principal import Scope
    from data.store.engine import Cursor
    from data.store.store import Store

DIMS = ("partner", "offer", "geo", "site", "team")
FIGURES = ("ftd_rate", "reg_rate", "value", "common")
"""FTD and registrations a click, commission an FTD, and what moved everybody in that hour."""


def append(store: Store, frame: pl.DataFrame) -> Future[int]:
    """Store `hour`, `made_at` (with a zone), `DIMS` and `FIGURES` of hours and leaves that have none yet; gives how many.

    What was foretold once stays: writing the same hours again after a crash changes nothing.
    """
    arrow = frame.select(
        pl.col("hour", "made_at").dt.convert_time_zone("UTC").dt.replace_time_zone(None), *DIMS, *FIGURES
    ).to_arrow()
    since, until = frame["hour"].min(), frame["hour"].max()
    same = " AND ".join(f"known.{dim} = fresh.{dim}" for dim in DIMS)

    def insert(cursor: Cursor) -> int:
        cursor.register("fresh", arrow)
        ((new,),) = cursor.execute(
            "INSERT INTO expectation BY NAME SELECT fresh.* FROM fresh WHERE NOT EXISTS (SELECT 1 FROM expectation AS known "
            f"WHERE known.hour BETWEEN ? AND ? AND known.hour = fresh.hour AND {same})",
            plain([since, until]),
        ).fetchall()
        cursor.unregister("fresh")
        return int(new)

    return store.work(insert)


def seen_and_due(
    store: Store, scope: Scope, where: Mapping[str, str], since: datetime, until: datetime, seen_until: datetime
) -> pl.DataFrame:
    """What had come of the hours from `since` to before `until` by `seen_until`, beside what had been foretold of them.

    By `hour` and `partner`: `clicks`, `regs`, `ftd`, `revenue`, and `regs_due`, `ftd_due`, `revenue_due` from the clicks
    seen; `foretold` is the share of the clicks that anything was foretold of.
    """
    mine, teams = within(scope)
    fixed = [dim for dim in DIMS if dim in where]
    inside = " AND ".join([mine, "hour >= ?", "hour < ?", *(f"{dim} = ?" for dim in fixed)])
    limits = [*teams, since, until, *(where[dim] for dim in fixed)]
    keys = ", ".join(("hour", *DIMS))
    sql = f"""
        WITH come AS (
            SELECT {keys}, sum(clicks)::DOUBLE AS clicks, sum(regs)::DOUBLE AS regs, sum(ftd)::DOUBLE AS ftd,
                sum(revenue)::DOUBLE AS revenue
            FROM fact WHERE {inside} AND seen_at <= ? GROUP BY {keys}
        ), told AS (SELECT {keys}, {", ".join(FIGURES)} FROM expectation WHERE {inside} AND made_at <= ?)
        SELECT hour, partner, sum(clicks) AS clicks, sum(regs) AS regs, sum(ftd) AS ftd, sum(revenue) AS revenue,
            coalesce(sum(clicks * reg_rate * common), 0) AS regs_due, coalesce(sum(clicks * ftd_rate * common), 0) AS ftd_due,
            coalesce(sum(clicks * ftd_rate * common * value), 0) AS revenue_due,
            coalesce(sum(clicks) FILTER (ftd_rate IS NOT NULL) / nullif(sum(clicks), 0), 0) AS foretold
        FROM come LEFT JOIN told USING ({keys}) GROUP BY hour, partner ORDER BY hour, partner
    """
    with store.cursor() as cursor:
        arrow = cursor.execute(sql, plain([*limits, seen_until, *limits, seen_until])).to_arrow_table()
    found = pl.from_arrow(arrow)
    assert isinstance(found, pl.DataFrame)
    return found.with_columns(pl.col("hour").dt.replace_time_zone("UTC"))


def last_hour(store: Store) -> datetime | None:
    """The newest hour that anything was foretold of."""
    with store.cursor() as cursor:
        ((hour,),) = cursor.execute("SELECT max(hour) FROM expectation").fetchall()
    return None if hour is None else aware(hour)
