"""Calls that come to us: read, told apart from those before, stored before they are acknowledged, judged together."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from checks.feeds import postbacks, reconcile
from checks.feeds import preset as presets
from checks.feeds.adapt import adapt
from checks.feeds.heartbeat import LEARNED, Verdict, rhythm
from checks.feeds.postbacks import Key, Tally
from data.errors import SecretMissing, StoreError
from data.model.cause import cause
from data.model.fact import FeedChange
from data.model.feed_view import HourOfPostbacks, Reconciled
from data.model.observation import NO_CAUSE, Observation
from data.model.principal import EVERYTHING
from data.model.state import State
from data.secrets import people_key
from data.store import feed_changes, partner_stats
from data.store import postbacks as stored
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from checks.feeds.fetch import Problem
    from checks.feeds.preset import Preset
    from checks.feeds.reconcile import Match
    from checks.hub.hub import Hub
    from data.config.settings import Feed
    from data.model.delivery import Postback
    from data.model.target import Target
    from data.store.tables import Record

PUSH = "push"
MOST_KEYS = 500_000
"""Calls of one feed that a new one is told apart from."""
API_LAG = timedelta(hours=6)
"""Besides its own lag, how long after the end of a day its report may still grow."""

SECRET_FOR_S = 15.0
MATCHED_EVERY = timedelta(minutes=30)


class Busy(Exception):  # no error: the sender comes again
    """More calls than a feed may make; after `wait_s` there is room again."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"come again in {wait_s:.0f} s")
        self.wait_s = wait_s


@dataclass(slots=True)
class Bucket:
    """Room for calls: `per_minute` of them a minute, a tenth of a minute's at once at least."""

    per_minute: int
    room: float = field(init=False)
    at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.room = float(self.per_minute)

    def take(self) -> None:
        """Raises `Busy` where there is no room."""
        now = time.monotonic()
        self.room = min(self.room + (now - self.at) * self.per_minute / 60, float(self.per_minute))
        self.at = now
        if self.room < 1:
            raise Busy(max((1 - self.room) * 60 / self.per_minute, 1.0))
        self.room -= 1


@dataclass(frozen=True, slots=True)
class PostbackView:
    """What the screen of a feed that is pushed to us shows beside what every feed has."""

    hours: tuple[HourOfPostbacks, ...]
    reconciled: tuple[Reconciled, ...]
    arrival: str


