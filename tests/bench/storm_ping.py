"""`python -m tests.bench.storm_ping SOCKET`: how long a hub's loop keeps the smallest question waiting, from a process of its own.

Asks fifty times a second. For each line on its standard input it prints the answers' milliseconds since the last one, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress
from pathlib import Path

from data.errors import LosswatchError
from tui.client import HubClient

EVERY_S = 0.02


async def main(socket: str) -> None:
    client, took_ms = HubClient(Path(socket), timeout_s=120.0), list[float]()
    reader, loop = asyncio.StreamReader(), asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    asking = asyncio.create_task(_ask(client, took_ms))
    while await reader.readline():
        print(json.dumps(took_ms), flush=True)
        took_ms.clear()
    asking.cancel()


async def _ask(client: HubClient, took_ms: list[float]) -> None:
    while True:
        began = time.perf_counter()
        with suppress(LosswatchError):
            await client.get_bytes("/v1/hello")
            took_ms.append((time.perf_counter() - began) * 1e3)
        await asyncio.sleep(EVERY_S)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
