"""The steps of a backfill: which window comes next, and what is known after it. Pure.

The newest window comes first: what happened last is worth most, both as money and as the weeks that today is compared
with, and a platform that keeps no more than so many days refuses only when everything it has is already here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.feeds.request import newest_day, windows
from data.errors import UsageError
from data.model.backfill import Backfill, BackfillState
from data.text import clean_text, redact

if TYPE_CHECKING:
    from datetime import date, datetime

    from checks.feeds.preset import Preset
    from data.config.settings import Feed

LONGEST = timedelta(days=5 * 366)
DAY = timedelta(days=1)


def begin(feed: Feed, preset: Preset, first: date, last: date, by: str, now: datetime) -> Backfill:
    """A backfill of those days, both inclusive; raises `UsageError` for days that cannot be asked for."""
    newest = newest_day(preset, now)
    if preset.source != "http":
        raise UsageError(f"{feed.name} is not asked for over HTTP: what it was sent is read when it comes")
    if first > last:
        raise UsageError(f"the first day, {first}, is after the last, {last}")
    if last > newest:
        raise UsageError(f"{last} is not there yet: the newest day {feed.name} may be asked for is {newest}")
    if last - first > LONGEST:
        raise UsageError(f"{first} to {last} is more than five years; read it in parts")
    parts = len(windows(first, last, preset.window))
    return Backfill(feed.name, feed.team, first, last, clean_text(by, 80), now, now, parts, left=last)


def following(one: Backfill, preset: Preset) -> tuple[date, date] | None:
    """The window to be read next: the newest of those that are left."""
    if one.left is None or one.left < one.first:
        return None
    return windows(one.first, one.left, preset.window)[-1]


def stored(one: Backfill, window: tuple[date, date], rows: int, *, held: bool, now: datetime) -> Backfill:
    """After a window that was delivered and is durable."""
    left = window[0] - DAY if window[0] > one.first else None
    counted = replace(one, done=min(one.done + 1, one.windows), rows=one.rows + rows, held=one.held + held)
    state = BackfillState.RUNNING if left else BackfillState.DONE
    return replace(counted, left=left, state=state, updated_at=now, detail="")


def ended(one: Backfill, state: BackfillState, words: str, now: datetime) -> Backfill:
    return replace(one, state=state, detail=redact(clean_text(words)), updated_at=now)


def resumed(one: Backfill, first: date, last: date) -> bool:
    """Whether asking for those days again means to go on with what was begun."""
    return (one.first, one.last) == (first, last) and one.state is not BackfillState.DONE and one.left is not None
