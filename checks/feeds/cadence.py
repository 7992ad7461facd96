"""How far back each pull looks: the newest days every time, older ones more seldom, for partners move them less. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.feeds.preset import seconds
from data.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from checks.feeds.preset import Preset
    from data.config.settings import Feed

WEEK = 8
"""Today and the seven days before it."""
MOST = 45
"""Days: figures older than that are compared with nothing any more."""
NEVER = "never"
_BAND = re.compile(r"(\d{1,2})d?:(\d+\s*[smhd])")


@dataclass(frozen=True, slots=True)
class Band:
    """The newest `days`, today included, are read `every` so often."""

    days: int
    every: timedelta


def bands(feed: Feed, preset: Preset) -> tuple[Band, ...]:
    """From the newest days to the oldest: `feed.days` at the feed's interval, a week hourly, all that may still move daily.

    The option `reread` says otherwise: `never`, or bands such as `8d:1h 45d:1d`.
    """
    often = Band(max(feed.days, 1), timedelta(seconds=feed.interval_s))
    wider = said(feed.options.get("reread", f"{WEEK}d:1h {min(preset.freshness.final_days, MOST)}d:1d"))
    return (often, *(band for band in wider if band.days > often.days and band.every > often.every))


def said(reread: str) -> tuple[Band, ...]:
    """What the option says; raises `ConfigError` for words that it does not know."""
    return () if reread.strip() == NEVER else tuple(map(_band, reread.split()))


def _band(text: str) -> Band:
    found = _BAND.fullmatch(text)
    if not found or not 1 <= int(found[1]) <= MOST or not seconds(found[2]):
        allowed = f"never, or DAYSd:EVERY with at most {MOST} days, such as 8d:1h 45d:1d"
        raise ConfigError("losswatch.toml", None, "reread is not known", value=text, allowed=allowed)
    return Band(int(found[1]), timedelta(seconds=seconds(found[2])))


def due(bands: tuple[Band, ...], read_at: Mapping[int, datetime], now: datetime) -> int:
    """How many days, today included, the pull of this moment reads: the widest band whose time has come.

    A band that was never read waits its time from the first pull on: a new account is first judged by its newest days.
    """
    since = min(read_at.values(), default=now)
    return max(band.days for band in bands if band is bands[0] or now - read_at.get(band.days, since) >= band.every)


def noted(bands: tuple[Band, ...], read_at: Mapping[int, datetime], days: int, now: datetime) -> dict[int, datetime]:
    """When each band was read, after a pull of `days`; what was never read counts from the first pull."""
    since = min(read_at.values(), default=now)
    return {band.days: now if band.days <= days else read_at.get(band.days, since) for band in bands}


def first_in_s(feed: Feed, read_at: Mapping[int, datetime], now: datetime) -> float:
    """Seconds until the first pull after a start: what was read before the hub went down is not read again at once."""
    last = max(read_at.values(), default=None)
    return 0.0 if last is None else max(feed.interval_s - max((now - last).total_seconds(), 0.0), 0.0)
