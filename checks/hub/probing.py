from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from checks.engine.budget import Budget, Demand, Line, first_host, hosts_of, silence_s
from checks.engine.canary import CANARY
from checks.engine.clock import Clock, SystemClock
from checks.engine.duequeue import DueQueue, phase_s
from checks.engine.pool import ProbePool
from checks.hub.canaries import Canaries
from checks.hub.vantages import VANTAGE, VantageWatch
from checks.sites.url import with_probe
from data.model.ids import TargetId
from data.model.state import State
from data.model.target import Check, TargetKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from checks.hub.board import Board
    from data.config.settings import Settings
    from data.model.ids import PartnerId
    from data.model.observation import Observation
    from data.model.target import Target

PROBED = frozenset({TargetKind.SITE, TargetKind.LINK})
FIRST_LOOK_S = 900.0
"""What was never seen is looked at within this time, however long its interval..."""
FIRST_PER_S = 100.0
"""...and sooner where that makes no herd: so many a real second."""
DISPATCH_EVERY_S = 0.05
DISPATCH_AT_ONCE = 2000
UNCONFIRMED_S = 120.0
"""A failure not yet confirmed is looked at again by then, whatever `Retry-After` says: it must not hide an hour of loss."""
_ASKS_FOR_SILENCE = frozenset({429, 503})


