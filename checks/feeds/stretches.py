"""The hours that a report speaks of, and those that what it says anew is of. Pure."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from checks.feeds.arrival import DAY, day_end
from checks.feeds.to_facts import Stretch, hours_between, parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from checks.feeds.preset import Preset

SETTLES = timedelta(hours=6)
"""After the end of a day and its lag a report has the last word over postbacks."""


def stretch_of(
    preset: Preset, day: date, hour: str, lag: timedelta, read_at: datetime | None, now: datetime
) -> Stretch:
    """A day in the partner's zone, or an hour (`00`..`23`) of it.

    News of a day that runs is of the time since the last reading, `read_at`, both less the report's lag; news of one that is
    over, and of reports that come whole the next day, is of all of it.
    """
    begin, end = day_end(day - DAY, preset), day_end(day, preset)
    hours, settled = hours_between(begin, end), now >= end + lag + SETTLES
    if hour:
        hours = _named(hours, hour, preset)
        return Stretch(f"{day} {hour}", hours, dict.fromkeys(hours, 1.0), settled=settled)
    since, until = begin, min(end, now)
    if preset.freshness.cadence != "next_day":
        since = max(begin, read_at - lag) if read_at else begin
        until = min(end, now - lag)
    if until <= since:
        since, until = begin, min(end, now)
    return Stretch(str(day), hours, parts_of(hours, since, until), settled=settled)


def _named(hours: Sequence[datetime], hour: str, preset: Preset) -> tuple[datetime, ...]:
    """The hours of a day that go by that number there: two in the night when clocks are put back, none in the other."""
    return tuple(one.astimezone(UTC) for one in hours if f"{one.astimezone(preset.zone).hour:02}" == hour)
