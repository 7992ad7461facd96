"""The hub's probe processes: work spread by host, the dead and the hanging replaced, their checks handed out again."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sys
import zlib
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import checks
from checks.engine.clock import Clock, clock_from
from checks.engine.wire import Batch, Configure, ProbeSettings, Work, frame, read_batch
from data.model.cause import cause
from data.model.observation import Observation
from data.model.state import State
from data.model.target import Check

if TYPE_CHECKING:
    from data.config.settings import Settings
    from data.model.ids import TargetId

log = logging.getLogger(__name__)

OnBatch = Callable[[str, int, tuple[Observation, ...]], Awaitable[None]]
"""(worker, seq, observations): a worker is one life of one probe; its batches are numbered without gaps from 1."""

OnRequests = Callable[[dict[str, int]], None]
"""How often each host was asked, told before the observations that say why."""
OnReturned = Callable[[list[Check]], None]
"""Checks that were not begun: their host wants silence, as an observation told before."""

SILENCE_S = 10.0
"""A probe says that it lives every second; one that is silent for so long hangs and is killed."""
STOP_S = 3.0
ATTEMPTS = 3
"""Probes that a check may see die before it is given up as `self.stalled`."""
_BACKOFF_S = (0.0, 0.2, 1.0, 5.0)


@dataclass(slots=True)
class _Slot:
    """One place for a probe; whoever fills it takes over the checks that are open."""

    number: int
    open: dict[TargetId, tuple[int, Check]] = field(default_factory=dict)
    """Every check not yet answered and the order it went out with, the oldest first."""
    attempts: dict[TargetId, int] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    quick_deaths: int = 0
    orders: int = 0

    def hand_out(self, checks: Iterable[Check]) -> None:
        """As one order. Its number tells later whether the probe still has a check."""
        self.orders += 1
        work = Work(tuple(checks), self.orders)
        for check in work.checks:
            self.open.pop(check.target, None)
            self.open[check.target] = (self.orders, check)
        self.send(work)

    def lost(self, oldest: int) -> tuple[TargetId, ...]:
        """Checks still open of orders before `oldest`, which the probe has done with."""
        return tuple(target for target, _ in takewhile(lambda item: item[1][0] < oldest, self.open.items()))

    def send(self, message: Configure | Work) -> None:
        if self.process is not None and self.process.stdin is not None and not self.process.stdin.is_closing():
            self.process.stdin.write(frame(message))


class ProbePool:
    """`count` probe processes behind one door. Times are real seconds: the network does not accelerate."""

    def __init__(
        self,
        settings: Settings,
        count: int,
        on_batch: OnBatch,
        *,
        on_requests: OnRequests = lambda _counts: None,
        on_returned: OnReturned = lambda _checks: None,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.count = max(count, 1)
        self.restarts = 0
        """Probes that died or were killed and have been replaced."""
        self._settings = ProbeSettings.of(settings)
        self._on_batch, self._silence_s = on_batch, silence_s
        self._on_requests, self._on_returned = on_requests, on_returned
        self._clock: Clock = clock_from(settings)
        self._slots = [_Slot(number) for number in range(self.count)]
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    @property
    def in_flight(self) -> int:
        """Checks submitted and not yet answered."""
        return sum(len(slot.open) for slot in self._slots)

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the probes that live now."""
        living = (slot.process for slot in self._slots)
        return tuple(process.pid for process in living if process is not None and process.returncode is None)

    async def start(self) -> None:
        """Start every probe; returns once all of them have their settings."""
        await asyncio.gather(*(self._spawn(slot) for slot in self._slots))
        self._keepers = [asyncio.create_task(self._keep(slot), name=f"probe-{slot.number}") for slot in self._slots]

    async def submit(self, checks: Iterable[Check]) -> None:
        """Hand checks out; a host always goes to the same probe, so that its cap holds. Never waits."""
        portions: dict[int, list[Check]] = {}
        for check in checks:
            portions.setdefault(_place(check.url, self.count), []).append(check)
        for number, portion in portions.items():
            self._slots[number].hand_out(portion)

    def reconfigure(self, settings: Settings) -> None:
        """New settings for every check from now on; the number of probes stays."""
        self._settings, self._clock = ProbeSettings.of(settings), clock_from(settings)
        for slot in self._slots:
            slot.send(Configure(self._settings))

    async def stop(self) -> None:
        """Let the probes hand over what is finished, then end them; open checks are dropped."""
        self._stopping.set()
        for slot in self._slots:
            if slot.process is not None and slot.process.stdin is not None:
                slot.process.stdin.close()
        if self._keepers:
            _, late = await asyncio.wait(self._keepers, timeout=STOP_S)
            for keeper in late:
                keeper.cancel()
        for slot in self._slots:
            await _end(slot.process)

    async def _spawn(self, slot: _Slot) -> None:
        root = str(Path(checks.__file__).parents[1])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
        slot.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "checks.engine.probe",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
        slot.send(Configure(self._settings))
        if slot.open:
            slot.hand_out([check for _, check in slot.open.values()])

    async def _keep(self, slot: _Slot) -> None:
        """Listen to the probe of a slot for ever; when it is gone, give up poisonous checks and start the next."""
        loop = asyncio.get_running_loop()
        while True:
            born = loop.time()
            await self._listen(slot)
            await _end(slot.process)
            if self._stopping.is_set():
                return
            self.restarts += 1
            slot.quick_deaths = slot.quick_deaths + 1 if loop.time() - born < 30.0 else 0
            log.warning("probe %d is gone, %d checks go to the next", slot.number, len(slot.open))
            await self._give_up_poison(slot)
            await asyncio.sleep(_BACKOFF_S[min(slot.quick_deaths, len(_BACKOFF_S) - 1)])
            if self._stopping.is_set():
                return
            await self._spawn(slot)

    async def _listen(self, slot: _Slot) -> None:
        worker = f"probe-{slot.number}-{secrets.token_hex(4)}"
        process = slot.process
        assert process is not None
        assert process.stdout is not None
        while True:
            try:
                async with asyncio.timeout(self._silence_s):
                    batch = await read_batch(process.stdout)
            except TimeoutError:
                log.warning("probe %d is silent for %.0f s and is killed", slot.number, self._silence_s)
                return
            except ValueError:
                log.exception("probe %d speaks nonsense and is killed", slot.number)
                return
            if batch is None:
                return
            await self._take(slot, worker, batch)

    async def _take(self, slot: _Slot, worker: str, batch: Batch) -> None:
        """Hand over what the probe has finished, and give up what it has lost: no check stays open for ever."""
        for observation in batch.observations:
            slot.open.pop(observation.target, None)
            slot.attempts.pop(observation.target, None)
        returned = [slot.open.pop(target)[1] for target in batch.returned if target in slot.open]
        lost = [slot.open.pop(target)[1] for target in slot.lost(batch.oldest)]
        if batch.requests:
            self._on_requests(batch.requests)
        if batch.observations:
            await self._hand_over(worker, batch.seq, batch.observations)
        if returned:
            self._on_returned(returned)
        if lost and not self._stopping.is_set():  # a probe that is told to leave drops what is open
            log.error("probe %d has lost %d checks", slot.number, len(lost))
            await self._give_up(slot, lost, "the check was given up: its probe never answered it")

    async def _hand_over(self, worker: str, seq: int, observations: tuple[Observation, ...]) -> None:
        try:
            await self._on_batch(worker, seq, observations)
        except Exception:  # a raising listener must not end the probes; it is logged
            log.exception("batch %d of %s was not taken", seq, worker)

    async def _give_up_poison(self, slot: _Slot) -> None:
        """A check that was open while several probes died may be what kills them."""
        for target in slot.open:
            slot.attempts[target] = slot.attempts.get(target, 0) + 1
        poisonous = [target for target, count in slot.attempts.items() if count >= ATTEMPTS and target in slot.open]
        lost = [slot.open.pop(target)[1] for target in poisonous]
        if lost:
            await self._give_up(slot, lost, f"the check was given up: {ATTEMPTS} probes ended while it was open")

    async def _give_up(self, slot: _Slot, lost: list[Check], why: str) -> None:
        for check in lost:
            slot.attempts.pop(check.target, None)
        stalled = tuple(self._stalled(check, why) for check in lost)
        await self._hand_over(f"pool-{slot.number}-{secrets.token_hex(4)}", 1, stalled)

    def _stalled(self, check: Check, why: str) -> Observation:
        now = self._clock.now()
        return Observation(check.target, check.team, check.kind, now, State.UNKNOWN, cause("self.stalled"), why)


def _place(url: str, count: int) -> int:
    try:
        host = urlsplit(url).hostname or url
    except ValueError:
        host = url
    return zlib.crc32(host.encode("utf-8", "surrogatepass")) % count


async def _end(process: asyncio.subprocess.Process | None) -> None:
    if process is None:
        return
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    await process.wait()
