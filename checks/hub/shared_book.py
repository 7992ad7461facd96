"""The revenue book among threads: it ticks in one, is read in others, and is fed from the loop, which never waits."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

import polars as pl

from checks.hub.cadence import GRACE
from checks.revenue import views
from checks.revenue.book import LEAST_HISTORY_H, RevenueBook
from checks.revenue.look import Look, look_at
from checks.revenue.price import Z80
from checks.revenue.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from checks.revenue.alarm import Alarm
    from checks.revenue.book import Explained, RevenueTick
    from checks.revenue.cube import Floats
    from checks.revenue.views import SliceView
    from data.model.ids import TeamId
    from data.model.money import Loss
    from data.model.snapshot import BandPoint


class SharedBook(RevenueBook):
    """A `RevenueBook` whose reads wait for a tick that runs, and whose facts wait for the next one."""

    def __init__(self, epc: Mapping[str, float], currency: str) -> None:
        super().__init__(epc=epc, currency=currency)
        self._rest = RLock()
        self._arrived: deque[tuple[Callable[[pl.DataFrame], None], pl.DataFrame]] = deque()

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Nobody changes the book meanwhile; keep it short, a tick waits."""
        with self._rest:
            yield

    def add(self, facts: pl.DataFrame) -> None:
        """As `RevenueBook.add`, at the next tick."""
        self._arrived.append((super().add, facts))

    def add_receipts(self, receipts: pl.DataFrame) -> None:
        """As `RevenueBook.add_receipts`, at the next tick, each as if it had come `GRACE` later."""
        self._arrived.append((super().add_receipts, receipts.with_columns(pl.col("seen_at") + GRACE)))

    def tick(self, now: datetime, *, with_slices: bool = True) -> RevenueTick:
        with self._rest:
            self.take_in()
            return super().tick(now, with_slices=with_slices)

    def take_in(self) -> None:
        """Take what arrived; a frame that cannot be taken is not tried again."""
        with self._rest:
            while self._arrived:
                take, frame = self._arrived.popleft()
                take(frame)

    def take_up(self, kept: bytes, alarms: Sequence[Alarm]) -> str:
        """Go on with what an earlier life knew, or at least with its open alarms; returns why not with all of it."""
        with self._rest:
            problem = self.remember(kept) if kept else "nothing is kept of what the revenue book knew"
            if problem:
                self.resume(alarms)
            return problem

    def reader(self) -> Reader | None:
        """To read slices closely while at rest; `None` before the first tick with facts."""
        if self._model is None or self._caution is None or not len(self.lattice):
            return None
        return Reader(self.cube, self._model, self.lattice, self._caution, self._common)

    def view(self, where: Mapping[str, str], teams: frozenset[TeamId] | None) -> SliceView | None:
        """The line of any slice as far as it belongs to these teams; `None` where they have no facts in it."""
        with self._rest:
            reader = self.reader()
            leaves = views.leaves_of(self.cube, where, teams)
            if reader is None or not len(leaves):
                return None
            return views.view_of(self.cube, reader.model, where, leaves, LEAST_HISTORY_H, self.line_of)

    def look(
        self,
        where: Mapping[str, str],
        teams: frozenset[TeamId] | None,
        span: tuple[datetime, datetime],
        window: tuple[datetime, datetime],
    ) -> Look | None:
        """A slice closely: its parts over `span`, its series over `window`; `None` as for `view`."""
        with self._rest:
            reader = self.reader()
            leaves = views.leaves_of(self.cube, where, teams)
            if reader is None or not len(leaves):
                return None
            return look_at(reader, leaves, where, span, window, self.line_of(where), GRACE)

    def doubt(self, where: Mapping[str, str], teams: frozenset[TeamId] | None) -> dict[str, tuple[Floats, float]]:
        """As `Reader.doubt`; nothing where nothing is known of the slice."""
        with self._rest:
            reader = self.reader()
            leaves = views.leaves_of(self.cube, where, teams)
            return reader.doubt(leaves) if reader and len(leaves) else {}

    def partners(self) -> tuple[str, ...]:
        """Every partner there are facts of, by name."""
        with self._rest:
            return tuple(sorted(self.cube.names[self.cube.dims.index("partner")]))

    def days_held(
        self, where: Mapping[str, str], teams: frozenset[TeamId] | None, since: int, until: int
    ) -> tuple[int, int]:
        """Ordinary days between two epoch hours, and how many of them brought what the 80 % band allows."""
        with self._rest:
            reader = self.reader()
            leaves = views.leaves_of(self.cube, where, teams)
            if reader is None or not len(leaves):
                return 0, 0
            misses = [abs(brought - due.mean) > Z80 * due.sd for due, brought in reader.days(leaves, since, until)]
            return len(misses), len(misses) - sum(misses)

    def foretold(self, since: int, made_at: datetime) -> pl.DataFrame | None:
        """As `Reader.foretold`; `None` while nothing is."""
        with self._rest:
            reader = self.reader()
            return reader.foretold(since, made_at) if reader else None

    def loss_of(
        self,
        slices: Sequence[Mapping[str, str]],
        start: datetime,
        now: datetime,
        *,
        basis: str = "clicks",
        without: Sequence[Explained] = (),
        guests: Sequence[Explained] = (),
    ) -> Loss:
        with self._rest:
            return super().loss_of(slices, start, now, basis=basis, without=without, guests=guests)

    def expected_per_hour(self, where: Mapping[str, str], now: datetime) -> float:
        with self._rest:
            return super().expected_per_hour(where, now)

    def series_of(self, slices: list[Mapping[str, str]], since: datetime, until: datetime) -> tuple[BandPoint, ...]:
        with self._rest:
            return super().series_of(slices, since, until)

    def fires_after_h(self, where: Mapping[str, str], now: datetime) -> float | None:
        with self._rest:
            return super().fires_after_h(where, now)
