"""Bytes a second, CPU and first frame of the dashboard on a pty of 120x40; the peer is Textual's bare import."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pexpect

from tests.bench.figure import Figure

ROOT = Path(__file__).parents[2]
WARM_S, MEASURE_S = 3.0, 10.0
TICKS = os.sysconf("SC_CLK_TCK")


def run() -> list[Figure]:
    idle, live = _pty("idle"), _pty("live")
    bare_s = min(_timed([sys.executable, "-c", "import textual.app"]) for _ in range(5))
    frame_s = min(_first_frame() for _ in range(5))
    return [
        Figure("overview 120x40, idle", idle[0], "B/s", note=f"{idle[1]:.1f} % CPU; aim 0 B/s, < 1 %"),
        Figure(
            "overview 120x40, live, 1 % of cells' rows a second",
            live[0],
            "B/s",
            note=f"{live[1]:.1f} % CPU; aim < 2 kB/s, < 3 %",
        ),
        Figure("first frame", frame_s, "s", "import textual.app", bare_s, "aim <= 1.3x"),
        Figure("a cursor key", _pty("keys")[0], "B/key", note="aim <= 1.5 kB"),
    ]


def _timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT)
    return time.perf_counter() - start


def _spawn(mode: str) -> pexpect.spawn:
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    return pexpect.spawn(
        sys.executable, ["-m", __spec__.name, mode], cwd=str(ROOT), env=environment, dimensions=(40, 120)
    )


def _first_frame() -> float:
    start = time.perf_counter()
    child = _spawn("idle")
    child.expect_exact("Halyard Edge", timeout=30)
    took = time.perf_counter() - start
    child.close(force=True)
    return took


def _pty(mode: str) -> tuple[float, float]:
    """(bytes a second or a key, CPU in per cent) of one dashboard after it has warmed up."""
    child = _spawn(mode)
    _read(child, WARM_S)
    before = _cpu_s(child.pid)
    if mode == "keys":
        total = 0
        for at in range(20):
            child.send("j" if at % 5 < 4 else "g")
            total += _read(child, 0.2)
        child.close(force=True)
        return total / 20, 0.0
    received = _read(child, MEASURE_S)
    busy = _cpu_s(child.pid) - before
    child.close(force=True)
    return received / MEASURE_S, busy / MEASURE_S * 100


def _read(child: pexpect.spawn, seconds: float) -> int:
    received, end = 0, time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            received += len(child.read_nonblocking(1 << 16, timeout=left))
        except pexpect.TIMEOUT:
            break
    return received


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def child(mode: str) -> None:
    """The dashboard under measurement, over a hub in the same process."""
    from tests.tui import corvane
    from tests.tui.fake import FakeService
    from tui.app import LosswatchApp

    class Beating(FakeService):
        """Heartbeats when idle; when live, each second one row's figure, one strip and one age change."""

        async def updates(self):
            yield corvane.BURNING
            version = corvane.BURNING.version
            while True:
                await asyncio.sleep(1.0)
                version += 1
                yield _moved(version) if mode == "live" else _alive()

    def _alive():
        from tui.service import Alive

        return Alive()

    def _moved(version: int):
        from datetime import timedelta

        rows = list(corvane.SITES)
        at = version % 4
        rows[at] = replace(
            rows[at],
            detail=f"p95 {version % 9}.{version % 7} s",
            strip=rows[at].strip[version % 5 :] + "ofdfo"[: version % 5],
        )
        now = corvane.NOW + timedelta(seconds=version)
        return replace(corvane.BURNING, version=version, at=now, sites=replace(corvane.BURNING.sites, rows=tuple(rows)))

    sys.exit(LosswatchApp(Beating(), theme="losswatch").run())


if __name__ == "__main__":
    child(sys.argv[1])
