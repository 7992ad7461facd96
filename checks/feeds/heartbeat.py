"""How much a silence says, when what usually comes in an hour of the week is known. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from data.model.ids import CauseId
    from data.model.state import State

HOUR = timedelta(hours=1)
WEEK_H, DAY_H = 168, 24
LEARNED = timedelta(days=35)
"""How far back the usual is learned from."""
LEAST = timedelta(days=3)
"""With less history nothing is called silent."""
SIGNIFICANT = math.log(1000)
"""Nats: so long a silence comes once in a thousand such stretches (methods 4)."""
_POOL_DAYS, _POOL_WEEKS = 3.0, 2.0
"""Pseudo-days that hold an hour of the day at the mean, pseudo-weeks that hold an hour of the week at its hour of the day."""
_CALMEST, _WILDEST = 1e6, 0.3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a stream of calls or lines."""

    state: State
    cause: CauseId
    detail: str
    nats: float = 0.0
    """Evidence that it stopped."""


@dataclass(frozen=True)
class Rhythm:
    """Counts by hour, as they came: hours that are missing brought nothing."""

    counts: Mapping[datetime, int]
    """Start of the hour, UTC, to its count; the running hour not among them."""
    until: datetime
    """End of the last whole hour."""

    @cached_property
    def since(self) -> datetime:
        """When it began to be known."""
        begun = min(self.counts, default=self.until)
        return max(begun, self.until - LEARNED)

    @property
    def known(self) -> bool:
        return self.until - self.since >= LEAST

    def usual(self, hour: datetime) -> float:
        """Mean count of such an hour of the week, leaning on the hour of the day while few weeks are known."""
        return self._week[_hour_of_week(hour)]

    def nats(self, since: datetime, until: datetime) -> float:
        """Evidence of a stretch without any: minus the log of its chance, hours being gamma-Poisson around the usual."""
        if not self.known:
            return 0.0
        return sum(
            self._size * math.log1p(self.usual(hour) * share / self._size) for hour, share in hours(since, until)
        )

    def expected(self, since: datetime, until: datetime) -> float:
        return sum(self.usual(hour) * share for hour, share in hours(since, until))

    @cached_property
    def _known_hours(self) -> list[tuple[datetime, int]]:
        span = int((self.until - self.since) / HOUR)
        begun = self.since
        return [(at, self.counts.get(at, 0)) for at in (begun + n * HOUR for n in range(span))]

    @cached_property
    def _week(self) -> list[float]:
        total, n = [0.0] * WEEK_H, [0] * WEEK_H
        for at, count in self._known_hours:
            total[_hour_of_week(at)] += count
            n[_hour_of_week(at)] += 1
        mean = sum(total) / max(sum(n), 1)
        found = []
        for day_hour in range(DAY_H):
            same = range(day_hour, WEEK_H, DAY_H)
            counted, seen = sum(total[k] for k in same), sum(n[k] for k in same)
            found.append((counted + _POOL_DAYS * mean) / (seen + _POOL_DAYS))
        return [(total[k] + _POOL_WEEKS * found[k % DAY_H]) / (n[k] + _POOL_WEEKS) for k in range(WEEK_H)]

    @cached_property
    def _size(self) -> float:
        """Shape of the gamma that the hours' rates scatter by, from what they scatter beyond Poisson."""
        pairs = [(count, self.usual(at)) for at, count in self._known_hours]
        beyond = sum((count - usual) ** 2 - count for count, usual in pairs)
        return min(max(sum(usual**2 for _, usual in pairs) / max(beyond, 1e-9), _WILDEST), _CALMEST)


def rhythm(counts: Mapping[datetime, int], now: datetime) -> Rhythm:
    """Of the counts of whole hours up to `now`."""
    until = floor(now)
    return Rhythm({at: count for at, count in counts.items() if until - LEARNED <= at < until}, until)


def floor(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours(since: datetime, until: datetime) -> Iterable[tuple[datetime, float]]:
    """Starts of the hours a stretch touches, and the share of each that is in it; a month at most."""
    hour = floor(max(since, until - LEARNED))
    while hour < until:
        share = (min(until, hour + HOUR) - max(since, hour)) / HOUR
        yield hour, max(share, 0.0)
        hour += HOUR


def _hour_of_week(at: datetime) -> int:
    return at.weekday() * DAY_H + at.hour
