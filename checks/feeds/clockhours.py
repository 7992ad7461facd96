"""Whether a clock moved: the hours of the day in a payload against the hours it used to have, at 24 shifts."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from checks.feeds.decode import Record
    from checks.feeds.profiles import PathProfile

Hours = Sequence[float]
"""24 counts of what happened in each hour of the day, as written."""

LEAST = 40
"""Events in a payload below which its hours say nothing."""
LEAST_BEFORE = 200
ODDS = math.log(24 / 1e-4)
"""A likelihood ratio that chance exceeds in less than one of 10,000 payloads, over 24 shifts (Markov's inequality)."""
NEAR = math.log(20)
"""Shifts less than twenty times less likely than the best are named beside it."""
FLAT = 0.02
"""Share of the template that is flat, so that an hour never seen before is unlikely and not impossible."""
FEW = 4
UNKNOWN_SPREAD = 0.004
"""Extra correlation between the events of one payload while fewer than 4 payloads were seen."""
MISFIT = 3.0
"""Pearson's statistic over its expectation up to which the shifted hours are an explanation at all."""


@dataclass(frozen=True, slots=True)
class HourShift:
    """How far the clock went ahead (+) or back, from -11 to 12; `odds` is the logarithm of the likelihood ratio."""

    hours: int
    also: tuple[int, ...]
    """Other shifts that fit nearly as well."""
    odds: float
    n_before: int
    n_after: int

    @property
    def words(self) -> str:
        """`+2 h`, or `+2 h or +3 h` where the events are too few to tell."""
        return " or ".join(f"{hours:+d} h" for hours in (self.hours, *self.also))


def hour_shift(before: Sequence[Hours], recent: Sequence[Hours]) -> HourShift | None:
    """The shift of whole hours that explains the recent payloads so much better than none that chance is ruled out.

    1. The template is the hours of all payloads before. 2. How far payloads scatter around it beyond a multinomial is
    estimated from them (method of moments for the Dirichlet-multinomial) and divides the evidence. 3. The best of the
    23 shifts must win by `ODDS`, must fit, and must still lead when any two neighbouring hours are left out: a campaign
    at a new hour moves one or two hours, a time zone moves all. Only hours between the first and the last event count.
    """
    history = [np.asarray(hours, dtype=np.float64) for hours in before if sum(hours) > 0]
    now = np.sum([np.asarray(hours, dtype=np.float64) for hours in recent], axis=0) if recent else np.zeros(24)
    n, total = float(now.sum()), float(sum(hours.sum() for hours in history))
    if n < LEAST or total < LEAST_BEFORE:
        return None
    template = _template(np.sum(history, axis=0))
    largest = max(float(np.sum(hours)) for hours in recent)
    scatter = (1 + (largest - 1) * _spread(history)) * (1 + n / total)
    hours = _covered(now)
    odds = np.array([_odds(now, np.roll(template, by), template, hours) for by in range(24)]) / scatter
    best = int(odds.argmax())
    moved = np.roll(template, best)
    if best == 0 or odds[best] < ODDS or _misfit(now, moved, hours, scatter) > MISFIT:
        return None
    pairs = [hours[(hours != hour) & (hours != (hour + 1) % 24)] for hour in hours]
    if min(_odds(now, moved, template, rest) for rest in pairs) / scatter < ODDS / 3:
        return None
    near = tuple(_signed(by) for by in range(1, 24) if by != best and odds[by] > odds[best] - NEAR)
    return HourShift(_signed(best), near, float(odds[best]), int(total), int(n))


def latest_shift(
    before: Sequence[tuple[Hours, Mapping[str, int]]], now: tuple[Hours, Mapping[str, int]]
) -> HourShift | None:
    """`hour_shift` of a payload alone, then together with the one and the two learned before it.

    A payload is its hours and its days as written. Payloads add up only when they share no day: a day that was read
    twice is no second witness. At least four payloads stay behind as the template of several.
    """
    recent: list[Hours] = []
    days: set[str] = set()
    for place, (hours, here) in enumerate([now, *reversed(before[-2:])]):
        if place and (not here or not days or days & here.keys() or len(before) - place < FEW):
            break
        recent.append(hours)
        days |= here.keys()
        found = hour_shift([past for past, _ in before[: len(before) - place]], recent)
        if found:
            return found
    return None


def _signed(by: int) -> int:
    return by if by <= 12 else by - 24


def _template(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = (counts + 0.5) / (counts.sum() + 12)
    mixed: NDArray[np.float64] = (1 - FLAT) * shares + FLAT / 24
    return mixed


def _odds(
    now: NDArray[np.float64], moved: NDArray[np.float64], still: NDArray[np.float64], hours: NDArray[np.int64]
) -> float:
    """Log likelihood ratio of the events in `hours`, given that they are in those hours."""
    one, other = moved[hours] / moved[hours].sum(), still[hours] / still[hours].sum()
    return float((now[hours] * np.log(one / other)).sum())


def _covered(now: NDArray[np.float64]) -> NDArray[np.int64]:
    """From the first hour with an event to the last: a day that is not over yet is judged by its hours so far."""
    filled = np.flatnonzero(now)
    return np.arange(filled[0], filled[-1] + 1)


def _spread(history: Sequence[NDArray[np.float64]]) -> float:
    """Correlation between two events of one payload: each payload's Pearson statistic against all the others."""
    if len(history) < FEW:
        return UNKNOWN_SPREAD
    whole = np.sum(history, axis=0)
    excess = weight = 0.0
    for hours in history:
        n, rest = float(hours.sum()), whole - hours
        expected = n * _template(rest)
        pearson = float(((hours - expected) ** 2 / expected).sum()) / (1 + n / float(rest.sum() + 1))
        excess += pearson - 23
        weight += 23 * max(n - 1, 0)
    return max(excess / weight, 0.0) if weight else UNKNOWN_SPREAD


def _misfit(now: NDArray[np.float64], shares: NDArray[np.float64], hours: NDArray[np.int64], scatter: float) -> float:
    expected = now.sum() * shares[hours] / shares[hours].sum()
    return float(((now[hours] - expected) ** 2 / expected).sum()) / (max(hours.size - 1, 1) * scatter)


def weighed(paths: Mapping[str, PathProfile], records: Sequence[Record]) -> dict[str, PathProfile]:
    """The paths whose hours are counts of rows an hour each, with the activity of those hours in their place."""
    clocks = {path: here for path, here in paths.items() if here.hours and not here.parent}
    found = {path: by_activity(records, path) for path in clocks}
    return {path: replace(clocks[path], hours=hours) for path, hours in found.items() if any(hours)}


def by_activity(records: Sequence[Record], path: str) -> tuple[int, ...]:
    """24 sums of the busiest count column, when the records are an unbroken series of hours; empty for other grains.

    A row an hour is there at night as by day: only what it counts tells day from night. Unbroken is a day or more of
    which nine hours in ten are there; hours that the series holds more often than others weigh no more for it. A column
    of counts holds whole numbers, none negative, and does not number the rows; clicks and visits go first.
    """
    if not records or _stamp(records[0].get(path)) is None:
        return ()
    stamps = [stamp for record in records if (stamp := _stamp(record.get(path))) is not None]
    series = set(stamps)
    if len(stamps) < len(records) or len(series) < 24 or len(series) < 0.9 * (max(series) - min(series) + 1):
        return ()
    counts = {name: column for name in records[0] if (column := _counts([record.get(name) for record in records]))}
    if not counts:
        return ()
    busiest = max(counts, key=lambda name: (bool(_BUSY.search(name)), sum(counts[name])))
    sums, there = [0] * 24, Counter(stamp % 24 for stamp in series)
    for stamp, count in zip(stamps, counts[busiest], strict=True):
        sums[stamp % 24] += count
    fewest = min(there[hour] for hour in range(24))
    return tuple(round(total * fewest / there[hour]) for hour, total in enumerate(sums)) if fewest else ()


_HOURLY = re.compile(r"(\d{4}-\d\d-\d\d)[T ]([01]\d|2[0-3]):00(?::00(?:\.0+)?)?(?:Z|[+-]\d\d:?\d\d)?\s*")
_BUSY = re.compile(r"click|visit|hit|view|session|impression", re.IGNORECASE)


def _stamp(value: object) -> int | None:
    """A whole hour as written, counted from year 1; `None` for everything else."""
    clock = _HOURLY.fullmatch(value) if isinstance(value, str) and len(value) <= 64 else None
    if clock is None:
        return None
    try:
        return date.fromisoformat(clock.group(1)).toordinal() * 24 + int(clock.group(2))
    except ValueError:
        return None


def _counts(values: Sequence[object]) -> list[int]:
    """The values as counts; nothing when one is none, or when they number the records."""
    found = [value for value in values if type(value) is int and 0 <= value < 10**9]
    numbered = (
        len(found) > 1 and len(set(found)) == len(found) and found == list(range(found[0], found[0] + len(found)))
    )
    return found if len(found) == len(values) and not numbered else []
