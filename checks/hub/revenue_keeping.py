"""What the store keeps of the revenue book: every word of an alarm, what was foretold, and the book's own memory."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from checks.revenue.alarm import Alarm, slice_of
from checks.revenue.cube import hour_of
from data.errors import StoreError
from data.model.alarm import AlarmEntry
from data.model.fact import Baseline
from data.model.ids import TeamId
from data.model.principal import EVERYTHING
from data.model.target import TargetKind, target_id
from data.store import alarms, baselines, expectations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.hub.shared_book import SharedBook
    from data.store.store import Store
    from data.store.tables import Record

log = logging.getLogger(__name__)

MEMORY = target_id(TargetKind.SLICE, "")
"""Under which the book's memory is kept."""
LATE_H = 6
"""Clicks that are told of so late still get what was foretold of their hour kept..."""
MOST_H = 48
"""...and after a time without a hub no more than this is caught up on."""


@dataclass(slots=True)
class Kept:
    store: Store
    book: SharedBook
    _words: dict[str, AlarmEntry] = field(default_factory=dict)
    """Last entry of each alarm that was open when it was made."""
    _until: int = 0
    """Epoch hour before which what was foretold is stored."""
    _remembered: int = 0
    """Epoch hour of the newest memory."""

    def restore(self) -> tuple[Alarm, ...]:
        """Give the book back what it knew; returns the alarms that were open."""
        self._words = {entry.id: entry for entry in alarms.running(self.store, EVERYTHING)}
        last = expectations.last_hour(self.store)
        self._until = hour_of(last) + 1 if last else 0
        known = tuple(alarm_of(entry) for entry in self._words.values())
        kept = baselines.latest(self.store, EVERYTHING, MEMORY)
        problem = self.book.take_up(kept.body if kept else b"", known)
        if problem and (kept or known):
            log.warning("%s; it learns again from the facts", problem)
        return known

    def memory(self, said: Iterable[Alarm], now: datetime) -> bytes | None:
        """What the book knows, once an hour and whenever anything new is said; `None` where the last one still holds.

        Megabytes in large companies: not for each piece of news.
        """
        if hour_of(now) == self._remembered and not self._fresh(said, now):
            return None
        return self.book.memory()

    def rows(self, said: Iterable[Alarm], memory: bytes | None, now: datetime) -> list[Record]:
        """What is new of alarms, with the memory they come from: stored together or not at all."""
        fresh = self._fresh(said, now)
        self._words |= {entry.id: entry for entry in fresh}
        self._words = {number: entry for number, entry in self._words.items() if entry.status == "open"}
        if memory is None:
            return [*fresh]
        self._remembered = hour_of(now)
        return [*fresh, Baseline(MEMORY, TeamId(""), now, memory)]

    def _fresh(self, said: Iterable[Alarm], now: datetime) -> list[AlarmEntry]:
        entries = (entry_of(alarm, now) for alarm in said)
        return [entry for entry in entries if not _same(entry, self._words.get(entry.id))]

    async def foretell(self, now: datetime) -> None:
        """Store what was foretold of the hours since the last time; what cannot be stored now is stored next time."""
        top = hour_of(now)
        if top <= self._until:
            return
        since = max(min(self._until, top) - LATE_H, top - MOST_H)
        frame = await asyncio.to_thread(self.book.foretold, since, now)
        try:
            if frame is not None and not frame.is_empty():
                await asyncio.wrap_future(expectations.append(self.store, frame))
        except StoreError as problem:
            log.error("what was foretold is not stored yet: %s", problem)  # noqa: TRY400 - the sentence says it all
            return
        self._until = top


def entry_of(alarm: Alarm, now: datetime) -> AlarmEntry:
    return AlarmEntry(
        id=alarm.id,
        at=now,
        team=alarm.team,
        target=alarm.target,
        channel=alarm.channel,
        cause=alarm.cause,
        detected_at=alarm.detected_at,
        start=alarm.start,
        end=alarm.end,
        status=alarm.status,
        nats=alarm.nats,
        prior_nats=alarm.prior_nats,
        window_h=alarm.window_h,
        observed=alarm.observed,
        expected=alarm.expected,
        why=alarm.why,
        loss=alarm.loss,
    )


def alarm_of(entry: AlarmEntry) -> Alarm:
    return Alarm(
        id=entry.id,
        channel=entry.channel,
        cause=entry.cause,
        slice=slice_of(entry.target),
        team=entry.team,
        detected_at=entry.detected_at,
        updated_at=entry.at,
        start=entry.start,
        end=entry.end,
        status=entry.status,
        nats=entry.nats,
        observed=entry.observed,
        expected=entry.expected,
        loss=entry.loss,
        prior_nats=entry.prior_nats,
        window_h=entry.window_h,
        why=entry.why,
    )


def _same(entry: AlarmEntry, before: AlarmEntry | None) -> bool:
    return before is not None and replace(entry, at=before.at) == before
