"""What a feed looked like while it was fine: one profile a payload, the last 14 of them as one contract."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from checks.feeds.formats import DECIMAL, EMPTY, INTEGER, format_of, is_date
from data.text import clean_text

if TYPE_CHECKING:
    from checks.feeds.decode import Record

KEEP = 14
SAMPLE = 2_000
CLOSED = 12
MAX_PATHS = 4_000
MAX_DEPTH = 12
MAX_ELEMENTS = 50
HUGE = 1e300
LONGEST_DATE = 64
MOST_DAYS = 100
_DYNAMIC = re.compile(r"\d+|\d{4}-\d\d(-\d\d)?.*|[0-9a-fA-F-]*\d[0-9a-fA-F-]{11,}")
_CLOCK = re.compile(r"\d[T ]([01]?\d|2[0-3]):[0-5]\d(?::[0-6]\d)?(?:\s*([AaPp])[Mm])?")
_DAY = re.compile(r"\s*(\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}([/.-])\d{1,2}\2\d{2,4})(?!\d)")
_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


@dataclass(frozen=True, slots=True)
class PathProfile:
    """What one path held in one payload. Shares are of `n`; `parents` is how often the object above it was there."""

    parent: str
    parents: int
    n: int
    objects: int = 0
    nulls: int = 0
    empties: int = 0
    zeros: int = 0
    numbers: int = 0
    """Numbers and plain numeric strings."""
    fractions: int = 0
    types: dict[str, int] = field(default_factory=dict)
    formats: dict[str, int] = field(default_factory=dict)
    """Classes of the strings, empties left out."""
    values: tuple[str, ...] | None = None
    """All distinct texts when there are at most 12 of them, sorted."""
    distinct: int = 0
    low: float | None = None
    high: float | None = None
    log_median: float | None = None
    """log10 of the median of the absolute non-zero numbers."""
    hours: tuple[int, ...] = ()
    """24 counts of the hour of day of the texts with a time, as written; empty when there is none."""
    days: dict[str, int] = field(default_factory=dict)
    """Values by calendar day as written (`05/11/2026`), empty where there is none or more than 100 differ."""

    @property
    def presence(self) -> float:
        return self.n / self.parents if self.parents else 0.0

    @property
    def sized(self) -> int:
        """Numbers other than zero: those that have a size."""
        return self.numbers - self.zeros

    @property
    def blanks(self) -> int:
        return self.nulls + self.empties


@dataclass(frozen=True, slots=True)
class Profile:
    """One payload, path by path."""

    payload: str
    at: datetime
    records: int
    paths: dict[str, PathProfile]
    duplicates: int = 0
    """Records whose key another record of the payload has too."""
    total: int | None = None
    """Rows the payload itself says there are, over all pages."""


@dataclass(frozen=True, slots=True)
class Contract:
    """The last payloads that were fine, oldest first. Union is commutative, associative and idempotent."""

    profiles: tuple[Profile, ...] = ()

    def union(self, other: Contract) -> Contract:
        """Both, each payload once, the newest 14."""
        mine = {(profile.at, profile.payload): profile for profile in (*self.profiles, *other.profiles)}
        return Contract(tuple(mine[key] for key in sorted(mine)[-KEEP:]))

    def learn(self, profile: Profile) -> Contract:
        return self.union(Contract((profile,)))

    def paths(self) -> dict[str, tuple[PathProfile, ...]]:
        """Path to its profile in each payload that had it, oldest first."""
        history: dict[str, list[PathProfile]] = defaultdict(list)
        for profile in self.profiles:
            for path, seen in profile.paths.items():
                history[path].append(seen)
        return {path: tuple(seen) for path, seen in history.items()}

    def to_json(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, raw: bytes) -> Contract:
        return msgspec.json.decode(raw, type=cls)


def profile(
    records: list[Record],
    *,
    payload: str,
    at: datetime,
    key: tuple[str, ...] = (),
    total: int | None = None,
) -> Profile:
    """Profile a payload on at most 2,000 of its records, evenly spaced, so that the same payload gives the same profile.

    `key` are top-level fields that identify a record; duplicates are counted over all records.
    """
    step = max(1, math.ceil(len(records) / SAMPLE))
    sample = records[::step]
    columns, parents = _columns(sample)
    paths: dict[str, PathProfile] = {}
    for path, values in columns.items():
        parent = parents[path]
        above = paths[parent].objects if parent else len(sample)
        paths[path] = _column(values, parent, above)
    return Profile(payload, at, len(records), paths, _duplicates(records, key), total)


def _columns(records: list[Record]) -> tuple[dict[str, list[object]], dict[str, str]]:
    """Values by path, parents before children, and each path's parent object (`""` is the record itself)."""
    columns: dict[str, list[object]] = defaultdict(list)
    parents: dict[str, str] = {}
    level: list[tuple[str, list[Record]]] = [("", records)]
    for _ in range(MAX_DEPTH):
        below: list[tuple[str, list[Record]]] = []
        for above, objects in level:
            for path, values in _spread(above, objects).items():
                if path not in columns and len(columns) >= MAX_PATHS:
                    continue
                columns[path].extend(values)
                parents.setdefault(path, above)
                inner = _objects(path, values, columns, parents)
                if inner:
                    below.append(inner)
        if not below:
            break
        level = below
    return columns, parents