@dataclass(slots=True)
class Postbacks:
    """Every feed that is pushed to us."""

    hub: Hub
    _keys: dict[str, OrderedDict[Key, None]] = field(default_factory=dict)
    """Good calls by feed, oldest first."""
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _salt: bytes = b""
    _gates: dict[str, asyncio.Lock] = field(default_factory=dict)
    _secrets: dict[str, tuple[str, float]] = field(default_factory=dict, repr=False)
    """Values by name and until when they are believed: a keyring is slow, and a new value counts soon."""
    _matched: dict[str, tuple[datetime, tuple[Match, ...]]] = field(default_factory=dict)
    """Both counts as of a while ago: days that ended hours ago change seldom."""

    def feed(self, name: str) -> Feed | None:
        """The feed of that name that is pushed to us."""
        found = next((one for one in self.hub.settings.feeds if one.name == name), None)
        return found if found and not found.paused and presets.sources().get(found.preset) == PUSH else None

    async def admits(self, feed: Feed, given: str) -> bool:
        """Whether `given` is the feed's secret; a feed without one lets nobody in over the network."""
        secret, until = self._secrets.get(feed.secret, ("", 0.0))
        if feed.secret and time.monotonic() >= until:
            try:
                secret = await asyncio.to_thread(self.hub.secrets.get, feed.secret)
            except SecretMissing:
                secret = ""
            self._secrets[feed.secret] = secret, time.monotonic() + SECRET_FOR_S
        return bool(secret) and hmac.compare_digest(secret.encode(), given.encode("utf-8", "surrogatepass"))

    async def take(self, feed: Feed, given: Mapping[str, str]) -> Postback:
        """Store one call; returns it once it is durable. The same call again is stored as a duplicate and acknowledged.

        Raises:
            Busy: more calls than the feed may make.
            StoreError: it cannot be stored now; the sender should come again.
        """
        self._room(feed)
        preset = adapt(presets.load(feed.preset), feed.options)
        known = await self._known(feed)
        event = postbacks.placed(postbacks.parse(given, preset.postback, feed, self.hub.clock.now(), self._salt), known)
        key = postbacks.key_of(event) if not event.fault else None
        if key:
            known[key] = None  # before it is stored: the same call may come a second time meanwhile
        try:
            await asyncio.wrap_future(self.hub.store.write([event], worker=f"postbacks:{feed.name}"))
        except BaseException:
            if key:
                known.pop(key, None)
            raise
        while len(known) > MOST_KEYS:
            known.popitem(last=False)
        return event

    def _room(self, feed: Feed) -> None:
        per_minute = self.hub.settings.postbacks.per_minute
        bucket = self._buckets.get(feed.name)
        if bucket is None or bucket.per_minute != per_minute:
            bucket = self._buckets[feed.name] = Bucket(per_minute)
        bucket.take()

    async def _known(self, feed: Feed) -> OrderedDict[Key, None]:
        """The keys of the calls before, read from the store at the first call."""
        async with self._gates.setdefault(feed.name, asyncio.Lock()):
            if not self._salt:
                self._salt = await asyncio.to_thread(people_key, self.hub.secrets)
            if feed.name not in self._keys:
                found = await asyncio.to_thread(stored.keys, self.hub.store, EVERYTHING, feed.name, MOST_KEYS)
                self._keys[feed.name] = OrderedDict((Key(*one), None) for one in reversed(found))
        return self._keys[feed.name]

    # ── how they are ─────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self, target: Target, feed: Feed) -> None:
        """Look at the calls of one feed now, and at the way to our own door."""
        down = await self.hub.door.tried(feed)
        try:
            verdict, matches = await asyncio.to_thread(self.judged, feed)
        except StoreError as problem:
            verdict, matches = Verdict(State.UNKNOWN, NO_CAUSE, str(problem)), ()
        now = self.hub.clock.now()
        changes = await asyncio.to_thread(self._changes, feed, matches, now)
        self.hub.intake.take([_observation(target, feed, verdict, matches, down, now)], changes)
        await self.hub.to_facts.take_calls(feed)

    def judged(self, feed: Feed) -> tuple[Verdict, tuple[Match, ...]]:
        """What the calls say, and how they fit the API's counts. Takes its time: in a thread."""
        now, store = self.hub.clock.now(), self.hub.store
        hours = stored.by_hour(store, EVERYTHING, feed.name, now - LEARNED)
        tallies = [Tally(at, faults) for at, faults in sorted(hours.items())]
        latest = stored.latest(store, EVERYTHING, feed.name, postbacks.LATEST)
        beat = rhythm({tally.at: tally.good for tally in tallies}, now)
        verdict = postbacks.judge(latest, tallies, beat, stored.last_good(store, EVERYTHING, feed.name), now)
        return verdict, self._matches(feed, now)

    def view(self, feed: Feed) -> PostbackView:
        """The last 48 hours, both counts, and how long calls take. Takes its time: in a thread."""
        now, store = self.hub.clock.now(), self.hub.store
        hours = stored.by_hour(store, EVERYTHING, feed.name, now - LEARNED)
        tallies = [Tally(at, faults) for at, faults in sorted(hours.items())]
        beat = rhythm({tally.at: tally.good for tally in tallies}, now)
        lag = postbacks.lag_of(stored.since(store, EVERYTHING, feed.name, now - timedelta(days=7)))
        rows = tuple(match.row for match in self._matches(feed, now))
        return PostbackView(postbacks.hours_of(tallies, beat, now), rows, lag.words if lag else "")

    def _matches(self, feed: Feed, now: datetime) -> tuple[Match, ...]:
        """Beside each API of the same partner and team; the first that counts an event is believed."""
        at, known = self._matched.get(feed.name, (None, ()))
        if at is None or now - at >= MATCHED_EVERY:
            known = self._match(feed, now)
            self._matched[feed.name] = now, known
        return known

    def _match(self, feed: Feed, now: datetime) -> tuple[Match, ...]:
        events = stored.since(self.hub.store, EVERYTHING, feed.name, now - timedelta(days=reconcile.DAYS + 1))
        if not events:
            return ()
        found: dict[str, Match] = {}
        for other, preset in self._apis(feed):
            lag = timedelta(seconds=preset.lag_s) + API_LAG
            since = events[0].received_at.astimezone(preset.zone).date() + timedelta(
                days=1
            )  # the first day is no whole one
            stats = partner_stats.current(self.hub.store, EVERYTHING, other.name, since)
            by_day = reconcile.postbacks_by_day(events, preset.zone)
            for match in reconcile.matched(by_day, stats, preset.zone, now, lag, since):
                found.setdefault(match.what, match)
        return tuple(found.values())

    def _apis(self, feed: Feed) -> list[tuple[Feed, Preset]]:
        sources = presets.sources()
        same = [
            one
            for one in self.hub.settings.feeds
            if (one.partner, one.team) == (feed.partner, feed.team) and sources.get(one.preset) in {"http", "folder"}
        ]
        return [(one, adapt(presets.load(one.preset), one.options)) for one in same]

    def _changes(self, feed: Feed, matches: Sequence[Match], now: datetime) -> list[Record]:
        """One open entry of the ledger for each count that does not fit, and those that do again, closed."""
        kind = "postbacks-unmatched"
        before = {
            one.path: one
            for one in feed_changes.of_feed(self.hub.store, EVERYTHING, feed.name)
            if one.kind == kind and one.closed_at is None
        }
        rows: list[Record] = []
        for change in (match.change for match in matches):
            if change:
                old = before.pop(change.path, None)
                rows.append(
                    FeedChange(
                        feed.name, feed.team, "", kind, change.path, change.severity, change.was, change.now,
                        change.n_before, change.n_after, old.first_seen if old else now, now,
                    )
                )  # fmt: skip
        return [*rows, *(replace(one, closed_at=now) for one in before.values())]


