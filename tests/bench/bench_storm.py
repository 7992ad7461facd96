"""One incident of 100,000 members, then 5,000 findings in a minute: does a real hub still answer, and a screen open?

`python -m tests.bench storm [--members N] [--burst N]`. The store is encrypted, the probes are real, the sites answer
on loopback. The members are handed to a hub as its probes would (`storm_world.fill`); the minute's findings come the whole
way. While they come, a client gives the commands of a dashboard one after the other, another process asks for the smallest
answer fifty times a second, and a dashboard on a terminal has the large incident open.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect

from data.config.home import Home
from data.model.snapshot import IncidentDetail, IncidentPage, ListPage
from tests.bench import storm_world
from tests.bench.figure import Figure, told
from tests.bench.processes import ROOT, Process, cpu_s, end, start_hub, start_street, tell, until_it_answers
from tests.bench.storm_world import Size
from tests.bench.terminal import dashboard, key_s, read
from tui.client import HubClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STEADY_S, LONGEST_S = 20.0, 300.0
AIM_MS = 200.0
COLD = (
    ("incidents",),
    ("incidents", "show", "1"),
    ("incidents", "why", "1"),
    ("incidents", "report", "1"),
    ("incidents", "stats"),
    ("incidents", "export", "--to", "ndjson"),
    ("export", "sites"),
)
Took = dict[str, list[float]]


def run(arguments: list[str] | None = None) -> list[Figure]:
    parser = argparse.ArgumentParser(prog="python -m tests.bench storm")
    parser.add_argument("--members", type=int, default=Size.members)
    parser.add_argument("--burst", type=int, default=Size.burst)
    given = parser.parse_args(arguments or [])
    return asyncio.run(_run(Size(given.members, given.burst)))


async def _run(size: Size) -> list[Figure]:
    folder = Path(tempfile.mkdtemp(prefix="losswatch-storm-"))
    street, places = start_street(str(storm_world.SHARED_HOSTS + size.burst), "1")
    tell(street, "dead /e/")
    home, hub, ping = Home.find(str(folder)), None, None
    figures: list[Figure] = []
    try:
        storm_world.write(home, size, places)
        filled = await asyncio.to_thread(lambda: asyncio.run(storm_world.fill(home, size)))
        figures += told([
            Figure("members: CPU of the hub for a failing look", filled.cpu_s / size.members / 2 * 1e3, "ms", note=f"{filled.incidents} incident"),
            Figure("members: longest hold of the loop", filled.slowest_s * 1e3, "ms", note=f"{storm_world.AT_ONCE} looks at once; aim < 50"),
        ])  # fmt: skip
        hub, client, starting = await _start(home, "restart with the incident")
        figures += told(
            [starting, Figure("load of the machine", os.getloadavg()[0], "", note=f"{os.cpu_count()} cores")]
        )
        ping = _pinger(home)
        figures += told(await _rest(home, client, hub, size, ping))
        for name, paths, count in (("one edge", "/e/ /j/", size.burst), ("nothing shared", "/e/ /j/ /o/", size.burst)):
            tell(street, f"dead {paths}")
            figures += told(await _storm(name, home, client, hub, size, ping, count))
        hub.terminate()
        hub.wait(120)
        hub, client, starting = await _start(home, f"restart with {size.burst:,} more")
        figures += told([starting])
        return figures
    finally:
        end(ping, hub, street)
        shutil.rmtree(folder, ignore_errors=True)


async def _start(home: Home, what: str) -> tuple[Process, HubClient, Figure]:
    """A hub that answers, and how long that took."""
    hub, client = start_hub(home), HubClient(home.socket, timeout_s=120.0)
    took = await until_it_answers(client, hub)
    used = f"{cpu_s(hub.pid):.1f} s of CPU; {_memory(hub.pid)}"
    return hub, client, Figure(f"{what}: until the hub answers", took, "s", note=used)


def _pinger(home: Home) -> Process:
    command = [sys.executable, "-m", "tests.bench.storm_ping", str(home.socket)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _stalls(ping: Process) -> list[float]:
    """Milliseconds of the smallest answers since this was last asked."""
    tell(ping, "")
    assert ping.stdout is not None
    return sorted(json.loads(ping.stdout.readline())) or [0.0]


async def _rest(home: Home, client: HubClient, hub: Process, size: Size, ping: Process) -> list[Figure]:
    """The incident is there and nothing new happens."""
    began = time.monotonic()
    while time.monotonic() - began < LONGEST_S:
        page = await client.get("/v1/targets/site?limit=1", ListPage)
        if page.counts.ok >= 3 * size.burst:
            break
        await asyncio.sleep(1.0)
    figures = [Figure("first look at the others", time.monotonic() - began, "s", note=f"{page.counts}")]
    _stalls(ping)
    took: Took = defaultdict(list)
    before_s, began = cpu_s(hub.pid), time.monotonic()
    while time.monotonic() - began < STEADY_S:
        await _commands(client, took)
    used = (cpu_s(hub.pid) - before_s) / (time.monotonic() - began)
    figures += _latencies("at rest", took, _stalls(ping))
    figures.append(Figure("at rest: CPU of the hub, asked without a pause", used * 100, "%", note=_memory(hub.pid)))
    figures += await asyncio.to_thread(_cold, home)
    figures += await asyncio.to_thread(_screen, home, hub)
    return figures


async def _commands(client: HubClient, took: Took) -> None:
    """What a dashboard asks for and is told to do, once each."""

    async def timed(name: str, answer: object) -> None:
        began = time.perf_counter()
        await answer  # type: ignore[misc]  # a coroutine of the client
        took[name].append((time.perf_counter() - began) * 1e3)

    page = await client.get("/v1/incidents?limit=200", IncidentPage)
    other = next((one.id for one in page.rows if one.state == "new" and one.id != 1), 1)
    await timed("incidents", client.get("/v1/incidents?limit=200", IncidentPage))
    await timed("detail", client.get("/v1/incidents/1", IncidentDetail))
    await timed("sites", client.get("/v1/targets/site?limit=200", ListPage))
    await timed("note", client.command("note", incident=1, text="somebody is on the phone with them"))
    await timed("acknowledge", client.command("acknowledge", incident=other))
    await timed("recheck", client.command("recheck", target="site:big-000001"))
    await timed("snapshot", client.get_bytes("/v1/snapshot"))
    await timed("report", client.get_bytes("/v1/incidents/1/report"))


def _latencies(when: str, took: Took, stalls: Sequence[float]) -> list[Figure]:
    figures = [
        Figure(f"{when}: {name}, p95", _at(values, 0.95), "ms", note=f"p50 {_at(values, 0.5):.0f}, max {max(values):.0f}, n {len(values)}")
        for name, values in took.items()
    ]  # fmt: skip
    every = [one for values in took.values() for one in values]
    figures.append(
        Figure(
            f"{when}: all commands, p95",
            _at(every, 0.95),
            "ms",
            "aim",
            AIM_MS,
            f"p50 {_at(every, 0.5):.0f}, max {max(every):.0f}",
        )
    )
    figures.append(
        Figure(
            f"{when}: smallest answer, p95",
            _at(stalls, 0.95),
            "ms",
            note=f"p50 {_at(stalls, 0.5):.0f}, p99 {_at(stalls, 0.99):.0f}, max {max(stalls):.0f}",
        )
    )
    return figures  # fmt: skip


def _at(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _cold(home: Home) -> list[Figure]:
    """Each command line from nothing, the interpreter's start included."""
    figures = []
    bare = _process_s("-c", "import tui.cli.main")
    for words in COLD:
        what = " ".join(words)
        figures.append(
            Figure(
                f"losswatch {what}",
                _process_s("-m", "tui.cli.main", *words, "--home", str(home.config)),
                "s",
                "an import",
                bare,
            )
        )
    return figures  # fmt: skip


