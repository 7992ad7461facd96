"""Pulls that broke off on their way, kept for a while so that the next try goes on where they were."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.feeds.fetch import Problem
from checks.feeds.pages import START, Place
from data.model.cause import cause

if TYPE_CHECKING:
    from datetime import datetime

    from checks.feeds.pull import Pulled

GOOD_FOR = timedelta(minutes=30)
"""Pages of one report that were read further apart belong to different reports."""
MOST = 50
"""Broken pulls remembered at a time."""
MOST_BYTES = 64 * 1024 * 1024
"""Of the bodies of all of them; their rows take several times as much memory."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull came: windows that are done, the place in the one under way, what was read."""

    pulled: Pulled
    since: datetime
    window: int = 0
    place: Place = START
    seen: frozenset[str] = frozenset()
    """Prints of the records of each page of this window."""
    claimed: int | None = None
    bytes: int = 0
    problem: Problem | None = None

    def stopped(self, name: str, words: str) -> Progress:
        """Why it ends here; what was read so far is kept, and is no report."""
        return replace(self, problem=Problem(cause(name), words))

    def next_window(self, pulled: Pulled) -> Progress:
        return replace(self, pulled=pulled, window=self.window + 1, place=START, seen=frozenset(), claimed=None)


@dataclass(slots=True)
class Halted:
    """By what was being read."""

    _progress: dict[str, Progress] = field(default_factory=dict, repr=False)

    def keep(self, work: str, progress: Progress) -> None:
        """For the next try; one that never came to a page is nothing to go on from. The oldest give way."""
        self._progress.pop(work, None)
        if progress.pulled.payloads:
            self._progress[work] = progress
        while len(self._progress) > MOST or sum(one.bytes for one in self._progress.values()) > MOST_BYTES:
            del self._progress[next(iter(self._progress))]

    def take(self, work: str, now: datetime) -> Progress | None:
        """What was kept of it, once, and only while it is fresh."""
        found = self._progress.pop(work, None)
        return found if found and now - found.since <= GOOD_FOR else None
