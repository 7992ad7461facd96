from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from data.config.settings import ClockSettings


class Clock(Protocol):
    """The only source of time in `checks/`; detectors are given its `now()` and never ask themselves."""

    speed: float

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of this clock."""
        ...


class ClockSource(Protocol):
    """Settings, or the part of them that a probe gets."""

    @property
    def clock(self) -> ClockSettings | None: ...


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


def clock_from(settings: ClockSource) -> Clock:
    """The clock that `[clock]` of losswatch.toml asks for: the system's, or a simulation's."""
    chosen = settings.clock
    return ScaledClock(chosen.sim_start, chosen.wall_start, chosen.speed) if chosen else SystemClock()
