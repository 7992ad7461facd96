"""What a feed looked like while it was fine: one profile a payload, the last 14 of them as one contract."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from checks.feeds.clockhours import weighed
from checks.feeds.columns import CLOSED, SAMPLE, Column
from checks.feeds.profiles import PathProfile, Profile
from data.text import clean_text

if TYPE_CHECKING:
    from checks.feeds.decode import Record

__all__ = ["CLOSED", "KEEP", "SAMPLE", "Contract", "PathProfile", "Profile", "Profiling", "join_path", "profile"]

KEEP = 14
CHUNK = 2_000
MAX_PATHS = 4_000
MAX_DEPTH = 12
MAX_ELEMENTS = 50
_DYNAMIC = re.compile(r"\d+|\d{4}-\d\d(-\d\d)?.*|[0-9a-fA-F-]*\d[0-9a-fA-F-]{11,}")


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
    records: Iterable[Record],
    *,
    payload: str,
    at: datetime,
    key: tuple[str, ...] = (),
    total: int | None = None,
) -> Profile:
    """Profile a payload, which may be a stream, in memory that depends on its paths alone.

    `key` are top-level fields that identify a record; duplicates are counted over all records. The same payload gives
    the same profile.
    """
    profiling = Profiling(key)
    stream = iter(records)
    while chunk := list(islice(stream, CHUNK)):
        profiling.add(chunk)
    return profiling.profile(payload=payload, at=at, total=total)


class Profiling:
    """A profile in the making: chunks of records go in, one profile comes out."""

    def __init__(self, key: tuple[str, ...] = ()) -> None:
        self._key = key
        self._keys = array("q")
        self._columns: dict[str, Column] = {}
        self._records = 0
        self._beyond = 0
        self._first: list[Record] = []

    def add(self, records: list[Record]) -> None:
        """Level by level, so that an object's own path always stands before those below it."""
        self._records += len(records)
        self._first = self._first or records
        if self._key:
            self._keys.extend(hash(tuple([str(record.get(name)) for name in self._key])) for record in records)
        level: list[tuple[str, list[Record]]] = [("", records)]
        for _ in range(MAX_DEPTH):
            level = [inner for above, objects in level for inner in self._descend(above, objects)]
            if not level:
                break

    def _descend(self, above: str, objects: list[Record]) -> Iterable[tuple[str, list[Record]]]:
        for path, values in _spread(above, objects).items():
            column = self._column(path, above, len(values))
            if column is None:
                continue
            column.add(values)
            kinds = set(map(type, values))
            if list in kinds:
                items = [item for value in values if isinstance(value, list) for item in value[:MAX_ELEMENTS]]
                inner = self._column(path + "[]", path, len(items))
                if inner is not None:
                    inner.add(items)
                    yield path + "[]", [item for item in items if isinstance(item, dict)]
            elif dict in kinds:
                yield path, [value for value in values if isinstance(value, dict)]

    def _column(self, path: str, parent: str, values: int) -> Column | None:
        column = self._columns.get(path)
        if column is None:
            if len(self._columns) >= MAX_PATHS:
                self._beyond += values
                return None
            column = self._columns[path] = Column(parent)
        return column

    def profile(self, *, payload: str, at: datetime, total: int | None = None) -> Profile:
        above = {path: column.objects for path, column in self._columns.items()} | {"": self._records}
        paths = {path: column.profile(above[column.parent]) for path, column in self._columns.items()}
        paths |= weighed(paths, self._first)
        _, counts = np.unique(np.frombuffer(self._keys, dtype=np.int64), return_counts=True)
        duplicates = int(counts[counts > 1].sum())
        return Profile(payload, at, self._records, paths, duplicates, total, self._beyond)


def _spread(above: str, objects: list[Record]) -> dict[str, list[object]]:
    """Values by path; different keys may be one path."""
    spread: dict[str, list[object]] = {}
    for key, values in _by_key(objects):
        path = join_path(above, key)
        if path in spread:
            spread[path].extend(values)
        else:
            spread[path] = values
    return spread


def _by_key(objects: list[Record]) -> Iterable[tuple[str, list[object]]]:
    """Values by key: at once where all objects have the same keys, one by one otherwise."""
    names = list(objects[0]) if objects else []
    if len(names) > 1 and len(set(map(len, objects))) == 1:
        try:
            rows = list(map(itemgetter(*names), objects))
        except KeyError:
            pass
        else:
            return [(name, list(values)) for name, values in zip(names, zip(*rows, strict=True), strict=True)]
    by_key: dict[str, list[object]] = defaultdict(list)
    for record in objects:
        for key, value in record.items():
            by_key[key].append(value)
    return by_key.items()


@lru_cache(maxsize=8192)
def join_path(above: str, key: str) -> str:
    """A dotted path; keys that are data (dates, numbers, hashes) become `{}`, hostile ones are cleaned."""
    name = "{}" if _DYNAMIC.fullmatch(key) else clean_text(key, 120)
    return f"{above}.{name}" if above else name
