"""`python -m checks.engine.probe`: a child of the hub that carries out site and link checks until its stdin closes."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from checks.engine.clock import Clock, SystemClock, clock_from
from checks.engine.wire import Batch, Configure, ProbeSettings, Work, frame, read_order
from checks.sites.edges import Edges
from checks.sites.prober import Prober, proxies_of
from checks.sites.resolver import Resolver
from checks.sites.traits import NameServers
from checks.sites.transport import Transport, bundle_with
from checks.sites.walk import Network
from data.model.cause import cause
from data.model.observation import Observation
from data.model.state import State
from data.text import clean_text, redact

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.target import Check

log = logging.getLogger("checks.engine.probe")

BATCH_EVERY_S = 0.25
ALIVE_EVERY_S = 1.0
GRACE_S = 5.0
"""Real seconds that a check may take beyond twice its timeout (it may need a control walk) before it is given up."""


@dataclass(slots=True)
class _Caps:
    """Checks in flight per host and in all; a host that waits holds no place of the whole."""

    per_host: int
    overall: asyncio.Semaphore
    _hosts: dict[str, asyncio.Semaphore] = field(default_factory=dict)
    _users: Counter[str] = field(default_factory=Counter)

    def host(self, name: str) -> asyncio.Semaphore:
        self._users[name] += 1
        return self._hosts.setdefault(name, asyncio.Semaphore(self.per_host))

    def leave(self, name: str) -> None:
        self._users[name] -= 1
        if not self._users[name]:
            del self._users[name], self._hosts[name]


@dataclass(slots=True)
class Probe:
    """Takes checks, gives observations; one event loop, one libcurl."""

    writer: asyncio.StreamWriter
    folder: Path
    """For the bundle of trusted certificates."""
    prober: Prober | None = None
    problem: str = "no settings have arrived"
    clock: Clock = field(default_factory=SystemClock)
    caps: _Caps | None = None
    done: list[Observation] = field(default_factory=list)
    seq: int = 0
    generation: int = 0
    held: dict[int, int] = field(default_factory=dict)
    """Checks not yet answered of each order, the oldest first."""
    last_order: int = 0
    running: set[asyncio.Task[None]] = field(default_factory=set)
    retiring: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Until the hub closes the pipe; what is finished by then is still handed over."""
        beat = asyncio.create_task(self._beat())
        while (order := await read_order(reader)) is not None:
            if isinstance(order, Configure):
                self._configure(order.settings)
            elif isinstance(order, Work):
                self._take_up(order)
        beat.cancel()
        for task in tuple(self.running):
            task.cancel()
        await asyncio.gather(beat, *self.running, return_exceptions=True)
        await self._send()

    def _take_up(self, work: Work) -> None:
        self.last_order = work.order
        if work.checks:
            self.held[work.order] = len(work.checks)
        for check in work.checks:
            task = asyncio.create_task(self._carry_out(check))
            self.running.add(task)
            task.add_done_callback(partial(self._let_go, work.order))

    def _let_go(self, order: int, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        self.held[order] -= 1
        if not self.held[order]:
            del self.held[order]

    def _configure(self, settings: ProbeSettings) -> None:
        """Checks under way end on the old network, which is closed after the last of them; new ones use the new.

        Settings that cannot work turn every check `unknown` and say why: a probe that died of them would only be restarted.
        """
        if self.prober is not None:
            self._retire(self.prober)
        self.generation += 1
        network = settings.network
        self.clock = clock_from(settings)
        self.caps = _Caps(network.per_host, asyncio.Semaphore(network.in_flight))
        try:
            extra, bundle = settings.ca_file, self.folder / f"ca-{self.generation}.pem"
            transport = Transport(ca_file=bundle_with(extra, bundle) if extra else "", user_agent=network.user_agent)
            resolver = Resolver(network.resolver, network.second_resolver)
        except (OSError, ValueError) as problem:
            self.prober, self.problem = None, f"the network settings cannot be used: {problem}"
            log.error("%s", self.problem)  # noqa: TRY400  # the sentence is all there is to say
            return
        self.prober = Prober(
            network=Network(transport, resolver),
            edges=Edges.of(settings.edges),
            proxies=proxies_of(settings.vantages),
            clock=self.clock,
            wall=SystemClock(),
            zones=NameServers(resolver),
        )

    def _retire(self, prober: Prober) -> None:
        async def close_after(checks: set[asyncio.Task[None]]) -> None:
            await asyncio.gather(*checks, return_exceptions=True)
            prober.close()

        task = asyncio.create_task(close_after(set(self.running)))
        self.retiring.add(task)
        task.add_done_callback(self.retiring.discard)

    async def _carry_out(self, check: Check) -> None:
        prober, caps, clock = self.prober, self.caps, self.clock
        if prober is None or caps is None:
            self.done.append(_stalled(check, clock.now(), self.problem))
            return
        host = _host_of(check.url)
        try:
            async with caps.host(host), caps.overall:
                began = clock.now()
                try:
                    async with asyncio.timeout(2 * check.timeout_s + GRACE_S):
                        observation = await prober.run(check)
                except Exception as problem:  # one broken check must not end the others; logged and told
                    log.exception("check of %s broke", check.target)
                    observation = _stalled(check, began, f"the check did not end: {type(problem).__name__}")
                self.done.append(observation)
        finally:
            caps.leave(host)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(BATCH_EVERY_S)
            if self.done or loop.time() - last >= ALIVE_EVERY_S:
                last = loop.time()
                await self._send()

    async def _send(self) -> None:
        observations, self.done = tuple(self.done), []
        self.seq += bool(observations)
        with suppress(ConnectionError):
            self.writer.write(frame(Batch(self.seq, observations, next(iter(self.held), self.last_order + 1))))
            await self.writer.drain()


def _stalled(check: Check, at: datetime, why: str) -> Observation:
    detail = clean_text(redact(why))
    return Observation(check.target, check.team, check.kind, at, State.UNKNOWN, cause("self.stalled"), detail)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


async def main() -> None:
    loop = asyncio.get_running_loop()
    private = os.dup(1)
    os.dup2(2, 1)  # a stray print anywhere must not break the framing
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(private, "wb", 0))
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    with tempfile.TemporaryDirectory(prefix="losswatch-probe-") as folder:
        await Probe(writer, Path(folder)).serve(reader)


if __name__ == "__main__":
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C in the hub's terminal: the hub closes our stdin when it is ready
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s probe %(levelname)s %(message)s")
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)  # checks make few cycles; the thousands that wait are not walked over all the time
    asyncio.run(main())
