"""What the values at one path are like, counted while they stream by: memory is bounded by path, not by payload."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from checks.feeds.formats import EMPTY, PLAIN_NUMBERS, format_of, is_date
from checks.feeds.profiles import PathProfile
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

T = TypeVar("T")
CLOSED = 12
SAMPLE = 2_000
"""Least values of an endless column that are looked at; twice as many at most."""
HUGE = 1e300
MOST_DAYS = 100
LONG = 80
"""Texts are compared on so many characters: no number and no date is longer."""
_CLOCK = re.compile(r"\d[T ]([01]?\d|2[0-3]):[0-5]\d(?::[0-6]\d)?(?:\s*([AaPp])[Mm])?")
_DAY = re.compile(r"\s*(\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}([/.-])\d{1,2}\2\d{2,4})(?!\d)")
_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


class Column:
    """The values at one path so far."""

    __slots__ = ("empties", "kinds", "n", "numbers", "parent", "seen", "texts")

    def __init__(self, parent: str) -> None:
        self.parent = parent
        self.n = 0
        self.kinds: Counter[type] = Counter()
        self.empties = 0
        self.texts = _Texts()
        self.numbers = _Numbers()
        self.seen: set[bool] = set()

    def add(self, values: list[object]) -> None:
        kinds = Counter(map(type, values))
        self.n += len(values)
        self.kinds.update(kinds)
        if kinds[str]:
            texts = [value for value in values if type(value) is str] if len(kinds) > 1 else values
            self.texts.add(texts)  # type: ignore[arg-type]  # one type only
        if kinds[int] or kinds[float]:
            only = kinds[int] + kinds[float] == len(values)
            self.numbers.add(values if only else [v for v in values if type(v) is int or type(v) is float])  # type: ignore[arg-type]  # same
        if kinds[bool]:
            self.seen.update(value for value in values if type(value) is bool)

    @property
    def objects(self) -> int:
        return self.kinds[dict]

    def profile(self, parents: int) -> PathProfile:
        """All that was seen, under an object that was there `parents` times."""
        texts = [(text, count, format_of(text)) for text, count in self.texts.looked_at().items()]
        scale = self.texts.n / max(sum(count for _, count, _ in texts), 1)
        formats: Counter[str] = Counter()
        for _, count, name in texts:
            formats[name] += count
        blank = formats.pop(EMPTY, 0)
        written = _Written.of(texts)
        extremes = [*self.numbers.bounds(), *written.bounds()]
        few = self.texts.distinct <= CLOSED
        listed = {str(value) for value in self.seen} | ({text for text, _, _ in texts} if few else set())
        return PathProfile(
            parent=self.parent,
            parents=parents,
            n=self.n,
            objects=self.objects,
            nulls=self.kinds[type(None)],
            empties=round(blank * scale),
            zeros=self.numbers.zeros + round(written.zeros * scale),
            numbers=self.numbers.n + round(written.n * scale),
            fractions=self.numbers.fractions + round(written.fractions * scale),
            types={_NAMES[kind]: count for kind, count in self.kinds.items() if kind in _NAMES},
            formats={name: max(round(count * scale), 1) for name, count in formats.items()},
            values=tuple(sorted(clean_text(text, LONG) for text in listed)) if listed and few else None,
            distinct=self.texts.distinct,
            low=min(extremes, default=None),
            high=max(extremes, default=None),
            log_median=_log_median(self.numbers, written, scale),
            hours=_hours(texts) if any(is_date(name) for name in formats) else (),
            days=_days(texts) if any(is_date(name) for name in formats) else {},
            huge=self.numbers.huge + round(written.huge * scale),
        )


class _Part(Generic[T]):
    """One of two, four, eight ... of a stream by lot, so that 2,000 to 4,000 remain of however many.

    By lot, because what repeats every tenth row would never meet every sixteenth; the same lot every time.
    """

    __slots__ = ("due", "kept", "lot", "stride")

    def __init__(self) -> None:
        self.kept: list[T] = []
        self.stride = 1
        self.due = 0
        """Values gone by since the last whole stride."""
        self.lot: random.Random | None = None

    def add(self, values: Sequence[T]) -> None:
        if self.lot is None:
            self.kept.extend(values)
        else:
            wanted, self.due = divmod(self.due + len(values), self.stride)
            self.kept.extend(self.lot.sample(values, min(wanted, len(values))))
        while len(self.kept) > 2 * SAMPLE:
            self.lot = self.lot or random.Random(0)  # noqa: S311  # a sample, not a secret
            self.kept = self.lot.sample(self.kept, len(self.kept) // 2)
            self.stride *= 2


class _Texts:
    """Texts of a column: each counted while they are few, a part of them by lot afterwards."""

    __slots__ = ("counted", "distinct", "n", "part")

    def __init__(self) -> None:
        self.n = 0
        self.distinct = 0
        self.counted: Counter[str] | None = Counter()
        self.part: _Part[str] = _Part()

    def add(self, texts: list[str]) -> None:
        self.n += len(texts)
        if max(map(len, texts)) > LONG:
            texts = [text if len(text) <= LONG else text.strip()[:LONG] for text in texts]
        self.part.add(texts)
        if self.counted is not None:
            self.counted.update(texts)
            self.distinct = len(self.counted)
            if self.distinct > SAMPLE:
                self.counted = None

    def looked_at(self) -> Counter[str]:
        return Counter(self.part.kept) if self.counted is None else self.counted


class _Numbers:
    """Native numbers of a column, all of them, and a part of their sizes by lot."""

    __slots__ = ("fractions", "high", "huge", "low", "n", "sizes", "zeros")

    def __init__(self) -> None:
        self.n = self.zeros = self.fractions = self.huge = 0
        self.low, self.high = math.inf, -math.inf
        self.sizes: _Part[float] = _Part()

    def add(self, values: Iterable[float]) -> None:
        try:
            found = np.asarray(values, dtype=np.float64)
        except OverflowError:
            found = np.asarray([_float(value) for value in values], dtype=np.float64)
        numbers = found[np.abs(found) < HUGE]
        self.huge += found.size - numbers.size
        if not numbers.size:
            return
        sizes = np.abs(numbers[numbers != 0])
        self.n += numbers.size
        self.zeros += numbers.size - sizes.size
        self.fractions += int(np.count_nonzero(sizes % 1))
        self.low, self.high = min(self.low, float(numbers.min())), max(self.high, float(numbers.max()))
        self.sizes.add(sizes.tolist())

    def bounds(self) -> tuple[float, ...]:
        return (self.low, self.high) if self.n else ()


@dataclass(frozen=True, slots=True)
class _Written:
    """Numbers that stand as texts: each value with its count, and how many are beyond all sizes."""

    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    huge: int

    @classmethod
    def of(cls, texts: Iterable[tuple[str, int, str]]) -> _Written:
        found = [(float(text), count) for text, count, name in texts if name in PLAIN_NUMBERS]
        if not found:
            return _NOTHING_WRITTEN
        values = np.asarray([value for value, _ in found], dtype=np.float64)
        counts = np.asarray([count for _, count in found], dtype=np.int64)
        usual = np.abs(values) < HUGE
        return cls(values[usual], counts[usual], int(counts[~usual].sum()))

    @property
    def n(self) -> int:
        return int(self.counts.sum())

    @property
    def zeros(self) -> int:
        return int(self.counts[self.values == 0].sum())

    @property
    def fractions(self) -> int:
        return int(self.counts[self.values % 1 != 0].sum())

    def bounds(self) -> tuple[float, ...]:
        return (float(self.values.min()), float(self.values.max())) if self.values.size else ()


_NOTHING_WRITTEN = _Written(np.zeros(0), np.zeros(0, dtype=np.int64), 0)


def _log_median(native: _Numbers, written: _Written, scale: float) -> float | None:
    """log10 of the median size of both kinds of numbers, each weighed by how many it stands for."""
    if not native.sizes.kept and not written.values.size:
        return None
    sized = written.values != 0
    sizes = np.concatenate([np.asarray(native.sizes.kept, dtype=np.float64), np.abs(written.values[sized])])
    if not sizes.size:
        return None
    weights = np.concatenate([np.full(len(native.sizes.kept), native.sizes.stride), written.counts[sized] * scale])
    order = np.argsort(sizes, kind="stable")
    reach = np.cumsum(weights[order])
    half = reach[-1] / 2
    left, right = (order[min(np.searchsorted(reach, half, side), order.size - 1)] for side in ("left", "right"))
    return float(np.log10((sizes[left] + sizes[right]) / 2))


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _hours(texts: Iterable[tuple[str, int, str]]) -> tuple[int, ...]:
    counts = [0] * 24
    for text, count, name in texts:
        if is_date(name) and (clock := _CLOCK.search(text)):
            counts[_hour(int(clock.group(1)), (clock.group(2) or "").lower())] += count
    return tuple(counts) if any(counts) else ()


def _days(texts: Iterable[tuple[str, int, str]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for text, count, _ in texts:
        if day := _DAY.match(text):
            counts[day.group(1)] += count
            if len(counts) > MOST_DAYS:
                return {}
    return dict(counts)


def _hour(hour: int, half: str) -> int:
    """Of 24: twelve at night is 0, and an afternoon mark adds twelve."""
    return hour if not half else hour % 12 + (12 if half == "p" else 0)
