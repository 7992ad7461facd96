from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Container

_PATIENCE_S = 15.0
_HEAD_LIMIT = 65_536


class Vantage:
    """An HTTP proxy "in" one country: what it fetches arrives from that country's own loopback address.

    It carries CONNECT and absolute-form requests to hosts of the simulated world only, so it is no way out of this machine.
    """

    def __init__(self, country: str, source: str, hosts: Container[str]) -> None:
        self.country, self.source, self._hosts = country, source, hosts

    async def listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_HEAD_LIMIT)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_PATIENCE_S):
                await self._carry(reader, writer)
        writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, *_ = head.split(b" ", 2)
        place = _place(method.decode("latin-1"), target.decode("latin-1"))
        if place is None or place[0] not in self._hosts:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", place[1], local_addr=(self.source, 0))
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        if method == b"CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            far_writer.write(_without_proxy(head))
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


def _place(method: str, target: str) -> tuple[str, int] | None:
    try:
        url = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host, port = url.hostname, url.port
    except ValueError:
        return None
    return (host.lower(), port or 80) if host else None


def _without_proxy(head: bytes) -> bytes:
    lines = head.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.lower().startswith(b"proxy-"))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    with suppress(OSError):
        writer.close()