@dataclass(slots=True)
class Probing:
    """Sites and links: what is due goes to the probes as budgets allow, what comes back goes on once it can be believed."""

    settings: Settings
    board: Board
    clock: Clock
    count: int
    """Probe processes."""
    take: Callable[[Sequence[Observation]], Awaitable[object]]
    """Where observations go; the probes wait for it, so a slow store slows them instead of filling memory."""
    queue: DueQueue = field(default_factory=DueQueue)
    wall: Clock = field(default_factory=SystemClock)
    """What servers mean by a date."""
    pool: ProbePool = field(init=False)
    canaries: Canaries = field(init=False)
    vantages: VantageWatch = field(init=False)
    line: Line = field(init=False)
    demand: Demand = field(init=False)
    _marks: dict[PartnerId, str] = field(init=False)
    """What our clicks are told by, of the partners who agreed to a mark."""
    _granted: dict[TargetId, tuple[str, ...]] = field(default_factory=dict)
    """Requests spent in advance for a check that is under way, by host."""
    _giving: set[asyncio.Task[None]] = field(default_factory=set)
    _batches: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=120))
    """(monotonic seconds, observations) of the last batches."""

    def __post_init__(self) -> None:
        """Probes are made, not started."""
        self._marks = marks_of(self.settings)
        self.pool = ProbePool(
            self.settings, self.count, self._on_batch, on_requests=self._on_requests, on_returned=self._on_returned
        )
        self.canaries = Canaries(self.settings.network, self.board, self.clock, self.queue)
        self.vantages = VantageWatch(self.settings, self.board, self.clock, self.queue, lambda: self.canaries.ok)
        self.line = Line(Budget(self.settings.network.per_host_minute))
        self.demand = Demand(self.settings.network.per_host_minute)

    async def run(self) -> None:
        """Hand due checks to the probes, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            checks = self.ready(loop.time())
            if checks:
                await self.pool.submit(checks)
            self.canaries.tick(loop.time())
            self._give(self.canaries.released(loop.time()))
            await asyncio.sleep(DISPATCH_EVERY_S)

    def ready(self, now_s: float) -> list[Check]:
        """Checks to begin now: what has waited for its hosts, then what is due; `now_s` are monotonic real seconds."""
        now = self.clock.now()
        going = self.line.leave(now_s)
        going += [TargetId(key) for key in self.queue.due(now, DISPATCH_AT_ONCE) if self._may_go(TargetId(key), now_s)]
        checks = []
        for target_id in going:
            self.queue.begun(target_id, now)
            if check := self._check(target_id, now):
                checks.append(check)
        return checks

    def start(self, target: Target) -> None:
        """Watch a target from now on, or at its new interval; one that was never seen is looked at soon."""
        now = self.clock.now()
        self.demand.remove(target.id)
        self.queue.put(target.id, target.interval_s, now)
        if self.board.states[target.id].last_at is None:
            calm_s = len(self.board.targets) / FIRST_PER_S * self.clock.speed
            within_s = min(target.interval_s, FIRST_LOOK_S, calm_s)
            self.soon(target.id, now + timedelta(seconds=phase_s(target.id, within_s)))

    def stop(self, target_id: TargetId) -> None:
        self.queue.remove(target_id)
        self.line.forget(target_id)
        self.demand.remove(target_id)
        self._granted.pop(target_id, None)

    def soon(self, target_id: TargetId, at: datetime) -> None:
        """One extra check at that time."""
        self.queue.soon(target_id, at)

    def reconfigure(self, settings: Settings) -> None:
        """New network settings and canaries; targets are started and stopped one by one."""
        self.settings = settings
        self._marks = marks_of(settings)
        self.pool.reconfigure(settings)
        self.canaries.reconfigure(settings.network)
        self.vantages.reconfigure(settings)
        self.line.budget.per_minute = settings.network.per_host_minute
        self.demand.allow(settings.network.per_host_minute)

    def rewrite(self, observation: Observation) -> Observation:
        """What an observation is worth while we may be the ones who fail."""
        return self.vantages.rewrite(self.canaries.rewrite(observation))

    # ── how we are ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def network_ok(self) -> bool:
        return self.canaries.ok

    @property
    def problems(self) -> list[str]:
        """What keeps us from seeing, or from looking as often as we should."""
        busy = self.demand.too_much()
        more = f" (and {len(busy) - 1} more hosts)" if len(busy) > 1 else ""
        budget = [f"{host}: {n:,.0f} checks/min wanted, {self.demand.allowed:,} allowed{more}" for host, n in busy[:1]]
        return [problem for problem in (self.canaries.problem, self.vantages.problem, *budget) if problem]

    @property
    def late(self) -> int:
        """Checks of the last hour that began more than one interval late, or not at all."""
        return self.queue.lateness.runs(self.clock.now())

    @property
    def late_s(self) -> float:
        """The longest that a check of the last hour began behind its time, seconds of the hub's clock."""
        return round(self.queue.lateness.longest_s(self.clock.now()), 1)

    @property
    def checks_per_s(self) -> float:
        """Of the last batches, in real time."""
        if len(self._batches) < 2:
            return 0.0
        span = asyncio.get_running_loop().time() - self._batches[0][0]
        return round(sum(n for _, n in self._batches) / span, 1) if span > 0 else 0.0

    # ── what goes out ────────────────────────────────────────────────────────────────────────────────────────────

    def _may_go(self, target_id: TargetId, now_s: float) -> bool:
        if target_id.startswith(CANARY):
            return True
        target = self.board.targets.get(target_id)
        if target is None or target.paused:
            self.queue.remove(target_id)
            return False
        hosts = self.demand.hosts(target_id)
        if not hosts:
            hosts = (first_host(target.url),)
            self._wants(target, hosts)
        self._granted[target_id] = hosts
        if self.line.enter(target_id, hosts, now_s):
            return True
        self.queue.waits(target_id, excused=self.line.waits_for_silence(target_id))
        return False

    def _check(self, target_id: TargetId, now: datetime) -> Check | None:
        if target_id.startswith(VANTAGE):
            return self.vantages.check(target_id)
        if target_id.startswith(CANARY):
            return self.canaries.check(target_id)
        target = self.board.targets.get(target_id)
        if target is None or target.paused:
            self.queue.remove(target_id)
            return None
        self.board.next_at[target_id] = now + timedelta(seconds=target.interval_s)
        mark = self._marks.get(target.partner, "")
        return Check(
            target=target.id,
            team=target.team,
            kind=target.kind,
            url=with_probe(target.url, mark) if mark and target.kind is TargetKind.LINK else target.url,
            timeout_s=target.timeout_s,
            expect=target.expect,
            geo=target.geo,
            origin=target.origin,
            device=target.device,
            depth=target.depth,
            partner=target.partner,
        )

    def _wants(self, target: Target, hosts: tuple[str, ...]) -> None:
        self.demand.put(target.id, hosts, 60.0 / target.interval_s * self.clock.speed)

    # ── what comes back ──────────────────────────────────────────────────────────────────────────────────────────

    async def _on_batch(self, _worker: str, _seq: int, observations: Sequence[Observation]) -> None:
        now_s = asyncio.get_running_loop().time()
        believed: list[Observation] = []
        for observation in observations:
            if observation.target.startswith(CANARY):
                (self.vantages if observation.target.startswith(VANTAGE) else self.canaries).observe(observation)
                self.queue.done(observation.target, self.clock.now())
                continue
            heard = self._heard(observation, now_s)
            if not self.canaries.hold(heard, now_s):
                believed.append(heard)
        self._batches.append((now_s, len(observations)))
        await self._done(believed + self.canaries.released(now_s))

    def _give(self, observations: Sequence[Observation]) -> None:
        """Hand on without waiting: the dispatcher must not stand still with the store."""
        if observations:
            giving = asyncio.create_task(self._done(observations))
            self._giving.add(giving)
            giving.add_done_callback(self._giving.discard)

    async def _done(self, observations: Sequence[Observation]) -> None:
        now = self.clock.now()
        for observation in observations:
            self.queue.done(observation.target, now)
        await self.take(observations)

    def _heard(self, observation: Observation, now_s: float) -> Observation:
        """Settle what it cost its hosts, learn its chain and any wish for silence."""
        self._refund(observation.target, now_s)
        target = self.board.targets.get(observation.target)
        if target is None or not observation.hops:
            return observation
        hosts = hosts_of(hop.url for hop in observation.hops)
        if observation.state in {State.OK, State.DEGRADED} or len(hosts) > len(self.demand.hosts(target.id)):
            self._wants(target, hosts)
        wait_s = silence_s(observation.evidence.get("retry_after", ""), self.wall.now())
        asking = [host for host, hop in zip(hosts, observation.hops, strict=True) if hop.status in _ASKS_FOR_SILENCE]
        if not wait_s or not asking:
            return observation
        if observation.state is State.FAILING and self.board.states[target.id].state is not State.FAILING:
            wait_s = min(wait_s, UNCONFIRMED_S)
        for host in asking:
            for waiting in self.line.silence(host, now_s + wait_s):
                self.queue.waits(waiting, excused=True)
        until = self.clock.now() + timedelta(seconds=wait_s * self.clock.speed)
        return replace(observation, evidence={**observation.evidence, "quiet_until": f"{until:%Y-%m-%dT%H:%M:%SZ}"})

    def _refund(self, target_id: TargetId, now_s: float) -> None:
        for host in self._granted.pop(target_id, ()):
            self.line.budget.spend(host, -1, now_s)

    def _on_requests(self, counts: dict[str, int]) -> None:
        now_s = asyncio.get_running_loop().time()
        for host, requests in counts.items():
            self.line.budget.spend(host, requests, now_s)

    def _on_returned(self, checks: Sequence[Check]) -> None:
        """Their host wants silence: they are due anew, and wait in its line with all others that would ask it."""
        now, now_s = self.clock.now(), asyncio.get_running_loop().time()
        for check in checks:
            self._refund(check.target, now_s)
            self.queue.done(check.target, now)
            self.queue.soon(check.target, now)


def marks_of(settings: Settings) -> dict[PartnerId, str]:
    return {partner.id: partner.probe for partner in settings.partners if partner.probe}
