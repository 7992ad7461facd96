"""Usual drift tests of a column, each at its usual threshold: PSI .2, Kolmogorov-Smirnov p < .01, Wasserstein .1."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PSI, KS, WASSERSTEIN = 0.2, 0.01, 0.1


def psi(before: NDArray[np.float64], now: NDArray[np.float64]) -> bool:
    """Population stability index over the deciles of the reference and a bin of missing values, above .2."""
    edges = (
        np.unique(np.nanquantile(before, np.linspace(0, 1, 11)[1:-1])) if np.isfinite(before).any() else np.array([])
    )
    return _psi(_binned(before, edges), _binned(now, edges)) > PSI


def psi_of_words(before: Sequence[str], now: Sequence[str]) -> bool:
    one, other = Counter(before), Counter(now)
    names = sorted(one.keys() | other.keys())
    return _psi(np.array([one[name] for name in names]), np.array([other[name] for name in names])) > PSI


def ks(before: NDArray[np.float64], now: NDArray[np.float64]) -> bool:
    """Two-sample Kolmogorov-Smirnov, asymptotic p below .01; missing values are left out."""
    one, other = np.sort(before[np.isfinite(before)]), np.sort(now[np.isfinite(now)])
    if not one.size or not other.size:
        return False
    both = np.concatenate([one, other])
    gap = np.abs(
        np.searchsorted(one, both, "right") / one.size - np.searchsorted(other, both, "right") / other.size
    ).max()
    size = math.sqrt(one.size * other.size / (one.size + other.size))
    reach = (size + 0.12 + 0.11 / size) * float(gap)
    tail = 2 * sum((-1) ** (k - 1) * math.exp(-2 * k * k * reach * reach) for k in range(1, 40))
    return reach > 0.3 and tail < KS


def wasserstein(before: NDArray[np.float64], now: NDArray[np.float64]) -> bool:
    """First Wasserstein distance over the reference's standard deviation, above .1."""
    one, other = np.sort(before[np.isfinite(before)]), np.sort(now[np.isfinite(now)])
    if not one.size or not other.size:
        return False
    both = np.sort(np.concatenate([one, other]))
    widths = np.diff(both)
    gaps = np.abs(
        np.searchsorted(one, both[:-1], "right") / one.size - np.searchsorted(other, both[:-1], "right") / other.size
    )
    spread = float(one.std()) or 1.0
    return float((gaps * widths).sum()) / spread > WASSERSTEIN


def _binned(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    known = values[np.isfinite(values)]
    counts = np.bincount(np.searchsorted(edges, known, "right"), minlength=len(edges) + 1)
    return np.append(counts, values.size - known.size)


def _psi(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    p, q = np.maximum(one / max(one.sum(), 1), 1e-4), np.maximum(other / max(other.sum(), 1), 1e-4)
    return float(((q - p) * np.log(q / p)).sum())
