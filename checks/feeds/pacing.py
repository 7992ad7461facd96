"""One account's patience: a call at a time, a pause between two, and no call at all while the platform wants none."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

SHORT_S = 60.0
"""A platform that wants so little patience is waited for; one that wants more is asked again later."""


class Closed(Exception):  # carries how long, never leaves the pull
    """The platform wants no call for another `wait_s` seconds of the engine's clock."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"no call for {wait_s:.0f} s")
        self.wait_s = wait_s


@dataclass(slots=True)
class Gate:
    """The door to one account. Whoever pulls it, however often and for whatever days, passes here."""

    speed: float = 1.0
    """Seconds of the engine's clock in one of ours."""
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    _free_at: float = float("-inf")
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def turn(self, gap_s: float) -> AsyncIterator[None]:
        """One call; the next begins `gap_s` seconds (of the engine's clock) after its end at the soonest.

        Raises `Closed` instead of waiting for a long time.
        """
        async with self._one:
            wait_s = self._free_at - self.monotonic()
            if wait_s * self.speed > max(SHORT_S, gap_s):
                raise Closed(wait_s * self.speed)
            if wait_s > 0:
                await self.sleep(wait_s)
            try:
                yield
            finally:
                self.rest(gap_s)

    def rest(self, wait_s: float) -> None:
        """No call for so long, in seconds of the engine's clock; a longer rest that was asked for stays."""
        self._free_at = max(self._free_at, self.monotonic() + wait_s / self.speed)


@dataclass(slots=True)
class Gates:
    """The gates of all accounts, each made when it is first come to."""

    speed: float = 1.0
    _gates: dict[str, Gate] = field(default_factory=dict, repr=False)

    def of(self, account: str) -> Gate:
        return self._gates.setdefault(account, Gate(self.speed))
