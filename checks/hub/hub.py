"""The hub: owns the store, decides what is checked when, concludes, and serves everybody who looks."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import uvicorn
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from checks.engine.clock import Clock, clock_from
from checks.engine.duequeue import phase_s
from checks.hub.board import Board
from checks.hub.commands import Commands
from checks.hub.configuration import Configuration
from checks.hub.details import Details
from checks.hub.disputes import Disputes
from checks.hub.domains import Domains
from checks.hub.door import Door
from checks.hub.figures_to_facts import FiguresToFacts
from checks.hub.fusion import Fusion
from checks.hub.housekeeping import Housekeeping
from checks.hub.http import client_for
from checks.hub.hygiene import HygieneRoom
from checks.hub.intake import Intake
from checks.hub.keeping import Keeping
from checks.hub.listen import PeerProtocol
from checks.hub.maintenance import Windows
from checks.hub.notifier import Notifier
from checks.hub.past import Past
from checks.hub.plans import Plans
from checks.hub.postback_ingest import Postbacks
from checks.hub.pricing import Pricing
from checks.hub.probing import PROBED, Probing
from checks.hub.pulls import Pulls
from checks.hub.ranks import RankRoom
from checks.hub.recent import Recent
from checks.hub.revenue import Revenue
from checks.hub.runs import Runs
from checks.hub.server import application
from checks.hub.shared_book import SharedBook
from checks.hub.spool import Pushed, Spool
from checks.hub.stream import Stream
from checks.hub.taps import Taps
from checks.hub.views import VERSION, Views
from checks.incidents.desk import IncidentDesk
from data.model.health import HubHealth
from data.model.principal import EVERYTHING
from data.model.state import State
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checks.hub.listen import Listener
    from data.config.diff import Difference
    from data.config.home import Home
    from data.config.settings import Settings
    from data.config.watch import Stamp
    from data.model.ids import TargetId
    from data.model.principal import Principal
    from data.model.target import Target
    from data.secrets import Secrets
    from data.store.store import Store

log = logging.getLogger(__name__)

_LEAVE_S = 10.0
"""A room that has not ended by then is left as it is."""

AT_ONCE_S = 0.02
"""So long targets are put in force before others have their turn..."""
LOOK_EVERY = 50
"""...which is looked at after so many."""
PULLS_OVER_S = 5.0
"""Real seconds over which the first runs of parsers and feeds are spread..."""
SEARCHES_OVER_S = 300.0
"""...and those of searches, of which one engine gets hundreds: all at once it would take us for a robot."""


@dataclass(slots=True)
class Hub:
    """Every room of the service, wired together. `run` starts them and returns when somebody says stop."""

    home: Home
    settings: Settings
    stamp: Stamp
    """The configuration's files as they were when `settings` was read."""
    store: Store
    secrets: Secrets
    clock: Clock = field(init=False)
    board: Board = field(default_factory=Board)
    desk: IncidentDesk = field(init=False)
    book: SharedBook = field(init=False)
    probing: Probing = field(init=False)
    maintenance: Windows = field(init=False)
    recent: Recent = field(init=False)
    keeping: Keeping = field(init=False)
    intake: Intake = field(init=False)
    hygiene: HygieneRoom = field(default_factory=HygieneRoom)
    ranks: RankRoom = field(init=False)
    pulls: Pulls = field(init=False)
    taps: Taps = field(init=False)
    postbacks: Postbacks = field(init=False)
    door: Door = field(init=False)
    pricing: Pricing = field(init=False)
    revenue: Revenue = field(init=False)
    to_facts: FiguresToFacts = field(init=False)
    fusion: Fusion = field(init=False)
    plans: Plans = field(init=False)
    spool: Spool = field(init=False)
    runs: Runs = field(init=False)
    configuration: Configuration = field(init=False)
    housekeeping: Housekeeping = field(init=False)
    views: Views = field(init=False)
    past: Past = field(init=False)
    details: Details = field(init=False)
    commands: Commands = field(init=False)
    notifier: Notifier = field(init=False)
    stream: Stream = field(init=False)
    scheduler: AsyncIOScheduler = field(default_factory=lambda: AsyncIOScheduler(timezone=UTC))
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    uid: int = field(default_factory=os.getuid)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        """Build the rooms from the ground up; nothing runs yet."""
        self.clock = clock_from(self.settings)
        epc: dict[str, float] = {partner.id: partner.epc for partner in self.settings.partners}
        self.book = SharedBook(epc, self.settings.company.currency)
        self.revenue = Revenue(self)
        self.to_facts, self.fusion = FiguresToFacts(self), Fusion(self)
        self.housekeeping = Housekeeping(self)
        self.desk = self.housekeeping.restore()
        disputes = Disputes(self.store, lambda: self.settings.company.currency)
        self.pricing = Pricing(
            self.book, self.board.targets.get, disputes.currency, self.revenue.alarm_of, disputes.of,
            lambda incident: self.plans.moves.of(incident, self.settings.plans),
            lambda: self.plans.moves.guests(self.settings.plans),
        )  # fmt: skip
        self.keeping = Keeping(self.store)
        self.recent = Recent(self.desk, self.pricing)
        self.intake = Intake(self.board, self.desk, self.recent, self.keeping, self.clock, self.check_at)
        probes = self.settings.hub.probes or os.cpu_count() or 1
        self.probing = Probing(self.settings, self.board, self.clock, probes, self.intake.take)
        self.maintenance = Windows(self.board, lambda: self.settings.maintenance)
        self.ranks = RankRoom(self.board, lambda target: self.check_at(target, self.clock.now()))
        self.intake.rewriters = (
            self.probing.rewrite, self.hygiene.rewrite, self.ranks.rewrite, self.maintenance.rewrite,
        )  # fmt: skip
        self.hygiene.covered = self.maintenance.covers
        self.runs = Runs(self.board, self.intake, self.store, self.clock, self.ranks)
        self.spool = Spool(self.home.spool, self.store, self._facts_stored, self._take_runs)
        self.pulls = Pulls(self, self.scheduler, client_for(self.settings))
        self.plans = Plans(self)
        self.intake.rewriters += (self.plans.rewrite,)
        self.taps, self.postbacks, self.door = Taps(self), Postbacks(self), Door(self)
        self.hygiene.domains = Domains(self.pulls.client, self.settings.hygiene, self.wall_now)
        self.configuration = Configuration(self)
        self.views = Views(
            board=self.board,
            desk=self.desk,
            clock=self.clock,
            settings=lambda: self.settings,
            health=self.health,
            waiting=lambda: (*self.revenue.waiting, *self.fusion.lines()),
            next_due=self.probing.queue.next_at,
            pid=os.getpid(),
            recent=self.recent,
        )
        self.past = Past(self)
        self.details = Details(self)
        self.commands = Commands(self)
        self.notifier = Notifier(self)
        self.intake.notices = self.notifier.rows
        self.housekeeping.remember()
        self.hygiene.configure(self.settings)
        self.ranks.configure(self.settings.targets)
        self.stream = Stream(lambda: self.board.version, self.views.snapshot, self.views.hello)

    async def run(self, listener: Listener) -> None:
        """Serve until `stopping` is set, then leave in order: no new work, the last batch, the store."""
        await self.probing.pool.start()
        await self.pulls.restore()
        await self.runs.restore()
        await self.plans.restore()
        await self.pulls.restore_ranks()
        for target in self.board.targets.values():
            self._start_checking(target)
        self.housekeeping.schedule(self.scheduler)
        self.scheduler.start()
        await self.door.configure()
        server = uvicorn.Server(
            uvicorn.Config(
                application(self),
                http=PeerProtocol,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=2,
            )
        )
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # signals are ours
        tasks = [
            asyncio.create_task(server.serve(sockets=[listener.socket]), name="server"),
            asyncio.create_task(self.probing.run(), name="dispatch"),
            asyncio.create_task(self.stream.run(), name="stream"),
            asyncio.create_task(self.notifier.run(), name="notices"),
        ]
        log.info("hub %s is up: %d targets, pid %d", VERSION, len(self.board.targets), os.getpid())
        await self.stopping.wait()
        await self._leave(server, tasks)

    async def _leave(self, server: uvicorn.Server, tasks: Sequence[asyncio.Task[None]]) -> None:
        logging.getLogger("apscheduler.executors").setLevel(logging.CRITICAL)  # calls a job that we cancel an error
        self.scheduler.shutdown(wait=False)
        await self.stream.close()
        server.should_exit = True
        await asyncio.wait([tasks[0]], timeout=5.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        rooms = self.notifier.stop, self.door.close, self.probing.pool.stop, self.pulls.backfills.stop
        for leave in (*rooms, self.pulls.lookouts.close, self.pulls.client.aclose):
            try:
                async with asyncio.timeout(_LEAVE_S):
                    await leave()
            except TimeoutError:  # a peer that does not let go keeps nobody from storing what is known
                log.warning("%s did not end within %.0f s and is left", leave.__qualname__, _LEAVE_S)
            except Exception:  # nor does a room that is broken
                log.exception("%s did not end well", leave.__qualname__)
        await self.housekeeping.flush()
        log.info("hub is down")

    # ── what is due ──────────────────────────────────────────────────────────────────────────────────────────────

    def check_at(self, target_id: TargetId, at: datetime) -> None:
        """One extra check of a target at that time, whatever its cadence."""
        target = self.board.targets.get(target_id)
        if target and target.kind in PROBED:
            self.probing.soon(target_id, at)
        elif target:
            self.pulls.schedule(target, max((at - self.clock.now()).total_seconds() / self.clock.speed, 0.0))

    def wall_now(self) -> datetime:
        """The wall's time, for APScheduler, which knows nothing of simulated clocks."""
        return datetime.now(UTC)

    # ── configuration ────────────────────────────────────────────────────────────────────────────────────────────

    async def put_in_force(self, settings: Settings, change: Difference) -> None:
        """Switch to new settings; targets keep their states. A hundred thousand of them let others have their turn."""
        self.settings = settings
        self.fusion.changed(change, self.clock.now())
        fresh = (*change.added, *(changed.new for changed in change.changed))
        await _by_turns(self._drop, change.removed)
        await _by_turns(self.board.put_target, fresh)  # all are there before one is placed among them
        await _by_turns(self._start_checking, fresh)
        self.probing.reconfigure(settings)
        self.hygiene.configure(settings)
        await self.ranks.reconfigure(settings.targets)
        await self.door.configure()
        self.notifier.configure(settings)
        self.desk.declare(settings.parents)
        owned = self.intake.settle(self.desk.route(settings.notify.root, self.clock.now()))
        if owned:
            await self.keeping.keep(owned)
        self.board.touch()

    def _drop(self, target: Target) -> None:
        self._stop_checking(target)
        self.board.remove_target(target.id)
        self.hygiene.forget(target.id)

    def _start_checking(self, target: Target) -> None:
        if target.paused:
            self._stop_checking(target)
        elif target.kind in PROBED:
            self.probing.start(target)
        elif target.kind is not TargetKind.SLICE:
            spread_s = SEARCHES_OVER_S if target.query else PULLS_OVER_S
            self.pulls.start(target, phase_s(target.id, min(target.interval_s / self.clock.speed, spread_s)))

    def _stop_checking(self, target: Target) -> None:
        if target.kind in PROBED:
            self.probing.stop(target.id)
        else:
            self.pulls.unschedule(target.id)

    # ── facts ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _facts_stored(self, pushed: Pushed) -> None:
        self.revenue.hear(pushed.facts, pushed.receipts)
        self.fusion.deploys.told(one.entry for one in pushed.deploys)

    async def _take_runs(self, body: bytes, parser: str) -> int:
        """Files in the spool folder are ours."""
        return await self.runs.take(body, EVERYTHING, parser)

    # ── how we are ───────────────────────────────────────────────────────────────────────────────────────────────

    def health(self) -> HubHealth:
        """How well the hub itself does, for every header."""
        network_ok = self.probing.network_ok
        problems = [
            *self.probing.problems,
            self._store_problem(),
            self.revenue.problem,
            f"configuration not reloaded: {self.configuration.problem}" if self.configuration.problem else "",
            f"missing secrets: {', '.join(sorted(self.pulls.missing_secrets))}" if self.pulls.missing_secrets else "",
            f"postbacks: {self.door.problem}" if self.door.problem else "",
            self.notifier.problem,
            *self.store.warnings[:1],
        ]
        found = [problem for problem in problems if problem]
        return HubHealth(
            state=State.DEGRADED if found else State.OK,
            detail="; ".join(found),
            network_ok=network_ok,
            due=len(self.probing.queue),
            late=self.probing.late,
            late_s=self.probing.late_s,
            checks_per_s=self.probing.checks_per_s,
            store_ok=not self.store.problem and not self.store.warnings,
            missing_secrets=tuple(sorted(self.pulls.missing_secrets)),
            vantages=self.probing.vantages.rows,
        )

    def _store_problem(self) -> str:
        waiting = f"{len(self.keeping.owed):,} rows wait in memory" if self.keeping.owed else ""
        missed = f"{self.store.dropped:,} observations were not stored" if self.store.dropped else ""
        told = ", ".join(part for part in (waiting, missed) if part)
        return f"{self.store.problem}: {told}" if self.store.problem else waiting

    def status(self, who: Principal) -> dict[str, object]:
        """Plain figures for `losswatch hub status` and the doctor."""
        health = self.health()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "version": VERSION,
            "pid": os.getpid(),
            "principal": who.name,
            "started_at": self.started_at,
            "now": self.clock.now(),
            "speed": self.clock.speed,
            "home": str(self.home.state),
            "targets": len(self.board.targets),
            "state": health.state,
            "detail": health.detail,
            "network_ok": health.network_ok,
            "late": health.late,
            "late_s": health.late_s,
            "maintenance": self.maintenance.count(self.clock.now()),
            "checks_per_s": health.checks_per_s,
            "readers": self.stream.readers,
            "probes": self.probing.pool.count,
            "rss_mb": round(usage.ru_maxrss / 1024, 1),
            "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
            "store": {
                "waiting": self.store.waiting,
                "owed": len(self.keeping.owed),
                "dropped": self.store.dropped,
                "warnings": self.store.warnings,
            },
            "missing_secrets": health.missing_secrets,
            "channels": self.notifier.failing(),
            "registries": self.hygiene.domains.told() if self.hygiene.domains else {},
            "vantages": {row.name: row.detail or row.state.value for row in health.vantages},
        }


async def _by_turns(act: Callable[[Target], None], targets: Sequence[Target]) -> None:
    """Act on each; whoever else has something to do gets a turn every few hundredths of a second."""
    until = time.monotonic() + AT_ONCE_S
    for number, target in enumerate(targets, 1):
        act(target)
        if not number % LOOK_EVERY and time.monotonic() >= until:
            await asyncio.sleep(0)
            until = time.monotonic() + AT_ONCE_S
