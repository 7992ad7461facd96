"""A delivery beside what its feed used to deliver: the contract, the known figures, the pages, and plain sense."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from checks.feeds import flaws
from checks.feeds.canonical import Row, uses
from checks.feeds.change import Change
from checks.feeds.contract import Profile, profile
from checks.feeds.deprecation import announced
from checks.feeds.drift import changes
from checks.feeds.flaws import STRANGE
from checks.feeds.kinds import BREAKING
from checks.feeds.paging import pages
from checks.feeds.pairs import Flat, Key, Pairs, flatten
from checks.feeds.payload import Flaw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from checks.feeds.memory import Memory
    from checks.feeds.preset import Preset
    from checks.feeds.pull import Pulled
    from data.model.fact import PartnerStat

GONE = "response-required-property-removed"


def compared(
    preset: Preset, pulled: Pulled, memory: Memory, known: Sequence[PartnerStat], now: datetime
) -> tuple[Change, ...]:
    """Everything that differs from the contract, from the known figures, and from what a report must be at all."""
    found = list(announced(pulled.headers, now))
    mapped = uses(preset)
    found += _senseless(pulled.rows, preset)
    days = {row.day for row in pulled.rows}
    pairs = Pairs(_known([stat for stat in known if stat.day in days], preset), _current(pulled.rows, preset))
    here = profile_of(pulled, now)
    drifted = changes(memory.contract, here, mapped, pairs, own=preset.currency)
    inside = [stat for stat in known if pulled.first <= stat.day <= pulled.last]
    found += [change for change in drifted if change.kind != "rows-vanished" or inside]
    if pulled.rows or not memory.contract.profiles:  # what a contract expects, it says itself
        found += _vanished_days(pulled, inside, preset, now)
    found += _paged(preset, pulled)
    found += _lacking(pulled, {change.path for change in found})
    found += _damage(flaws.changes(memory.contract, here, mapped), found, _overwritten(pulled.rows, known, preset))
    return tuple(sorted(found, key=lambda change: change.path != _headline(preset)))


def _lacking(pulled: Pulled, named: set[str]) -> list[Change]:
    """Required fields that are not there, but for those of which more is known: under which name they are now."""
    return [
        Change(GONE, path, BREAKING, f"what {' and '.join(names)} are read from", "absent", 0, len(pulled.rows))
        for path, names in pulled.lacking.items()
        if path not in named
    ]


def _paged(preset: Preset, pulled: Pulled) -> list[Change]:
    """What the pages themselves say, where each of their records became a row.

    That every page is full says nothing here: the walk ended at a total, or at a page that was short, empty or without a
    next one.
    """
    if preset.paging.kind == "none" or sum(pulled.pages) != len(pulled.rows):
        return []
    ends = list(accumulate(pulled.pages))
    every = [row.id or msgspec.json.encode(row.raw) for row in pulled.rows]
    keys = [every[end - count : end] for count, end in zip(pulled.pages, ends, strict=True)]
    return pages(keys, 0, pulled.total, None)


def _senseless(rows: Sequence[Row], preset: Preset) -> list[Change]:
    """What makes rows no figures at all, also of a feed that was never read before: no day, or nothing that is mapped."""
    if rows and not any(row.day for row in rows):
        words = "no row has a readable day"
        return [Change("date-format-changed", preset.rows.day, BREAKING, "a day", words, 0, len(rows))]
    if rows and not any(row.measures for row in rows):
        words = "no row has any of the mapped fields"
        return [Change(GONE, _headline(preset), BREAKING, "figures", words, 0, len(rows))]
    return []


def _headline(preset: Preset) -> str:
    """The path that a person on call asks about first."""
    field = preset.fields.get("commission_total")
    return field.source if field else ""


def profile_of(pulled: Pulled, now: datetime) -> Profile:
    """The profile of a pull's records, its duplicates counted by the keys of the rows."""
    keys = Counter((row.key, row.id) for row in pulled.rows if row.day)
    twice = sum(count for count in keys.values() if count > 1)
    name = pulled.payloads[0].hash if pulled.payloads else ""
    unread = Counter(path for row in pulled.rows for path in row.unread)
    damage = (*pulled.flaws, *(Flaw(STRANGE, path, "no figure", count) for path, count in unread.items()))
    made = profile(pulled.records, payload=name, at=now, total=pulled.total)
    return replace(made, duplicates=twice, flaws=damage)


def _known(known: Sequence[PartnerStat], preset: Preset) -> dict[Key, Flat]:
    """Known figures as they would stand in a record, by the same keys."""
    return {_key(stat): _as_record(stat.measures, preset) for stat in known}


def _key(stat: PartnerStat) -> Key:
    return (stat.day.isoformat(), stat.currency, *(f"{name}={stat.dims[name]}" for name in sorted(stat.dims)))


def merged(rows: Sequence[Row]) -> dict[Key, tuple[list[Row], dict[str, Decimal | None]]]:
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
    found = merged(rows).items()
    return {
        key: (flatten(same[0].raw) if len(same) == 1 else {}) | _as_record(sums, preset) for key, (same, sums) in found
    }


def _as_record(measures: Mapping[str, Decimal | None], preset: Preset) -> Flat:
    """Figures at the paths they were read from; of several fields of one path the first one speaks."""
    return {
        field.source: float(figure * (100 if field.unit == "minor" else 1))
        for name, field in reversed(preset.fields.items())
        if field.source and (figure := measures.get(name)) is not None
    }


def _vanished_days(pulled: Pulled, inside: Sequence[PartnerStat], preset: Preset, now: datetime) -> list[Change]:
    """Closed days that had figures other than zero and are left out of a report that covers them: one change for all."""
    today = now.astimezone(preset.zone).date()
    there = {row.day for row in pulled.rows}
    gone = sorted({stat.day for stat in inside if stat.day < today and any(stat.measures.values())} - there)
    if not gone:
        return []
    more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
    was = f"figures for {gone[0]}{more}"
    return [Change("rows-vanished", "", BREAKING, was, "day left out", len(inside), len(pulled.rows))]


def _damage(damage: Iterable[Change], found: Sequence[Change], overwritten: set[str]) -> list[Change]:
    """Damage of which no more is known already; breaking where it would take the place of money that is known."""
    told = {change.path for change in found}
    kept = [change for change in damage if change.kind != STRANGE or change.path not in told]
    return [
        replace(change, severity=BREAKING) if change.kind == STRANGE and change.path in overwritten else change
        for change in kept
    ]


def _overwritten(rows: Sequence[Row], known: Sequence[PartnerStat], preset: Preset) -> set[str]:
    """Paths of money that holds no figure in a row of which a figure is known."""
    broken = [row for row in rows if row.unread]
    before = {_key(stat): stat.measures for stat in known} if broken else {}
    return {
        path
        for row in broken
        for name, field in preset.fields.items()
        for path in (field.source, *field.plus)
        if path in row.unread and field.type == "money" and before.get(row.key, {}).get(name) is not None
    }
