"""The restatement ledger: every figure of a closed day that a partner changed after it had delivered it."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from checks.feeds.arrival import day_end, lag_s
from data.model.delivery import RestatedAs, Restatement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from checks.feeds.preset import Preset
    from data.config.settings import Feed, Partner
    from data.model.fact import PartnerStat

YOUNG_DAYS = 3
"""Up to this age a figure that rises is late, not changed."""
COUNT_SETTLES = 0.03
"""Share of first deposits that a day usually loses while it settles (domain study of affiliate reports)."""
SAME_SHARE = 0.002
SAME_DAYS = 5
"""A definition changed when so many days moved by one share."""
POWER_OFF = 0.01
"""Decades a ratio may be off a power of ten and still be a change of unit."""
COUNTS = frozenset({"registrations", "ftd_count", "qftd_count", "ndc", "deposit_count", "clicks", "impressions"})


@dataclass(slots=True)
class _Sum:
    was: Decimal = Decimal(0)
    now: Decimal = Decimal(0)
    gone: Decimal = Decimal(0)
    """Of `was`, in rows that are no longer delivered."""
    rows: int = 0
    payload_was: str = ""
    payload_now: str = ""


def gone(
    known: Iterable[PartnerStat], fresh: Iterable[PartnerStat], first: date, last: date
) -> tuple[PartnerStat, ...]:
    """A version without measures for each known row of the days asked for that the report no longer holds."""
    fresh = list(fresh)
    there = {row_key(stat) for stat in fresh}
    example = next(iter(fresh), None)
    if example is None:
        return ()
    return tuple(
        replace(stat, measures={}, observed_at=example.observed_at, payload=example.payload, version=1)
        for stat in known
        if first <= stat.day <= last and row_key(stat) not in there
    )


def restatements(
    feed: Feed,
    preset: Preset,
    partner: Partner | None,
    known: Sequence[PartnerStat],
    fresh: Sequence[PartnerStat],
    closed_by: datetime | None,
    now: datetime,
) -> tuple[Restatement, ...]:
    """What `fresh` (tombstones included) changes of days that were complete when they were last read, at `closed_by`.

    Sums of a day over its dimensions, a currency and measure at a time. A figure that a row did not have before is no
    restatement, nor is one that it has no more while the row is there: that is the contract's business.
    """
    if closed_by is None:
        return ()
    before = {row_key(stat): stat for stat in known}
    sums: dict[tuple[date, str, str], _Sum] = defaultdict(_Sum)
    for stat in fresh:
        was = before.get(row_key(stat))
        if was is not None or stat.measures:
            _add(sums, was, stat)
    closed = {
        day
        for day in {stat.day for stat in known}
        if day_end(day, preset) + timedelta(seconds=lag_s(preset, partner)) <= closed_by
    }
    found = [
        Restatement(
            feed.name, feed.team, feed.partner, day, currency, measure, total.was, total.now, total.rows,
            RestatedAs.CORRECTION, max((now - day_end(day, preset)).days, 0), now, total.payload_was, total.payload_now,
        )
        for (day, currency, measure), total in sorted(sums.items())
        if day in closed and total.was != total.now
    ]  # fmt: skip
    gone_by = {key: total.gone for key, total in sums.items()}
    redefined = _redefined(found)
    return _with_company([replace(entry, kind=_kind(entry, redefined, gone_by, preset)) for entry in found])


def _with_company(found: Sequence[Restatement]) -> tuple[Restatement, ...]:
    """What is lowered together with a claw-back, on its day, is part of it: three players of 35 alone would be chance."""
    clawed = {entry.day for entry in found if entry.kind is RestatedAs.CLAW_BACK}
    return tuple(
        replace(entry, kind=RestatedAs.CLAW_BACK)
        if entry.day in clawed and entry.delta < 0 and entry.kind is RestatedAs.CORRECTION
        else entry
        for entry in found
    )


def row_key(stat: PartnerStat) -> tuple[object, ...]:
    """What makes two versions speak of the same row."""
    return (stat.day, stat.currency, tuple(sorted(stat.dims.items())))


def _add(sums: dict[tuple[date, str, str], _Sum], was: PartnerStat | None, now: PartnerStat) -> None:
    """Figures that both versions have; a row that is new counts from zero, one that is gone falls to it."""
    for name in {**(was.measures if was else {}), **now.measures}:
        old = was.measures.get(name) if was else Decimal(0)
        new = now.measures.get(name) if now.measures else Decimal(0)
        if old is None or new is None:
            continue
        total = sums[now.day, now.currency, name]
        total.was += old
        total.now += new
        if old != new:
            total.rows += 1
            total.gone += Decimal(0) if now.measures else old
            total.payload_was = (was.payload if was else "") or total.payload_was
            total.payload_now = now.payload


def _kind(
    entry: Restatement, redefined: set[tuple[str, str]], gone_by: dict[tuple[date, str, str], Decimal], preset: Preset
) -> RestatedAs:
    """The first that fits: unit, definition, deletion, late data, claw-back, correction."""
    if _power(entry):
        return RestatedAs.UNIT_CHANGE
    if (entry.currency, entry.measure) in redefined:
        return RestatedAs.DEFINITION_CHANGE
    if entry.delta < 0 and -entry.delta == gone_by[entry.day, entry.currency, entry.measure]:
        return RestatedAs.DELETION
    if entry.delta > 0 and entry.age_days <= YOUNG_DAYS:
        return RestatedAs.LATE_DATA
    return RestatedAs.CLAW_BACK if -entry.delta > _allowed(entry, preset) else RestatedAs.CORRECTION


def _power(entry: Restatement) -> int:
    if entry.was * entry.now <= 0:
        return 0
    decades = math.log10(entry.now / entry.was)
    return round(decades) if abs(decades - round(decades)) <= POWER_OFF else 0


def _redefined(found: Sequence[Restatement]) -> set[tuple[str, str]]:
    """Currencies and measures that moved by one share on several days, while nothing else moved on them."""
    same: dict[tuple[str, str], list[Restatement]] = defaultdict(list)
    moved: dict[date, set[str]] = defaultdict(set)
    for entry in found:
        same[entry.currency, entry.measure].append(entry)
        moved[entry.day].add(entry.measure)
    return {
        key
        for key, entries in same.items()
        if _one_share(entries) and all(moved[entry.day] == {entry.measure} for entry in entries)
    }


def _one_share(entries: Sequence[Restatement]) -> bool:
    if len({entry.day for entry in entries}) < SAME_DAYS or not all(entry.was for entry in entries):
        return False
    shares = [float(entry.now / entry.was) for entry in entries]
    return max(shares) - min(shares) <= SAME_SHARE


def _allowed(entry: Restatement, preset: Preset) -> Decimal:
    """How far a figure may be lowered without a word: the partner's envelope, and for counts their own chance."""
    was = float(abs(entry.was))
    if entry.measure in COUNTS:
        return Decimal(COUNT_SETTLES * was + 2 * math.sqrt(COUNT_SETTLES * was) + 0.5)
    return Decimal(preset.freshness.envelope * was)
