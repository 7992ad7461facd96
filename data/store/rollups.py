"""Hours and days of observations in a row each, and the reads that choose between them and the raw ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from data.store.query import rows, within
from data.store.strips import BADNESS, WORST_COUNTED
from data.store.strips import strip as drawn
from data.store.table import aware, utc

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from data.model.ids import TargetId
    from data.model.principal import Scope
    from data.store.engine import Cursor
    from data.store.store import Store

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # as the database keeps times
LATE = timedelta(hours=2)
"""Observations that arrive so much later still enter their hour."""

_HELD = """
SELECT o.target, o.team, o.kind, o.started_at, o.state, o.total_ms, least(
    epoch(coalesce(lead(o.started_at) OVER (PARTITION BY o.target ORDER BY o.started_at), $now) - o.started_at),
    2 * coalesce(t.interval_s, 300)
) AS held_s
FROM observation o LEFT JOIN target t ON t.id = o.target
WHERE o.started_at >= $since AND o.started_at < $now
"""
"""Observations with the seconds each speaks for: until the next one, at most two intervals."""

_COUNTS = """
count(*) FILTER (state = 'ok') AS ok, count(*) FILTER (state = 'degraded') AS degraded,
count(*) FILTER (state = 'failing') AS failing, count(*) FILTER (state = 'unknown') AS unknown,
count(*) FILTER (state = 'paused') AS paused,
coalesce(sum(held_s) FILTER (state IN ('ok', 'degraded', 'failing')), 0) AS known_s,
coalesce(sum(held_s) FILTER (state = 'failing'), 0) AS failing_s,
quantile_cont(total_ms, 0.5) AS p50_ms, quantile_cont(total_ms, 0.95) AS p95_ms
"""
# An approximate quantile keeps kilobytes a group outside the database's memory limit: gigabytes for a large fleet.


_DAYS = """
INSERT INTO rollup_day BY NAME
SELECT target, arg_max(team, start) AS team, any_value(kind) AS kind, date_trunc('day', start) AS start,
    sum(ok)::BIGINT AS ok, sum(degraded)::BIGINT AS degraded, sum(failing)::BIGINT AS failing,
    sum(unknown)::BIGINT AS unknown, sum(paused)::BIGINT AS paused,
    sum(known_s) AS known_s, sum(failing_s) AS failing_s,
    quantile_cont(p50_ms, 0.5) AS p50_ms, quantile_cont(p95_ms, 0.95) AS p95_ms
FROM rollup_hour AS hours WHERE start >= $since AND start < $end GROUP BY target, date_trunc('day', start)
"""
"""Days are made of their hours; a day's percentiles are those of its hours, which is near enough for a strip of months."""


def run(store: Store, now: datetime) -> None:
    """Roll up every hour and day that ended before `now`; late arrivals of the last two hours included.

    Hours are computed beside the writer, which only stores them: a hundred thousand targets would hold it up for long.
    Waits for the writer; not for the event loop's thread.
    """
    moment = utc(now)
    if (span := _span(store, "hour", moment, LATE)) is not None:
        for hour in _unsettled(store, *span):
            hours = _one_hour(store, hour, moment)
            store.work(partial(_keep_hour, hours=hours, hour=hour)).result()
        store.work(lambda cursor: mark(cursor, "hour", span[1])).result()
    if (days := _span(store, "day", moment, timedelta())) is not None:
        store.work(lambda cursor: _keep_days(cursor, *days)).result()


def _span(store: Store, grain: str, now: datetime, late: timedelta) -> tuple[datetime, datetime] | None:
    """From the last period rolled up to the last one that ended; never below what was pruned. `None` when it is done."""
    with store.cursor() as cursor:
        end = floor(now, grain)
        start = _first(cursor, grain, late)
        return None if start is None or start >= end or until(cursor, grain) >= end else (start, end)


def _unsettled(store: Store, start: datetime, end: datetime) -> list[datetime]:
    """Hours of which not all observations are rolled up."""
    with store.cursor() as cursor:
        found = cursor.execute(
            """
            SELECT hour FROM (
                SELECT date_trunc('hour', started_at) AS hour, count(*) AS seen FROM observation
                WHERE started_at >= $start AND started_at < $end GROUP BY 1
            ) LEFT JOIN (
                SELECT start AS hour, sum(ok + degraded + failing + unknown + paused) AS counted FROM rollup_hour
                WHERE start >= $start AND start < $end GROUP BY 1
            ) USING (hour) WHERE seen > coalesce(counted, 0) ORDER BY hour
            """,
            {"start": start, "end": end},
        ).fetchall()
    return [hour for (hour,) in found]


def _one_hour(store: Store, hour: datetime, now: datetime) -> pa.Table:
    """The hour's roll-ups; what comes after it is read as far as it says how long the hour's last ones held."""
    until_ = min(hour + timedelta(hours=2), now)
    with store.cursor() as cursor:
        return cursor.execute(
            f"""
            SELECT target, arg_max(team, started_at) AS team, any_value(kind) AS kind, $since AS start, {_COUNTS}
            FROM ({_HELD}) WHERE started_at < $end GROUP BY target
            """,
            {"since": hour, "now": until_, "end": hour + timedelta(hours=1)},
        ).to_arrow_table()