def _process_s(*words: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    return time.perf_counter() - began


@contextmanager
def _dashboard(home: Home) -> Iterator[pexpect.spawn]:
    child = dashboard(str(home.config))
    try:
        child.expect_exact("Halyard", timeout=60)
        read(child, 2.0)
        yield child
    finally:
        child.close(force=True)


def _screen(home: Home, hub: Process) -> list[Figure]:
    """From the key to the members on the screen, five times; then from a key to the next picture within them."""
    with _dashboard(home) as child:
        idle = read(child, 5.0) / 5.0
        opened, used_s = list[float](), list[float]()
        for _ in range(5):
            _back(child)
            before = cpu_s(hub.pid) + cpu_s(child.pid)
            opened.append(_until(child, "\r", "big-"))
            used_s.append(cpu_s(hub.pid) + cpu_s(child.pid) - before)
        moved = _moves(child)
        memory = _memory(child.pid)
    return [
        Figure("screen: key to the members painted, median", _at(opened, 0.5), "ms", "aim", AIM_MS, f"max {max(opened):.0f}"),
        Figure("screen: CPU of hub and dashboard until then, median", _at(used_s, 0.5) * 1e3, "ms"),
        Figure("screen: a key within the members, p95", _at(moved, 0.95), "ms", "aim", 50.0, f"p50 {_at(moved, 0.5):.0f}"),
        Figure("screen: bytes a second of the overview", idle, "B/s", note=memory),
    ]  # fmt: skip


def _back(child: pexpect.spawn) -> None:
    child.send("\x1b")
    read(child, 1.5)


def _moves(child: pexpect.spawn) -> list[float]:
    """The cursor down, by half pages and up, in the table of the members."""
    for _ in range(12):
        if b"big-" in _answer(child, "j"):
            break
        child.send("\t")
    return [key_s(child, key) * 1e3 for key in ["j"] * 10 + ["\x04"] * 5 + ["k"] * 5]


def _answer(child: pexpect.spawn, key: str) -> bytes:
    """What a key brings to the screen within a moment."""
    read(child, 0.3)
    child.send(key)
    time.sleep(0.15)
    with suppress(pexpect.TIMEOUT):
        return bytes(child.read_nonblocking(1 << 16, timeout=0.1))
    return b""


def _until(child: pexpect.spawn, key: str, words: str) -> float:
    began = time.perf_counter()
    child.send(key)
    child.expect_exact(words, timeout=30)
    return (time.perf_counter() - began) * 1e3


async def _storm(
    name: str, home: Home, client: HubClient, hub: Process, size: Size, ping: Process, count: int
) -> list[Figure]:  # fmt: skip
    """So many sites begin to fail within a minute; until each is a finding of an incident."""
    before = await _failing(client)
    with _dashboard(home) as child:
        child.send("\r")
        drawing = asyncio.create_task(asyncio.to_thread(_until_told, child, stop := []))
        _stalls(ping)
        took: Took = defaultdict(list)
        before_s, began, found = cpu_s(hub.pid), time.monotonic(), 0
        while time.monotonic() - began < LONGEST_S and found < count:
            await _commands(client, took)
            found = await _failing(client) - before
        lasted = time.monotonic() - began
        used = (cpu_s(hub.pid) - before_s) / lasted
        stop.append(True)
        drawn, memory = await drawing, _memory(child.pid)
    page = await client.get("/v1/incidents?limit=1", IncidentPage)
    return [
        Figure(f"{name}: {found:,} findings within", lasted, "s", note=f"{page.total:,} incidents open"),
        *_latencies(name, took, _stalls(ping)),
        Figure(f"{name}: CPU of the hub", used * 100, "%", note=_memory(hub.pid)),
        Figure(f"{name}: bytes a second of a dashboard in it", drawn / lasted, "B/s", note=memory),
    ]


def _until_told(child: pexpect.spawn, stop: list[bool]) -> int:
    received = 0
    while not stop:
        received += read(child, 0.5)
    return received


async def _failing(client: HubClient) -> int:
    return (await client.get("/v1/targets/site?limit=1", ListPage)).counts.failing


def _memory(pid: int) -> str:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    now, most = (int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return f"{now:,.0f} MB, at most {most:,.0f}"
