"""How much counts speak against "nothing has changed", in nats; one nat is a factor e of odds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from checks.revenue.cube import Floats

WINDOWS_H = (1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 96, 120)


def drop_nats(observed: Floats, expected: Floats, history: Floats, spread: Floats) -> Floats:
    """Evidence that `observed` is too few.

    Log-likelihood ratio of two Poisson rates, the window's and the history's (`history` events behind the expectation),
    against one common rate: with little history little can be said. Divided by `spread`, the variance of this slice's
    counts over a Poisson's (quasi-likelihood). 0 where nothing is missing.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(observed > 0, observed * np.log(observed / expected), 0.0)
        common = (observed + history) * np.log((observed + history) / (expected + history))
        nats = (own - common) / spread
    return np.where((observed < expected) & (expected > 0), nats, 0.0)


def excess_nats(observed: Floats, expected: Floats) -> Floats:
    """Evidence that `observed` is too many, for a Poisson count with a known mean."""
    with np.errstate(divide="ignore", invalid="ignore"):
        nats = observed * np.log(observed / expected) - observed + expected
    return np.where((observed > expected) & (expected > 0), nats, 0.0)


def spread(observed: Floats, expected: Floats, block: int, pooled_weight: float = 40.0) -> Floats:
    """[slice]: downward variance over Poisson's in blocks of `block` hours of [slice, hour], at least 1.

    Only shortfalls count, doubled: a wholesale customer's burst must not make a slice deaf to silence. Slices with few
    events lean on all slices together.
    """
    blocks = observed.shape[1] // block
    if not blocks:
        return np.ones(len(observed))
    seen = observed[:, -blocks * block :].reshape(len(observed), blocks, block).sum(2)
    due = expected[:, -blocks * block :].reshape(len(observed), blocks, block).sum(2)
    short = 2.0 * (np.minimum(seen - due, 0.0) ** 2).sum(1)
    total = due.sum(1)
    pooled = (
        np.median((short / np.maximum(total, 1e-9))[total >= pooled_weight]) if (total >= pooled_weight).any() else 1.0
    )
    variance: Floats = np.maximum((short + pooled_weight * pooled) / (total + pooled_weight), 1.0)
    return variance


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
