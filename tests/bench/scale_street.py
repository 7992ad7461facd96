"""`python -m tests.bench.scale_street [HOSTS PORTS]`: very cheap websites on loopback, and an edge in front of some that can die.

Prints the hosts and ports it listens on as one line of JSON. A line on its standard input is obeyed: `dead` makes every
page below /e/ answer as an edge does that has lost its origins, `dead /j/ /o/` those below these paths, `well` none. Pages
below /e/ and /j/ are behind the edge; what dies elsewhere has an error of its own.
"""

from __future__ import annotations

import asyncio
import json
import sys

HOSTS, PORTS_EACH = 200, 5
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
_BROKEN = _answer(b"500 Internal Server Error", b"<html><title>500</title>internal server error</html>", edge=False)
_EDGE = (b"/e/", b"/j/")


class _Page(asyncio.Protocol):
    dead: tuple[bytes, ...] = ()
    """Beginnings of the paths that fail."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        path = data[4:64]
        behind, dead = path.startswith(_EDGE), path.startswith(_Page.dead)
        self.transport.write((_DEAD if behind else _BROKEN) if dead else _BEHIND if behind else _FINE)
        self.transport.close()


async def main() -> None:
    loop = asyncio.get_running_loop()
    places = []
    hosts, ports = map(int, sys.argv[1:3] or (HOSTS, PORTS_EACH))
    for host in (f"127.0.{1 + number // 200}.{1 + number % 200}" for number in range(hosts)):
        for _ in range(ports):
            server = await loop.create_server(_Page, host, 0, backlog=256)
            places.append((host, server.sockets[0].getsockname()[1]))
    print(json.dumps(places), flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    while line := await reader.readline():
        word, *paths = line.split()
        _Page.dead = tuple(paths) or (b"/e/",) if word == b"dead" else ()


if __name__ == "__main__":
    asyncio.run(main())
