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
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from checks.revenue.cube import Cube, Floats, Ints

    Classes = NDArray[np.int8]
    Told = tuple[Classes, Classes, Floats, Floats]
    """[leaf, hour]: size classes of a leaf's clicks and of its cell's, counts, and what was due of them without any factor."""

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

    def factor_of(self, own: Classes, shared: Classes) -> Floats:
        """[leaf, hour] from size classes."""
        return np.asarray(self.own[own] * self.shared[shared])


def cells(cube: Cube) -> Ints:
    """[leaf]: the number of its partner and GEO together."""
    pair = cube.codes_of("partner") * len(cube.names_of("geo")) + cube.codes_of("geo")
    return np.asarray(np.unique(pair, return_inverse=True)[1], np.int64)


def none(cube: Cube) -> Bursts:
    """Every click worth the same."""
    return Bursts(cells(cube), np.ones(_SIZES), np.ones(_SIZES))


def sizes(clicks: Floats, cell: Ints) -> tuple[Classes, Classes]:
    """[leaf, hour] size classes of a leaf's own clicks, and of its cell's."""
    return _classes(clicks), shared_sizes(clicks, cell)


def shared_sizes(clicks: Floats, cell: Ints) -> Classes:
    """[leaf, hour] size classes of the clicks of a leaf's cell."""
    order = np.argsort(cell, kind="stable")
    begins = np.flatnonzero(np.diff(cell[order], prepend=-1))
    place = np.empty(len(cell), np.int64)
    place[order] = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(cell))))
    return _classes(segments.sums(clicks, order, begins))[place]


def _classes(clicks: Floats) -> Classes:
    if clicks.dtype.kind != "i":
        return _class(clicks)
    classes = _OF_FEW[np.clip(clicks, 0, len(_OF_FEW) - 1)]
    many = clicks >= len(_OF_FEW)
    classes[many] = _class(clicks[many])
    return classes


def _class(clicks: Floats) -> Classes:
    return np.asarray(np.clip(_STEPS * np.log2(np.maximum(clicks, 1.0)), 0, _SIZES - 1), np.int8)


_OF_FEW = _class(np.arange(1024.0))
"""The class of each whole number of clicks that is usual."""


def refined(bursts: Bursts, told: Callable[[], Iterable[Told]]) -> Bursts:
    """One step of proportional fitting; `told` gives, whenever it is asked, all leaves some at a time."""
    by_own = _ratios((own, counts, due * bursts.shared[shared]) for own, shared, counts, due in told())
    by_shared = _ratios((shared, counts, due * by_own[own]) for own, shared, counts, due in told())
    return Bursts(bursts.cell, by_own, by_shared)


def _ratios(told: Iterable[tuple[Classes, Floats, Floats]]) -> Floats:
    """[class]: observed over expected, each class leaning on the one before it; the first seen on 1."""
    seen, expected = np.zeros(_SIZES), np.zeros(_SIZES)
    for classes, counts, due in told:
        place = classes.ravel().astype(np.intp)
        np.add.at(seen, place, counts.ravel())
        np.add.at(expected, place, due.ravel())
    ratios, before = np.ones(_SIZES), 1.0
    for size in range(_SIZES):
        before = ratios[size] = (seen[size] + _HOLD * before) / (expected[size] + _HOLD)
    return ratios
