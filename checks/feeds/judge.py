"""What a pull means: one observation, the figures that may be stored, the changes and what to remember."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from checks.feeds import arrival
from checks.feeds.adapt import adapt
from checks.feeds.canonical import Row, uses
from checks.feeds.change import Change, Use, Uses, use_of
from checks.feeds.conclusion import conclusion
from checks.feeds.contract import Contract, Profile, profile
from checks.feeds.deprecation import announced
from checks.feeds.drift import changes
from checks.feeds.expiry import expiring
from checks.feeds.kinds import BREAKING, HARMLESS, RISKY
from checks.feeds.ledger import gone, restatements
from checks.feeds.memory import RESTATED_OPEN, Memory
from checks.feeds.pairs import Flat, Key, Pairs, flatten
from checks.feeds.restated import restatement
from checks.feeds.sense import beside_others, day_totals, senses
from data.model.cause import state_of
from data.model.delivery import Delivery, Outcome, Restatement
from data.model.fact import FeedChange, PartnerStat, Payload, Receipt
from data.model.observation import Observation
from data.model.state import State
from data.model.target import TargetKind, target_id
from data.text import clean_text, redact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from checks.feeds.preset import Preset
    from checks.feeds.pull import Pulled
    from data.config.settings import Feed, Partner
    from data.model.ids import CauseId
    from data.store.tables import Record

NOBODY: Mapping[str, Mapping[date, float]] = MappingProxyType({})
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
    ends: datetime | None = None,
) -> FeedOutcome:
    """Pure. `known` are the current figures of this feed for at least the days asked for.

    `held` are its quarantined deliveries, `others` commission by partner and complete day, this one's included; `ends` is
    when the account's credential does.

    1. A pull with a problem says so and teaches nothing. 2. The payload is compared with its contract and with the same
    records as known. 3. A breaking change of money, days or dimensions, or of the payload as a whole, quarantines: the
    raw body is kept, no figure is stored, nothing is learned. 4. Otherwise figures are stored, history is compared,
    arrival is judged, and the contract learns the payload unless something mapped broke.
    """
    preset = adapt(preset, feed.options)
    memory = Memory.from_bytes(baseline)
    if pulled.problem:
        return _failed(feed, pulled, memory, now)
    found = _changes(preset, pulled, memory, known, now)
    days = day_totals(known, pulled.rows, now.astimezone(preset.zone).date())
    found = (*found, *senses(feed, pulled.rows, pulled.totals, days))
    found = beside_others(found, feed.partner, others)
    if expires := expiring(feed.secret, ends, now):
        found = (*found, expires)
    if any(change.severity == BREAKING and _holds(change, uses(preset)) for change in found):
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
    found = (*found, restated) if restated else found
    newest = max((row.day for row in pulled.rows if row.day), default=None)
    memory = arrival.learn(memory, newest, preset, now)
    waiting = arrival.awaited(memory, newest, preset, partner, now)
    receipts, memory = arrival.receipts(memory, feed, newest, pulled.first, preset, partner, now)
    if not any(change.severity == BREAKING for change in found):
        memory = memory.learn(_profile(pulled, now))
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


def _changes(
    preset: Preset, pulled: Pulled, memory: Memory, known: Sequence[PartnerStat], now: datetime
) -> tuple[Change, ...]:
    found = list(announced(pulled.headers, now))
    mapped = uses(preset)
    found += _senseless(pulled.rows, preset)
    pairs = Pairs(_known(known, preset), _current(pulled.rows, preset))
    drifted = changes(memory.contract, _profile(pulled, now), mapped, pairs)
    inside = [stat for stat in known if pulled.first <= stat.day <= pulled.last]
    found += [change for change in drifted if change.kind != "rows-vanished" or inside]
    found += _vanished_days(pulled, inside, preset, now) if pulled.rows else []
    found += _unread(pulled, mapped, {change.path for change in found})
    return tuple(sorted(found, key=lambda change: change.path != _headline(preset)))


def _senseless(rows: Sequence[Row], preset: Preset) -> list[Change]:
    """What makes rows no figures at all, also of a feed that was never read before: no day, or nothing that is mapped."""
    if rows and not any(row.day for row in rows):
        words = "no row has a readable day"
        return [Change("date-format-changed", preset.rows.day, BREAKING, "a day", words, 0, len(rows))]
    if rows and not any(row.measures for row in rows):
        words = "no row has any of the mapped fields"
        return [
            Change("response-required-property-removed", _headline(preset), BREAKING, "figures", words, 0, len(rows))
        ]
    return []


def _headline(preset: Preset) -> str:
    """The path that a person on call asks about first."""
    field = preset.fields.get("commission_total")
    return field.source if field else ""


def _profile(pulled: Pulled, now: datetime) -> Profile:
    keys = Counter((row.key, row.id) for row in pulled.rows if row.day)
    twice = sum(count for count in keys.values() if count > 1)
    name = pulled.payloads[0].hash if pulled.payloads else ""
    return replace(profile(pulled.records, payload=name, at=now, total=pulled.total), duplicates=twice)


def _known(known: Sequence[PartnerStat], preset: Preset) -> dict[Key, Flat]:
    """Known figures as they would stand in a record, by the same keys."""
    return {_key(stat): _as_record(stat.measures, preset) for stat in known}


def _key(stat: PartnerStat) -> Key:
    return (stat.day.isoformat(), stat.currency, *(f"{name}={stat.dims[name]}" for name in sorted(stat.dims)))


def _merged(rows: Sequence[Row]) -> dict[Key, tuple[list[Row], dict[str, Decimal | None]]]:
    """Rows with a day by key, with their sums: rows may differ in what is not mapped."""
    merged: dict[Key, tuple[list[Row], dict[str, Decimal | None]]] = {}
    for row in rows:
        if row.day is None:
            continue
        same, measures = merged.setdefault(row.key, ([], {}))
        same.append(row)
        for name, figure in row.measures.items():
            before = measures.get(name)
            measures[name] = figure if before is None else before if figure is None else before + figure
    return merged


def _current(rows: Sequence[Row], preset: Preset) -> dict[Key, Flat]:
    """The mapped sums, over the record as it came where a key has one: what `_known` can be compared with."""
    merged = _merged(rows).items()
    return {
        key: (flatten(same[0].raw) if len(same) == 1 else {}) | _as_record(sums, preset) for key, (same, sums) in merged
    }


def _as_record(measures: Mapping[str, Decimal | None], preset: Preset) -> Flat:
    """Figures at the paths they were read from; of several fields of one path the first one speaks."""
    return {
        field.source: float(figure * (100 if field.unit == "minor" else 1))
        for name, field in reversed(preset.fields.items())
        if field.source and (figure := measures.get(name)) is not None
    }


def _vanished_days(pulled: Pulled, inside: Sequence[PartnerStat], preset: Preset, now: datetime) -> list[Change]:
    """Closed days that had figures other than zero and are left out of a report that covers them."""
    today = now.astimezone(preset.zone).date()
    there = {row.day for row in pulled.rows}
    active = {stat.day for stat in inside if any(stat.measures.values())}
    return [
        Change("rows-vanished", "", BREAKING, f"figures for {day}", "day left out", len(inside), len(pulled.rows))
        for day in sorted(active - there)
        if day < today
    ]


def _unread(pulled: Pulled, mapped: Uses, named: set[str]) -> list[Change]:
    counted = Counter(path for row in pulled.rows for path in row.unread)
    return [
        Change(
            "value-unreadable",
            path,
            RISKY,
            "a figure",
            f"{count} of {len(pulled.rows)} values are no figures",
            0,
            count,
        )
        for path, count in counted.items()
        if path not in named and path in mapped
    ]


def _holds(change: Change, mapped: Uses) -> bool:
    """Whether a breaking change makes the figures unsafe to store."""
    return not change.path or use_of(change.path, mapped) in {Use.MONEY, Use.DAY, Use.DIM}


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
        for (row, *_), sums in _merged(pulled.rows).values()
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
        pulled.payloads,
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
    """A record of the delivery where it differs from the one before, and the memory of it."""
    hashes = tuple(payload.hash for payload in pulled.payloads)
    told = "|".join((outcome, observed.cause, *hashes))
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
        evidence={"partner": str(feed.partner), "host": clean_text(pulled.host, 120)},
    )
