"""A fleet of sites on one hub: is everything looked at in time, with what CPU, memory and disk; then one edge dies.

`python -m tests.bench scale [--targets N] [--interval SECONDS] [--minutes M]`; the aim is 100,000 targets, 300 s, 60 min
on two cores. The street that answers is a process of its own; its CPU is reported apart, since it is not ours.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checks.hub.keeping import WHOLE_EVERY_S
from data.config.home import Home
from data.model.snapshot import IncidentPage, ListPage
from data.secrets import open_secrets, store_key
from data.store.query import rows
from data.store.store import Store
from tests.bench.figure import Figure, told
from tests.bench.processes import Process, cpu_s, end, start_hub, start_street, tell, until_it_answers
from tests.bench.terminal import dashboard, key_s, read
from tui.client import HubClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.store.engine import Cursor

TOML = """
[[teams]]
id = "aurora"
[[teams]]
id = "cedar"
[network]
per_host = 50
per_host_minute = 0
per_edge = 0
[[edges]]
name = "Halyard"
header = "x-halyard-pop"
[defaults.site]
interval = "{interval}s"
tier1 = "{interval}s"
tier2 = "{interval}s"
tier3 = "{interval}s"
"""
KEYS = ["j"] * 8 + ["\x04"] * 6 + ["k"] * 8 + ["G", "k", "\x15", "g", "j"]
"""Rows, half pages, the end and the beginning."""
EDGE_SHARE = 10
"""One site in so many is behind the edge that dies."""


@dataclass(frozen=True)
class Size:
    targets: int = 20_000
    interval_s: int = 60
    minutes: float = 2.0


def run(arguments: list[str] | None = None) -> list[Figure]:
    parser = argparse.ArgumentParser(prog="python -m tests.bench scale")
    parser.add_argument("--targets", type=int, default=Size.targets)
    parser.add_argument("--interval", type=int, default=Size.interval_s)
    parser.add_argument("--minutes", type=float, default=Size.minutes)
    given = parser.parse_args(arguments or [])
    return asyncio.run(_run(Size(given.targets, given.interval, given.minutes)))


async def _run(size: Size) -> list[Figure]:
    folder = Path(tempfile.mkdtemp(prefix="losswatch-scale-"))
    street, places = start_street()
    hub: Process | None = None
    try:
        home = Home.find(str(folder))
        _write(home, size, places)
        hub = start_hub(home)
        client = HubClient(home.socket, timeout_s=60.0)
        figures = [Figure("first start: until the hub answers", await until_it_answers(client, hub), "s")]
        figures += told(await _first_look(client, size))
        figures += told(await _steady(client, size, hub.pid, street.pid))
        figures += told(await asyncio.to_thread(_keys, home))
        figures += told(await _outage(client, size, street))
        hub.terminate()
        hub.wait(120)
        figures += _database(home, size)
        hub = start_hub(home)
        figures.append(Figure("restart: until the hub answers", await until_it_answers(client, hub), "s"))
        return figures
    finally:
        end(hub, street)
        shutil.rmtree(folder, ignore_errors=True)


def _write(home: Home, size: Size, places: list[tuple[str, int]]) -> None:
    home.inventory.mkdir(parents=True)
    home.toml.write_text(TOML.format(interval=size.interval_s))
    with (home.inventory / "sites.csv").open("w") as file:
        file.write("site,url,team,tier\n")
        for number in range(size.targets):
            host, port = places[number % len(places)]
            path = "e" if number % EDGE_SHARE == 0 else "o"
            team = "aurora" if number % 3 else "cedar"
            file.write(f"site-{number:06},http://{host}:{port}/{path}/{number},{team},{number % 3 + 1}\n")


async def _first_look(client: HubClient, size: Size) -> list[Figure]:
    began = time.monotonic()
    while time.monotonic() - began < 1_800.0:
        page = await client.get("/v1/targets/site?limit=1", ListPage)
        if page.counts.ok >= size.targets:
            break
        await asyncio.sleep(1.0)
    note = f"{page.counts.ok:,} ok, {page.counts.unknown:,} unknown, {page.counts.failing:,} failing"
    return [Figure("first look: until all were seen", time.monotonic() - began, "s", note=note)]


async def _steady(client: HubClient, size: Size, hub: int, street: int) -> list[Figure]:
    """The fleet at rest for some minutes, with a dashboard attached."""
    watching = asyncio.create_task(_watch(client))
    before, status = _cpu(hub, street), await client.get("/v1/status", dict)
    began, pages = time.monotonic(), list[float]()
    while time.monotonic() - began < size.minutes * 60.0:
        pages.append(await _timed(client.get("/v1/targets/site?limit=200", ListPage)))
        pages.append(await _timed(client.get("/v1/targets/site?limit=200&filter=site-0001", ListPage)))
        await asyncio.sleep(5.0)
    took = time.monotonic() - began
    after, now = _cpu(hub, street), await client.get("/v1/status", dict)
    watching.cancel()
    due = size.targets / size.interval_s * took
    used = [(late - early) / took * 100.0 for early, late in zip(before, after, strict=True)]
    pages.sort()
    return [
        Figure("checks due", size.targets / size.interval_s, "/s", note=f"{now['checks_per_s']:.0f} /s seen last"),
        Figure("late checks", (now["late"] - status["late"]) / due * 100.0, "%", note=f"longest {now.get('late_s')} s; aim < 0.1"),
        Figure("CPU of the hub's process", used[0], "%", note="of one core"),
        Figure("CPU of the probes", used[1], "%", note="of one core"),
        Figure("CPU of the street", used[2], "%", note="not ours"),
        Figure("memory of the hub", float(now["rss_mb"]), "MB", note="its highest; aim < 1,000"),
        Figure("a page of the list, median", pages[len(pages) // 2] * 1e3, "ms", note=f"slowest {pages[-1] * 1e3:.0f} ms"),
        Figure("store: batches waiting", float(now["store"]["waiting"]), "", note=f"dropped {now['store']['dropped']}"),
    ]  # fmt: skip


def _keys(home: Home) -> list[Figure]:
    """From a key to the first byte of the answer on a terminal of 120x40, in the list of the whole fleet."""
    child = dashboard(str(home.config))
    for pause_s, key in ((6.0, "1"), (0.5, "1"), (4.0, "")):
        child.send(key)
        read(child, pause_s)
    took = sorted(key_s(child, key) for key in KEYS * 4)
    child.close(force=True)
    late = took[int(len(took) * 0.95)]
    return [
        Figure(
            "key to paint in the whole list, 95 %",
            late * 1e3,
            "ms",
            note=f"median {took[len(took) // 2] * 1e3:.0f}; aim < 50",
        )
    ]


async def _watch(client: HubClient) -> None:
    async for _ in client.events():
        pass


async def _timed(answer: object) -> float:
    began = time.perf_counter()
    await answer  # type: ignore[misc]  # a coroutine of the client
    return time.perf_counter() - began


async def _outage(client: HubClient, size: Size, street: Process) -> list[Figure]:
    """One edge dies with a tenth of the fleet behind it."""
    tell(street, "dead")
    behind = (size.targets + EDGE_SHARE - 1) // EDGE_SHARE
    began, first, most, largest = time.monotonic(), 0.0, 0, 0
    page = IncidentPage(0, 0, 0, ())
    while time.monotonic() - began < 4 * size.interval_s + 60:
        page = await client.get("/v1/incidents?limit=1000", IncidentPage)
        most = max(most, len(page.rows))
        largest = max((one.open_members for one in page.rows), default=0)
        if page.rows and not first:
            first = time.monotonic() - began
        if largest >= behind:
            break
        await asyncio.sleep(1.0)
    took = time.monotonic() - began
    title = page.rows[0].title if page.rows else "none"
    return [
        Figure("dead edge: first incident after", first / size.interval_s, "intervals", note="aim <= 2"),
        Figure("dead edge: all members in it after", took / size.interval_s, "intervals", note=f"{largest:,} of {behind:,}"),
        Figure("dead edge: incidents open at the end", float(len(page.rows)), "", note=f"at most {most}; {title}; aim 1"),
    ]  # fmt: skip


def _cpu(hub: int, street: int) -> tuple[float, float, float]:
    """Seconds of CPU of the hub, of its probes and of the street."""
    probes = sum(cpu_s(child) for child in _children(hub))
    return cpu_s(hub), probes, cpu_s(street)


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        yield from map(int, (task / "children").read_text().split())


def _database(home: Home, size: Size) -> list[Figure]:
    store = Store.open(home.database, store_key(open_secrets(home)))
    ((count, whole),) = rows(store, "SELECT count(*), count(*) FILTER (hops <> '[]') FROM observation")
    slim, full = (_bytes_each(store, home.state / "scratch.duckdb", kept) for kept in ("hops = '[]'", "hops <> '[]'"))
    store.close()
    day = size.targets / size.interval_s * 86_400.0
    wholes = size.targets * 86_400.0 / WHOLE_EVERY_S
    grown = ((day - wholes) * slim + wholes * full) / 1e9
    return [
        Figure("database", home.database.stat().st_size / 1e6, "MB", note=f"{count:,} observations, {whole:,} whole"),
        Figure("database: growth of a healthy fleet", grown, "GB/day", note=f"{slim:.0f} bytes slim, {full:.0f} whole"),
    ]


def _bytes_each(store: Store, scratch: Path, kept: str) -> float:
    """Bytes on the disk of an observation of one sort: some of them in a database of their own."""
    with store.cursor() as cursor:
        some = cursor.execute(f"SELECT * FROM observation WHERE {kept} LIMIT 300000").to_arrow_table()
    other = Store.open(scratch, "a key for the benchmark")
    empty = scratch.stat().st_size

    def put(cursor: Cursor) -> None:
        cursor.register("chosen", some)
        cursor.execute("INSERT INTO observation BY NAME SELECT * FROM chosen")
        cursor.unregister("chosen")

    other.work(put).result()
    other.close()
    each = (scratch.stat().st_size - empty) / max(some.num_rows, 1)
    for path in scratch.parent.glob(f"{scratch.name}*"):
        path.unlink()
    return each
