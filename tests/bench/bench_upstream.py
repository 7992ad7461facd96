"""10,000 sites behind one dead edge among 100,000, looked at every 5 minutes: no network, an injected clock.

The peer of a finding's cost is the same finding without a census, grouped by the rules alone.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush
from random import Random

from checks.incidents.census import Census
from checks.incidents.desk import IncidentDesk
from checks.incidents.labels import labels_of
from checks.incidents.lifecycle import advance
from data.model.cause import cause
from data.model.ids import CauseId, TargetId, TeamId
from data.model.incident import Incident, IncidentState
from data.model.money import NO_LOSS
from data.model.observation import NO_CAUSE, Observation, TargetState
from data.model.state import State
from data.model.target import Target, TargetKind, target_id
from tests.bench.figure import Figure

TARGETS, BEHIND, INTERVAL_S = 100_000, 10_000, 300
NOON = datetime(2026, 11, 17, 11, 20, tzinfo=UTC)
DEAD_AT, END = NOON + timedelta(minutes=5), NOON + timedelta(minutes=17)
OWN_TROUBLE = 1 / 20_000
"""Of all looks, those at a site that has just broken by itself."""


@dataclass
class Run:
    """One outage from beginning to end; seconds are CPU's."""

    census: Census | None
    incidents: dict[int, Incident] = field(default_factory=dict)
    looks: int = 0
    findings: int = 0
    advance_s: float = 0.0
    census_s: float = 0.0
    desk_s: float = 0.0
    slowest_s: float = 0.0
    ticks: list[float] = field(default_factory=list)
    told_after_s: float = 0.0
    """Simulated seconds from the outage until one incident held nine of ten that were confirmed by then."""


def run() -> list[Figure]:
    tracemalloc.start()
    targets = _targets()
    before = tracemalloc.get_traced_memory()[0]
    census = Census()
    for target, traits in targets:
        census.put(target.id, labels_of(target, traits))
    size = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    gc.freeze()  # the collector would walk 100,000 states in the middle of a measurement
    found, bare = _outage(Run(census), targets), _outage(Run(None), targets)
    large = max(found.incidents.values(), key=lambda one: one.members)
    still = [one for one in found.incidents.values() if one.state is not IncidentState.CLOSED]
    return [
        Figure("census of 100,000 sites", size / 2**20, "MB"),
        Figure("an observation, census", found.census_s / found.looks * 1e6, "us", "life cycle", found.advance_s / found.looks * 1e6),
        Figure("a finding, desk", found.desk_s / found.findings * 1e6, "us", "rules alone", bare.desk_s / bare.findings * 1e6, f"{found.findings:,} findings; slowest {found.slowest_s * 1e3:.0f} ms, by rules {bare.slowest_s * 1e3:.0f} ms: the collector"),
        Figure("tick with all members in, slowest", max(found.ticks), "s", "rules alone", max(bare.ticks), "aim < 0.5 s"),
        Figure("one incident after", found.told_after_s, "s", note=f"aim <= {2 * INTERVAL_S} s; {large.upstream}: {large.members:,} members"),
        Figure("open incidents in the end", len(still), "", note=f"{len(found.incidents) - len(still)} merged; {len(still) - 1} sites on their own"),
    ]  # fmt: skip


def _targets() -> list[tuple[Target, dict[str, str]]]:
    dice, found = Random(5), []
    for at in range(TARGETS):
        name = f"s{at:06d}"
        target = Target(
            target_id(TargetKind.SITE, name), TargetKind.SITE, TeamId(f"t{at % 7}"), name,
            f"https://{name}.example/", geo=("DE", "NO", "BR", "PL")[at % 4],
        )  # fmt: skip
        edge = "Halyard Edge" if at < BEHIND else f"edge {dice.randrange(12)}"
        network = dice.randrange(800)
        traits = {
            "edge": edge,
            "pop": f"{edge} {dice.randrange(30)}",
            "ip": f"203.{network // 250}.{network % 250}.{dice.randrange(250)}",
            "network": f"203.{network // 250}.{network % 250}.0/24",
            "issuer": f"authority {dice.randrange(4)}",
            "ns": f"ns1.zone{dice.randrange(40)}.example ns2.zone{dice.randrange(40)}.example",
        }
        found.append((target, traits))
    return found


def _outage(one: Run, targets: list[tuple[Target, dict[str, str]]]) -> Run:
    dice, desk = Random(7), IncidentDesk(census=one.census)
    known = {target.id: target for target, _ in targets}
    states = {t.id: TargetState(t.id, t.team, t.kind, traits=traits) for t, traits in targets}
    due = [(NOON + timedelta(seconds=dice.random() * INTERVAL_S), t.id) for t, _ in targets]
    heapify(due)
    broken: set[TargetId] = set()
    next_tick = NOON + timedelta(minutes=2)
    while due and due[0][0] < END:
        at, target = heappop(due)
        if at >= next_tick:
            _tick(one, desk, next_tick)
            next_tick += timedelta(minutes=2)
        if dice.random() < OWN_TROUBLE:
            broken.add(target)
        dead = (int(target[6:]) < BEHIND and at >= DEAD_AT) or target in broken
        confirm_s = _look(one, desk, states, known[target], at, cause("tcp.timeout") if dead else NO_CAUSE)
        heappush(due, (at + timedelta(seconds=confirm_s or INTERVAL_S), target))
    return one


def _look(one: Run, desk: IncidentDesk, states: dict[TargetId, TargetState], target: Target, at: datetime, seen: CauseId) -> float | None:  # fmt: skip
    before = states[target.id]
    state = State.FAILING if seen else State.OK
    evidence = {} if seen else before.traits
    observation = Observation(target.id, target.team, target.kind, at, state, seen, evidence=evidence)
    t0 = time.process_time()
    step = advance(before, observation, target=target)
    t1 = time.process_time()
    if one.census is not None:
        if step.state.traits is not before.traits:
            one.census.put(target.id, labels_of(target, step.state.traits))
        one.census.saw(observation)
    t2 = time.process_time()
    states[target.id] = step.state
    one.looks, one.advance_s, one.census_s = one.looks + 1, one.advance_s + t1 - t0, one.census_s + t2 - t1
    for finding in (step.opened, step.revised):
        if finding:
            change = desk.open(finding, at)
            took = time.process_time() - t2
            one.findings, one.desk_s, one.slowest_s = one.findings + 1, one.desk_s + took, max(one.slowest_s, took)
            one.incidents |= {row.id: row for row in change.incidents}
            confirmed = one.findings
            if not one.told_after_s and any(row.members > max(10, confirmed * 0.9) for row in change.incidents):
                one.told_after_s = (at - DEAD_AT).total_seconds()
    return step.confirm_in_s


def _tick(one: Run, desk: IncidentDesk, now: datetime) -> None:
    start = time.process_time()
    for change in desk.tick(now, lambda *_: NO_LOSS):
        one.incidents |= {row.id: row for row in change.incidents}
    one.ticks.append(time.process_time() - start)
