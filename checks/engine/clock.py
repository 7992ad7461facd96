from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The only source of time in `checks/`; detectors are given its `now()` and never ask themselves."""

    speed: float

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of this clock."""
        ...


@dataclass(slots=True)
class SystemClock:
    speed: float = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))


@dataclass(slots=True)
class ScaledClock:
    """Time that runs `speed` times faster than the wall since `wall_start`; survives restarts by construction."""

    sim_start: datetime
    wall_start: datetime
    speed: float

    def now(self) -> datetime:
        return self.sim_start + (datetime.now(UTC) - self.wall_start) * self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0) / self.speed)


@dataclass(slots=True)
class FakeClock:
    """A clock that tests move by hand; `sleep` returns once `advance` has passed its end."""

    at: datetime = datetime(2026, 1, 5, tzinfo=UTC)
    speed: float = 1.0
    _sleepers: list[tuple[datetime, asyncio.Future[None]]] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        wake = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.at + timedelta(seconds=seconds), wake))
        await wake

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self.at]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self.at]
        for _, wake in due:
            if not wake.done():
                wake.set_result(None)
