"""When a partner's report of an hour arrives."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from checks.demo.partners import NEXT_DAY, DemoPartner

if TYPE_CHECKING:
    from checks.demo.script import Script

_HOUR = timedelta(hours=1)
_DAILY_RUN = timedelta(days=1, hours=6)


def report_at(partner: DemoPartner, hour: datetime, script: Script) -> datetime:
    """When the report of `partner` that covers `hour` (UTC) arrives, the script's troubles included.

    An hourly platform reports each hour after its lag. A next-day platform reports a day of its own calendar at 06:00 UTC of
    the next one; on D2 it brings yesterday at the event's end. While F7's token is refused nothing arrives, and all of it
    afterwards.
    """
    usual = _next_day(partner, hour) if partner.report_lag == NEXT_DAY else hour + _HOUR + partner.report_lag
    for event in script.events:
        stuck = (event.id, partner.id) in {("D2", "P04"), ("F7", "P10")}
        if stuck and event.active(script.day, usual):
            return event.ended(script.day)
    return usual


def _next_day(partner: DemoPartner, hour: datetime) -> datetime:
    day = hour.astimezone(ZoneInfo(partner.timezone)).date()
    return datetime.combine(day, time(), UTC) + _DAILY_RUN
