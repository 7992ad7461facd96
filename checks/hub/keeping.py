"""Rows on their way to the store, and those it could not take: they wait in memory until it can."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.engine.duequeue import phase_s
from data.errors import StoreDown
from data.model.fact import Baseline, Payload
from data.model.incident import Finding, Incident
from data.model.notice import Mute, Notice
from data.model.observation import Observation, TargetState, Timing
from data.model.plan import Switch
from data.model.snapshot import CommandReply
from data.model.state import State
from data.model.target import Target, TargetKind

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from datetime import datetime

    from data.store.store import Store
    from data.store.tables import Record

log = logging.getLogger(__name__)

_UNSTORED = "it is kept in memory only until the database can be written"
MOST = 50_000
"""Rows that wait at most; the oldest give way."""
_PROBED = frozenset({TargetKind.SITE, TargetKind.LINK})
_EXPENDABLE = (Observation, Payload)
"""Too many or too large to hold in memory; what they led to is held."""


WHOLE_EVERY_S = 6 * 3600.0
"""Of a target that goes on being fine, one observation in this time is stored whole."""
_NO_TIMING = Timing()


def as_stored(seen: Observation, before: TargetState) -> Observation:
    """The observation as the store keeps it: whole where it tells something, else its state and time alone.

    A hundred thousand healthy sites say the same every five minutes; hops, phases and evidence of all that would be
    nine tenths of the database. Whole are those that are not ok, those after one that was not, and now and then one,
    each target at its own moment. Roll-ups, strips and latencies need no more than what every row keeps.
    """
    if seen.kind not in _PROBED or seen.state is not State.OK or before.state is not State.OK or before.fails:
        return seen
    phase = phase_s(seen.target, WHOLE_EVERY_S)
    if before.last_at is None or _slot(before.last_at, phase) != _slot(seen.started_at, phase):
        return seen
    taken = None if seen.total_ms is None else round(seen.total_ms, 1)
    return replace(seen, total_ms=taken, timing=_NO_TIMING, hops=(), blame="", evidence={})


def _slot(at: datetime, phase: float) -> int:
    return int((at.timestamp() - phase) // WHOLE_EVERY_S)


@dataclass(slots=True)
class Keeping:
    """One way to the store for everything the hub concludes.

    1. Rows are written in the order they come. 2. While the database cannot be written (a full disk), states, findings,
    incidents and their like wait; a newer row takes the place of an older one with its key. 3. `pay` writes what waits;
    a row stored meanwhile is never overwritten by one that is older.
    """

    store: Store
    owed: dict[Hashable, Record] = field(default_factory=dict)
    _numbered: int = 0

    def keep(self, rows: Iterable[Record]) -> asyncio.Future[bool]:
        """Queue `rows`; the future says whether they are durable, and raises what is wrong with them."""
        kept = tuple(rows)
        return asyncio.ensure_future(self._settle(asyncio.wrap_future(self.store.write(kept)), kept))

    def keep_at_once(self, rows: Iterable[Record]) -> asyncio.Future[bool]:
        """As `keep`, for somebody who waits for the answer: nothing lingers until more rows come."""
        kept = self.keep(rows)
        self.store.hurry()
        return kept

    async def done(self, rows: Iterable[Record], message: str) -> CommandReply:
        """Keep what somebody did, at once; the answer says so where it could not be stored."""
        stored = await self.keep_at_once(rows)
        return CommandReply(ok=True, message=message if stored else f"{message}; {_UNSTORED}")

    async def pay(self) -> None:
        """Try to write what waits."""
        waiting = dict(self.owed)
        if not waiting:
            return
        try:
            await asyncio.wrap_future(self.store.write(waiting.values()))
        except StoreDown:
            return
        for key, row in waiting.items():
            if self.owed.get(key) is row:
                del self.owed[key]
        log.info("the database takes rows again: %d that waited are stored", len(waiting))

    async def _settle(self, stored: asyncio.Future[int], rows: tuple[Record, ...]) -> bool:
        try:
            await stored
        except StoreDown as problem:
            if not self.owed:
                log.error("rows wait in memory: %s", problem)  # noqa: TRY400 - the sentence says it all
            self._hold(rows)
            return False
        if self.owed:
            for row in rows:
                self.owed.pop(self._key(row), None)
        return True

    def _hold(self, rows: tuple[Record, ...]) -> None:
        for row in rows:
            if isinstance(row, _EXPENDABLE):
                self.store.dropped += isinstance(row, Observation)
            else:
                key = self._key(row)
                self.owed.pop(key, None)
                self.owed[key] = row
        while len(self.owed) > MOST:
            del self.owed[next(iter(self.owed))]

    def _key(self, row: Record) -> Hashable:
        match row:
            case Target() | Finding() | Incident() | Notice() | Mute() | Switch():
                return type(row), row.id
            case TargetState() | Baseline():
                return type(row), row.target
            case _:
                self._numbered += 1
                return type(row), self._numbered
