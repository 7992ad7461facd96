"""The same records before and now, joined on their key: the only proof of a rename, a scale or a shifted clock."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from checks.feeds.contract import join_path
from checks.feeds.formats import PLAIN_NUMBERS, format_of

if TYPE_CHECKING:
    from checks.feeds.decode import Record

Key = tuple[str, ...]
Flat = dict[str, object]
ENOUGH = 5
MIN_GUESS = 5


@dataclass(frozen=True, slots=True)
class Pairs:
    """Flat records by key, before and now."""

    before: Mapping[Key, Flat]
    now: Mapping[Key, Flat]

    def of(self, old: str, new: str) -> list[tuple[object, object]]:
        """Values at `old` before and at `new` now, for records that have both."""
        both = self.before.keys() & self.now.keys()
        return [
            (self.before[key][old], self.now[key][new])
            for key in both
            if old in self.before[key] and new in self.now[key]
        ]

    def ratios(self, path: str) -> list[float]:
        """log10 of now over before, where both are numbers other than zero of one sign."""
        found = [(number(was), number(now)) for was, now in self.of(path, path)]
        return [
            math.log10(now / was) for was, now in found if was and now and was * now > 0 and math.isfinite(now / was)
        ]

    def leaves(self, path: str) -> set[str]:
        """Suffixes of the scalars at or below `path` before: `""` for a scalar itself."""
        return {
            name.removeprefix(path)
            for flat in self.before.values()
            for name in flat
            if name == path or name.startswith(path + ".")
        }

    def same(self, old: str, new: str) -> tuple[int, int]:
        """(equal, compared) over the values that can prove anything: neither blank nor zero."""
        equal = compared = 0
        for suffix in self.leaves(old):
            found = [(w, n) for w, n in self.of(old + suffix, new + suffix) if w not in {None, "", 0, "0"}]
            if len({str(was) for was, _ in found}) >= 3:
                compared += len(found)
                equal += sum(alike(was, now) for was, now in found)
        return equal, compared


def join(before: Sequence[Record], now: Sequence[Record], key: Key) -> Pairs:
    """Pairs of raw records on top-level fields; records whose key is not unique prove nothing and are left out."""
    return Pairs(_keyed(before, key), _keyed(now, key))


def _keyed(records: Sequence[Record], key: Key) -> dict[Key, Flat]:
    found: dict[Key, Flat] = {}
    twice: set[Key] = set()
    for record in records:
        name = tuple(str(record.get(part)) for part in key)
        if name in found:
            twice.add(name)
        found[name] = flatten(record)
    return {name: flat for name, flat in found.items() if name not in twice}


def flatten(record: Record, above: str = "", depth: int = 6) -> Flat:
    """Scalars of a record by the same dotted paths as its profile; lists are left out."""
    flat: Flat = {}
    for name, value in record.items():
        path = join_path(above, name)
        if isinstance(value, dict):
            flat.update(flatten(value, path, depth - 1) if depth else {})
        elif not isinstance(value, list):
            flat[path] = value
    return flat


def guess_key(before: Sequence[Record], now: Sequence[Record]) -> Key:
    """A top-level field that is there and unique in both payloads and mostly the same in both, else nothing."""
    if len(before) < MIN_GUESS or len(now) < MIN_GUESS:
        return ()
    for name in sorted(now[0], key=lambda name: (name.lower() != "id", not name.lower().endswith("id"))):
        was = {record.get(name) for record in before if isinstance(record.get(name), str | int)}
        here = {record.get(name) for record in now if isinstance(record.get(name), str | int)}
        if len(was) == len(before) and len(here) == len(now) and 2 * len(was & here) > len(here):
            return (name,)
    return ()


def number(value: object) -> float | None:
    """A finite float of a number or a plain numeric string, else `None`."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and format_of(value) not in PLAIN_NUMBERS:
        return None
    try:
        found = float(value.strip() if isinstance(value, str) else value)
    except (OverflowError, ValueError):
        return None
    return found if math.isfinite(found) else None


def alike(was: object, now: object) -> bool:
    one, other = number(was), number(now)
    return one == other if one is not None and other is not None else was == now


def power_of_ten(ratios: Sequence[float], tolerance: float = 0.02, share: float = 0.8) -> int | None:
    """The power most ratios snap to (0 is "unchanged"), `None` when they do not agree or are too few."""
    if len(ratios) < ENOUGH:
        return None
    power = round(statistics.median(ratios))
    snapped = sum(abs(ratio - power) <= tolerance for ratio in ratios)
    return power if snapped >= share * len(ratios) else None


def clock_shift(found: Sequence[tuple[object, object]]) -> timedelta | None:
    """The shift that nearly all timestamps share: whole quarter hours, at most 14 h, not zero."""
    shifts = [
        now - was
        for was, now in ((_moment(was), _moment(now)) for was, now in found)
        if was is not None and now is not None
    ]
    if len(shifts) < ENOUGH:
        return None
    usual = statistics.mode(shifts)
    fits = usual and abs(usual) <= timedelta(hours=14) and usual % timedelta(minutes=15) == timedelta(0)
    return usual if fits and shifts.count(usual) >= 0.9 * len(shifts) else None


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str) or not format_of(value).startswith("datetime"):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
