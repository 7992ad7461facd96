"""Websites and pools of real probe processes for the tests of this room."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from checks.engine.pool import ProbePool
from data.config.settings import NetworkSettings, Settings
from data.model.ids import TargetId, TeamId
from data.model.target import Check, Expect, TargetKind

PAGE = b"<title>Casino</title><p>" + b"An honest review. " * 40
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n" % len(PAGE) + PAGE


@dataclass
class Web:
    """Answers every request once `open_gate` is set; counts what is in flight."""

    port: int = 0
    now: int = 0
    most: int = 0
    seen: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def has_seen(self, count):
        async with asyncio.timeout(20), self.asked:
            await self.asked.wait_for(lambda: self.seen >= count)

    async def serve(self, reader, writer):
        try:
            if b" /robots.txt " in await reader.readuntil(b"\r\n\r\n"):  # asked once, beside the checks
                writer.write(b"HTTP/1.1 404 no\r\ncontent-length: 0\r\n\r\n")
                return
            async with self.asked:
                self.seen += 1
                self.asked.notify_all()
            self.now += 1
            self.most = max(self.most, self.now)
            await self.gate.wait()
            await asyncio.sleep(0.01)
            self.now -= 1
            writer.write(ANSWER)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            self.now -= 1
        finally:
            writer.close()


@asynccontextmanager
async def website(*, open_gate=True):
    web = Web()
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0)
    web.port = server.sockets[0].getsockname()[1]
    if open_gate:
        web.gate.set()
    yield web
    web.gate.set()
    server.close()


@dataclass
class Inbox:
    batches: list = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, worker, seq, observations):
        async with self.arrived:
            self.batches.append((worker, seq, observations))
            self.arrived.notify_all()

    @property
    def observations(self):
        return [observation for _, _, observations in self.batches for observation in observations]

    async def holds(self, count):
        async with asyncio.timeout(40), self.arrived:
            await self.arrived.wait_for(lambda: len(self.observations) >= count)


def check(number, url, timeout_s=5.0):
    return Check(TargetId(f"site:{number}"), TeamId("aurora"), TargetKind.SITE, url, timeout_s, Expect())


@asynccontextmanager
async def running(tmp_path, count=1, *, silence_s=10.0, on_batch=None, **network):
    inbox = Inbox()
    settings = Settings(tmp_path, network=NetworkSettings(**network))
    pool = ProbePool(settings, count, on_batch or inbox, silence_s=silence_s)
    await pool.start()
    try:
        yield pool, inbox
    finally:
        await pool.stop()
