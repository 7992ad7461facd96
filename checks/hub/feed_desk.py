"""What people decide about a feed: its quarantine, its mapping, and the ledger of what was changed afterwards."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from checks.feeds import preset as presets
from checks.feeds.adapt import adapt
from checks.feeds.evidence import pack
from checks.feeds.exchange import with_rates
from checks.feeds.identities import invoiced
from checks.feeds.judge import FeedOutcome, read_again
from checks.feeds.ledger import row_key
from checks.feeds.memory import Memory
from checks.feeds.payload import Unreadable
from checks.feeds.quarantine import Kept, kept, release, reread
from checks.hub.figures_to_facts import Delivered
from data.config import editing
from data.durable import replace_text
from data.errors import NotAllowed, UsageError
from data.model.audit import AuditEntry
from data.model.delivery import Outcome
from data.model.ids import TargetId
from data.model.principal import EVERYTHING, MoneyRight
from data.model.snapshot import CommandReply
from data.model.target import TargetKind, name_of, target_id
from data.store import deliveries, partner_stats, payloads, restatements
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from checks.hub.hub import Hub
    from data.config.settings import Feed
    from data.model.delivery import Delivery, Restatement
    from data.model.fact import PartnerStat, Payload
    from data.model.principal import Principal
    from data.model.target import Target
    from data.store.tables import Record

MEASURES = ("commission_total", "ngr", "ftd_count", "registrations", "clicks")
"""Figures that say whether a mapping is right, the most telling first."""
ENTRIES = 5_000
"""Of a ledger, the newest that are signed or packed at once."""
MOST_BODIES = 128 * 1024 * 1024
"""Bytes of the bodies in one evidence pack: it is made in memory."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A feed that a person may decide about."""

    target: Target
    feed: Feed


