"""When a day's report should be here: learned per account, declared by the partner, or by the preset."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from checks.feeds.memory import ARRIVALS, Memory
from data.model.fact import Receipt

if TYPE_CHECKING:
    from checks.feeds.preset import Preset
    from data.config.settings import Feed, Partner

PATIENCE = timedelta(hours=12)
"""How long past the usual a report may stay out before it is called late."""
LEARNED = 3
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """`note` is a calm line for a person, empty when nothing is awaited."""

    late: bool
    note: str


def learn(memory: Memory, newest: date | None, preset: Preset, now: datetime) -> Memory:
    """Remember the newest day and, for a day seen for the first time after its end, how long it took."""
    if newest is None or (memory.newest is not None and newest <= memory.newest):
        return memory
    took = (now - day_end(newest, preset)) / HOUR
    known = memory.newest is not None and took > 0
    arrivals = (*memory.arrivals, took)[-ARRIVALS:] if known else memory.arrivals
    return replace(memory, newest=newest, arrivals=arrivals)


def awaited(memory: Memory, newest: date | None, preset: Preset, partner: Partner | None, now: datetime) -> Arrival:
    """Whether the oldest closed day that never came is overdue, merely awaited, or not yet expected.

    `newest` is the newest day delivered so far, this pull included. Only platforms that have delivered before are
    awaited. Usual is the median of what was learned, else the declared lag.
    """
    newest = max((day for day in (newest, memory.newest) if day), default=None)
    if newest is None:
        return Arrival(False, "")
    missing = newest + DAY
    since_end = now - day_end(missing, preset)
    usual = usual_delay(memory, preset, partner)
    if since_end <= usual:
        return Arrival(False, "")
    words = f"{missing:%a %d %b} usually arrives {_hours(usual)} after its end"
    if since_end <= usual + PATIENCE:
        return Arrival(False, f"waiting for {words}")
    return Arrival(True, f"{words}, not here after {_hours(since_end)}")


def usual_delay(memory: Memory, preset: Preset, partner: Partner | None) -> timedelta:
    if len(memory.arrivals) >= LEARNED:
        return timedelta(hours=statistics.median(memory.arrivals))
    return timedelta(seconds=lag_s(preset, partner))


def lag_s(preset: Preset, partner: Partner | None) -> float:
    """Seconds a report usually needs: what the partner is known for and what its platform needs, whichever is longer."""
    return max(preset.lag_s, partner.report_lag_s) if partner else preset.lag_s


def receipts(
    memory: Memory, feed: Feed, newest: date | None, first: date, preset: Preset, partner: Partner | None, now: datetime
) -> tuple[tuple[Receipt, ...], Memory]:
    """Receipts for the hours this pull covers for the first time, and the memory of having given them.

    An intraday report covers everything older than its lag, also where it holds nothing. A next-day report covers the
    days it names.
    """
    until = now - timedelta(seconds=lag_s(preset, partner))
    if preset.freshness.cadence == "next_day":
        if newest is None:
            return (), memory
        until = min(day_end(newest, preset), now)
    begin = memory.covered_until or day_end(first - DAY, preset)
    hour = begin.replace(minute=0, second=0, microsecond=0)
    hours: list[datetime] = []
    while hour + HOUR <= until and len(hours) < 24 * 62:
        hours.append(hour)
        hour += HOUR
    found = tuple(Receipt(feed.partner, at, now) for at in hours)
    return found, replace(memory, covered_until=hour) if hours else memory


def day_end(day: date, preset: Preset) -> datetime:
    """The instant a partner's day ends, aware, in its zone's rules of that day."""
    return datetime.combine(day + DAY, time(), preset.zone).astimezone(UTC)


def _hours(span: timedelta) -> str:
    hours = span / HOUR
    return f"{hours:.0f} h" if hours >= 1 else f"{span.total_seconds() / 60:.0f} min"
