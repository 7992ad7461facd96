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
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from checks.engine.budget import first_host, hosts_of, silence_s
from checks.engine.canary import CANARY, skew_of
from checks.engine.clock import Clock, SystemClock, clock_from
from checks.engine.wire import Batch, Configure, ProbeSettings, Work, frame, read_order
from checks.sites.edges import Edges
from checks.sites.hygiene.pagefacts import PageFacts
from checks.sites.hygiene.robots import RobotsFiles
from checks.sites.prober import Prober
from checks.sites.reading import Readings
from checks.sites.resolver import Resolver
from checks.sites.rulebook import Rulebook
from checks.sites.traits import NameServers
from checks.sites.transport import Transport, bundle_with
from checks.sites.vantages import proxies_of
from checks.sites.walk import Network
from data.model.cause import cause
from data.model.observation import Observation
from data.model.state import State
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from checks.sites.transport import Reply
    from checks.sites.url import Url
    from data.model.ids import TargetId
    from data.model.target import Check

log = logging.getLogger("checks.engine.probe")

BATCH_EVERY_S = 0.25
ALIVE_EVERY_S = 1.0
ASKS_FOR_SILENCE = frozenset({429, 503})
SILENT_HERE_S = 5.0
"""So long checks of a host that wants silence go back to the hub, which keeps the others from coming here."""
GRACE_S = 5.0
"""Real seconds that a check may take beyond twice its timeout (it may need a control walk) before it is given up."""


@dataclass(slots=True)
class _Caps:
    """Checks in flight per host, per edge provider and in all; who waits for a host or an edge holds no place of the whole."""

    per_host: int
    per_edge: int
    """0 is no limit."""
    overall: asyncio.Semaphore
    edge_of: dict[str, str]
    """The provider that stood before a host when it last answered."""
    _places: dict[str, asyncio.Semaphore] = field(default_factory=dict)
    _users: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def place(self, host: str) -> AsyncIterator[None]:
        """One place at the host, at its edge and of the whole, as soon as all three are free."""
        edge = self.edge_of.get(host, "") if self.per_edge else ""
        async with self._one("host", host, self.per_host):
            if edge:
                async with self._one("edge", edge, self.per_edge), self.overall:
                    yield
            else:
                async with self.overall:
                    yield

    @asynccontextmanager
    async def _one(self, kind: str, name: str, places: int) -> AsyncIterator[None]:
        key = f"{kind}:{name}"
        self._users[key] += 1
        try:
            async with self._places.setdefault(key, asyncio.Semaphore(places)):
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._places[key]


@dataclass(slots=True)
class _Visit:
    """What one check asked of whom; a contextvar carries it to where the requests are made."""

    requests: Counter[str] = field(default_factory=Counter)
    date: str = ""
    age: str = ""
    """Headers of the last answer."""
    retry_after: str = ""
    """Of the last 429 or 503."""

    def heard(self, url: Url, reply: Reply) -> None:
        self.requests[url.netloc] += 1
        self.date, self.age = _header(reply, b"date:"), _header(reply, b"age:")
        if reply.status in ASKS_FOR_SILENCE:
            self.retry_after = _header(reply, b"retry-after:")


_visit: ContextVar[_Visit] = ContextVar("visit")


