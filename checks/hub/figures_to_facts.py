"""What partners report becomes facts: deliveries and postbacks on their way into the revenue book, each counted once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from checks.feeds import precedence, to_facts
from checks.feeds import preset as presets
from checks.feeds.adapt import adapt
from checks.feeds.arrival import DAY, day_end, lag_s
from checks.feeds.heartbeat import HOUR, floor
from checks.feeds.memory import Memory
from checks.feeds.places import Signs, said, signs
from checks.feeds.stretches import stretch_of
from checks.feeds.to_facts import ANYWHERE, Clicks, Leaf, Said, Told, differences, hours_between
from checks.hub.spool import fact_frame
from checks.revenue.inputs import MOST
from data.model.fact import Fact, Receipt
from data.model.principal import EVERYTHING, Scope
from data.model.target import TargetKind, target_id
from data.store import facts, postbacks
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from checks.feeds.places import Bucket
    from checks.feeds.preset import Preset
    from checks.hub.hub import Hub
    from data.config.settings import Feed, Settings
    from data.model.fact import PartnerStat
    from data.model.ids import PartnerId, TeamId

PUSHED_SINCE = timedelta(days=14)
"""Conversions that were pushed so lately make reports and postbacks of the same account second hand."""
OURS_SINCE = timedelta(days=7)
"""A click log that told of a partner so lately counts its clicks; the partner's own count is only compared with it."""
CALLS_SINCE = timedelta(hours=48)
USUAL = (timedelta(days=28), timedelta(hours=36))
"""From when to when before now the usual worth of a first deposit is taken."""
ENOUGH_FTD = 5
COVERS = Decimal("0.7")
"""Share of an account's conversions that postbacks must usually tell, so that an hour without any says something."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be stored of one delivery beside its figures."""

    facts: tuple[Fact, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    tells: bool = True
    """Whether the feed's figures are the account's facts."""


NOTHING = Telling()


@dataclass(frozen=True, slots=True)
class Delivered:
    """What of a delivery bears on the facts."""

    stats: Sequence[PartnerStat]
    """All rows of their days, those that are gone among them."""
    receipts: Sequence[Receipt]
    """Of the hours that it covers for the first time."""
    covered: datetime | None
    """End of the last hour that the account has reported by now."""
    read_at: datetime | None
    """When it was read before."""


@dataclass(slots=True)
class FiguresToFacts:
    """Whose figures count, and what of them is news. The store says what was told before: there is no other memory."""

    hub: Hub
    _held: dict[str, str] = field(default_factory=dict)
    """Why a feed's figures are no facts yet, by feed."""
    _turns: dict[PartnerId, asyncio.Lock] = field(default_factory=dict)
    _pushed: dict[tuple[TeamId, PartnerId], bool] = field(default_factory=dict)
    _second_hand: set[str] | None = None
    _signs: tuple[Settings, dict[str, Signs]] | None = None
    _shape: tuple[date, tuple[float, ...]] | None = None

    def turn(self, partner: PartnerId) -> asyncio.Lock:
        """Held from looking what was told of a partner until what is told now is on its way to the store."""
        return self._turns.setdefault(partner, asyncio.Lock())

    def lines(self) -> tuple[str, ...]:
        """Calm lines: whose figures wait, and for what."""
        return tuple(f"{feed}: {why}" for feed, why in sorted(self._held.items()))

    def second_hand(self) -> frozenset[str]:
        """Partners whose clicks are their own count, which comes with the report: nobody else tells of them."""
        if self._second_hand is None:
            since = self.hub.clock.now() - PUSHED_SINCE
            self._second_hand = facts.partners_clicked(self.hub.store, EVERYTHING, self._sources, since)
        return frozenset(self._second_hand)

    def _counts(self, feed: Feed, *, theirs: bool, ours: bool) -> None:
        if self._second_hand is not None and ours:
            self._second_hand.discard(feed.partner)
        elif self._second_hand is not None and theirs:
            self._second_hand.add(feed.partner)

    def is_pushed(self, feed: Feed) -> bool:
        """Whether somebody else pushes this account's conversions, as last looked."""
        known = self._pushed.get((feed.team, feed.partner))
        return self._look_for_pushed(feed, self.hub.clock.now()) if known is None else known

    # ── reports; in a thread ─────────────────────────────────────────────────────────────────────────────────────

    def of_report(self, feed: Feed, delivery: Delivered, now: datetime) -> Telling:
        """Facts of a delivery that may be stored, and receipts of the hours that it reports."""
        tells = self._tells(feed, now)
        if self.hub.keeping.owed or self._spool_waits():
            return Telling(
                tells=tells
            )  # what was told cannot be looked up, or is still to come: the next reading tells
        preset = adapt(presets.load(feed.preset), feed.options)
        listed, unpriced = said(delivery.stats, self._signs_of(feed), self.hub.settings.rates)
        self._held.pop(feed.name, None)
        if not tells:
            nothing = {bucket: [_nothing()] for bucket in listed}
            return Telling(tuple(self._of_buckets(feed, preset, nothing, (), delivery.read_at, now)), tells=False)
        if why := f"no rate for {', '.join(sorted(unpriced))}" if unpriced else _unbelievable(listed):
            self._held[feed.name] = clean_text(f"figures held, {why}", 120)
            return NOTHING
        calls = precedence.calls_beside(feed, self.hub.settings.feeds)
        found = self._of_buckets(feed, preset, listed, calls, delivery.read_at, now)
        spans = [(day_end(day - DAY, preset), day_end(day, preset)) for day, _ in listed]
        spans += [(one.hour, one.hour + HOUR) for one in delivery.receipts]
        return Telling(tuple(found), self._receipts(feed, spans, delivery.covered, now))

    def _of_buckets(
        self, feed: Feed, preset: Preset, listed: dict[Bucket, list[Said]], calls: Sequence[str],
        read_at: datetime | None, now: datetime,
    ) -> list[Fact]:  # fmt: skip
        """News of each day; the clicks that it is laid along are looked up only where there is any."""
        if not listed:
            return []
        days = sorted({day for day, _ in listed})
        since, until = day_end(days[0] - DAY, preset), day_end(days[-1], preset)
        ours, theirs = self._told(feed, calls, since, until)
        own_days, by_hour = self._own_click_days(feed, since, until), {day for day, hour in listed if hour}
        lag = timedelta(seconds=lag_s(preset, self.hub.pulls.feeds.partner(feed)))
        found: list[Fact] = []
        for (day, hour), figures in sorted(listed.items()):
            stretch = stretch_of(preset, day, hour, lag, read_at, now)
            if not stretch.hours or (day in by_hour and not hour):
                continue
            here = [_without_clicks(one) for one in figures] if _near(day, own_days) else figures
            if not differences(feed.name, here, stretch, ours, theirs, Clicks()):
                continue
            added = differences(feed.name, here, stretch, ours, theirs, self._clicks(feed, stretch.hours, now))
            self._counts(feed, theirs=any("clicks" in cell for cell in added.values()), ours=_near(day, own_days))
            found += to_facts.facts(added, feed.team, feed.partner, feed.name, now)
        return found

    def _receipts(
        self, feed: Feed, spans: Sequence[tuple[datetime, datetime]], covered: datetime | None, now: datetime
    ) -> tuple[Receipt, ...]:
        """Of the hours of these times that each of the partner's accounts has reported, and that none was given for."""
        if not spans or covered is None:
            return ()
        feeds = self.hub.settings.feeds
        others = (
            Memory.from_bytes(self.hub.pulls.feeds.baseline(target_id(TargetKind.FEED, one.name))).covered_until
            for one in feeds
            if one.partner == feed.partner and one.name != feed.name and not one.paused
            and precedence.is_report(one) and precedence.tells(one, feeds, pushed=False)
        )  # fmt: skip
        since, until = min(begin for begin, _ in spans), max(end for _, end in spans)
        return self._missing(feed, since, min([until, covered, *filter(None, others)]), now)

    def _missing(self, feed: Feed, since: datetime, until: datetime, now: datetime) -> tuple[Receipt, ...]:
        known = facts.receipts(self.hub.store, EVERYTHING, since, until)
        there = {hour for partner, hour, _ in known.iter_rows() if partner == feed.partner}
        return tuple(Receipt(feed.partner, hour, now) for hour in hours_between(since, until) if hour not in there)

    # ── postbacks ────────────────────────────────────────────────────────────────────────────────────────────────

    async def take_calls(self, feed: Feed) -> None:
        """Tell what the calls of a feed say beyond what was told."""
        if self.hub.keeping.owed:
            return
        async with self.turn(feed.partner):
            telling = await asyncio.to_thread(self.of_calls, feed, self.hub.clock.now())
            if telling.facts or telling.receipts:
                await self.hub.keeping.keep([*telling.facts, *telling.receipts])
                self.hear(telling)

    def of_calls(self, feed: Feed, now: datetime) -> Telling:
        """Facts of the last two days' calls, and receipts up to the newest one where calls usually tell all. In a thread."""
        if self._spool_waits():
            return NOTHING
        since = floor(now - CALLS_SINCE) + HOUR
        tells = self._tells(feed, now)
        events = postbacks.events_by_hour(self.hub.store, _own(feed), feed.name, since) if tells else {}
        ours, _ = self._told(feed, (), since, now + HOUR)
        hours = {hour for hour in events if hour >= since} | {
            hour for name in ("regs", "ftd") for hour, _ in ours[name]
        }
        wanted = {
            hour: {"regs": events.get(hour, {}).get("registration", 0), "ftd": events.get(hour, {}).get("ftd", 0)}
            for hour in sorted(hours)
        }
        if not wanted:
            return NOTHING
        value = self._value(feed, now)
        clicks = self._clicks(feed, hours_between(since, now), now)
        added = to_facts.counted(feed.name, wanted, value, ours, clicks)
        found = to_facts.facts(added, feed.team, feed.partner, feed.name, now)
        return Telling(tuple(found), self._covered(feed, since, now) if tells and value else ())

    def _covered(self, feed: Feed, since: datetime, now: datetime) -> tuple[Receipt, ...]:
        """Receipts of the hours before the newest call: while calls come, an hour without a deposit had none.

        Where they stop altogether nothing is covered: their sender may have stopped as well as the money.
        """
        accounts = {one.team for one in self.hub.settings.feeds if one.partner == feed.partner}
        last = postbacks.last_good(self.hub.store, _own(feed), feed.name)
        if last is None or len(accounts) > 1:
            return ()
        sums = facts.sums_by_source(self.hub.store, _own(feed), feed.partner, now - PUSHED_SINCE, since)
        mine = sums.get(feed.name, (0, 0, Decimal(0)))
        total = [sum(int(figures[n]) for figures in sums.values()) for n in (0, 1)]
        if mine[1] < ENOUGH_FTD or any(mine[n] < COVERS * total[n] for n in (0, 1)):
            return ()
        return self._missing(feed, since, floor(last), now)

    def _value(self, feed: Feed, now: datetime) -> Decimal:
        """Commission of a usual first deposit: of the last weeks, else as agreed; 0 where nobody knows."""
        first, last = (now - back for back in USUAL)
        sums = facts.sums_by_source(self.hub.store, _own(feed), feed.partner, first, last)
        ftd = sum(count for _, count, _ in sums.values())
        if ftd >= ENOUGH_FTD:
            earned = sum((revenue for *_, revenue in sums.values()), Decimal(0))
            return max(earned / ftd, Decimal(0)).quantize(to_facts.GRAIN)
        for one in self.hub.settings.feeds:
            if (one.partner, one.team) == (feed.partner, feed.team) and one.cpa:
                currency = adapt(presets.load(one.preset), one.options).currency
                exchange = self.hub.settings.rates.at(currency, now.date())
                return (one.cpa * exchange.rate).quantize(to_facts.GRAIN) if exchange else Decimal(0)
        return Decimal(0)

    # ── whose word counts ────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, telling: Telling) -> None:
        """Hand what is stored to the book."""
        frame = fact_frame(list(telling.facts)) if telling.facts else None
        if telling.facts or telling.receipts:
            self.hub.revenue.hear(frame, telling.receipts)

    def _tells(self, feed: Feed, now: datetime) -> bool:
        pushed = self._look_for_pushed(feed, now)
        return precedence.tells(feed, self.hub.settings.feeds, pushed=pushed)

    def _look_for_pushed(self, feed: Feed, now: datetime) -> bool:
        found = facts.has_conversions(self.hub.store, _own(feed), feed.partner, self._sources, now - PUSHED_SINCE)
        self._pushed[feed.team, feed.partner] = found
        return found

    @property
    def _sources(self) -> list[str]:
        return precedence.of_partners(self.hub.settings.feeds)

    def _spool_waits(self) -> bool:
        """Facts that were pushed wait to be read: they may be the same."""
        waiting = self.hub.home.spool.glob("*")
        return any(path.suffix in {".parquet", ".ndjson"} and not path.name.startswith("runs") for path in waiting)

    # ── what is known ────────────────────────────────────────────────────────────────────────────────────────────

    def _told(self, feed: Feed, calls: Sequence[str], since: datetime, until: datetime) -> tuple[Told, Told]:
        """What this feed and its account's postbacks told of a time."""
        read = facts.told_by(self.hub.store, _own(feed), feed.partner, [feed.name, *calls], since, until)
        return (
            to_facts.told(row[1:] for row in read if row[0] == feed.name),
            to_facts.told(row[1:] for row in read if row[0] != feed.name),
        )

    def _clicks(self, feed: Feed, hours: Iterable[datetime], now: datetime) -> Clicks:
        known = sorted(hours)
        found = facts.clicks_by_cell(
            self.hub.store, _own(feed), feed.partner, self._sources, known[0], known[-1] + HOUR
        )
        cells = {(hour, Leaf(offer, geo, site)): count for hour, offer, geo, site, count in found}
        return Clicks(cells, self._day_shape(now))

    def _own_click_days(self, feed: Feed, since: datetime, until: datetime) -> set[date]:
        return facts.click_days(
            self.hub.store, _own(feed), feed.partner, self._sources, since - OURS_SINCE - DAY, until + DAY
        )

    def _day_shape(self, now: datetime) -> tuple[float, ...]:
        if self._shape is None or self._shape[0] != now.date():
            self._shape = now.date(), facts.day_shape(self.hub.store, Scope(None), now - PUSHED_SINCE)
        return self._shape[1]

    def _signs_of(self, feed: Feed) -> Signs:
        settings = self.hub.settings
        if self._signs is None or self._signs[0] is not settings:
            self._signs = settings, {}
        known = self._signs[1]
        if feed.name not in known:
            known[feed.name] = signs(settings, feed)
        return known[feed.name]


def _own(feed: Feed) -> Scope:
    """A feed's figures are its team's."""
    return Scope(teams=frozenset({feed.team}))


def _nothing() -> Said:
    return Said(ANYWHERE, dict.fromkeys(to_facts.MEASURES, Decimal(0)))


def _unbelievable(listed: Mapping[Bucket, Sequence[Said]]) -> str:
    """A figure that cannot be true, in words: no place brings more in an hour, and hardly in a day; empty where none is."""
    for (day, _), places in listed.items():
        for one in places:
            wrong = next((name for name, figure in one.figures.items() if abs(figure) > MOST[name]), "")
            if wrong:
                return f"{wrong} of {day} beyond {MOST[wrong]:,.0f}"
    return ""


def _without_clicks(one: Said) -> Said:
    return replace(one, figures={**one.figures, "clicks": Decimal(0)})


def _near(day: date, days: set[date]) -> bool:
    return any(day + n * DAY in days for n in range(-OURS_SINCE.days, 2))