@dataclass(slots=True)
class FeedDesk:
    """Carries out what was decided; every change is audited, every figure appended and none overwritten."""

    hub: Hub
    _editing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held from reading losswatch.toml to writing it: two people may map at once."""

    async def accept(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        """Store what is quarantined as it is: the partner's data are so from now on, and the contract begins anew."""
        one = self._choice(who, arguments)
        async with self.hub.pulls.feeds.busy(one.feed.name):
            outcome = await asyncio.to_thread(self._release, one.feed, one.target, who.name, trusted=True)
            return await self._settle(who, one, outcome, "accept")

    async def replay(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        """Read kept bodies again with today's mapping: the quarantine, or all of the days `from` to `to`."""
        one = self._choice(who, arguments)
        first, last = day_of(arguments, "from"), day_of(arguments, "to")
        async with self.hub.pulls.feeds.busy(one.feed.name):
            if first is None and last is None:
                outcome = await asyncio.to_thread(self._release, one.feed, one.target, who.name, trusted=False)
                return await self._settle(who, one, outcome, "replay")
            return await self._again(who, one, first or date.min, last or date.max, dry=bool(arguments.get("dry_run")))

    async def map(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        """Change options of the feed in losswatch.toml, put them in force, and read the quarantine again.

        `dry_run` says what the newest bodies would then be read as, and changes nothing.
        """
        one = self._choice(who, arguments)
        options = _options(arguments)
        changed = replace(one.feed, options=_merged(one.feed.options, options))
        adapt(presets.load(one.feed.preset), changed.options)  # raises for what no preset has
        async with self._editing:
            text = await asyncio.to_thread(self.hub.home.toml.read_text, "utf-8")
            text = editing.with_feed_options(text, one.feed.name, options)
            preview = await asyncio.to_thread(self._preview, one.feed, changed)
            if arguments.get("dry_run"):
                return CommandReply(ok=True, message=preview)
            await asyncio.to_thread(replace_text, self.hub.home.toml, text)
            await self.hub.configuration.apply(who, dry_run=False)
        words = ", ".join(f"{name}={value or 'none'}" for name, value in options.items())
        await self._audit(who, one, "map", words)
        if not await self._waiting(one.feed):
            self.hub.check_at(one.target.id, self.hub.clock.now())
            return CommandReply(ok=True, message=f"{one.feed.name}: {words} is in force; it is being read again")
        try:
            reply = await self.replay(who, {"target": arguments["target"]})
        except (
            UsageError,
            Unreadable,
        ) as problem:  # a pull may have settled it meanwhile; the mapping is in force all the same
            reply = CommandReply(ok=not await self._waiting(one.feed), message=str(problem))
        return CommandReply(ok=reply.ok, message=f"{one.feed.name}: {words} is in force. {reply.message}")

    async def _waiting(self, feed: Feed) -> list[Delivery]:
        return await asyncio.to_thread(deliveries.quarantined, self.hub.store, EVERYTHING, feed.name)

    async def invoice(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        """Whether the days of a `month` add up to the partner's invoice: its `amount`, in the account's currency."""
        one = self._choice(who, arguments)
        first, amount = _month(arguments), _amount(arguments)
        known = await asyncio.to_thread(partner_stats.current, self.hub.store, EVERYTHING, one.feed.name, first)
        days: dict[date, Decimal] = defaultdict(Decimal)
        for stat in known:
            if (stat.day.year, stat.day.month) == (first.year, first.month):
                days[stat.day] += stat.measures.get("commission_total") or 0
        told = invoiced(list(days.values()), amount)
        await self._audit(who, one, "invoice", f"{first:%Y-%m} {amount}: {told.words}")
        verdict = "it fits" if told.holds else f"it does not fit: {_figure(Decimal(str(told.measured)) - amount)} apart"
        return CommandReply(ok=bool(told.holds), message=f"{one.feed.name}, {first:%Y-%m}: {told.words}; {verdict}")

    async def acknowledge(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        """Sign entries of the ledger: `days` (all when empty), a `measure`, and a `reference` of the dispute.

        What somebody signed before stays theirs; a reference may be given later.
        """
        one = self._choice(who, arguments)
        days, measure = set(map(str, arguments.get("days") or ())), str(arguments.get("measure") or "")
        now, reference = self.hub.clock.now(), clean_text(str(arguments.get("reference") or ""), 80)
        async with self.hub.pulls.feeds.busy(one.feed.name):
            found = await asyncio.to_thread(restatements.of_feed, self.hub.store, who.scope, one.feed.name, ENTRIES)
            signed = [
                replace(
                    entry,
                    acknowledged_at=entry.acknowledged_at or now,
                    acknowledged_by=entry.acknowledged_by or who.name,
                    reference=reference or entry.reference,
                )
                for entry in found
                if (not days or entry.day.isoformat() in days) and measure in {"", entry.measure}
            ]
            if not signed:
                raise UsageError(f"{one.feed.name} has no such entry in its ledger")
            await self.hub.keeping.keep(signed)
        await self._audit(who, one, "acknowledge", f"{len(signed)} restatements {reference}".strip())
        return CommandReply(ok=True, message=f"{len(signed)} entries of {one.feed.name} are acknowledged by {who.name}")

    async def evidence(self, who: Principal, name: str, first: date | None, last: date | None) -> bytes:
        """The evidence pack of a feed: of the days of its ledger, or of the days from `first` to `last`."""
        one = self._choice(who, {"target": target_id(TargetKind.FEED, name)})
        async with self.hub.pulls.feeds.busy(one.feed.name):  # what was told a moment ago is durable then
            content = await asyncio.to_thread(self._pack, one.feed, first, last)
        await self._audit(who, one, "evidence", f"{len(content):,} bytes")
        return content

    def _pack(self, feed: Feed, first: date | None, last: date | None) -> bytes:
        store = self.hub.store
        ledger = [
            entry
            for entry in restatements.of_feed(store, EVERYTHING, feed.name, ENTRIES)
            if (first is None or entry.day >= first) and (last is None or entry.day <= last)
        ]
        if not ledger and first is None:
            raise UsageError(f"nothing of {feed.name} was changed after it had been reported; give --from and --to")
        days = (first or min(entry.day for entry in ledger), last or max(entry.day for entry in ledger))
        versions = partner_stats.versions(store, EVERYTHING, feed.name, *days)
        bodies, left_out = self._bodies(ledger, versions)
        partner = self.hub.pulls.feeds.partner(feed)
        named = f"{partner.name} ({partner.id})" if partner else str(feed.partner)
        return pack(
            feed, presets.load(feed.preset), named, ledger, versions, bodies, days, self.hub.clock.now(), left_out
        )

    def _bodies(self, ledger: Sequence[Restatement], versions: Sequence[PartnerStat]) -> tuple[list[Payload], int]:
        """Those that the ledger speaks of, then those of the versions, the newest first, as far as they fit; how many did not."""
        newest = sorted(versions, key=lambda stat: stat.observed_at, reverse=True)
        told = dict.fromkeys([h for e in ledger for h in (e.payload_was, e.payload_now)] + [s.payload for s in newest])
        sizes = payloads.sizes(self.hub.store, EVERYTHING, told)
        there = [name for name in told if name in sizes]
        room = accumulate(sizes[name] for name in there)
        taken = [name for name, size in zip(there, room, strict=True) if size <= MOST_BODIES]
        found = [body for name in taken if (body := payloads.get(self.hub.store, EVERYTHING, name))]
        return found, len(there) - len(taken)

    def _choice(self, who: Principal, arguments: dict[str, Any]) -> Choice:
        target = self.hub.board.targets.get(TargetId(str(arguments.get("target") or "")))
        if target is None or target.kind is not TargetKind.FEED or not who.scope.sees(target.team):
            raise UsageError(f"no feed {arguments.get('target')!r} in your scope")
        feed = next((one for one in self.hub.settings.feeds if one.name == name_of(target.id)), None)
        if feed is None:
            raise UsageError(f"{target.name} is no longer configured")
        if who.scope.money is not MoneyRight.FULL:
            raise NotAllowed(f"{who.name} ({who.role}) may not decide about money; ask a lead or an admin")
        return Choice(target, feed)

    # In a thread

    def _release(self, feed: Feed, target: Target, who: str, *, trusted: bool) -> FeedOutcome:
        store, feeds, now = self.hub.store, self.hub.pulls.feeds, self.hub.clock.now()
        waiting = deliveries.quarantined(store, EVERYTHING, feed.name)
        if not waiting:
            raise UsageError(f"nothing of {feed.name} is quarantined")
        there = self._kept(feed, waiting)
        known = feeds.known(feed.name, now, min(one.delivery.first for one in there))
        return release(
            feed, presets.load(feed.preset), there, feeds.baseline(target.id), known, now, who,
            partner=feeds.partner(feed), trusted=trusted,
        )  # fmt: skip

    def _kept(self, feed: Feed, waiting: Sequence[Delivery]) -> tuple[Kept, ...]:
        wanted = {name for one in waiting for name in one.payloads}
        bodies = {name: body for name in wanted if (body := payloads.get(self.hub.store, EVERYTHING, name))}
        there, missing = kept(waiting, bodies)
        if missing and not there:
            raise UsageError(f"the bodies of {feed.name} are no longer kept; read the days again with a backfill")
        return there

    def _preview(self, feed: Feed, changed: Feed) -> str:
        """Sums of the newest bodies as they are read now and as they would be."""
        newest = next(iter(deliveries.of_feed(self.hub.store, EVERYTHING, feed.name, 1)), None)
        if newest is None or not newest.payloads:
            return f"nothing of {feed.name} is kept to try it on"
        preset, there = presets.load(feed.preset), self._kept(feed, [newest])
        before, after = (
            _sums(read_again(one, preset, reread(one, preset, there), (), self.hub.clock.now()))
            for one in (feed, changed)
        )
        lines = [f"{feed.name}, {newest.first} to {newest.last}, {newest.rows} rows, read as now and as then:"]
        lines += [
            f"  {name}: {_figure(before.get(name))} -> {_figure(after.get(name))}"
            for name in MEASURES
            if name in before or name in after
        ]
        return "\n".join(lines)

    def _of_days(self, feed: Feed, first: date, last: date) -> tuple[Kept, ...]:
        """Deliveries whose days touch the stretch, quarantined ones aside: those are released, not read again."""
        found = deliveries.of_feed(self.hub.store, EVERYTHING, feed.name, 5_000)
        wanted = [
            one
            for one in found
            if one.payloads
            and one.first <= last
            and one.last >= first
            and one.outcome in {Outcome.STORED, Outcome.RELEASED}
        ]
        return self._kept(feed, wanted)

    async def _again(self, who: Principal, one: Choice, first: date, last: date, *, dry: bool) -> CommandReply:
        feeds, now = self.hub.pulls.feeds, self.hub.clock.now()
        there = await asyncio.to_thread(self._of_days, one.feed, first, last)
        preset = presets.load(one.feed.preset)
        pulled = await asyncio.to_thread(reread, one.feed, preset, there)
        pulled = replace(pulled, rows=tuple(row for row in pulled.rows if row.day and first <= row.day <= last))
        known = await asyncio.to_thread(feeds.known, one.feed.name, now, pulled.first)
        stats = await asyncio.to_thread(read_again, one.feed, preset, pulled, known, now)
        current = {row_key(stat): stat.measures for stat in known}
        moved = [stat for stat in stats if current.get(row_key(stat)) != stat.measures]
        words = f"{len(stats):,} figures of {len({stat.day for stat in stats})} days read again, {len(moved):,} differ"
        if dry:
            return CommandReply(ok=True, message=f"{words}; nothing was stored")
        delivered = Delivered(stats, (), Memory.from_bytes(feeds.baseline(one.target.id)).covered_until, None)
        async with self.hub.to_facts.turn(one.feed.partner):
            telling = await asyncio.to_thread(self.hub.to_facts.of_report, one.feed, delivered, now)
            rows: list[Record] = [*moved, *telling.facts, *telling.receipts]
            stored = await self.hub.keeping.keep(with_rates(rows, self.hub.settings.rates))
        self.hub.to_facts.hear(telling)
        await self._audit(who, one, "replay", words)
        return CommandReply(ok=stored, message=words)

    # Both

    async def _settle(self, who: Principal, one: Choice, outcome: FeedOutcome, action: str) -> CommandReply:
        stored = await self.hub.pulls.feeds.keep(one.target, outcome, self.hub.clock.now())
        words = f"{len(outcome.deliveries)} deliveries released, {len(outcome.stats):,} figures stored"
        await self._audit(who, one, action, words)
        self.hub.check_at(one.target.id, self.hub.clock.now() + timedelta(seconds=1))
        return CommandReply(ok=stored, message=f"{one.feed.name}: {words}")

    async def _audit(self, who: Principal, one: Choice, action: str, words: str) -> None:
        entry = AuditEntry(
            self.hub.clock.now(),
            who.name,
            one.target.team,
            f"feed.{action}",
            one.target.id,
            redact(clean_text(words, 300)),
        )
        await self.hub.keeping.keep([entry])


def day_of(arguments: Mapping[str, Any], name: str) -> date | None:
    """The day an argument names, `None` where it is not given; raises `UsageError` for what is no day."""
    given = arguments.get(name)
    try:
        return date.fromisoformat(str(given)) if given else None
    except ValueError:
        raise UsageError(f"{name}: {given!r} is no day; write it as 2026-01-31") from None


def _month(arguments: Mapping[str, Any]) -> date:
    try:
        return date.fromisoformat(f"{arguments.get('month')}-01")
    except ValueError:
        raise UsageError(f"month: {arguments.get('month')!r} is none; write it as 2026-01") from None


def _amount(arguments: Mapping[str, Any]) -> Decimal:
    try:
        amount = Decimal(str(arguments.get("amount")))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) > Decimal("1e12"):
        raise UsageError(f"amount: {arguments.get('amount')!r} is none; write it as 12345.67")
    return amount


def _options(arguments: Mapping[str, Any]) -> dict[str, str]:
    given = arguments.get("options")
    if not isinstance(given, dict) or not given:
        raise UsageError("what should be mapped? give NAME=VALUE, such as unit=minor or field.clicks=visits")
    return {str(name): str(value) for name, value in given.items()}


def _merged(before: Mapping[str, str], options: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in {**before, **options}.items() if value}


def _sums(stats: Iterable[PartnerStat]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for stat in stats:
        for name, figure in stat.measures.items():
            sums[name] += figure or 0
    return sums


def _figure(value: Decimal | None) -> str:
    return "not delivered" if value is None else f"{value.normalize():,f}"