@dataclass(slots=True)
class Probe:
    """Takes checks, gives observations; one event loop, one libcurl."""

    writer: asyncio.StreamWriter
    folder: Path
    """For the bundle of trusted certificates."""
    prober: Prober | None = None
    problem: str = "no settings have arrived"
    wall: Clock = field(default_factory=SystemClock)
    clock: Clock = field(default_factory=SystemClock)
    caps: _Caps | None = None
    done: list[Observation] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    """Of the checks that ended since the last batch."""
    returned: list[TargetId] = field(default_factory=list)
    silent: dict[str, float] = field(default_factory=dict)
    """Hosts that have just asked for silence, and until when (loop time) what already waits here goes back to the hub."""
    edge_of: dict[str, str] = field(default_factory=dict)
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
        self.caps = _Caps(network.per_host, network.per_edge, asyncio.Semaphore(network.in_flight), self.edge_of)
        try:
            extra, bundle = settings.ca_file, self.folder / f"ca-{self.generation}.pem"
            transport = Transport(ca_file=bundle_with(extra, bundle) if extra else "", user_agent=network.user_agent)
            resolver = Resolver(network.resolver, network.second_resolver)
        except (OSError, ValueError) as problem:
            self.prober, self.problem = None, f"the network settings cannot be used: {problem}"
            log.error("%s", self.problem)  # noqa: TRY400  # the sentence is all there is to say
            return
        transport.on_reply = _count
        reachable = Network(transport, resolver)
        hygiene = settings.hygiene
        self.prober = Prober(
            network=reachable,
            warn_days=hygiene.cert_warn_days if hygiene.certificates else (),
            facts=PageFacts(hygiene.seo, settings.links, RobotsFiles(reachable)),
            edges=Edges.of(settings.edges),
            readings=Readings(Rulebook.of(settings.rules)),
            brands=settings.brands,
            mobile_agent=network.mobile_agent,
            proxies=proxies_of(settings.vantages, network.canaries),
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
        if check.target.startswith(CANARY):  # a line of checks that hang must not keep us from learning why
            await self._run(check, prober, clock)
            return
        host = first_host(check.url)
        async with caps.place(host):
            if self.silent and self.silent.get(host, 0.0) > asyncio.get_running_loop().time():
                self.returned.append(check.target)
                return
            await self._run(check, prober, clock)

    async def _run(self, check: Check, prober: Prober, clock: Clock) -> None:
        visit, began = _Visit(), clock.now()
        _visit.set(visit)
        try:
            async with asyncio.timeout(2 * check.timeout_s + GRACE_S):
                observation = await prober.run(check)
        except Exception as problem:  # one broken check must not end the others; logged and told
            log.exception("check of %s broke", check.target)
            observation = _stalled(check, began, f"the check did not end: {type(problem).__name__}")
        self.done.append(self._learn(observation, visit))
        self.requests.update(visit.requests)
        visit.requests = self.requests  # what it asked for in the background may still be under way

    def _learn(self, observation: Observation, visit: _Visit) -> Observation:
        """Remember edges and wishes for silence by host, and tell what only canaries are asked for."""
        hosts = hosts_of(hop.url for hop in observation.hops)
        for host, hop in zip(hosts, observation.hops, strict=True):
            if hop.edge:
                self.edge_of[host] = sys.intern(hop.edge)
        asked = [host for host, hop in zip(hosts, observation.hops, strict=True) if hop.status in ASKS_FOR_SILENCE]
        if visit.retry_after and asked:
            wait_s = min(silence_s(visit.retry_after, self.wall.now()), SILENT_HERE_S)
            self.silent |= dict.fromkeys(asked, asyncio.get_running_loop().time() + wait_s)
            told = {"retry_after": clean_text(visit.retry_after, 40)}
            return replace(observation, evidence={**told, **observation.evidence})
        if observation.target.startswith(CANARY):
            skew_s = skew_of(visit.date, visit.age, self.wall.now())
            told = {} if skew_s is None else {"date": clean_text(visit.date, 40), "skew_s": str(skew_s)}
            return replace(observation, evidence={**observation.evidence, **told})
        return observation

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(BATCH_EVERY_S)
            if self.done or self.returned or loop.time() - last >= ALIVE_EVERY_S:
                last = loop.time()
                await self._send()

    async def _send(self) -> None:
        observations, self.done = tuple(self.done), []
        requests = dict(self.requests)
        self.requests.clear()
        returned, self.returned = tuple(self.returned), []
        oldest = next(iter(self.held), self.last_order + 1)
        self.seq += bool(observations)
        with suppress(ConnectionError):
            self.writer.write(frame(Batch(self.seq, observations, requests, returned, oldest)))
            await self.writer.drain()


def _stalled(check: Check, at: datetime, why: str) -> Observation:
    detail = clean_text(redact(why))
    return Observation(check.target, check.team, check.kind, at, State.UNKNOWN, cause("self.stalled"), detail)


def _count(url: Url, reply: Reply) -> None:
    visit = _visit.get(None)
    if visit is not None:
        visit.heard(url, reply)


def _header(reply: Reply, name: bytes) -> str:
    """The last value of a header; `name` in lower case with its colon."""
    found = (line[len(name) :] for line in reversed(reply.lines) if line[: len(name)].lower() == name)
    return next(found, b"").decode("latin-1").strip()


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
