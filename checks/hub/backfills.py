"""Backfills: history read in the background, window by window, in the account's turn; a restart goes on where it was."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from checks.feeds import backfill
from checks.feeds import preset as presets
from checks.feeds.adapt import adapt
from checks.feeds.exchange import with_rates
from checks.feeds.memory import Memory
from checks.hub.figures_to_facts import Delivered
from data.errors import LosswatchError, UsageError
from data.model.audit import AuditEntry
from data.model.backfill import Backfill, BackfillState
from data.model.codec import from_json, to_json
from data.model.delivery import Outcome
from data.model.fact import Baseline
from data.model.ids import TargetId
from data.model.principal import EVERYTHING
from data.model.snapshot import CommandReply
from data.model.target import TargetKind
from data.store import baselines
from data.text import clean_text

if TYPE_CHECKING:
    from datetime import datetime

    from checks.feeds.judge import FeedOutcome
    from checks.feeds.pull import Pulled
    from checks.hub.hub import Hub
    from data.config.settings import Feed
    from data.model.principal import Principal, Scope
    from data.model.target import Target
    from data.store.tables import Record

log = logging.getLogger(__name__)

TRIES = 6
"""Times a window is asked for before the backfill gives up."""
PATIENCE_S = 30.0
"""Wait after the first failure of a window, doubled with each more."""
WEARY = frozenset({"feed.auth", "feed.contract", "feed.paging", "http.4xx", "http.gone", "config.url"})
"""Failures that another try does not mend."""


@dataclass(slots=True)
class Backfills:
    """At most one of each feed, in the hub: the terminal that asked for it may go."""

    hub: Hub
    patience_s: float = PATIENCE_S
    _known: dict[str, Backfill] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def restore(self) -> None:
        """Go on with those that were under way when the hub went down."""
        for feed in self.hub.settings.feeds:
            kept = await asyncio.to_thread(baselines.latest, self.hub.store, EVERYTHING, _slot(feed.name))
            try:
                one = from_json(kept.body, Backfill) if kept else None
            except msgspec.ValidationError:
                continue  # of another version: it can be asked for again
            if one:
                self._known[feed.name] = one
                self._go_on(one)

    async def command(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        """Begin one, go on with one that ended early, or cancel; raises `UsageError` for what cannot be."""
        target, feed = self._choice(who.scope, str(arguments.get("target") or ""))
        if arguments.get("cancel"):
            return await self._cancel(who, target, feed)
        first, last = _day(arguments, "from"), _day(arguments, "to")
        preset = adapt(presets.load(feed.preset), feed.options)
        if self._running(feed.name):
            raise UsageError(f"a backfill of {feed.name} is under way; cancel it first, or wait")
        now, known = self.hub.clock.now(), self._known.get(feed.name)
        if known and backfill.resumed(known, first, last):
            one, word = replace(known, state=BackfillState.RUNNING, detail="", updated_at=now), "goes on"
        else:
            one, word = backfill.begin(feed, preset, first, last, who.name, now), "begins"
        await self._audit(who, target, f"{first} .. {last} {word}")
        await self._keep(one)
        self._go_on(one)
        return CommandReply(
            ok=True, message=f"backfill of {feed.name} {word}: {one.windows - one.done} windows to read"
        )

    async def of(self, scope: Scope, feed: str) -> Backfill | None:
        """The last one of a feed; raises `UsageError` for a feed that is not in `scope`."""
        self._choice(scope, f"feed:{feed}")
        return self._known.get(feed)

    async def stop(self) -> None:
        """Leave; what is under way goes on at the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _running(self, feed: str) -> bool:
        return feed in self._tasks and not self._tasks[feed].done()

    def _go_on(self, one: Backfill) -> None:
        if one.state is BackfillState.RUNNING:
            self._tasks[one.feed] = asyncio.create_task(self._run(one.feed), name=f"backfill {one.feed}")

    async def _run(self, feed: str) -> None:
        """Window after window until none is left; whatever goes wrong in our own code ends this one alone."""
        try:
            while self._known[feed].state is BackfillState.RUNNING:
                await self._keep(await self._window(self._known[feed]))
        except LosswatchError as problem:
            await self._keep(self._failed(self._known[feed], str(problem)))
        except Exception as problem:  # one broken partner must not take the hub's loop down
            log.exception("the backfill of %s raised", feed)
            await self._keep(self._failed(self._known[feed], f"our own code raised: {type(problem).__name__}"))

    async def _window(self, one: Backfill) -> Backfill:
        """Read and store the next window, trying again where that may help."""
        target, feed = self._choice(EVERYTHING, f"feed:{one.feed}")
        preset = presets.load(feed.preset)
        window = backfill.following(one, adapt(preset, feed.options))
        if window is None:
            return backfill.ended(one, BackfillState.DONE, "", self.hub.clock.now())
        pulls = self.hub.pulls.feeds
        for tried in range(TRIES):
            secret = await pulls.secret(feed)
            async with pulls.busy(feed.name):
                now = self.hub.clock.now()
                pulled = await pulls.pull(feed, preset, secret, window, now)
                if not pulled.problem:
                    outcome = await pulls.judged(target, feed, preset, pulled, now)
                    await self._store(target, feed, outcome, now)
                    held = any(each.outcome is Outcome.QUARANTINED for each in outcome.deliveries)
                    return backfill.stored(one, window, len(pulled.rows), held=held, now=now)
            if pulled.problem.cause in WEARY or tried == TRIES - 1:
                return self._failed(one, f"{window[0]} .. {window[1]}: {pulled.problem.cause}: {pulled.problem.words}")
            await self._wait(one, pulled, tried)
        raise AssertionError("the last try returns")

    async def _store(self, target: Target, feed: Feed, outcome: FeedOutcome, now: datetime) -> None:
        """A window's figures and the facts they are, together; a backfill teaches the contract nothing."""
        covered = Memory.from_bytes(self.hub.pulls.feeds.baseline(target.id)).covered_until
        delivered = Delivered(outcome.stats, (), covered or now - timedelta(hours=1), None)
        async with self.hub.to_facts.turn(feed.partner):
            telling = await asyncio.to_thread(self.hub.to_facts.of_report, feed, delivered, now)
            rows: list[Record] = [*outcome.stats, *outcome.payloads, *outcome.deliveries, *outcome.restatements]
            rows += [*telling.facts, *telling.receipts]
            await self.hub.keeping.keep(with_rates(rows, self.hub.settings.rates))
        self.hub.to_facts.hear(telling)

    async def _wait(self, one: Backfill, pulled: Pulled, tried: int) -> None:
        """As long as the platform asks for, else longer each time."""
        assert pulled.problem
        now = self.hub.clock.now()
        until = pulled.problem.retry_at or now + timedelta(seconds=self.patience_s * 2**tried)
        words = clean_text(f"{pulled.problem.cause}: {pulled.problem.words}; next try {until:%H:%M:%S}Z")
        self._known[one.feed] = replace(one, detail=words, updated_at=now)
        await asyncio.sleep(max((until - now).total_seconds(), 0.0) / self.hub.clock.speed)

    def _failed(self, one: Backfill, words: str) -> Backfill:
        return backfill.ended(one, BackfillState.FAILED, words, self.hub.clock.now())

    async def _cancel(self, who: Principal, target: Target, feed: Feed) -> CommandReply:
        if not self._running(feed.name):
            raise UsageError(f"no backfill of {feed.name} is under way")
        task = self._tasks.pop(feed.name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        one = self._known[feed.name]
        await self._keep(backfill.ended(one, BackfillState.CANCELLED, f"by {who.name}", self.hub.clock.now()))
        await self._audit(who, target, "cancelled")
        return CommandReply(
            ok=True, message=f"backfill of {feed.name} cancelled; {one.done} of {one.windows} windows are stored"
        )

    async def _keep(self, one: Backfill) -> None:
        """Remember how far it came, beyond the life of this process."""
        self._known[one.feed] = one
        await self.hub.keeping.keep([Baseline(_slot(one.feed), one.team, one.updated_at, to_json(one))])

    async def _audit(self, who: Principal, target: Target, did: str) -> None:
        entry = AuditEntry(self.hub.clock.now(), who.name, target.team, "feed_backfill", target.id, did)
        await self.hub.keeping.keep([entry])

    def _choice(self, scope: Scope, target_id: str) -> tuple[Target, Feed]:
        target = self.hub.board.targets.get(TargetId(target_id))
        feed = self.hub.pulls.feeds.named(target) if target and target.kind is TargetKind.FEED else None
        if target is None or feed is None or not scope.sees(target.team):
            raise UsageError(f"no feed {target_id.removeprefix('feed:')!r} in your scope")
        return target, feed


def _slot(feed: str) -> TargetId:
    """Where a backfill is remembered, beside what is remembered of the feed itself."""
    return TargetId(f"backfill:{feed}")


def _day(arguments: dict[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(str(arguments.get(name)))
    except ValueError:
        raise UsageError(f"{name}: {arguments.get(name)!r} is no day such as 2026-01-31") from None
