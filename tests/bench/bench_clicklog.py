"""A backlog of the own click log, 1 GB: lines a second of processor time and memory, from the file to facts."""

from __future__ import annotations

import json
import random
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from checks.feeds import clicklog, loglines, preset, tail
from checks.feeds.adapt import adapt
from checks.feeds.clicklog import Registry, Slice
from data.config.settings import Feed
from data.model.ids import PartnerId, TeamId
from tests.bench.figure import Figure

NOW = datetime(2026, 11, 17, 12, tzinfo=UTC)
FEED = Feed("go", TeamId("aurora"), PartnerId("P01"), "clicklog")
LINES = 200_000
SIZE = 1_000_000_000
BOOK = Registry(
    {f"l{n}": Slice("aurora", f"P{n % 11:02}", "welcome", "DE", f"s{n % 300}") for n in range(1000)},
    {f"s{n}": (f"s{n}", "aurora") for n in range(300)},
    {},
    {},
)


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "go.log"
        figures = []
        for words, options, block, times in (
            ("JSON lines", {}, _json(), SIZE),
            ("combined", {"pattern": "combined"}, _combined(), SIZE // 8),
        ):
            lines = _write(log, block, times)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            took = _counted(log, options)
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
            peer = LINES / _plain(block) if not options else None
            size = f"{log.stat().st_size / 1e9:.2f} GB, {lines:,} lines"
            figures.append(
                Figure(f"click log, {words}", lines / took, "lines/s", "json.loads" if peer else "", peer, size)
            )
            figures.append(Figure(f"click log, {words}: memory beyond the block", grown, "MB", note=size))
        return figures


def _write(log: Path, block: bytes, size: int) -> int:
    count = max(size // len(block), 1)
    with log.open("wb") as out:
        for _ in range(count):
            out.write(block)
    return count * LINES


def _counted(log: Path, options: dict[str, str]) -> float:
    """Seconds of processor time, in stretches as the hub stores them."""
    found = adapt(preset.load("clicklog"), options)
    began = time.process_time()
    counting, size = None, 0
    for block in tail.blocks(log, tail.Place()):
        if counting is None or size >= 64 << 20:
            if counting:
                clicklog.facts(FEED, counting.tally.cells, NOW)
            counting = clicklog.Counting(loglines.reader(found), BOOK, "aurora", ZoneInfo("UTC"), NOW)
            size = 0
        counting.add(block.lines)
        size += len(block.lines)
    return time.process_time() - began


def _plain(block: bytes) -> float:
    """Seconds that it takes to decode the same lines and nothing else."""
    began = time.process_time()
    for line in block.splitlines():
        json.loads(line)
    return time.process_time() - began


def _moments() -> list[tuple[datetime, random.Random]]:
    dice = random.Random(7)
    return [(NOW - timedelta(seconds=86_400 * (1 - n / LINES)), dice) for n in range(LINES)]


def _json() -> bytes:
    return b"".join(
        json.dumps(
            {"ts": at.isoformat(), "click_id": f"{dice.getrandbits(96):x}", "site": f"s{dice.randrange(300)}",
             "placement": f"l{dice.randrange(1000)}", "geo": "DE", "device": "mobile", "status": 302,
             "target_host": "www.quillspin.example", "bot": False}
        ).encode() + b"\n"
        for at, dice in _moments()
    )  # fmt: skip


def _combined() -> bytes:
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
    return b"".join(
        f'198.51.100.7 - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /out/l{dice.randrange(1000)}?x=1 HTTP/1.1" 302 0 '
        f'"https://s{dice.randrange(300)}/" "{agent}"\n'.encode()
        for at, dice in _moments()
    )
