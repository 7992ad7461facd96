"""How much counts speak against "nothing has changed", in nats; one nat is a factor e of odds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from checks.revenue.cube import Bools, Floats, Ints

_WITHIN_A_DAY, _BETWEEN_DAYS = 0.5, 0.85
"""How the size grows with the window: hours of one day wander together, days hardly (independent ones: 1)."""
_SMALLEST_SIZE, _LARGEST_SIZE = 2.0, 1e3

WINDOWS_H = (1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 96, 120)


def drop_nats(observed: Floats, expected: Floats, size: Floats, cluster: float) -> Floats:
    """Evidence that `observed` is too few, where only totals are known and not which cells and hours they came in.

    Log-likelihood ratio of a negative binomial with mean `expected` and this `size` (variance m + m^2 / size) against
    the same with the mean observed. The size holds both how far the slice's level wanders and how little history is
    behind the expectation: a ratio to few past events has the same form. Events that come in clusters of `cluster`
    count as one. 0 where nothing is missing.
    """
    observed, expected = observed / cluster, expected / cluster
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(observed > 0, observed * (np.log(observed) - np.log(expected)), 0.0)
        nats = own - (observed + size) * np.log((observed + size) / (expected + size))
    return np.where((observed < expected) & (expected > 0), nats, 0.0)


def excess_nats(observed: Floats, expected: Floats) -> Floats:
    """Evidence that `observed` is too many, for a Poisson count with a known mean."""
    with np.errstate(divide="ignore", invalid="ignore"):
        nats = observed * (np.log(observed) - np.log(expected)) - observed + expected
    return np.where((observed > expected) & (expected > 0), nats, 0.0)


@dataclass(frozen=True, slots=True)
class Spread:
    """How far levels of slices wander: over a day by a factor whose logarithm has variance 1 / size."""

    size_days: Floats
    """[slice] for a day."""

    def only(self, kept: Bools) -> Spread:
        """Of some of the slices."""
        return Spread(self.size_days[kept])

    def size(self, windows_h: Floats) -> Floats:
        """[slice, window]."""
        days = windows_h / 24.0
        return np.asarray(self.size_days[:, None] * np.where(days < 1.0, days**_WITHIN_A_DAY, days**_BETWEEN_DAYS))


def measure_spread(observed: Floats, expected: Floats, variance: Floats, family: Ints) -> Spread:
    """From [slice, day] history and the variance that is understood; slices of one `family` wander alike.

    Only shortfalls count, doubled: a wholesale customer's burst must not make a slice deaf to silence. What history is
    not long enough to tell is added.
    """
    families = int(family.max(initial=-1)) + 1
    short = 2.0 * np.minimum(observed - expected, 0.0) ** 2 - variance
    squared = np.bincount(family, (expected**2).sum(1), families)
    beyond = np.bincount(family, short.sum(1), families)
    wander = np.divide(np.maximum(beyond, 0.0), squared, out=np.zeros(families), where=squared > 0)
    total = expected.sum(1)
    untold = np.divide(variance.sum(1), total**2, out=np.ones_like(total), where=total > 0)
    return Spread(np.clip(1.0 / (wander[family] + untold + 1e-9), _SMALLEST_SIZE, _LARGEST_SIZE))


def worst_run(gain: Floats) -> tuple[int, int]:
    """Start and end (one past) of the consecutive hours with the largest sum of `gain`."""
    total = np.concatenate([[0.0], np.cumsum(gain)])
    lowest = np.minimum.accumulate(total)
    end = int(np.argmax(total - lowest))
    start = int(np.flatnonzero(total[: end + 1] == lowest[end])[-1])
    return start, end


def last_run(gain: Floats) -> int:
    """Start of the consecutive hours, ending with the last, that have the largest sum of `gain`."""
    return len(gain) - 1 - int(np.argmax(np.cumsum(gain[::-1])))


def hourly_gain(observed: Floats, expected: Floats, share: float) -> Floats:
    """[hour]: how much better `share` x expected explains each hour than expected itself, in nats."""
    share = min(max(share, 0.02), 50.0)
    gain: Floats = observed * np.log(share) + expected * (1.0 - share)
    return gain
