from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest


class Answers:
    """A real server on a Unix socket that answers each path with raw bytes and remembers what it was asked."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.raw: dict[str, bytes] = {}
        self.asked: list[tuple[str, bytes]] = []

    def json(self, path: str, body: bytes, status: str = "200 OK") -> None:
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.raw[path] = head.encode() + body

    def stream(self, path: str, *chunks: bytes) -> None:
        framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
        self.raw[path] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        lengths = [int(line.split(":")[1]) for line in lines if line.startswith("content-length")]
        body = await reader.readexactly(lengths[0]) if lengths else b""
        path = first.split()[1]
        self.asked.append((path, body))
        writer.write(self.raw.get(path, b"not http at all\r\n\r\n"))
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def listening(self):
        server = await asyncio.start_unix_server(self._serve, str(self.socket))
        async with server:
            yield self


@pytest.fixture
def socket_path():
    """A path short enough for a Unix socket, whatever pytest's own folder is called."""
    with tempfile.TemporaryDirectory(prefix="lw") as folder:
        yield Path(folder) / "hub.sock"


@pytest.fixture
def answers(socket_path):
    return Answers(socket_path)


@pytest.fixture
def until():
    """Wait until something holds on the screen, however busy the machine is."""

    async def wait(pilot, holds):
        async with asyncio.timeout(30):
            while not holds():
                await asyncio.sleep(0.01)
                await pilot.pause()

    return wait
