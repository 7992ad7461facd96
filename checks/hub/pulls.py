"""Parsers and partner feeds: fetched by the hub itself, tens of them, each with its own cadence and memory."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx

from checks.feeds import judge as feed_judge
from checks.feeds import preset as feed_preset
from checks.feeds import pull as feed_pull
from checks.hub.evidence import Evidence, EvidenceRoom, Keeper
from checks.hub.spool import receipt_frame
from checks.parsers import pull as parser_pull
from checks.parsers.spec import load_spec
from data.errors import ConfigError, LosswatchError, SecretMissing
from data.model.cause import cause
from data.model.fact import Baseline
from data.model.ids import TargetId
from data.model.observation import Observation
from data.model.principal import EVERYTHING
from data.model.state import State
from data.model.target import TargetKind, name_of
from data.store import baselines, partner_stats
from data.text import clean_text, redact

if TYPE_CHECKING:
    from datetime import datetime

    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    from checks.hub.hub import Hub
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
    missing_secrets: set[str] = field(default_factory=set)
    _memory: dict[TargetId, bytes] = field(default_factory=dict)
    _keeper: Keeper = field(default_factory=Keeper)
    _evidence: EvidenceRoom = field(init=False)
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def __post_init__(self) -> None:
        self._evidence = EvidenceRoom(self.hub.store)

    async def restore(self) -> None:
        """Bring back what every parser and feed looked like while it was fine."""
        for kind in (TargetKind.PARSER, TargetKind.FEED):
            for baseline in await asyncio.to_thread(baselines.load_all, self.hub.store, EVERYTHING, kind):
                self._memory[baseline.target] = baseline.body

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
        outcome = await parser_pull.run(target, spec, self.client, before, self.hub.clock.now())
        self._remember(target, outcome.memory)
        rows: list[Record] = [outcome.run]
        page = self._keeper.page(target, outcome)
        if page:
            rows.append(page)
        if outcome.memory and outcome.memory != before:
            rows.append(Baseline(target.id, target.team, self.hub.clock.now(), outcome.memory))
        self._store(outcome.observation, rows)

    async def _feed(self, target: Target) -> None:
        feed = next((one for one in self.hub.settings.feeds if one.name == name_of(target.id)), None)
        if feed is None:
            return
        try:
            secret = await asyncio.to_thread(self.hub.secrets.get, feed.secret) if feed.secret else ""
        except SecretMissing as problem:
            self.missing_secrets.add(feed.secret)
            self._store(self._blind(target, str(problem)))
            return
        self.missing_secrets.discard(feed.secret)
        now = self.hub.clock.now()
        preset = feed_preset.load(feed.preset)
        pulled = await feed_pull.pull(feed, preset, secret, self.client, now)
        since = (now - timedelta(days=45)).date()
        known = await asyncio.to_thread(partner_stats.current, self.hub.store, EVERYTHING, feed.name, since)
        partner = next((one for one in self.hub.settings.partners if one.id == feed.partner), None)
        memory = self._memory.get(target.id)
        outcome = await asyncio.to_thread(feed_judge.judge, feed, preset, pulled, memory, known, now, partner=partner)
        self._remember(target, outcome.baseline)
        if outcome.receipts:
            self.hub.book.add_receipts(receipt_frame(outcome.receipts))
        rows: list[Record] = [*outcome.stats, *outcome.payloads, *outcome.receipts, *outcome.changes]
        if outcome.baseline and outcome.baseline != memory:
            rows.append(Baseline(target.id, target.team, now, outcome.baseline))
        self._store(outcome.observation, rows)
        if outcome.retry_at:
            self._not_before(target.id, outcome.retry_at)

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
        return self._observation(target, State.UNKNOWN, "self.stalled", words)

    def _blind(self, target: Target, words: str) -> Observation:
        return self._observation(target, State.UNKNOWN, "feed.auth", words)

    def _observation(self, target: Target, state: State, cause_name: str, words: str) -> Observation:
        return Observation(
            target.id,
            target.team,
            target.kind,
            self.hub.clock.now(),
            state,
            cause(cause_name),
            clean_text(redact(words)),
        )
