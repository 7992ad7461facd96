"""A hub and a street of websites as processes of their own, for benchmarks that look at them from outside."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import LosswatchError

if TYPE_CHECKING:
    from data.config.home import Home
    from tui.client import HubClient

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300.0
_TICKS = os.sysconf("SC_CLK_TCK")

Process = subprocess.Popen[bytes]


def start_hub(home: Home) -> Process:
    return subprocess.Popen([sys.executable, "-m", "checks.hub", str(home.config)], cwd=ROOT)


async def until_it_answers(client: HubClient, hub: Process) -> float:
    """Seconds until the hub greets; `SystemExit` when it ends instead, or never does."""
    began = time.perf_counter()
    while time.perf_counter() - began < PATIENCE_S:
        if hub.poll() is not None:
            raise SystemExit(f"the hub ended with {hub.returncode}")
        try:
            await client.hello()
        except LosswatchError:
            await asyncio.sleep(0.05)
        else:
            return time.perf_counter() - began
    raise SystemExit("the hub never answered")


def start_street(*arguments: str) -> tuple[Process, list[tuple[str, int]]]:
    """`tests.bench.scale_street`, and the hosts and ports it answers at."""
    command = [sys.executable, "-m", "tests.bench.scale_street", *arguments]
    street = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert street.stdout is not None
    return street, [(host, port) for host, port in json.loads(street.stdout.readline())]


def tell(process: Process, words: str) -> None:
    """A line on its standard input."""
    assert process.stdin is not None
    process.stdin.write(f"{words}\n".encode())
    process.stdin.flush()


def end(*processes: Process | None) -> None:
    """Those that still run are asked to end, and made to."""
    for process in processes:
        if process is not None and process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()


def cpu_s(pid: int) -> float:
    """Of the process alone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
