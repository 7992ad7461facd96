from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from checks.engine.canary import Quorum, reached
from checks.engine.duequeue import DueQueue, phase_s
from checks.engine.pool import ProbePool
from data.model.ids import TargetId, TeamId
from data.model.target import Check, Expect, TargetKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from checks.engine.clock import Clock
    from checks.hub.board import Board
    from data.config.settings import Settings
    from data.model.observation import Observation
    from data.model.target import Target

PROBED = frozenset({TargetKind.SITE, TargetKind.LINK})
CANARY = "canary:"
CANARY_EVERY_S = 30.0
"""Real seconds: our own network does not run on simulated time."""
CANARY_TIMEOUT_S = 10.0
FIRST_LOOK_S = 900.0
"""What was never seen is looked at within this time, however long its interval..."""
FIRST_PER_S = 100.0
"""...and sooner where that makes no herd: so many a real second."""
DISPATCH_EVERY_S = 0.05
DISPATCH_AT_ONCE = 2000


@dataclass(slots=True)
class Probing:
    """Sites and links: what is due goes to the probes, what comes back goes on, canaries say whether we see at all."""

    settings: Settings
    board: Board
    clock: Clock
    count: int
    """Probe processes."""
    take: Callable[[Sequence[Observation]], Awaitable[object]]
    """Where observations go; the probes wait for it, so a slow store slows them instead of filling memory."""
    queue: DueQueue = field(default_factory=DueQueue)
    pool: ProbePool = field(init=False)
    quorum: Quorum = field(init=False)
    _batches: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=120))
    """(monotonic seconds, observations) of the last batches."""

    def __post_init__(self) -> None:
        """Probes are made, not started."""
        self.pool = ProbePool(self.settings, self.count, self._on_batch)
        self._watch_canaries()

    async def run(self) -> None:
        """Hand due checks to the probes, for ever."""
        while True:
            now = self.clock.now()
            due = self.queue.due(now, DISPATCH_AT_ONCE)
            checks = [check for key in due if (check := self._check(TargetId(key), now))]
            if checks:
                await self.pool.submit(checks)
            await asyncio.sleep(DISPATCH_EVERY_S)

    def start(self, target: Target) -> None:
        """Watch a target from now on, or at its new interval; one that was never seen is looked at soon."""
        now = self.clock.now()
        self.queue.put(target.id, target.interval_s, now)
        if self.board.states[target.id].last_at is None:
            calm_s = len(self.board.targets) / FIRST_PER_S * self.clock.speed
            within_s = min(target.interval_s, FIRST_LOOK_S, calm_s)
            self.soon(target.id, now + timedelta(seconds=phase_s(target.id, within_s)))

    def stop(self, target_id: TargetId) -> None:
        self.queue.remove(target_id)

    def soon(self, target_id: TargetId, at: datetime) -> None:
        """One extra check at that time."""
        self.queue.soon(target_id, at)

    def reconfigure(self, settings: Settings) -> None:
        """New network settings and canaries; targets are started and stopped one by one."""
        for number in range(len(self.settings.network.canaries)):
            self.queue.remove(f"{CANARY}{number}")
        self.settings = settings
        self.pool.reconfigure(settings)
        self._watch_canaries()

    def rewrite(self, observation: Observation) -> Observation:
        """What an observation is worth while our own network may be down."""
        return self.quorum.rewrite(observation, self.clock.now())

    @property
    def network_ok(self) -> bool:
        return self.quorum.network_ok(self.clock.now())

    @property
    def checks_per_s(self) -> float:
        """Of the last batches, in real time."""
        if len(self._batches) < 2:
            return 0.0
        span = asyncio.get_running_loop().time() - self._batches[0][0]
        return round(sum(n for _, n in self._batches) / span, 1) if span > 0 else 0.0

    def _watch_canaries(self) -> None:
        canaries = self.settings.network.canaries
        self.quorum = Quorum(len(canaries))
        for number in range(len(canaries)):
            self.queue.put(f"{CANARY}{number}", CANARY_EVERY_S * self.clock.speed, self.clock.now())

    def _check(self, target_id: TargetId, now: datetime) -> Check | None:
        if target_id.startswith(CANARY):
            url = self.settings.network.canaries[int(target_id.removeprefix(CANARY))]
            return Check(target_id, TeamId(""), TargetKind.SITE, url, CANARY_TIMEOUT_S, Expect())
        target = self.board.targets.get(target_id)
        if target is None or target.paused:
            self.queue.remove(target_id)
            return None
        self.board.next_at[target_id] = now + timedelta(seconds=target.interval_s)
        return Check(target.id, target.team, target.kind, target.url, target.timeout_s, target.expect, target.geo)

    async def _on_batch(self, _worker: str, _seq: int, observations: Sequence[Observation]) -> None:
        now = self.clock.now()
        ours: list[Observation] = []
        for observation in observations:
            self.queue.done(observation.target, now)
            if observation.target.startswith(CANARY):
                self.quorum.observe(observation.target, ok=reached(observation), at=now)
            else:
                ours.append(observation)
        self._batches.append((asyncio.get_running_loop().time(), len(ours)))
        await self.take(ours)
