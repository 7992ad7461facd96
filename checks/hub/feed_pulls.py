"""Partner feeds as the hub reads them: the secret, the pull, the judgement, what is stored and remembered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.feeds import judge as feed_judge
from checks.feeds import preset as feed_preset
from checks.feeds import pull as feed_pull
from checks.hub.spool import receipt_frame
from data.errors import SecretMissing
from data.model.cause import cause
from data.model.fact import Baseline
from data.model.observation import Observation
from data.model.principal import EVERYTHING
from data.model.state import State
from data.model.target import TargetKind, name_of
from data.store import baselines, deliveries, partner_stats
from data.text import clean_text, redact

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from checks.feeds.judge import FeedOutcome
    from checks.hub.hub import Hub
    from data.config.settings import Feed, Partner
    from data.model.fact import PartnerStat
    from data.model.ids import TargetId
    from data.model.target import Target
    from data.store.tables import Record

KNOWN = timedelta(days=45)
"""Age of the oldest figures that a pull is compared with: partners move them so long."""


@dataclass(slots=True)
class FeedPulls:
    """Every feed of the hub."""

    hub: Hub
    client: httpx.AsyncClient
    missing_secrets: set[str] = field(default_factory=set)
    _memory: dict[TargetId, bytes] = field(default_factory=dict)
    _busy: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def restore(self) -> None:
        for baseline in await asyncio.to_thread(baselines.load_all, self.hub.store, EVERYTHING, TargetKind.FEED):
            self._memory[baseline.target] = baseline.body

    async def run(self, target: Target) -> datetime | None:
        """Read one feed now; the time before which the platform wants no further call, where it named one."""
        feed = next((one for one in self.hub.settings.feeds if one.name == name_of(target.id)), None)
        if feed is None:
            return None
        try:
            secret = await asyncio.to_thread(self.hub.secrets.get, feed.secret) if feed.secret else ""
        except SecretMissing as problem:
            self.missing_secrets.add(feed.secret)
            self.hub.intake.take([unseen(target, self.hub.clock.now(), "feed.auth", str(problem))])
            return None
        self.missing_secrets.discard(feed.secret)
        now = self.hub.clock.now()
        preset = feed_preset.load(feed.preset)
        async with self.busy(feed.name):
            pulled = await feed_pull.pull(feed, preset, secret, self.client, now)
            known = await asyncio.to_thread(self.known, feed.name, now)
            held = await asyncio.to_thread(deliveries.quarantined, self.hub.store, EVERYTHING, feed.name)
            partner, memory = self.partner(feed), self._memory.get(target.id)
            outcome = await asyncio.to_thread(
                feed_judge.judge, feed, preset, pulled, memory, known, now, partner=partner, held=held
            )
            self.keep(target, outcome, now)
        return outcome.retry_at

    def busy(self, feed: str) -> asyncio.Lock:
        """Held by whoever reads or changes what is known of one feed."""
        return self._busy.setdefault(feed, asyncio.Lock())

    def baseline(self, target: TargetId) -> bytes | None:
        return self._memory.get(target)

    def partner(self, feed: Feed) -> Partner | None:
        return next((one for one in self.hub.settings.partners if one.id == feed.partner), None)

    def known(self, feed: str, now: datetime) -> list[PartnerStat]:
        """Current figures of all days that may still be read again. Takes its time: in a thread."""
        return partner_stats.current(self.hub.store, EVERYTHING, feed, (now - KNOWN).date())

    def keep(self, target: Target, outcome: FeedOutcome, now: datetime) -> None:
        """Remember an outcome and hand it on: rows to the store, receipts to the book, the observation to all."""
        before = self._memory.get(target.id)
        rows: list[Record] = outcome.rows
        if outcome.baseline and outcome.baseline != before:
            self._memory[target.id] = outcome.baseline
            rows.append(Baseline(target.id, target.team, now, outcome.baseline))
        if outcome.receipts:
            self.hub.book.add_receipts(receipt_frame(outcome.receipts))
        self.hub.intake.take([outcome.observation], rows)


def unseen(target: Target, now: datetime, cause_name: str, words: str) -> Observation:
    """What is said of a target that nobody could look at, and why."""
    return Observation(
        target.id, target.team, target.kind, now, State.UNKNOWN, cause(cause_name), clean_text(redact(words))
    )
