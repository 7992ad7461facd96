"""The revenue book live: looked at in time, off the loop; alarms take the way of every observation, slices become rows."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.hub.cadence import RICH_H, Cadence
from checks.hub.junk_notes import JunkNotes
from checks.hub.revenue_keeping import Kept
from checks.hub.slice_rows import slice_row
from checks.hub.spool import receipt_frame
from checks.revenue.alarm import Alarm, observation
from data.model.target import Target, TargetKind, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    import polars as pl

    from checks.hub.hub import Hub
    from checks.revenue.book import Explained, RevenueTick
    from data.model.fact import Receipt
    from data.model.ids import TargetId
    from data.model.observation import Observation
    from data.model.revenue_view import Watched

_HELD = 5
"""Lines shown of hours that nobody can believe."""
SLOW_S = 300.0
"""Seconds of the hub's clock after which a look that still runs is told."""


@dataclass(slots=True)
class Revenue:
    """Never two looks at once: one that is due while another runs is left out, not queued."""

    hub: Hub
    waiting: tuple[str, ...] = ()
    """Calm lines: whose report is still awaited."""
    watching: tuple[Watched, ...] = ()
    """Slices under suspicion."""
    ready: bool = False
    """The book has looked at its facts at least once."""
    alarmed: dict[str, Alarm] = field(default_factory=dict)
    """Open alarms by id."""
    junk: JunkNotes = field(default_factory=JunkNotes)
    kept: Kept = field(init=False)
    cadence: Cadence = field(default_factory=Cadence)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the book ticks: who would wait for it on the loop waits for this instead."""
    _running_since: float | None = None

    def __post_init__(self) -> None:
        self.kept = Kept(self.hub.store, self.hub.book)

    def resume(self) -> None:
        """Go on where the hub stopped, or was stopped; the facts are in the book already."""
        self.alarmed = {alarm.id: alarm for alarm in self.kept.restore()}

    def hear(self, facts: pl.DataFrame | None = None, receipts: tuple[Receipt, ...] = ()) -> None:
        """Take in what is durable; judged at the next look."""
        now, partners = self.hub.clock.now(), set[str]()
        if facts is not None:
            self.hub.book.add(facts)
            partners.update(facts["partner"].unique())
        if receipts:
            self.hub.book.add_receipts(receipt_frame(receipts))
        self.cadence.heard(partners, now, report=bool(receipts))

    @property
    def problem(self) -> str:
        """Why slices are not judged in time; empty when they are."""
        now = self.hub.clock.now()
        ran_s = 0.0 if self._running_since is None else time.monotonic() - self._running_since
        if ran_s * self.hub.clock.speed > SLOW_S and ran_s > 1.0:
            return f"a look at the revenue takes {ran_s:,.0f} s already; others are left out meanwhile"
        if self.cadence.last and self.cadence.is_stale(now):
            return f"revenue was last judged at {self.cadence.last:%m-%d %H:%MZ}"
        return ""

    def alarm_of(self, target: TargetId) -> Alarm | None:
        """The open alarm of a slice."""
        alarms = tuple(self.alarmed.values())  # prices are found beside the loop, which may add one meanwhile
        return next((alarm for alarm in alarms if alarm.target == target), None)

    async def look(self) -> None:
        """Tick if it is time to, or if there is news worth it; not while another look runs.

        Nor while files are being taken, unless that lasts: facts whose receipts are in the next file look like silence.
        """
        now = self.hub.clock.now()
        if self._running_since is not None or (self.hub.spool.busy and not self.cadence.is_stale(now)):
            return
        if self.cadence.due(now):
            await self.tick()

    async def tick(self) -> None:
        """Judge every slice as of now, but for what known incidents account for.

        What is concluded is stored as one: after a crash the same alarms go on, or none of what this look found is known.
        """
        self._running_since = time.monotonic()
        try:
            async with self.turn:
                now = self.hub.clock.now()
                self.cadence.begin(now)
                tick, memory = await asyncio.to_thread(self._judge, now, *self._tell(now))
            self.cadence.ended(now)
            stored = self._conclude(tick, memory, now)
            self._show(tick, now)
            await stored
            await self.kept.foretell(now)
        finally:
            self._running_since = None

    def _tell(self, now: datetime) -> tuple[Callable[[], list[Explained]], Sequence[Explained]]:
        """What the rest of the hub knows; returns what is accounted for: some is still to be asked, some is known."""
        self.hub.book.follow(self.hub.settings.calendar)
        self.hub.book.calm_days = self.hub.settings.company.chance_alarm / 86_400.0
        self.hub.book.second_hand = self.hub.to_facts.second_hand()
        self.hub.book.believe(self.hub.fusion.priors(now))
        return self.hub.recent.asked(now), self.hub.fusion.unjudged(now)

    def _judge(
        self, now: datetime, explained: Callable[[], list[Explained]], unjudged: Sequence[Explained]
    ) -> tuple[RevenueTick, bytes | None]:
        accounted = [*explained(), *unjudged]
        with self.hub.book.at_rest():
            self.hub.book.explain(accounted)
            tick = self.hub.book.tick(now)
            return tick, self.kept.memory(tick.alarms, now)

    def _conclude(self, tick: RevenueTick, memory: bytes | None, now: datetime) -> asyncio.Future[bool]:
        board, known = self.hub.board, {alarm.id for alarm in tick.alarms}
        lost = [replace(one, status="withdrawn") for one in self.alarmed.values() if one.id not in known]
        said = [*tick.alarms, *lost]
        for alarm in said:
            if alarm.target not in board.targets:
                board.put_target(Target(alarm.target, TargetKind.SLICE, alarm.team, name_of(alarm.target)))
        told = [observation(alarm, now) for alarm in said]
        told += self._moved(tick.alarms, now)
        self.alarmed = {alarm.id: alarm for alarm in tick.alarms if alarm.status == "open"}
        return self.hub.intake.take(told, self.kept.rows(said, memory, now))

    def _moved(self, alarms: Iterable[Alarm], now: datetime) -> list[Observation]:
        """An alarm that settled on another slice is over where it was, unless another one is there now."""
        there = {alarm.target for alarm in alarms if alarm.status == "open"}
        return [
            observation(replace(before, status="withdrawn"), now)
            for alarm in alarms
            if (before := self.alarmed.get(alarm.id)) and before.target != alarm.target and before.target not in there
        ]

    def _show(self, tick: RevenueTick, now: datetime) -> None:
        board = self.hub.board
        self.waiting, self.watching, self.ready = (*tick.waiting, *tick.held[:_HELD]), tick.watching, True
        self.cadence.rich = frozenset(
            view.slice["partner"]
            for view in tick.slices
            if set(view.slice) == {"partner"} and view.fires_after_h is not None and view.fires_after_h <= RICH_H
        ) | {alarm.slice["partner"] for alarm in tick.alarms if "partner" in alarm.slice}
        board.slice_rows = {
            view.target: slice_row(view, now, board.incident_of.get(view.target), self.hub.fusion.blind_to(view.slice))
            for view in tick.slices
        }
        self.junk.take(tick.junk, now, board)
        board.slice_rows = self.junk.rows() | board.slice_rows
        for view in tick.slices:
            board.strips[TargetKind.SLICE].add(view.target, now, board.slice_rows[view.target].state)
        board.touch()
