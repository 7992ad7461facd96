"""A feed as its screen shows it: changes of its contract, one record before and after, deliveries, ledger, contract."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from checks.feeds import arrival, samples
from checks.feeds import preset as presets
from checks.feeds.adapt import adapt
from checks.feeds.canonical import uses
from checks.feeds.change import Use
from checks.feeds.kinds import HARMLESS
from checks.feeds.memory import Memory
from checks.feeds.message import Correction, Facts, Told, message
from checks.feeds.quarantine import rows_of
from checks.hub import feed_rows as shown
from checks.hub.postback_ingest import PostbackView
from data.access.redaction import redact_words
from data.errors import LosswatchError
from data.model.delivery import Outcome
from data.model.feed_view import ContractRow, FeedView
from data.model.principal import EVERYTHING, MoneyRight
from data.model.state import State
from data.store import deliveries, feed_changes, observations, payloads, restatements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from checks.feeds.canonical import Row
    from checks.feeds.preset import Preset
    from checks.feeds.samples import Sample
    from checks.hub.hub import Hub
    from data.config.settings import Feed
    from data.model.delivery import Delivery, Restatement
    from data.model.fact import FeedChange
    from data.model.ids import TargetId
    from data.model.principal import Scope
    from data.model.snapshot import TargetDetail
    from data.model.target import Target

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
MOST_BYTES = 8 * 1024 * 1024
"""Of the bodies of one delivery, as received: a record is not looked for in larger ones while somebody waits."""
T = TypeVar("T")


@dataclass(slots=True)
class Once(Generic[T]):
    """The last result for each target, until what it was made of is another."""

    _known: dict[TargetId, tuple[object, T]] = field(default_factory=dict)

    def get(self, target: TargetId, mark: object) -> T | None:
        known = self._known.get(target)
        return known[1] if known is not None and known[0] == mark else None

    def put(self, target: TargetId, mark: object, made: T) -> T:
        self._known[target] = (mark, made)
        return made


@dataclass(frozen=True, slots=True)
class Pair:
    """A record of the last good delivery and the same of the one that differs."""

    sample: Sample | None = None
    good_at: datetime | None = None
    bad_at: datetime | None = None


NO_PAIR = Pair()
NO_CALLS = PostbackView((), (), "")


@dataclass(frozen=True, slots=True)
class Known:
    """All that was read of one feed, as it is; what a reader may see of it is decided afterwards."""

    feed: Feed
    preset: Preset
    memory: Memory
    changes: tuple[FeedChange, ...]
    deliveries: tuple[Delivery, ...]
    waiting: tuple[Delivery, ...]
    restated: tuple[Restatement, ...]

    @property
    def open(self) -> tuple[FeedChange, ...]:
        return tuple(one for one in self.changes if one.closed_at is None and one.severity != HARMLESS)

    @property
    def newest(self) -> Delivery | None:
        """The newest delivery that brought bodies."""
        return next((one for one in self.deliveries if one.payloads), None)


@dataclass(slots=True)
class FeedDetails:
    """Completes the details of feeds. Reads the store and may decode kept bodies: in a thread."""

    hub: Hub
    _memory: Once[Memory] = field(default_factory=Once)
    _pairs: Once[Pair] = field(default_factory=Once)
    _pushed: Once[PostbackView] = field(default_factory=Once)
    _contracts: Once[tuple[ContractRow, ...]] = field(default_factory=Once)

    def of_feed(self, detail: TargetDetail, target: Target, scope: Scope, now: datetime) -> TargetDetail:
        """`detail` with everything that only feeds have; one that is no longer configured keeps what it was."""
        feed = self.hub.pulls.feeds.named(target)
        if feed is None:
            return replace(detail, feed=FeedView(platform=""))
        try:
            preset = adapt(presets.load(feed.preset), feed.options)
        except LosswatchError:  # a broken option is told by the check itself
            preset = presets.load(feed.preset)
        known = self._read(target, feed, preset, scope)
        pair = self._pair(target.id, known)
        full = scope.money is MoneyRight.FULL
        mapped = uses(preset)
        hidden = () if full else tuple(path for path, use in mapped.items() if use is Use.MONEY)
        lines = samples.difference(pair.sample, hidden, mapped) if pair.sample else ()
        return replace(
            detail,
            changes=shown.change_rows(known.changes, preset, mapped, scope),
            diff=tuple(replace(line, text=redact_words(line.text, scope)) for line in lines),
            good_at=pair.good_at if lines else None,
            bad_at=pair.bad_at if lines else None,
            feed=self._view(detail, known, pair, scope, now),
        )

    def _read(self, target: Target, feed: Feed, preset: Preset, scope: Scope) -> Known:
        store, body = self.hub.store, self.hub.pulls.feeds.baseline(target.id)
        memory = self._memory.get(target.id, body) or self._memory.put(target.id, body, Memory.from_bytes(body))
        return Known(
            feed, preset, memory,
            tuple(feed_changes.of_feed(store, scope, feed.name)),
            tuple(deliveries.of_feed(store, scope, feed.name)),
            tuple(deliveries.quarantined(store, scope, feed.name)),
            tuple(restatements.of_feed(store, scope, feed.name)),
        )  # fmt: skip

    def _view(self, detail: TargetDetail, known: Known, pair: Pair, scope: Scope, now: datetime) -> FeedView:
        store, preset = self.hub.store, known.preset
        pulls, failed, throttled = observations.pulls(store, scope, detail.row.target, now - DAY)
        sizes = payloads.sizes(store, scope, (one for each in known.deliveries for one in each.payloads))
        contract = known.memory.contract
        pushed = self._calls(detail.row.target, known, now) if preset.source == "push" else NO_CALLS
        told = message(self._facts(detail, known, pair, scope)) if self._worth_a_message(detail) else ""
        return FeedView(
            platform=preset.platform,
            arrival=pushed.arrival or self._arrival(known, now),
            unseen=self._unseen(detail, known, scope, now),
            quota=next((one.evidence["quota"] for one in detail.observations[:1] if "quota" in one.evidence), ""),
            failed=failed / pulls if pulls else None,
            throttled=throttled,
            deliveries=shown.delivery_rows(known.deliveries, sizes, scope),
            waiting=len(known.waiting),
            restatements=shown.restatement_rows(known.restated, preset, scope),
            contract=self._contract(detail.row.target, known, scope),
            contract_since=contract.profiles[0].at if contract.profiles else None,
            postbacks=pushed.hours,
            reconciled=tuple(replace(one, what=redact_words(one.what, scope)) for one in pushed.reconciled),
            message=redact_words(told, scope),
        )

    def _calls(self, target: TargetId, known: Known, now: datetime) -> PostbackView:
        """Looked at once a minute: a week of calls is too many for each look at the screen."""
        mark = now.replace(second=0, microsecond=0)
        made = self._pushed.get(target, mark)
        return made or self._pushed.put(target, mark, self.hub.postbacks.view(known.feed))

    def _contract(self, target: TargetId, known: Known, scope: Scope) -> tuple[ContractRow, ...]:
        """Made again when the memory changes: a wide report has thousands of paths."""
        mark = id(known.memory), known.preset, scope
        made = self._contracts.get(target, mark)
        return made or self._contracts.put(
            target, mark, shown.contract_rows(known.memory.contract, known.preset, scope)
        )

    # Words

    def _arrival(self, known: Known, now: datetime) -> str:
        """When a day's report usually is here, and what was stored last."""
        if known.preset.source == "push":
            return ""
        partner = self.hub.pulls.feeds.partner(known.feed)
        hours = arrival.usual_delay(known.memory, known.preset, partner) / shown.HOUR
        after = f"{hours:.0f} h" if hours >= 1 else f"{hours * 60:.0f} min"
        learned = "" if len(known.memory.arrivals) >= arrival.LEARNED else " (as declared)"
        stored, newest = known.memory.good_at, known.memory.newest
        words = [f"usually complete {after} after the end of the day{learned}"]
        words += [f"newest day {newest:%d %b}"] if newest else []
        words += [f"last stored {_when(stored, now)}"] if stored else []
        return "; ".join(words)

    def _unseen(self, detail: TargetDetail, known: Known, scope: Scope, now: datetime) -> str:
        """What nobody sees while nothing of it is stored."""
        outcome = known.memory.told.partition("|")[0]
        dark = outcome in {Outcome.QUARANTINED, Outcome.FAILED} or detail.row.cause in {"feed.late", "feed.auth"}
        if detail.row.state in {State.OK, State.PAUSED} or not dark:
            return ""
        since = f"unseen since {_when(detail.row.since or now, now)}"
        per_hour = self.hub.book.expected_per_hour({"partner": str(known.feed.partner)}, now)
        if scope.money is not MoneyRight.FULL or per_hour < 0.5:
            return since
        return f"{self.hub.settings.company.currency} {per_hour:,.0f} an hour {since}"

    # One record before and after

    def _pair(self, target: TargetId, known: Known) -> Pair:
        """Worked out once for the two deliveries and the mapping they are read with."""
        found = _two(known)
        if found is None:
            return NO_PAIR
        mark = (*found, known.feed.preset, tuple(sorted(known.feed.options.items())))
        made = self._pairs.get(target, mark)
        return made or self._pairs.put(target, mark, self._compared(known, *found))

    def _compared(self, known: Known, good: Stand, bad: Stand) -> Pair:
        before, after = self._rows(known, good.payloads), self._rows(known, bad.payloads)
        paths = {one.path for one in known.open if one.path} or {one.measure for one in known.restated[:1]}
        sample = samples.chosen(before, after, paths)
        return Pair(sample, good.at, bad.at) if sample else NO_PAIR

    def _rows(self, known: Known, hashes: Sequence[str]) -> tuple[Row, ...]:
        """Records of kept bodies; none of bodies that are gone, too large or not readable."""
        store = self.hub.store
        sizes = payloads.sizes(store, EVERYTHING, hashes)
        if not hashes or sum(sizes.values()) > MOST_BYTES or len(sizes) < len(set(hashes)):
            return ()
        bodies = [body for name in hashes if (body := payloads.get(store, EVERYTHING, name))]
        try:
            return rows_of(bodies, known.preset)
        except LosswatchError:
            return ()
        except Exception:  # a body that no reader foresaw must not take the screen away from who has to mend it
            log.exception("%s: kept bodies cannot be compared", known.feed.name)
            return ()

    # The message

    def _worth_a_message(self, detail: TargetDetail) -> bool:
        return bool(detail.row.cause) and detail.row.state not in {State.OK, State.PAUSED}

    def _facts(self, detail: TargetDetail, known: Known, pair: Pair, scope: Scope) -> Facts:
        row, newest = detail.row, known.newest
        told = [one for one in known.open if row.cause != "feed.restated" or one.kind != "history-restated"]
        began = min((one.first_seen for one in known.open), default=row.since or row.last_at or self.hub.clock.now())
        restated = known.restated if row.cause == "feed.restated" else ()
        return Facts(
            cause=row.cause, platform=known.preset.platform, account="" if scope.hidden_names else known.feed.account, zone=known.preset.zone, since=began,
            detail=redact_words(row.detail, scope), rows=newest.rows if newest else 0,
            first=newest.first if newest else None, last=newest.last if newest else None,
            changes=tuple(_told(one, known.preset, pair, scope) for one in told),
            corrections=tuple(_correction(one, known.preset, scope) for one in _latest(restated)), held=bool(known.waiting),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stand:
    """What was delivered when."""

    at: datetime
    payloads: tuple[str, ...]


def _two(known: Known) -> tuple[Stand, Stand] | None:
    """The last good delivery and the newest that differs; `None` while nothing is wrong with what is delivered."""
    restated = next((one for one in known.restated if not one.acknowledged_at), None)
    if known.open and all(one.kind == "history-restated" for one in known.open) and restated:
        was, now = ((one,) if one else () for one in (restated.payload_was, restated.payload_now))
        at = {name: one.at for one in reversed(known.deliveries) for name in one.payloads}
        good_at = at.get(restated.payload_was, restated.observed_at)
        return Stand(good_at, was), Stand(restated.observed_at, now)
    bad = known.newest
    if not known.open or bad is None:
        return None
    began = min(one.first_seen for one in known.open)
    good = next((one for one in known.deliveries if one.at < began and one.payloads and _fine(one)), None)
    return (Stand(good.at, good.payloads), Stand(bad.at, bad.payloads)) if good else None


def _fine(one: Delivery) -> bool:
    return one.outcome in {Outcome.STORED, Outcome.RELEASED}


def _told(one: FeedChange, preset: Preset, pair: Pair, scope: Scope) -> Told:
    (row,) = shown.change_rows([one], preset, uses(preset), scope)
    if pair.sample is None or not one.path or scope.money is not MoneyRight.FULL:
        return Told(row.path, row.was, row.now)
    before = samples.value_at(pair.sample.before, one.path, uses(preset))
    seen = one.now if one.kind == "field-renamed" else one.path
    return Told(row.path, row.was, row.now, before, samples.value_at(pair.sample.after, seen, uses(preset)))


def _latest(restated: Sequence[Restatement]) -> list[Restatement]:
    """What was lowered at the last time anything was, the largest first."""
    newest = max((one.observed_at for one in restated), default=None)
    found = [one for one in restated if one.observed_at == newest and one.delta < 0]
    return sorted(found, key=lambda one: one.delta)


def _correction(one: Restatement, preset: Preset, scope: Scope) -> Correction:
    (row,) = shown.restatement_rows([one], preset, scope)
    if row.was is None or row.now is None:
        return Correction(one.day, f"{one.measure} lowered")
    count = one.measure in preset.fields and preset.fields[one.measure].type == "count"
    form, unit = (",.0f", "") if count else (",.2f", f" {one.currency}")
    share = f" ({row.share:+.1%})" if row.share is not None else ""
    return Correction(one.day, f"{one.measure} {row.was:{form}} -> {row.now:{form}}{unit}{share}")


def _when(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M}Z" if at.date() == now.date() else f"{at:%d %b %H:%M}Z"
