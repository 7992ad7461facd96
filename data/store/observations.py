from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, rows, within
from data.store.strips import BADNESS, buckets_between, strip
from data.store.table import aware
from data.store.tables import OBSERVATION

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from data.model.ids import TargetId
    from data.model.observation import Observation
    from data.model.principal import Scope
    from data.model.target import TargetKind
    from data.store.store import Store


def of_target(
    store: Store, scope: Scope, target: TargetId, limit: int = 50, until: datetime | None = None
) -> tuple[Observation, ...]:
    """Newest first; those begun by `until`."""
    where, tail = "target = ? AND (? IS NULL OR started_at <= ?)", "ORDER BY started_at DESC LIMIT ?"
    return tuple(records(store, OBSERVATION, within(scope), where, [target, until, until, limit], tail))


def newest(store: Store, scope: Scope, since: datetime, until: datetime) -> dict[TargetId, Observation]:
    """The newest of each target in [since, until]; those that went on being fine are stored without hops and evidence."""
    where = "started_at >= ? AND started_at <= ?"
    tail = "QUALIFY row_number() OVER (PARTITION BY target ORDER BY started_at DESC) = 1"
    return {seen.target: seen for seen in records(store, OBSERVATION, within(scope), where, [since, until], tail)}


def whole(store: Store, scope: Scope, target: TargetId) -> Observation | None:
    """The newest with its hops: of a target that goes on being fine most are stored without."""
    tail = "ORDER BY started_at DESC LIMIT 1"
    return next(iter(records(store, OBSERVATION, within(scope), "target = ? AND hops <> '[]'", [target], tail)), None)


def buckets(
    store: Store,
    scope: Scope,
    since: datetime,
    until: datetime,
    bucket_s: float,
    targets: Iterable[TargetId] | None = None,
    *,
    kind: TargetKind | None = None,
) -> dict[TargetId, str]:
    """Heat strips of raw observations, oldest left; a target without any is not in it."""
    mine, teams = within(scope)
    chosen, ids = ("true", list[object]()) if targets is None else ("target = ANY(?)", [list(targets)])
    if kind is not None:
        chosen, ids = f"{chosen} AND kind = ?", [*ids, kind.value]
    found = rows(
        store,
        f"""
        SELECT target, list(bucket), list(badness) FROM (
            SELECT target, floor(epoch(started_at - ?) / ?)::INTEGER AS bucket, max({BADNESS}) AS badness
            FROM observation WHERE {mine} AND {chosen} AND started_at >= ? AND started_at < ? GROUP BY ALL
        ) GROUP BY target
        """,
        [since, bucket_s, *teams, *ids, since, until],
    )
    length = buckets_between(since, until, bucket_s)
    return {target: strip(length, zip(places, worst, strict=True)) for target, places, worst in found}


def latency(
    store: Store, scope: Scope, target: TargetId, since: datetime, until: datetime, bucket_s: float
) -> list[tuple[datetime, float, float]]:
    """(start of bucket, median ms, 95th percentile ms), oldest first; buckets without a time are left out."""
    mine, teams = within(scope)
    found = rows(
        store,
        f"""
        SELECT ? + to_seconds(floor(epoch(started_at - ?) / ?) * ?) AS bucket,
            quantile_cont(total_ms, 0.5), quantile_cont(total_ms, 0.95)
        FROM observation
        WHERE {mine} AND target = ? AND started_at >= ? AND started_at < ? AND total_ms IS NOT NULL
        GROUP BY bucket ORDER BY bucket
        """,
        [since, since, bucket_s, bucket_s, *teams, target, since, until],
    )
    return [(aware(start), p50, p95) for start, p50, p95 in found]


def pulls(store: Store, scope: Scope, target: TargetId, since: datetime) -> tuple[int, int, int]:
    """Pulls of a feed from `since` on: all of them, those that brought no report, those that were asked for patience."""
    mine, teams = within(scope)
    found = rows(
        store,
        f"""
        SELECT count(*), count(*) FILTER (value IS NULL), count(*) FILTER (cause = 'feed.throttled')
        FROM observation WHERE {mine} AND target = ? AND started_at >= ?
        """,
        [*teams, target, since],
    )
    return found[0]
