"""Bytes a second, CPU and first frame of `losswatch` on a pty of 120x40, over a hub's socket in another process.

The peer of the first frame is a whole process that imports `textual.app` and ends; the two are run in turns.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median

from tests.bench.figure import Figure
from tests.bench.processes import ROOT, cpu_s
from tests.bench.terminal import dashboard, read

WARM_S, MEASURE_S, KEYS = 3.0, 10.0, 20
STARTS = 9


def run() -> list[Figure]:
    with _hub("idle") as home:
        pairs = [(_bare(), _first_frame(home)) for _ in range(STARTS)]
        idle, calm, held = _pty(home), _keys(home, pause_s=0.4), _keys(home, pause_s=0.033)
    with _hub("live") as home:
        live = _pty(home)
    ratio = median(frame / bare for bare, frame in pairs)
    best = [min(column) for column in zip(*pairs, strict=True)]
    return [
        Figure("overview 120x40, idle", idle[0], "B/s", note=f"{idle[1]:.1f} % CPU; aim 0 B/s, < 1 %"),
        Figure("overview 120x40, live, a row a second", live[0], "B/s", note=f"{live[1]:.1f} % CPU; aim < 2 kB/s, < 3 %"),
        Figure("first snapshot on the screen", best[1], "s", "import textual.app", best[0], f"best of {STARTS}; median of pairs {ratio:.2f}x; aim <= 1.3x"),
        Figure("a cursor key, preview included", calm, "B/key", note="aim <= 1.5 kB"),
        Figure("a held cursor key, 30 a second", held, "B/key", note="aim <= 1.5 kB"),
    ]  # fmt: skip


def _bare() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import textual.app"], check=True, cwd=ROOT)
    return time.perf_counter() - start


@contextmanager
def _hub(mode: str):
    """The folder of a hub that is only a socket, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="lw") as home:
        command = [sys.executable, "-m", __spec__.name, mode, home]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as hub:
            try:
                assert hub.stdout is not None
                assert hub.stdout.readline().strip() == "up"
                yield home
            finally:
                hub.kill()


def _first_frame(home: str) -> float:
    start = time.perf_counter()
    child = dashboard(home)
    child.expect_exact("Halyard Edge", timeout=30)
    took = time.perf_counter() - start
    child.close(force=True)
    return took


def _pty(home: str) -> tuple[float, float]:
    """(bytes a second, CPU in per cent) of one dashboard after it has warmed up."""
    child = dashboard(home)
    read(child, WARM_S)
    before = cpu_s(child.pid)
    received = read(child, MEASURE_S)
    busy = cpu_s(child.pid) - before
    child.close(force=True)
    return received / MEASURE_S, busy / MEASURE_S * 100


def _keys(home: str, pause_s: float) -> float:
    """Bytes a cursor key, the last preview included."""
    child = dashboard(home)
    read(child, WARM_S)
    received = 0
    for at in range(KEYS):
        child.send("j" if at // 4 % 2 == 0 else "k")
        received += read(child, pause_s)
    received += read(child, 1.0)
    child.close(force=True)
    return received / KEYS


async def hub(mode: str, home: str) -> None:
    """Greeting and snapshot at once; then a heartbeat, or each second a row with another figure and strip."""
    from data.model.codec import to_json
    from data.model.snapshot import PROTOCOL, Hello, StreamLine
    from tests.tui import corvane

    hello = Hello(PROTOCOL, "0", "Corvane Media", "maria", "senior", ("*",), "full", "EUR", 1, datetime.now(UTC))

    def chunk(line: StreamLine) -> bytes:
        raw = to_json(line) + b"\n"
        return b"%x\r\n%s\r\n" % (len(raw), raw)

    def moved(version: int):
        rows = list(corvane.SITES)
        at = version % 4
        strip = rows[at].strip[version % 5 :] + "ofdfo"[: version % 5]
        rows[at] = replace(rows[at], detail=f"p95 {version % 9}.{version % 7} s", strip=strip)
        now = corvane.NOW + timedelta(seconds=version)
        return replace(corvane.BURNING, version=version, at=now, sites=replace(corvane.BURNING.sites, rows=tuple(rows)))

    first = chunk(StreamLine(1, "hello", hello)) + chunk(StreamLine(2, "snapshot", snapshot=corvane.BURNING))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + first)
            for seq in range(3, 10_000):
                await asyncio.sleep(1.0)
                live = StreamLine(seq, "snapshot", snapshot=moved(corvane.BURNING.version + seq))
                writer.write(chunk(live if mode == "live" else StreamLine(seq, "heartbeat")))
                await writer.drain()
        except (OSError, EOFError):
            writer.close()

    server = await asyncio.start_unix_server(serve, f"{home}/hub.sock")
    print("up", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(hub(*sys.argv[1:]))
