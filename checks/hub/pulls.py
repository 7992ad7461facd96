"""Parsers and partner feeds: run by the hub itself, tens of them, one job each. Here is how a parser is; feeds are next door."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx

from checks.hub.backfills import Backfills
from checks.hub.evidence import Evidence, EvidenceRoom, Keeper
from checks.hub.feed_pulls import FeedPulls, unseen
from checks.hub.lookouts import Lookouts
from checks.hub.ranks import MOST_LOOKS, RESTORED
from checks.parsers import pull as parser_pull
from checks.parsers.spec import load_spec
from data.errors import ConfigError, LosswatchError
from data.model.fact import Baseline
from data.model.ids import TargetId
from data.model.principal import EVERYTHING
from data.model.state import State
from data.model.target import TargetKind
from data.store import baselines, ranks

if TYPE_CHECKING:
    from datetime import datetime

    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    from checks.hub.hub import Hub
    from checks.parsers.pull import ParserOutcome
    from checks.parsers.spec import Spec
    from data.model.observation import Observation
    from data.model.principal import Scope
    from data.model.target import Target
    from data.store.tables import Record

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Pulls under way at a time; they share the hub's process."""
LOOKS = 4
"""Times an interval that a parser which others run is looked at for being late."""


@dataclass(slots=True)
class Pulls:
    """Runs of parsers and feeds, one APScheduler job each."""

    hub: Hub
    scheduler: AsyncIOScheduler
    client: httpx.AsyncClient
    feeds: FeedPulls = field(init=False)
    backfills: Backfills = field(init=False)
    lookouts: Lookouts = field(init=False)
    _memory: dict[TargetId, bytes] = field(default_factory=dict)
    _keeper: Keeper = field(default_factory=Keeper)
    _evidence: EvidenceRoom = field(init=False)
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def __post_init__(self) -> None:
        self._evidence = EvidenceRoom(self.hub.store)
        self.lookouts = Lookouts(lambda: self.hub.settings)
        self.feeds = FeedPulls(self.hub, self.client)
        self.backfills = Backfills(self.hub)

    @property
    def missing_secrets(self) -> set[str]:
        return self.feeds.missing_secrets

    async def restore(self) -> None:
        """Bring back what every parser and feed looked like while it was fine."""
        for baseline in await asyncio.to_thread(baselines.load_all, self.hub.store, EVERYTHING, TargetKind.PARSER):
            self._memory[baseline.target] = baseline.body
        await self.feeds.restore()
        await self.backfills.restore()

    async def restore_ranks(self) -> None:
        """Learn again where our sites stood."""
        now = self.hub.clock.now()
        looks = await asyncio.to_thread(ranks.since, self.hub.store, EVERYTHING, now - RESTORED, MOST_LOOKS)
        await asyncio.to_thread(self.hub.ranks.restore, looks, now)

    def evidence(self, target: Target, scope: Scope) -> Evidence:
        """What kept pages show of a broken parser; nothing where its SPEC cannot be read. Takes its time: in a thread."""
        try:
            spec = load_spec(self.hub.home.config / target.spec)
        except ConfigError:
            return Evidence()
        return self._evidence.of(target, spec, self._memory.get(target.id), scope)

    def schedule(self, target: Target, first_in_s: float) -> None:
        """Add or replace the job of one parser or feed."""
        self.scheduler.add_job(
            self.run,
            "interval",
            args=[target.id],
            id=target.id,
            seconds=max(target.interval_s / self.hub.clock.speed / (LOOKS if target.outside else 1), 0.5),
            next_run_time=self.hub.wall_now() + timedelta(seconds=first_in_s),
            replace_existing=True,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )

    def start(self, target: Target, phase_s: float) -> None:
        """Schedule the first run, `phase_s` from now; a feed read before the hub went down waits for the rest of its interval."""
        wait_s = 0.0
        if target.kind is TargetKind.FEED and not self.scheduler.running:
            wait_s = self.feeds.first_in_s(target) / self.hub.clock.speed
        self.schedule(target, max(phase_s, wait_s))

    def unschedule(self, target_id: TargetId) -> None:
        if self.scheduler.get_job(target_id):
            self.scheduler.remove_job(target_id)

    async def run(self, target_id: TargetId) -> None:
        """Observe one parser or feed now. What goes wrong in our own code makes that target `unknown`, nobody else."""
        target = self.hub.board.targets.get(target_id)
        if target is None or target.paused:
            return
        work = {TargetKind.PARSER: self._parser, TargetKind.FEED: self._feed}[target.kind]
        async with self._gate:
            try:
                await work(target)
            except LosswatchError as problem:
                self._store(self._stalled(target, str(problem)))
            except Exception as problem:  # one broken target must never stop the others
                log.exception("the check of %s raised", target_id)
                self._store(self._stalled(target, f"our own check raised: {type(problem).__name__}"))

    async def _parser(self, target: Target) -> None:
        if target.outside:
            overdue = self.hub.runs.late(target)
            if overdue:
                self._store(overdue)
            return
        spec = await asyncio.to_thread(load_spec, self.hub.home.config / target.spec)
        before = self._memory.get(target.id)
        outcome = await self._look(target, spec, before)
        outcome = self._by_canaries(outcome, before)
        self._remember(target, outcome.memory)
        rows: list[Record] = [outcome.run, *self.hub.ranks.take(target, outcome.run, outcome.ranked)]
        page = self._keeper.page(target, outcome)
        if page:
            rows.append(page)
        if outcome.memory and outcome.memory != before:
            rows.append(Baseline(target.id, target.team, self.hub.clock.now(), outcome.memory))
        self._store(outcome.observation, rows)

    async def _look(self, target: Target, spec: Spec, before: bytes | None) -> ParserOutcome:
        """Through the country's vantages, in turn while they fail by themselves; from here where there is none."""
        sick = {row.name for row in self.hub.probing.vantages.rows if row.state is State.FAILING}
        ways = self.lookouts.ways(target, sick)
        if not ways:
            return await parser_pull.run(target, spec, self.client, before, self.hub.clock.now())
        for name, client in ways:
            looked = await parser_pull.run(target, spec, client, before, self.hub.clock.now(), vantage=name)
            outcome = parser_pull.seen_from(looked, name)
            if outcome.observation.cause != parser_pull.VANTAGE_DOWN:
                break
        return outcome

    def _by_canaries(self, outcome: ParserOutcome, before: bytes | None) -> ParserOutcome:
        """The outcome as its canaries make it: a page that is not believed is no good run and teaches nothing."""
        told = self.hub.ranks.rewrite(outcome.observation)
        if (told.state, told.cause) == (outcome.observation.state, outcome.observation.cause):
            return outcome
        run = replace(outcome.run, verdict=told.cause or outcome.run.verdict)
        return replace(outcome, observation=told, run=run, memory=before or b"")

    async def _feed(self, target: Target) -> None:
        until = await self.feeds.run(target)
        if until:
            self._not_before(target.id, until)

    def _not_before(self, target_id: TargetId, at: datetime) -> None:
        """A platform that asked for patience gets it."""
        wait_s = (at - self.hub.clock.now()).total_seconds() / self.hub.clock.speed
        if wait_s > 0 and self.scheduler.get_job(target_id):
            self.scheduler.modify_job(target_id, next_run_time=self.hub.wall_now() + timedelta(seconds=wait_s))

    def _remember(self, target: Target, memory: bytes | None) -> None:
        if memory:
            self._memory[target.id] = memory

    def _store(self, observation: Observation, rows: list[Record] | None = None) -> None:
        self.hub.intake.take([observation], rows or [])

    def _stalled(self, target: Target, words: str) -> Observation:
        return unseen(target, self.hub.clock.now(), "self.stalled", words)
