"""The revenue book among threads: it ticks in one, is read in others, and is fed from the loop, which never waits."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any

from checks.revenue.book import RevenueBook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from checks.revenue.book import RevenueTick
    from data.model.money import Loss
    from data.model.snapshot import BandPoint


class SharedBook(RevenueBook):
    """A `RevenueBook` whose reads wait for a tick that runs, and whose facts wait for the next one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
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
        """As `RevenueBook.add_receipts`, at the next tick."""
        self._arrived.append((super().add_receipts, receipts))

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

    def loss_of(
        self,
        slices: Sequence[Mapping[str, str]],
        start: datetime,
        now: datetime,
        *,
        basis: str = "clicks",
        share: float = 1.0,
    ) -> Loss:
        with self._rest:
            return super().loss_of(slices, start, now, basis=basis, share=share)

    def expected_per_hour(self, where: Mapping[str, str], now: datetime) -> float:
        with self._rest:
            return super().expected_per_hour(where, now)

    def series_of(self, slices: list[Mapping[str, str]], since: datetime, until: datetime) -> tuple[BandPoint, ...]:
        with self._rest:
            return super().series_of(slices, since, until)

    def fires_after_h(self, where: Mapping[str, str], now: datetime) -> float | None:
        with self._rest:
            return super().fires_after_h(where, now)