def _keep_hour(cursor: Cursor, *, hours: pa.Table, hour: datetime) -> None:
    cursor.execute("DELETE FROM rollup_hour WHERE start = ?", [hour])
    cursor.register("fresh", hours)
    cursor.execute("INSERT INTO rollup_hour BY NAME SELECT * FROM fresh")
    cursor.unregister("fresh")


def _keep_days(cursor: Cursor, start: datetime, end: datetime) -> None:
    cursor.execute("DELETE FROM rollup_day WHERE start >= ? AND start < ?", [start, end])
    cursor.execute(_DAYS, {"since": start, "end": end})
    mark(cursor, "day", end)


def _first(cursor: Cursor, grain: str, late: timedelta) -> datetime | None:
    rolled, pruned = until(cursor, grain), until(cursor, "pruned")
    if rolled > EPOCH:
        return max(floor(rolled - late, grain), pruned)
    (oldest,) = cursor.execute("SELECT min(started_at) FROM observation").fetchall()[0]
    return None if oldest is None else max(floor(oldest, grain), pruned)


def floor(moment: datetime, grain: str) -> datetime:
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour if grain == "hour" else hour.replace(hour=0)


def until(cursor: Cursor, grain: str) -> datetime:
    """How far `hour`, `day`, `sorted` or `pruned` got; the epoch when it never ran."""
    found = cursor.execute("SELECT until FROM rolled WHERE grain = ?", [grain]).fetchall()
    return found[0][0] if found else EPOCH


def mark(cursor: Cursor, grain: str, moment: datetime) -> None:
    cursor.execute("DELETE FROM rolled WHERE grain = ?", [grain])
    cursor.execute("INSERT INTO rolled VALUES (?, ?)", [grain, moment])


def uptime(
    store: Store, scope: Scope, targets: Iterable[TargetId] | None, since: datetime, moment: datetime
) -> dict[TargetId, float]:
    """Share of known time that was not failing between `since` (to the hour) and `moment`; 0..1.

    A target of which nothing was known is not in it.
    """
    mine, teams = within(scope)
    chosen, ids = ("true", []) if targets is None else ("target = ANY($ids)", list(targets))
    with store.cursor() as cursor:
        rolled = until(cursor, "hour")
        start = floor(utc(since), "hour")
        named: dict[str, object] = {"since": max(start, rolled), "now": utc(moment), "start": start, "rolled": rolled}
        named |= {"teams": teams[0]} if teams else {}
        named |= {"ids": ids} if targets is not None else {}
        found = cursor.execute(
            f"""
            SELECT target, 1 - sum(failing_s) / sum(known_s) FROM (
                SELECT target, team, known_s, failing_s FROM rollup_hour WHERE start >= $start AND start < $rolled
                UNION ALL
                SELECT target, team, if(state IN ('ok', 'degraded', 'failing'), held_s, 0),
                    if(state = 'failing', held_s, 0) FROM ({_HELD})
            ) WHERE {mine.replace("?", "$teams")} AND {chosen} GROUP BY target HAVING sum(known_s) > 0
            """,
            named,
        ).fetchall()
    return dict(found)


def strip(store: Store, scope: Scope, target: TargetId, since: datetime, moment: datetime, buckets: int) -> str:
    """A heat strip of one target: of raw observations while all are kept, else of hours or days, and raw after those.

    Buckets under an hour have raw observations alone. An hour or day belongs to the bucket that its middle lies in.
    """
    bucket_s = (moment - since).total_seconds() / buckets
    mine, teams = within(scope)
    grain = "day" if bucket_s >= 86_400 else "hour" if bucket_s >= 3_600 else ""
    with store.cursor() as cursor:
        grain = grain if utc(since) < until(cursor, "pruned") else ""
        rolled = until(cursor, grain) if grain else EPOCH
    found = rows(
        store,
        f"SELECT floor(epoch(started_at - ?) / ?)::INTEGER, max({BADNESS}) FROM observation"
        f" WHERE {mine} AND target = ? AND started_at >= ? AND started_at < ? GROUP BY 1",
        [since, bucket_s, *teams, target, aware(max(utc(since), rolled)), moment],
    )
    if grain:
        found += rows(
            store,
            f"SELECT greatest(floor(epoch(start + INTERVAL 1 {grain} / 2 - ?) / ?)::INTEGER, 0), max({WORST_COUNTED})"
            f" FROM rollup_{grain}"
            f" WHERE {mine} AND target = ? AND start >= ? AND start < ? GROUP BY 1",
            [since, bucket_s, *teams, target, aware(floor(utc(since), grain)), moment],
        )
    return drawn(buckets, [(bucket, worst) for bucket, worst in found])