def _observation(
    target: Target, feed: Feed, verdict: Verdict, matches: Sequence[Match], down: Problem | None, now: datetime
) -> Observation:
    """Our own door first: while it is shut, nobody can say whether they stopped."""
    evidence = {"partner": str(feed.partner), "silence_nats": f"{verdict.nats:.1f}"}
    state, why, detail = verdict.state, verdict.cause, verdict.detail
    unmatched = [match for match in matches if not match.fits]
    if not why and state is State.OK and unmatched and (change := unmatched[0].change):
        state, why, detail = State.DEGRADED, cause("feed.contract"), f"{unmatched[0].what}: {change.now}"
    if down:
        state, why, detail = State.FAILING, down.cause, f"our own endpoint: {down.words}"
        evidence["endpoint"] = "ours"
    return Observation(
        target.id, target.team, target.kind, now, state, why, clean_text(redact(detail)),
        blame="our postback endpoint" if down else str(feed.partner) if why else "", evidence=evidence,
    )  # fmt: skip


def flat(given: object, prefix: str = "", depth: int = 3) -> dict[str, str]:
    """A JSON object as parameters by dotted names; what is deeper or no plain value is left out."""
    found: dict[str, str] = {}
    for name, value in given.items() if isinstance(given, dict) else ():
        if isinstance(value, dict) and depth:
            found |= flat(value, f"{prefix}{name}.", depth - 1)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            found[f"{prefix}{name}"] = str(value)
    return found
