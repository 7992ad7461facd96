"""How much counts speak against "nothing has changed", in nats; one nat is a factor e of odds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from checks.revenue.cube import Bools, Floats

_ENOUGH = 40.0
"""Expected events from which on a slice speaks for itself."""
_SMALL = 2.0
"""Slices that expect fewer events a block show clustering and hardly anything else."""
_WITHIN_A_DAY, _BETWEEN_DAYS = 0.5, 0.85
"""How the size grows with the window: hours of one day wander together, days hardly (independent ones: 1)."""
_SMALLEST_SIZE, _LARGEST_SIZE = 2.0, 1e4

WINDOWS_H = (1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 96, 120)


def drop_nats(observed: Floats, expected: Floats, size: Floats, cluster: float) -> Floats:
    """Evidence that `observed` is too few.

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
    """Downward variance of counts over their expectation: `cluster` x m + m^2 / size, the size by length of window."""

    cluster: float
    size_hours: Floats
    """[slice] for windows of 6 h."""
    size_days: Floats
    """[slice] for a day."""

    def only(self, kept: Bools) -> Spread:
        """Of some of the slices."""
        return Spread(self.cluster, self.size_hours[kept], self.size_days[kept])

    def size(self, windows_h: Floats) -> Floats:
        """[slice, window]."""
        part = np.clip((windows_h - 6.0) / 18.0, 0.0, 1.0)
        between = self.size_hours[:, None] ** (1.0 - part) * self.size_days[:, None] ** part
        shorter = np.minimum(windows_h / 6.0, 1.0) ** _WITHIN_A_DAY
        return np.asarray(between * shorter * np.maximum(windows_h / 24.0, 1.0) ** _BETWEEN_DAYS)


def measure_spread(observed: Floats, expected: Floats) -> Spread:
    """From [slice, block of 6 h] history.

    Only shortfalls count, doubled: a wholesale customer's burst must not make a slice deaf to silence. What small
    slices show is clustering, common to all; what large ones show beyond it is their level wandering.
    """
    ratio, mean = _ratio(observed, expected)
    small = (mean < _SMALL) & (expected.sum(1) >= _ENOUGH)
    cluster = max(float(np.median(ratio[small])), 1.0) if small.any() else 1.0
    days = observed.shape[1] // 4 * 4
    by_day = [part[:, part.shape[1] - days :].reshape(len(part), -1, 4).sum(2) for part in (observed, expected)]
    return Spread(cluster, _size(ratio, mean, cluster), _size(*_ratio(*by_day), cluster))


def _ratio(observed: Floats, expected: Floats) -> tuple[Floats, Floats]:
    """[slice]: variance over mean, leaning on all slices where events are few; and the mean block an event is in."""
    total = expected.sum(1)
    short = 2.0 * (np.minimum(observed - expected, 0.0) ** 2).sum(1)
    known = total >= _ENOUGH
    pooled = float(np.median(short[known] / total[known])) if known.any() else 1.0
    mean = np.divide((expected**2).sum(1), total, out=np.zeros_like(total), where=total > 0)
    return (short + _ENOUGH * pooled) / (total + _ENOUGH), mean


def _size(ratio: Floats, mean: Floats, cluster: float) -> Floats:
    return np.clip(mean / np.maximum(ratio - cluster, 1e-3), _SMALLEST_SIZE, _LARGEST_SIZE)


def worst_run(gain: Floats) -> tuple[int, int]:
    """Start and end (one past) of the consecutive hours with the largest sum of `gain`."""
    total = np.concatenate([[0.0], np.cumsum(gain)])
    lowest = np.minimum.accumulate(total)
    end = int(np.argmax(total - lowest))
    start = int(np.flatnonzero(total[: end + 1] == lowest[end])[-1])
    return start, end


def hourly_gain(observed: Floats, expected: Floats, share: float) -> Floats:
    """[hour]: how much better `share` x expected explains each hour than expected itself, in nats."""
    share = min(max(share, 0.02), 50.0)
    gain: Floats = observed * np.log(share) + expected * (1.0 - share)
    return gain