def _spread(above: str, objects: list[Record]) -> dict[str, list[object]]:
    by_key: dict[str, list[object]] = defaultdict(list)
    for record in objects:
        for key, value in record.items():
            by_key[key].append(value)
    spread: dict[str, list[object]] = {}
    for key, values in by_key.items():
        spread.setdefault(join_path(above, key), []).extend(values)
    return spread


def _objects(
    path: str, values: list[object], columns: dict[str, list[object]], parents: dict[str, str]
) -> tuple[str, list[Record]] | None:
    """The objects directly in a column or in its lists, to be descended into."""
    kinds = set(map(type, values))
    if list in kinds:
        items = [item for value in values if isinstance(value, list) for item in value[:MAX_ELEMENTS]]
        columns[path + "[]"].extend(items)
        parents.setdefault(path + "[]", path)
        found = [item for item in items if isinstance(item, dict)]
        return (path + "[]", found) if found else None
    if dict in kinds:
        return path, [value for value in values if isinstance(value, dict)]
    return None


@lru_cache(maxsize=8192)
def join_path(above: str, key: str) -> str:
    """A dotted path; keys that are data (dates, numbers, hashes) become `{}`, hostile ones are cleaned."""
    name = "{}" if _DYNAMIC.fullmatch(key) else clean_text(key, 120)
    return f"{above}.{name}" if above else name


def _column(values: list[object], parent: str, parents: int) -> PathProfile:
    kinds = Counter(map(type, values))
    texts: Counter[str] = Counter(value for value in values if type(value) is str) if str in kinds else Counter()
    formats: Counter[str] = Counter()
    for text, count in texts.items():
        formats[format_of(text)] += count
    numbers = _numbers(values, kinds, texts)
    sized = np.abs(numbers[numbers != 0])
    listed = {str(value) for value in values if type(value) is bool} if bool in kinds else set()
    listed |= texts.keys() if len(texts) <= CLOSED else set()
    empties = formats.pop(EMPTY, 0)
    return PathProfile(
        parent=parent,
        parents=parents,
        n=len(values),
        objects=kinds[dict],
        nulls=kinds[type(None)],
        empties=empties,
        zeros=int(numbers.size - sized.size),
        numbers=int(numbers.size),
        fractions=int(np.count_nonzero(sized % 1)),
        types={_NAMES[kind]: count for kind, count in kinds.items() if kind in _NAMES},
        formats=dict(formats),
        values=tuple(sorted(clean_text(text, 80) for text in listed))
        if len(listed) > 0 and len(texts) <= CLOSED
        else None,
        distinct=len(texts),
        low=float(numbers.min()) if numbers.size else None,
        high=float(numbers.max()) if numbers.size else None,
        log_median=float(np.log10(np.median(sized))) if sized.size else None,
        hours=_hours(texts) if any(is_date(name) for name in formats) else (),
        days=_days(texts) if any(is_date(name) for name in formats) else {},
    )


def _hours(texts: Counter[str]) -> tuple[int, ...]:
    counts = [0] * 24
    for text, count in texts.items():
        if len(text) <= LONGEST_DATE and is_date(format_of(text)) and (clock := _CLOCK.search(text)):
            counts[_hour(int(clock.group(1)), (clock.group(2) or "").lower())] += count
    return tuple(counts) if any(counts) else ()


def _days(texts: Counter[str]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for text, count in texts.items():
        if len(text) <= LONGEST_DATE and (day := _DAY.match(text)):
            counts[day.group(1)] += count
            if len(counts) > MOST_DAYS:
                return {}
    return dict(counts)


def _hour(hour: int, half: str) -> int:
    """Of 24: twelve at night is 0, and an afternoon mark adds twelve."""
    return hour if not half else hour % 12 + (12 if half == "p" else 0)


def _numbers(
    values: list[object], kinds: Counter[type], texts: Counter[str]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found: list[float] = []
    if int in kinds or float in kinds:
        found = [_float(value) for value in values if type(value) is int or type(value) is float]
    for text, count in texts.items():
        if format_of(text) in (INTEGER, DECIMAL):
            found.extend([float(text.strip())] * count)
    numbers = np.asarray(found, dtype=np.float64)
    return numbers[np.abs(numbers) < HUGE]


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _duplicates(records: list[Record], key: tuple[str, ...]) -> int:
    if not key:
        return 0
    counted = Counter(tuple(str(record.get(name)) for name in key) for record in records)
    return sum(count for count in counted.values() if count > 1)
