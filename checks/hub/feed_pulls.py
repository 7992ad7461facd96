"""Partner feeds as the hub reads them: the secret, the pull, the judgement, what is stored and remembered."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from checks.feeds import cadence, expiry, precedence
from checks.feeds import judge as feed_judge
from checks.feeds import preset as feed_preset
from checks.feeds import pull as feed_pull
from checks.feeds.adapt import adapt
from checks.feeds.exchange import with_rates
from checks.feeds.memory import Memory
from checks.feeds.pacing import Gates
from checks.feeds.pull import Accounts
from checks.feeds.request import newest_day
from checks.feeds.sense import day_totals
from checks.hub.figures_to_facts import NOTHING, Delivered
from data.errors import SecretMissing
from data.model.cause import cause
from data.model.fact import Baseline
from data.model.observation import Observation
from data.model.principal import EVERYTHING
from data.model.state import State
from data.model.target import TargetKind, name_of
from data.store import baselines, deliveries, facts, partner_stats
from data.text import clean_text, redact

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    import httpx

    from checks.feeds.judge import FeedOutcome
    from checks.feeds.preset import Preset
    from checks.feeds.pull import Pulled
    from checks.hub.figures_to_facts import Telling
    from checks.hub.hub import Hub
    from data.config.settings import Feed, Partner
    from data.model.fact import PartnerStat
    from data.model.ids import TargetId
    from data.model.target import Target
    from data.store.tables import Record

log = logging.getLogger(__name__)

TOO_MANY = frozenset({"http.4xx", "feed.contract"})
"""What platforms say that are asked for more days than they keep."""
KNOWN = timedelta(days=45)
"""Age of the oldest figures that a pull is compared with: partners move them so long."""


@dataclass(slots=True)
class FeedPulls:
    """Every feed of the hub."""

    hub: Hub
    client: httpx.AsyncClient
    missing_secrets: set[str] = field(default_factory=set)
    _memory: dict[TargetId, bytes] = field(default_factory=dict)
    _accounts: Accounts = field(init=False)
    _busy: dict[str, asyncio.Lock] = field(default_factory=dict)
    _totals: dict[str, dict[date, float]] = field(default_factory=dict)
    """Commission by complete day of each feed that was read since the hub started."""

    def __post_init__(self) -> None:
        self._accounts = Accounts(gates=Gates(self.hub.clock.speed))

    async def restore(self) -> None:
        for baseline in await asyncio.to_thread(baselines.load_all, self.hub.store, EVERYTHING, TargetKind.FEED):
            self._memory[baseline.target] = baseline.body

    async def run(self, target: Target) -> datetime | None:
        """Read one feed now; the time before which the platform wants no further call, where it named one."""
        feed = self.named(target)
        if feed is None:
            return None
        preset = feed_preset.load(feed.preset)
        if preset.source != "http":
            return await self.hub.taps.run(target, feed, preset)
        try:
            secret = await self.secret(feed)
        except SecretMissing as problem:
            self.hub.intake.take([unseen(target, self.hub.clock.now(), "feed.auth", str(problem))])
            return None
        async with self.busy(feed.name):
            now = self.hub.clock.now()
            read_at = Memory.from_bytes(self._memory.get(target.id)).read_at
            wanted = cadence.bands(feed, preset)
            pulled, days = await self._pulled(feed, preset, secret, cadence.due(wanted, read_at, now), now)
            ends = feed.expires or expiry.token_end(secret)
            outcome = await self.judged(target, feed, preset, pulled, now, ends)
            if not pulled.problem:
                memory = Memory.from_bytes(outcome.baseline)
                memory = replace(memory, read_at=cadence.noted(wanted, read_at, days, now))
                outcome = replace(outcome, baseline=memory.to_bytes())
            await self.keep(target, outcome, now)  # who decides next reads the store
        return outcome.retry_at

    async def _pulled(self, feed: Feed, preset: Preset, secret: str, days: int, now: datetime) -> tuple[Pulled, int]:
        """The newest `days`; where a platform has an error for so many, only those that are read every time."""
        pulled = await self.pull(feed, preset, secret, newest(feed, preset, days, now), now)
        if days > feed.days and pulled.problem and pulled.problem.cause in TOO_MANY:
            log.info("%s: %d days are refused, its newest are read alone", feed.name, days)
            pulled = await self.pull(feed, preset, secret, newest(feed, preset, feed.days, now), now)
        return pulled, days

    async def pull(self, feed: Feed, preset: Preset, secret: str, span: tuple[date, date], now: datetime) -> Pulled:
        """One pull of those days, in its account's turn."""
        return await feed_pull.pull(feed, preset, secret, self.client, now, accounts=self._accounts, span=span)

    async def judged(
        self, target: Target, feed: Feed, preset: Preset, pulled: Pulled, now: datetime, ends: datetime | None = None
    ) -> FeedOutcome:
        """What a pull means, beside all that is known of its days, of its account and of the other partners."""
        known = await asyncio.to_thread(self.known, feed.name, now, pulled.first)
        held = await asyncio.to_thread(deliveries.quarantined, self.hub.store, EVERYTHING, feed.name)
        zone, own = adapt(preset, feed.options).zone, dict[date, int]()
        if not pulled.problem:
            own = await asyncio.to_thread(self._our_clicks, feed, zone, now)
            days = day_totals(known, pulled.rows, now.astimezone(zone).date())
            self._totals[feed.name] = {day: float(one.get("commission_total") or 0) for day, one in days.items()}
        return await asyncio.to_thread(
            feed_judge.judge, feed, preset, pulled, self._memory.get(target.id), known, now,
            partner=self.partner(feed), held=held, others=self._beside(feed), own=own, ends=ends,
        )  # fmt: skip

    def _our_clicks(self, feed: Feed, zone: ZoneInfo, now: datetime) -> dict[date, int]:
        """Our clicks to its partner by the partner's days; none where several accounts share them. In a thread."""
        if sum(other.partner == feed.partner and bool(other.base_url) for other in self.hub.settings.feeds) != 1:
            return {}
        theirs = precedence.of_partners(self.hub.settings.feeds)
        found: dict[date, int] = {}
        for hour, count in facts.clicks_of_partner(self.hub.store, feed.partner, now - KNOWN, theirs).items():
            day = hour.astimezone(zone).date()
            found[day] = found.get(day, 0) + count
        return found

    def _beside(self, feed: Feed) -> dict[str, dict[date, float]]:
        """Commission by partner and complete day: of this feed alone for its own, of all accounts for the others."""
        found: dict[str, dict[date, float]] = {feed.partner: self._totals.get(feed.name, {})}
        for other in self.hub.settings.feeds:
            if other.partner != feed.partner and other.name in self._totals:
                whole = found.setdefault(other.partner, {})
                for day, amount in self._totals[other.name].items():
                    whole[day] = whole.get(day, 0.0) + amount
        return found

    async def secret(self, feed: Feed) -> str:
        """Its value from the keyring; raises `SecretMissing`, which the hub's health tells of until it is there."""
        try:
            found = await asyncio.to_thread(self.hub.secrets.get, feed.secret) if feed.secret else ""
        except SecretMissing:
            self.missing_secrets.add(feed.secret)
            raise
        self.missing_secrets.discard(feed.secret)
        return found

    def first_in_s(self, target: Target) -> float:
        """Seconds of the engine's clock until a feed is first read after a start."""
        feed = self.named(target)
        read_at = Memory.from_bytes(self._memory.get(target.id)).read_at
        return cadence.first_in_s(feed, read_at, self.hub.clock.now()) if feed else 0.0

    def named(self, target: Target) -> Feed | None:
        return next((one for one in self.hub.settings.feeds if one.name == name_of(target.id)), None)

    def busy(self, feed: str) -> asyncio.Lock:
        """Held by whoever reads or changes what is known of one feed."""
        return self._busy.setdefault(feed, asyncio.Lock())

    def baseline(self, target: TargetId) -> bytes | None:
        return self._memory.get(target)

    def partner(self, feed: Feed) -> Partner | None:
        return next((one for one in self.hub.settings.partners if one.id == feed.partner), None)

    def known(self, feed: str, now: datetime, first: date | None = None) -> list[PartnerStat]:
        """Current figures of all days that may still be read again, and from `first` on. Takes its time: in a thread."""
        since = (now - KNOWN).date()
        return partner_stats.current(self.hub.store, EVERYTHING, feed, min(since, first or since))

    async def keep(self, target: Target, outcome: FeedOutcome, now: datetime) -> bool:
        """Remember an outcome and hand it on: rows and the facts they are to the store, the facts and receipts to the book.

        All is stored together; says whether it is durable.
        """
        before = self._memory.get(target.id)
        async with self.hub.to_facts.turn(target.partner):
            telling = await self._told(target, outcome, Memory.from_bytes(before).good_at, now)
            rows: list[Record] = [*replace(outcome, receipts=telling.receipts).rows, *telling.facts]
            if outcome.baseline and outcome.baseline != before:
                self._memory[target.id] = outcome.baseline
                rows.append(Baseline(target.id, target.team, now, outcome.baseline))
            stored = await self.hub.intake.take([outcome.observation], with_rates(rows, self.hub.settings.rates))
        self.hub.to_facts.hear(telling)
        return stored

    async def _told(self, target: Target, outcome: FeedOutcome, read_at: datetime | None, now: datetime) -> Telling:
        """The facts of a delivery, and the receipts that vouch for them: none where others tell of the account."""
        feed = self.named(target)
        if feed is None or not (outcome.stats or outcome.receipts):
            return NOTHING
        covered = Memory.from_bytes(outcome.baseline).covered_until
        delivered = Delivered(outcome.stats, outcome.receipts, covered, read_at)
        return await asyncio.to_thread(self.hub.to_facts.of_report, feed, delivered, now)


def newest(feed: Feed, preset: Preset, days: int, now: datetime) -> tuple[date, date]:
    """First and last of the newest `days`, in the partner's zone."""
    adapted = adapt(preset, feed.options)
    last = newest_day(adapted, now)
    return last - timedelta(days=max(days, 1) - 1), last


def unseen(target: Target, now: datetime, cause_name: str, words: str) -> Observation:
    """What is said of a target that nobody could look at, and why."""
    return Observation(
        target.id, target.team, target.kind, now, State.UNKNOWN, cause(cause_name), clean_text(redact(words))
    )
