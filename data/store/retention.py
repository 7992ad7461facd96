"""Forgetting: raw observations once they are rolled up, then rollups, payloads and old baselines."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from data.store import ledger
from data.store.rollups import EPOCH, LATE, floor, mark, until
from data.store.table import utc

if TYPE_CHECKING:
    from data.config.settings import HubSettings
    from data.store.engine import Cursor
    from data.store.store import Store

FAILING_LONGER = 10
"""Observations that were not ok are kept so many times longer than the others."""
SORTED_AT_ONCE = timedelta(hours=3)
HOURS_KEPT = timedelta(days=45)
"""Hourly rollups and what was foretold of slice-hours; daily rollups stay as long as the settings say."""
BASELINES_KEPT = 10
"""A target."""
MEMORIES_KEPT = 2
"""What the revenue book knew: megabytes, written with each look at it."""
GOOD_PAGES_KEPT = 5
"""Of each layout of a parser, and of its eight newest layouts at most."""
_LAYOUTS = 8
BAD_PAGES_KEPT = 200
"""A parser, of the last `BAD_PAGES_FOR`."""
BAD_PAGES_FOR = timedelta(days=30)
BAD_PAGES_BYTES = 64 * 1024 * 1024
"""A parser, compressed: what is over goes from the oldest on, the newest stays whatever its size."""


def prune(store: Store, settings: HubSettings, now: datetime) -> int:
    """Delete what the settings no longer keep; returns how many raw observations went.

    Raw ones go only after their day is rolled up. Waits for the writer; not for the event loop's thread.
    """
    moment = utc(now)
    gone = store.work(lambda cursor: _observations(cursor, settings, moment)).result()
    store.work(lambda cursor: _rest(cursor, settings, moment)).result()
    store.work(lambda cursor: _sort(cursor, moment)).result()
    return gone


def _observations(cursor: Cursor, settings: HubSettings, now: datetime) -> int:
    keep = timedelta(seconds=settings.keep_observations)
    rolled = min(until(cursor, "hour"), until(cursor, "day"))
    before = min(now - keep, rolled)
    if before <= EPOCH:
        return 0
    longer = min(now - FAILING_LONGER * keep, rolled)
    ((gone,),) = cursor.execute(
        "DELETE FROM observation WHERE started_at < ? AND (state IN ('ok', 'paused') OR started_at < ?)",
        [before, longer],
    ).fetchall()
    mark(cursor, "pruned", max(before, until(cursor, "pruned")))
    return int(gone)


def _rest(cursor: Cursor, settings: HubSettings, now: datetime) -> None:
    rollups = now - timedelta(seconds=settings.keep_rollups)
    payloads = now - timedelta(seconds=settings.keep_payloads)
    cursor.execute("DELETE FROM rollup_hour WHERE start < ?", [max(rollups, now - HOURS_KEPT)])
    cursor.execute("DELETE FROM rollup_day WHERE start < ?", [rollups])
    cursor.execute(
        "DELETE FROM payload WHERE received_at < ? AND hash NOT IN "
        "(SELECT unnest(payloads) FROM delivery WHERE outcome = 'quarantined')",
        [payloads],
    )
    cursor.execute("DELETE FROM delivery WHERE \"at\" < ? AND outcome <> 'quarantined'", [rollups])
    cursor.execute("DELETE FROM postback WHERE received_at < ?", [payloads])
    cursor.execute("DELETE FROM notice WHERE created_at < ? AND state IN ('sent', 'dead')", [rollups])
    cursor.execute("DELETE FROM mute WHERE ends_at < ?", [rollups])
    cursor.execute('DELETE FROM parser_run WHERE "at" < ?', [payloads])
    cursor.execute('DELETE FROM ranks WHERE "at" < ?', [payloads])
    cursor.execute("DELETE FROM expectation WHERE hour < ?", [now - HOURS_KEPT])
    cursor.execute(
        'DELETE FROM alarm WHERE "at" < ? AND id IN (SELECT id FROM alarm GROUP BY id HAVING max("at") < ?)',
        [rollups, rollups],
    )
    cursor.execute(
        "DELETE FROM baseline WHERE rowid IN (SELECT rowid FROM baseline QUALIFY row_number() OVER "
        "(PARTITION BY target ORDER BY \"at\" DESC, rowid DESC) > if(target = 'slice:', ?, ?))",
        [MEMORIES_KEPT, BASELINES_KEPT],
    )
    _pages(cursor, now)
    ledger.forget(cursor)


def _pages(cursor: Cursor, now: datetime) -> None:
    """Good pages by count, however old: a parser that stays broken keeps what to compare with."""
    cursor.execute('DELETE FROM page WHERE NOT good AND "at" < ?', [now - BAD_PAGES_FOR])
    for good, layout, most in (
        (True, ", family", GOOD_PAGES_KEPT),
        (True, "", GOOD_PAGES_KEPT * _LAYOUTS),
        (False, "", BAD_PAGES_KEPT),
    ):
        cursor.execute(
            f"DELETE FROM page WHERE rowid IN (SELECT rowid FROM page WHERE good = ? QUALIFY row_number() OVER "
            f'(PARTITION BY parser, team{layout} ORDER BY "at" DESC, rowid DESC) > ?)',
            [good, most],
        )
    cursor.execute(
        "DELETE FROM page WHERE rowid IN (SELECT rowid FROM page WHERE NOT good "
        'WINDOW newest AS (PARTITION BY parser, team ORDER BY "at" DESC, rowid DESC ROWS UNBOUNDED PRECEDING) '
        "QUALIFY sum(octet_length(body)) OVER newest > ? AND row_number() OVER newest > 1)",
        [BAD_PAGES_BYTES],
    )


def _sort(cursor: Cursor, now: datetime) -> None:
    """Rewrite the hours that closed since the last time by target and time: one target is then read in few blocks.

    Hour by hour, not once a night: nobody waits long for the writer, and nothing spills.
    """
    (oldest,) = cursor.execute("SELECT min(started_at) FROM observation").fetchall()[0]
    start = max(until(cursor, "sorted"), floor(oldest or now, "hour"))
    end = min(floor(now - LATE, "hour"), start + SORTED_AT_ONCE)
    if start >= end:
        return
    span = "started_at >= ? AND started_at < ?"
    cursor.execute(
        f"CREATE TEMP TABLE closed AS SELECT * FROM observation WHERE {span} "
        "ORDER BY date_trunc('hour', started_at), target, started_at",
        [start, end],
    )
    cursor.execute(f"DELETE FROM observation WHERE {span}", [start, end])
    cursor.execute("INSERT INTO observation SELECT * FROM closed")
    cursor.execute("DROP TABLE closed")
    mark(cursor, "sorted", end)
