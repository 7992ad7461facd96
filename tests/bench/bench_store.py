"""The store beside sqlite3: rows a second, time to open after a kill, bytes a row."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from data.model.fact import Fact
from data.model.observation import Hop, Observation, TargetState, Timing
from data.model.principal import EVERYTHING
from data.model.state import State
from data.model.target import TargetKind
from data.store import facts, observations, rollups
from data.store.store import Store
from data.store.tables import FACT, OBSERVATION
from tests.bench.figure import Figure

if TYPE_CHECKING:
    from data.store.table import Table

KEY = "a key for the benchmark"
T0 = datetime(2026, 11, 17, 6, tzinfo=UTC)
ROWS = 100_000
BATCH = 1_000


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        return [
            *_ingest("observations", OBSERVATION, _observations(), place),
            *_ingest("facts", FACT, _facts(), place),
            *_columns(place),
            *_states(place),
            *_reads(place),
            *_reopen(place),
        ]


def _observations() -> list[Observation]:
    dice = random.Random(1)
    return [
        Observation(
            f"site:aurora-{number % 10_000:05}", "aurora", TargetKind.SITE, T0 + timedelta(milliseconds=number * 3),
            State.OK, total_ms=dice.expovariate(0.01), timing=Timing(1.5, 2.5, 9.5, dice.random() * 50, 80.0),
            hops=(Hop(f"https://www.site-{number % 10_000}.example/", "192.0.2.7", 200, 12.5),),
            evidence={"ip": "192.0.2.7", "title": "Casino"},
        )
        for number in range(ROWS)
    ]  # fmt: skip


def _facts() -> list[Fact]:
    dice = random.Random(2)
    return [
        Fact(
            T0 + timedelta(hours=number // 500), T0 + timedelta(hours=number // 500 + 1), "aurora",
            f"P{number % 14:02}", "welcome", "DE", f"site-{number % 200}", dice.randrange(90), 3, 1,
            Decimal(dice.randrange(100_000)) / 100,
        )
        for number in range(ROWS)
    ]  # fmt: skip


def _ingest(what: str, table: Table, records: list, place: Path) -> list[Figure]:
    path = place / f"{what}.duckdb"
    store = Store.open(path, KEY)
    began, burnt = time.perf_counter(), time.process_time()
    batches = [store.write(records[start : start + BATCH]) for start in range(0, ROWS, BATCH)]
    for batch in batches:
        batch.result()
    ours = ROWS / (time.perf_counter() - began)
    cpu = (time.process_time() - burnt) / ROWS * 1e6
    store.close()
    lite = place / f"{what}.sqlite"
    theirs, peer_cpu = _sqlite(lite, table, records)
    return [
        Figure(f"{what}: stored, durable, encrypted", ours, "rows/s", "sqlite3 plain", theirs, "batches of 1,000"),
        Figure(f"{what}: CPU", cpu, "µs/row", "sqlite3 plain", peer_cpu),
        Figure(f"{what}: file", path.stat().st_size / ROWS, "bytes/row", "sqlite3", lite.stat().st_size / ROWS),
    ]


def _sqlite(path: Path, table: Table, records: list) -> tuple[float, float]:
    """Rows a second and µs of CPU a row of the peer: journal in WAL mode, one transaction a batch, the indexes our reads would need there."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    names = [column.name for column in table.columns]
    quoted = ", ".join(f'"{name}"' for name in names)
    connection.execute(f"CREATE TABLE {table.name} ({quoted})")
    first, second = ("target", "started_at") if table is OBSERVATION else ("partner", "hour")
    connection.execute(f"CREATE INDEX by_{first} ON {table.name} ({first}, {second})")
    marks = ", ".join("?" * len(names))
    began, burnt = time.perf_counter(), time.process_time()
    for start in range(0, ROWS, BATCH):
        rows = [_row(record, names) for record in records[start : start + BATCH]]
        connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)
        connection.commit()
    speed = ROWS / (time.perf_counter() - began)
    cpu = (time.process_time() - burnt) / ROWS * 1e6
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return speed, cpu


