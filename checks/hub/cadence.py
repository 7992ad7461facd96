"""When the revenue book is worth a look: soon after each hour, and within minutes of news that could decide something."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HOUR = timedelta(hours=1)
AFTER_HOUR = timedelta(minutes=2)
"""Clicks of an hour are pushed shortly after its end."""
NEWS_EVERY = timedelta(minutes=5)
SETTLE = timedelta(minutes=1)
"""A delivery comes in pieces."""
GRACE = timedelta(minutes=5)
"""A receipt counts this much later than it came: the facts it vouches for may take another way, and look like silence."""
RICH_H = 6.0
"""A partner is rich when hours of its silence could raise an alarm; news of others wait for the hour."""
STALE = timedelta(hours=2)


@dataclass(slots=True)
class Cadence:
    """Everything is judged once an hour; news of a rich partner is judged within minutes, any report once it counts."""

    rich: frozenset[str] = frozenset()
    """Partners of which silence speaks within `RICH_H`."""
    last: datetime | None = None
    """When the last look began that came to an end."""
    _first: datetime | None = None
    """When the oldest news arrived that nobody looked at..."""
    _newest: datetime | None = None
    """...and the newest."""
    _counts: datetime | None = None
    """When the newest report counts that nobody looked at."""
    _counts_first: datetime | None = None

    def heard(self, partners: Iterable[str], now: datetime, *, report: bool) -> None:
        """Facts of these partners arrived, or a report of theirs."""
        if not self.rich.isdisjoint(partners):
            self._first, self._newest = self._first or now, now
        if report:
            self._counts = now + GRACE
            self._counts_first = self._counts_first or self._counts

    def due(self, now: datetime) -> bool:
        if self.last is None:
            return True
        edge = now.replace(minute=0, second=0, microsecond=0) + AFTER_HOUR
        if self.last < (edge if now >= edge else edge - HOUR):
            return True
        return self._is_told(now) or (now - self.last >= NEWS_EVERY and self._is_whole(now))

    def begin(self, now: datetime) -> None:
        """What arrives from now on is news for the next look."""
        self._first = self._newest = None
        if self._counts is not None and self._counts <= now:
            self._counts = self._counts_first = None
        elif self._counts_first is not None and self._counts_first <= now:
            self._counts_first = self._counts

    def _is_told(self, now: datetime) -> bool:
        """Reports count by now, and no other one will in a moment."""
        if self._counts is None or self._counts_first is None or now < self._counts_first:
            return False
        return now >= self._counts or now - self._counts_first >= NEWS_EVERY

    def _is_whole(self, now: datetime) -> bool:
        """There is news, and no more of it has come for a while."""
        if self._first is None or self._newest is None:
            return False
        return now - self._newest >= SETTLE or now - self._first >= NEWS_EVERY

    def ended(self, began: datetime) -> None:
        self.last = began

    def is_stale(self, now: datetime) -> bool:
        """Whether hours passed in which nothing was judged."""
        return self.last is not None and now - self.last > STALE
