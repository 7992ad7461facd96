"""What a pull means: one observation, the figures that may be stored, the changes and what to remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from checks.feeds import arrival
from checks.feeds.adapt import adapt
from checks.feeds.canonical import uses
from checks.feeds.change import Change, Use, Uses, use_of
from checks.feeds.compare import compared, merged, profile_of
from checks.feeds.conclusion import conclusion
from checks.feeds.contract import Contract
from checks.feeds.decode_json import DUPLICATE
from checks.feeds.expiry import expiring
from checks.feeds.kinds import BREAKING, HARMLESS
from checks.feeds.ledger import gone, restatements
from checks.feeds.memory import RESTATED_OPEN, Memory
from checks.feeds.notes import notes
from checks.feeds.quota import left
from checks.feeds.restated import restatement
from checks.feeds.sense import beside_others, beside_our_clicks, day_totals, senses
from data.model.cause import state_of
from data.model.delivery import Delivery, Outcome, Restatement
from data.model.fact import FeedChange, PartnerStat, Payload, Receipt
from data.model.observation import Observation
from data.model.state import State
from data.model.target import TargetKind, target_id
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.feeds.preset import Preset
    from checks.feeds.pull import Pulled
    from data.config.settings import Feed, Partner
    from data.model.ids import CauseId
    from data.store.tables import Record

NOBODY: Mapping[str, Mapping[date, float]] = MappingProxyType({})
NO_CLICKS: Mapping[date, int] = MappingProxyType({})
NOTHING_AWAITED = arrival.Arrival(late=False, note="")


@dataclass(frozen=True, slots=True)
class FeedOutcome:
    """All that follows from one pull; the hub stores it as it is."""

    observation: Observation
    outcome: Outcome
    stats: tuple[PartnerStat, ...]
    changes: tuple[FeedChange, ...]
    """Open ones, and those that this pull closed."""
    payloads: tuple[Payload, ...]
    baseline: bytes
    """To be given back at the next judgement; its contract is untouched by a payload that broke it."""
    receipts: tuple[Receipt, ...]
    deliveries: tuple[Delivery, ...] = ()
    """This one where it differs from the one before, and quarantined ones that it settles."""
    restatements: tuple[Restatement, ...] = ()
    retry_at: datetime | None = None
    """Not before this, when the platform asked for patience."""

    @property
    def rows(self) -> list[Record]:
        """All that is stored of it but the observation and the baseline."""
        return [*self.stats, *self.payloads, *self.receipts, *self.changes, *self.deliveries, *self.restatements]


def judge(
    feed: Feed,
    preset: Preset,
    pulled: Pulled,
    baseline: bytes | None,
    known: Sequence[PartnerStat],
    now: datetime,
    *,
    partner: Partner | None = None,
    held: Sequence[Delivery] = (),
    others: Mapping[str, Mapping[date, float]] = NOBODY,
    own: Mapping[date, int] = NO_CLICKS,
    ends: datetime | None = None,
) -> FeedOutcome:
    """Pure. `known` are the current figures of this feed for at least the days asked for.

    `held` are its quarantined deliveries, `others` commission by partner and complete day, this one's included, `own` our
    clicks to it by its days; `ends` is when the account's credential does.

    1. A pull with a problem says so and teaches nothing. 2. The payload is compared with its contract and with the same
    records as known. 3. A breaking change of money, days or dimensions, or of the payload as a whole, quarantines: the
    raw body is kept, no figure is stored, nothing is learned. 4. Otherwise figures are stored, history is compared,
    arrival is judged, and the contract learns the payload unless something mapped broke.
    """
    preset = adapt(preset, feed.options)
    memory = Memory.from_bytes(baseline)
    if pulled.problem:
        return _failed(feed, pulled, memory, now)
    found = compared(preset, pulled, memory, known, now)
    days = day_totals(known, pulled.rows, now.astimezone(preset.zone).date())
    found = (*found, *senses(feed, preset, pulled.rows, pulled.totals, days))
    found = (*found, *beside_our_clicks(own, days))
    found = beside_others(found, feed.partner, others)
    if expires := expiring(feed.secret, ends, now):
        found = (*found, expires)
    if any(change.severity == BREAKING and _holds(change, uses(preset), pulled) for change in found):
        return _held(feed, pulled, memory, found, now, held)
    return _taken(feed, preset, pulled, memory, found, known, now, partner, held)


def accept(
    feed: Feed,
    preset: Preset,
    pulled: Pulled,
    baseline: bytes | None,
    known: Sequence[PartnerStat],
    now: datetime,
    *,
    partner: Partner | None = None,
) -> FeedOutcome:
    """As `judge`, on a person's word that this is how the partner's data are from now on: the contract begins anew."""
    preset = adapt(preset, feed.options)
    memory = replace(Memory.from_bytes(baseline), contract=Contract(), told="")
    return _taken(feed, preset, pulled, memory, (), known, now, partner, ())


def read_again(
    feed: Feed, preset: Preset, pulled: Pulled, known: Sequence[PartnerStat], now: datetime
) -> tuple[PartnerStat, ...]:
    """The figures of bodies that were read wrongly by us: new versions, and nothing that the partner could be blamed for."""
    preset = adapt(preset, feed.options)
    fresh = _stats(feed, pulled, now)
    days = {stat.day for stat in fresh}
    return (*fresh, *gone([stat for stat in known if stat.day in days], fresh, pulled.first, pulled.last))


def _taken(
    feed: Feed,
    preset: Preset,
    pulled: Pulled,
    memory: Memory,
    found: tuple[Change, ...],
    known: Sequence[PartnerStat],
    now: datetime,
    partner: Partner | None,
    held: Sequence[Delivery],
) -> FeedOutcome:
    """Figures are stored, history is compared, arrival is judged, the contract learns."""
    restated = restatement(known, pulled.rows, preset, now.astimezone(preset.zone).date())
    memory = _remember_restated(memory, restated, now)
    found = (*found, *([restated] if restated else ()), *notes(known, pulled.rows, preset))
    newest = max((row.day for row in pulled.rows if row.day), default=None)
    memory = arrival.learn(memory, newest, preset, now)
    waiting = arrival.awaited(memory, newest, preset, partner, now)
    receipts, memory = arrival.receipts(memory, feed, newest, pulled.first, preset, partner, now)
    if not any(change.severity == BREAKING for change in found):
        memory = memory.learn(profile_of(pulled, now))
    stats = _stats(feed, pulled, now)
    stats = (*stats, *gone(known, stats, pulled.first, pulled.last))
    entries = restatements(feed, preset, partner, known, stats, memory.good_at, now)
    memory = replace(memory, good_at=now)
    outcome = _outcome(feed, pulled, memory, found, now, Outcome.STORED, waiting=waiting, held=held)
    return replace(outcome, stats=stats, receipts=receipts, restatements=entries)


def _held(
    feed: Feed, pulled: Pulled, memory: Memory, found: Sequence[Change], now: datetime, held: Sequence[Delivery]
) -> FeedOutcome:
    """The bodies wait for a person; those of an earlier delivery of the same days need not wait any longer."""
    return _outcome(feed, pulled, memory, found, now, Outcome.QUARANTINED, held=held)


def _holds(change: Change, mapped: Uses, pulled: Pulled) -> bool:
    """Whether a breaking change makes the figures unsafe to store."""
    unsafe = not change.path or change.path in pulled.lacking or change.kind == DUPLICATE
    return unsafe or use_of(change.path, mapped) in {Use.MONEY, Use.DAY, Use.DIM}


def _remember_restated(memory: Memory, restated: Change | None, now: datetime) -> Memory:
    if restated:
        return replace(memory, restated=f"{restated.path}: {restated.was} → {restated.now}", restated_at=now)
    if memory.restated_at and now - memory.restated_at > RESTATED_OPEN:
        return replace(memory, restated="", restated_at=None)
    return memory


def _stats(feed: Feed, pulled: Pulled, now: datetime) -> tuple[PartnerStat, ...]:
    """One figure a key and day."""
    name = pulled.payloads[0].hash if pulled.payloads else ""
    return tuple(
        PartnerStat(feed.name, feed.team, feed.partner, row.day, row.dims, sums, row.currency, now, payload=name)
        for (row, *_), sums in merged(pulled.rows).values()
        if row.day
    )


def _failed(feed: Feed, pulled: Pulled, memory: Memory, now: datetime) -> FeedOutcome:
    assert pulled.problem
    found = _observation(feed, pulled, now, pulled.problem.cause, state_of(pulled.problem.cause), pulled.problem.words)
    deliveries, memory = _delivered(feed, pulled, memory, found, Outcome.FAILED, now)
    return FeedOutcome(
        found,
        Outcome.FAILED,
        (),
        (),
        pulled.payloads if deliveries else (),
        memory.to_bytes(),
        (),
        deliveries,
        retry_at=pulled.problem.retry_at,
    )


def _outcome(
    feed: Feed,
    pulled: Pulled,
    memory: Memory,
    found: Sequence[Change],
    now: datetime,
    outcome: Outcome,
    *,
    waiting: arrival.Arrival = NOTHING_AWAITED,
    held: Sequence[Delivery] = (),
) -> FeedOutcome:
    state, why, detail = conclusion(pulled, memory, found, waiting)
    listed, memory = _ledger(feed, pulled, memory, found, now)
    observed = _observation(feed, pulled, now, why, state, detail)
    deliveries, memory = _delivered(feed, pulled, memory, observed, outcome, now)
    settled = _superseded(held, pulled, now) if deliveries or outcome is Outcome.STORED else ()
    return FeedOutcome(observed, outcome, (), listed, pulled.payloads, memory.to_bytes(), (), (*deliveries, *settled))


def _delivered(
    feed: Feed, pulled: Pulled, memory: Memory, observed: Observation, outcome: Outcome, now: datetime
) -> tuple[tuple[Delivery, ...], Memory]:
    """A record of the delivery where it differs from the one before, and the memory of it.

    Of bodies that are no report, one after the other, the first is evidence enough.
    """
    hashes = tuple(payload.hash for payload in pulled.payloads)
    told = "|".join((outcome, observed.cause, *(hashes if outcome is not Outcome.FAILED else ())))
    if told == memory.told:
        return (), memory
    days = (pulled.first, pulled.last)
    one = Delivery(feed.name, feed.team, now, *days, hashes, len(pulled.rows), outcome, observed.cause, observed.detail)
    return (one,), replace(memory, told=told)


def _superseded(held: Sequence[Delivery], pulled: Pulled, now: datetime) -> tuple[Delivery, ...]:
    """Quarantined deliveries of which every day came again."""
    return tuple(
        replace(one, outcome=Outcome.SUPERSEDED, decided_at=now, decided_by="hub")
        for one in held
        if pulled.first <= one.first and one.last <= pulled.last and one.outcome is Outcome.QUARANTINED
    )


def _ledger(
    feed: Feed, pulled: Pulled, memory: Memory, found: Sequence[Change], now: datetime
) -> tuple[tuple[FeedChange, ...], Memory]:
    """Changes with the time each was first seen, then those that are no longer there, closed."""
    before = {(change.kind, change.path): change for change in memory.open}
    payload = pulled.payloads[0].hash if pulled.payloads else ""
    listed = []
    for change in found:
        known = before.pop((change.kind, change.path), None)
        first = known.first_seen if known else now
        was, is_now = clean_text(change.was, 120), clean_text(change.now, 120)
        counted = (change.n_before, change.n_after)
        named = (known.payload if known else payload, change.kind, change.path, change.severity)
        listed.append(FeedChange(feed.name, feed.team, *named, was, is_now, *counted, first, now))
    closed = tuple(replace(change, closed_at=now) for change in before.values())
    still = tuple(change for change in listed if change.severity != HARMLESS)
    return (*listed, *closed), replace(memory, open=still)


def _observation(feed: Feed, pulled: Pulled, now: datetime, why: CauseId, state: State, detail: str) -> Observation:
    local = why.partition(".")[0] in {"dns", "tcp", "tls", "http", "proto"}
    return Observation(
        target=target_id(TargetKind.FEED, feed.name),
        team=feed.team,
        kind=TargetKind.FEED,
        started_at=now,
        state=state,
        cause=why,
        detail=redact(clean_text(detail)),
        total_ms=pulled.total_ms,
        value=float(len(pulled.rows)) if not pulled.problem else None,
        blame=pulled.host if local else str(feed.partner) if why else "",
        evidence={"partner": str(feed.partner), "host": clean_text(pulled.host, 120), **_quota(pulled)},
    )


def _quota(pulled: Pulled) -> dict[str, str]:
    words = left(pulled.headers)
    return {"quota": words} if words else {}
