"""`python -m tests.bench.scale_street`: very cheap websites on loopback, and an edge in front of some that can die.

Prints the hosts and ports it listens on as one line of JSON. A line on its standard input is obeyed: `dead` makes every
page below /e/ answer as an edge does that has lost its origins, `well` ends that.
"""

from __future__ import annotations

import asyncio
import json
import sys

HOSTS = [f"127.0.{1 + number // 200}.{1 + number % 200}" for number in range(200)]
PORTS_EACH = 5
_BODY = (
    b"<!doctype html><html lang=en><head><title>Casino bonuses compared</title></head><body><h1>Bonuses</h1>"
    + b"<p>The best casino bonuses, compared by people who read the terms.</p>" * 12
    + b"</body></html>"
)


def _answer(status: bytes, body: bytes, *, edge: bool) -> bytes:
    pop = b"X-Halyard-Pop: fra2\r\n" if edge else b""
    head = b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n"
    return head % (status, len(body), pop) + body


_FINE, _BEHIND = _answer(b"200 OK", _BODY, edge=False), _answer(b"200 OK", _BODY, edge=True)
_DEAD = _answer(b"503 Service Unavailable", b"<html><title>503</title>upstream connect error</html>", edge=True)


class _Page(asyncio.Protocol):
    dead = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        behind = data.startswith(b"GET /e/")
        self.transport.write(_DEAD if behind and _Page.dead else _BEHIND if behind else _FINE)
        self.transport.close()


async def main() -> None:
    loop = asyncio.get_running_loop()
    places = []
    for host in HOSTS:
        for _ in range(PORTS_EACH):
            server = await loop.create_server(_Page, host, 0, backlog=256)
            places.append((host, server.sockets[0].getsockname()[1]))
    print(json.dumps(places), flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    while line := await reader.readline():
        _Page.dead = line.strip() == b"dead"


if __name__ == "__main__":
    asyncio.run(main())
