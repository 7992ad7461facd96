"""The desk alone: 5,000 findings in a minute, an incident of 100,000 members, and 100,000 that share nothing.

CPU seconds of one core; no store, no network, an injected clock. `python -m tests.bench incidents` runs all of it in some minutes,
`python -m tests.bench incidents --members=20000` a smaller one.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from checks.incidents.census import Census, Mark, slot_of
from checks.incidents.desk import IncidentDesk
from checks.incidents.explain import plans_of, statements
from checks.incidents.labels import labels_of
from data.model.cause import cause
from data.model.ids import FindingId, TeamId
from data.model.incident import Finding
from data.model.money import NO_LOSS
from data.model.target import Target, TargetKind, target_id
from tests.bench.figure import Figure

Traits = Callable[[int], dict[str, str]]
MEMBERS, BURST = 100_000, 5_000
NOON = datetime(2026, 11, 17, 11, 20, tzinfo=UTC)
WORLDS: dict[str, Traits] = {
    "one edge": lambda number: {"edge": "Halyard Edge"},
    "nothing shared": lambda number: {},
    "20 a host": lambda number: {"tracker": f"go{number // 20}.example"},
}


def run(options: list[str] | None = None) -> list[Figure]:
    given = next((one for one in options or () if one.startswith("--members=")), "")
    members = int(given.partition("=")[2] or MEMBERS)
    figures = []
    for name, traits in WORLDS.items():
        figures += _burst(name, min(BURST, members), traits)
        figures += _flood(name, members, traits)
    return figures


def _burst(name: str, count: int, traits: Traits) -> list[Figure]:
    """So many findings within a minute, then a tick."""
    desk, findings = _world(count, traits)
    took = _opened(desk, findings)
    return [
        Figure(f"{name}: {count:,} findings in a minute, p95 of one", took[int(len(took) * 0.95)] * 1e3, "ms"),
        Figure(f"{name}: the slowest of them", took[-1] * 1e3, "ms"),
        Figure(f"{name}: all of them", sum(took), "s"),
    ]


def _flood(name: str, count: int, traits: Traits) -> list[Figure]:
    """So many that fail at once; the tick after it; what its screen needs; and all of them recovering."""
    gc.collect()
    desk, findings = _world(count, traits)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for finding in findings[: count // 10]:
        desk.open(finding, finding.detected_at)
    size = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    desk, findings = _world(count, traits)
    took = _opened(desk, findings)
    now = NOON + timedelta(minutes=2)
    ticked = _timed(lambda: desk.tick(now, lambda *_: NO_LOSS))
    largest = max(desk.open_incidents, key=lambda one: one.members)

    def detail() -> object:
        return statements(largest, desk.members(largest.id)), plans_of(largest)

    incidents = len(desk.open_incidents)
    shown = min(_timed(detail) for _ in range(3))
    closed = sorted(_timed(partial(desk.close, one.id, now)) for one in findings)
    return [
        Figure(f"{name}: {count:,} at once, all of them", sum(took), "s"),
        Figure(f"{name}: incidents of them", incidents, ""),
        Figure(f"{name}: p95 of one", took[int(len(took) * 0.95)] * 1e3, "ms"),
        Figure(f"{name}: a tick over them", ticked * 1e3, "ms"),
        Figure(f"{name}: largest incident, its words for the screen", shown * 1e3, "ms"),
        Figure(f"{name}: memory a finding", size / max(count // 10, 1), "B"),
        Figure(f"{name}: all recovering", sum(closed), "s"),
    ]


def _world(count: int, traits: Traits) -> tuple[IncidentDesk, list[Finding]]:
    census, findings = Census(), []
    why = cause("edge.error")
    for number in range(count):
        name = f"s{number:06d}"
        target = Target(
            target_id(TargetKind.SITE, name),
            TargetKind.SITE,
            TeamId(f"t{number % 4}"),
            name,
            f"https://{name}.example/",
        )
        census.put(target.id, labels_of(target, traits(number)), Mark(failed=slot_of(NOON), cause=why))
        at = NOON + timedelta(seconds=60 * number / count)
        labels = {"host": f"{name}.example", "site": name} | traits(number)
        findings.append(
            Finding(
                FindingId(f"{target.id}@{at.isoformat()}"),
                target.id,
                target.team,
                target.kind,
                why,
                at,
                at + timedelta(seconds=30),
                "seen",
                f"{name}.example",
                labels,
            )
        )
    return IncidentDesk(census=census), findings


def _opened(desk: IncidentDesk, findings: list[Finding]) -> list[float]:
    return sorted(_timed(partial(desk.open, one, one.detected_at)) for one in findings)


def _timed(what: Callable[[], object]) -> float:
    began = time.process_time()
    what()
    return time.process_time() - began
