from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.model.codec import to_json
from data.model.snapshot import StreamLine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from data.model.principal import Principal, Scope
    from data.model.snapshot import Hello, Snapshot

HEARTBEAT_S = 5.0
PACE_S = 1.0
"""A snapshot a second at most, however much happens."""


@dataclass(slots=True)
class Stream:
    """Live snapshots for any number of readers.

    Nothing is queued: a reader that was slow gets the newest snapshot, not the ones it missed, so a subscriber can
    neither hold memory nor delay another.
    """

    version: Callable[[], int]
    snapshot: Callable[[Scope], Snapshot]
    hello: Callable[[Principal], Hello]
    readers: int = 0
    pace_s: float = PACE_S
    heartbeat_s: float = HEARTBEAT_S
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _cache: dict[Scope, Snapshot] = field(default_factory=dict)
    _closing: bool = False

    async def run(self) -> None:
        """Wake the readers whenever the version has changed; runs until cancelled."""
        shown = -1
        while True:
            await asyncio.sleep(self.pace_s)
            if (version := self.version()) != shown:
                shown = version
                self._cache.clear()
                async with self._changed:
                    self._changed.notify_all()

    async def lines(self, who: Principal, since: int) -> AsyncIterator[bytes]:
        """Ndjson of `StreamLine`: hello, the present snapshot unless `since` is it, then changes and heartbeats."""
        self.readers += 1
        try:
            yield _line(StreamLine(self.version(), "hello", hello=self.hello(who)))
            sent = since
            while not self._closing:
                snapshot = self._latest(who.scope)
                if snapshot.version != sent:
                    sent = snapshot.version
                    yield _line(StreamLine(sent, "snapshot", snapshot=snapshot))
                elif sent == since:
                    since = -1
                    yield _line(StreamLine(sent, "heartbeat"))
                if not await self._wait():
                    yield _line(StreamLine(sent, "heartbeat"))
            yield _line(StreamLine(sent, "bye"))
        finally:
            self.readers -= 1

    async def close(self) -> None:
        """Say goodbye to every reader."""
        self._closing = True
        async with self._changed:
            self._changed.notify_all()

    async def _wait(self) -> bool:
        """True when something changed, False when it is time for a heartbeat."""
        try:
            async with asyncio.timeout(self.heartbeat_s), self._changed:
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _latest(self, scope: Scope) -> Snapshot:
        if scope not in self._cache:
            self._cache[scope] = self.snapshot(scope)
        return self._cache[scope]


def _line(line: StreamLine) -> bytes:
    return to_json(line) + b"\n"
