"""How conversions per click change with how many clicks came at once.

Clicks that come in bursts (a crawler, a mailing, one visitor who opens everything) convert less each than clicks that
come singly. Left out, every burst looks like a drop, and the spread measured from it makes all slices deaf.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import segments

if TYPE_CHECKING:
    from checks.revenue.cube import Cube, Floats, Ints

_STEPS = 2
"""Classes of burst size per doubling of clicks."""
_SIZES = 40
_HOLD = 30.0
"""Pseudo-conversions that hold a class at the class of smaller bursts next to it."""


@dataclass(frozen=True, slots=True)
class Bursts:
    """Factors on conversions per click by clicks of the leaf in the hour, and of its cell (partner and GEO)."""

    cell: Ints
    """[leaf]: number of its cell."""
    own: Floats
    """[size class]"""
    shared: Floats

    def factor(self, clicks: Floats) -> Floats:
        """[leaf, hour] of the same; 1 where there are no clicks."""
        return np.where(clicks > 0, self.factor_of(*sizes(clicks, self.cell)), 1.0)

    def factor_of(self, own: Ints, shared: Ints) -> Floats:
        """[leaf, hour] from size classes."""
        return np.asarray(self.own[own] * self.shared[shared])


def cells(cube: Cube) -> Ints:
    """[leaf]: the number of its partner and GEO together."""
    geo = cube.dims.index("geo")
    pair = cube.codes[cube.dims.index("partner")] * len(cube.names[geo]) + cube.codes[geo]
    return np.asarray(np.unique(pair, return_inverse=True)[1], np.int64)


def none(cube: Cube) -> Bursts:
    """Every click worth the same."""
    return Bursts(cells(cube), np.ones(_SIZES), np.ones(_SIZES))


def sizes(clicks: Floats, cell: Ints) -> tuple[Ints, Ints]:
    """[leaf, hour] size classes of a leaf's own clicks, and of its cell's."""
    order = np.argsort(cell, kind="stable")
    begins = np.flatnonzero(np.diff(cell[order], prepend=-1))
    place = np.empty(len(cell), np.int64)
    place[order] = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(cell))))
    together = segments.sums(clicks, order, begins)
    return _classes(clicks), _classes(together)[place]


def _classes(clicks: Floats) -> Ints:
    return np.asarray(np.clip(_STEPS * np.log2(np.maximum(clicks, 1.0)), 0, _SIZES - 1), np.int64)


def refined(bursts: Bursts, own: Ints, shared: Ints, counts: Floats, due: Floats) -> Bursts:
    """One step of proportional fitting: `counts` against `due` [leaf, hour] without any factor, by class."""
    by_own = _ratios(own, counts, due * bursts.shared[shared])
    return Bursts(bursts.cell, by_own, _ratios(shared, counts, due * by_own[own]))


def _ratios(classes: Ints, counts: Floats, due: Floats) -> Floats:
    """[class]: observed over expected, each class leaning on the one before it; the first seen on 1."""
    seen = np.bincount(classes.ravel(), counts.ravel(), _SIZES)
    expected = np.bincount(classes.ravel(), due.ravel(), _SIZES)
    ratios, before = np.ones(_SIZES), 1.0
    for size in range(_SIZES):
        before = ratios[size] = (seen[size] + _HOLD * before) / (expected[size] + _HOLD)
    return ratios
