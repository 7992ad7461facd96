"""Looking at an earlier moment: which one is meant, and how far the keys step."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from data.errors import UsageError

_CLOCK = re.compile(r"(?:(?P<month>\d{1,2})-(?P<day>\d{1,2})[ T])?(?P<hour>\d{1,2}):(?P<minute>\d{2})Z?")
_AGO = re.compile(r"-\s*(?P<many>\d{1,5})\s*(?P<unit>[mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
WORDS = "14:30, 11-17 14:30, 2026-11-17T14:30Z or -2h"


def moment_of(text: str, now: datetime) -> datetime:
    """`14:30` is the last one, in UTC; `11-17 14:30` the last such day; `-2h` so long ago; else ISO 8601.

    Raises:
        UsageError: it is no time, or one to come.
    """
    words = text.strip()
    moment = _ago(words, now) or _clock(words, now) or _iso(words)
    if moment is None:
        raise UsageError(f"{words!r} is no time. Write {WORDS}")
    if moment > now:
        raise UsageError(f"{moment:%Y-%m-%d %H:%MZ} is still to come")
    return moment


def stepped(at: datetime | None, now: datetime, minutes: int) -> datetime | None:
    """So many minutes later (or earlier, from now); on whole minutes, `None` once it reaches the present."""
    moment = (at or now).replace(second=0, microsecond=0) + timedelta(minutes=minutes)
    return moment if moment < now - timedelta(minutes=1) else None


def _ago(words: str, now: datetime) -> datetime | None:
    found = _AGO.fullmatch(words)
    return now - int(found["many"]) * _UNITS[found["unit"]] if found else None


def _clock(words: str, now: datetime) -> datetime | None:
    found = _CLOCK.fullmatch(words)
    if not found:
        return None
    try:
        at = now.replace(hour=int(found["hour"]), minute=int(found["minute"]), second=0, microsecond=0)
        if found["month"] is None:
            return at if at <= now else at - timedelta(days=1)
        at = at.replace(month=int(found["month"]), day=int(found["day"]))
        return at if at <= now else at.replace(year=at.year - 1)
    except ValueError:
        return None


def _iso(words: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
