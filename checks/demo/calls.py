"""Postbacks of P03: the company's public endpoint in front of its hub, and the partner that calls it.

The endpoint is a real server that passes requests on to the hub's own door; while F8 is on it answers 500 to everybody,
as after a bad deploy. The partner calls once for each registration and each first deposit and does not try again.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.demo.ledger import Ledger
    from checks.demo.script import Script
    from checks.engine.clock import Clock


PARTNER = "P03"
FEED = "p03-postbacks"
SECRET = "p03-postbacks-key"  # noqa: S105  # a name in the keyring
EVERY_S = 60.0
"""Simulated seconds between two looks at who converted."""
_STATUS = {1: "lead", 2: "sale"}
_PATIENCE_S = 5.0
_HEAD = 32_768
_BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_AWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def free_port() -> int:
    """One that nobody listens on now: the hub's door is opened there later."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@dataclass(slots=True)
class Endpoint:
    """The company's server in front of the hub's door."""

    script: Script
    now: Callable[[], datetime]
    door: int
    """Port of the hub's own door."""
    key: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    """What callers must know."""

    async def listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_HEAD)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_BROKEN if self.script.active("F8", self.now()) else await self._passed_on(head))
                await writer.drain()
        writer.close()

    async def _passed_on(self, head: bytes) -> bytes:
        """The door's answer to a request without a body, as all of these are."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.door)
        except OSError:
            return _AWAY
        kept = [line for line in head.split(b"\r\n")[:-2] if not line.lower().startswith(b"connection:")]
        writer.write(b"\r\n".join([*kept, b"Connection: close", b"", b""]))
        try:
            return await reader.read()
        finally:
            writer.close()


@dataclass(frozen=True, slots=True)
class Call:
    """One step of one person."""

    at: datetime
    status: str
    """lead | sale, as Keitaro says it."""
    number: str

    def target(self, key: str) -> str:
        asked = {"subid": f"cm-{self.number}", "status": self.status, "tid": self.number, "ts": self.at.isoformat()}
        return f"/v1/postbacks/{FEED}/{quote(key, safe='')}?{urlencode(asked)}"


@dataclass(slots=True)
class Sender:
    """The partner's side: calls the endpoint as people convert, from when it is started on."""

    ledger: Ledger
    port: int
    """Of the endpoint."""
    key: str = field(repr=False)
    sent: int = 0
    refused: int = 0

    async def run(self, clock: Clock) -> None:
        done = clock.now()
        while True:
            await clock.sleep(EVERY_S)
            until = clock.now()
            await asyncio.gather(*(self._call(call) for call in self.due(done, until)))
            done = until

    def due(self, since: datetime, until: datetime) -> Iterator[Call]:
        """Conversions with `since < at <= until`."""
        for n, (at, what) in enumerate(self.ledger.conversions(PARTNER, since, until)):
            yield Call(at, _STATUS[what], f"{until:%y%m%d%H%M%S}-{n}")

    async def _call(self, call: Call) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(
                    f"GET {call.target(self.key)} HTTP/1.1\r\nHost: calls\r\nConnection: close\r\n\r\n".encode()
                )
                status = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            status = b""
        self.sent += 1
        self.refused += b" 200 " not in status