def _row(record: object, names: list[str]) -> list[object]:
    values = [getattr(record, name) for name in names]
    return [
        value if isinstance(value, str | float | int | None) else json.dumps(value, default=str) for value in values
    ]


def _columns(place: Path) -> list[Figure]:
    store = Store.open(place / "facts.duckdb", KEY)
    frame = facts.frame(store, EVERYTHING, T0)
    began = time.perf_counter()
    store.write_facts(facts.columns(frame)).result()
    speed = frame.height / (time.perf_counter() - began)
    began = time.perf_counter()
    facts.frame(store, EVERYTHING, T0)
    read = 2 * frame.height / (time.perf_counter() - began)
    store.close()
    return [
        Figure("facts: stored as columns", speed, "rows/s"),
        Figure("facts: read as a frame", read, "rows/s"),
    ]


def _states(place: Path) -> list[Figure]:
    """100,000 states replaced: all at once as a flush does, and 300 at a time as checks come in."""
    path = place / "states.duckdb"
    store = Store.open(path, KEY)
    states = [
        TargetState(f"site:{number}", "aurora", TargetKind.SITE, State.OK, last_at=T0) for number in range(100_000)
    ]
    store.write(states).result()
    began = time.perf_counter()
    store.write(states).result()
    whole = (time.perf_counter() - began) * 1e3
    began = time.perf_counter()
    for number in range(30):
        store.write(states[number * 300 : number * 300 + 300])
        store.flush()
    some = (time.perf_counter() - began) / 30 * 1e3
    for number in range(20):
        store.write(states[number:] + states[:number]).result()
    store.close()
    return [
        Figure("states: all 100,000 replaced", whole, "ms"),
        Figure("states: 300 of 100,000 replaced", some, "ms"),
        Figure("states: file after 22 replacements", path.stat().st_size / 1e6, "MB"),
    ]


def _reads(place: Path) -> list[Figure]:
    store = Store.open(place / "observations.duckdb", KEY)
    rollups.run(store, T0 + timedelta(days=2))
    until = T0 + timedelta(minutes=5)
    last = _ms(lambda: observations.of_target(store, EVERYTHING, "site:aurora-00077"))
    strip = _ms(lambda: rollups.strip(store, EVERYTHING, "site:aurora-00077", T0, until, 60))
    strips = _ms(lambda: observations.buckets(store, EVERYTHING, T0, until, 60.0))
    store.close()
    connection = sqlite3.connect(place / "observations.sqlite")
    query = "SELECT * FROM observation WHERE target = 'site:aurora-00077' ORDER BY started_at DESC LIMIT 50"
    peer = _ms(lambda: connection.execute(query).fetchall())
    connection.close()
    return [
        Figure("read: last observations of one target", last, "ms", "sqlite3 by its index, rows only", peer),
        Figure("read: strip of one target", strip, "ms"),
        Figure("read: strips of 10,000 targets", strips, "ms"),
    ]


def _ms(read) -> float:
    read()
    took = []
    for _ in range(9):
        began = time.perf_counter()
        read()
        took.append((time.perf_counter() - began) * 1e3)
    return sorted(took)[4]


KILLED = """
import os, sys
from pathlib import Path
from data.store.store import Store
from tests.bench.bench_store import KEY, _observations
store = Store.open(Path(sys.argv[1]), KEY)
rows = _observations()[:20_000]
for start in range(0, 20_000, 1_000):
    store.write(rows[start:start + 1_000]).result()
os.kill(os.getpid(), 9)
"""


def _reopen(place: Path) -> list[Figure]:
    path = place / "killed.duckdb"
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, cwd=os.getcwd())  # noqa: PTH109  # where tests/ is
    journal = path.with_name(path.name + ".wal").stat().st_size
    began = time.perf_counter()
    store = Store.open(path, KEY)
    took = (time.perf_counter() - began) * 1e3
    note = f"journal {journal / 1e6:.1f} MB; {'; '.join(store.warnings) or 'nothing missing'}"
    store.close()
    return [Figure("open after kill -9", took, "ms", note=note)]
