from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from checks.revenue.cube import Bools, Cube, Floats, Ints

MOST_DIMS = 3
_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Lattice:
    """Every slice of up to three fixed dimensions, each set of leaves once, under its shortest name.

    Leaves are laid out slice after slice in `order`, so that one `reduceat` sums any leaf figure over all slices.
    """

    order: Ints
    """Leaf numbers, slice after slice."""
    starts: Ints
    """Where each slice begins in `order`."""
    fixed: tuple[tuple[int, ...], ...]
    """Per family: the dimensions it fixes."""
    family: Ints
    """Per slice: its family."""
    dims: Floats
    """Per slice: how many dimensions it fixes."""
    sizes: Floats
    """Per slice: how many leaves it has."""
    leaves: int

    def __len__(self) -> int:
        return len(self.starts)

    def sums(self, figures: NDArray[np.float64]) -> Floats:
        """[leaf, ...] summed to [slice, ...]."""
        if not len(self.starts):
            return np.zeros((0, *figures.shape[1:]))
        flat = np.take(figures.reshape(len(figures), -1), self.order, axis=0)
        return np.add.reduceat(flat, self.starts, axis=0).reshape(len(self.starts), *figures.shape[1:])

    def only(self, kept: Bools) -> Lattice:
        """The same lattice with some of its slices."""
        sizes = self.sizes[kept]
        return replace(
            self,
            order=self.order[np.repeat(kept, self.sizes.astype(np.int64))],
            starts=(np.cumsum(sizes) - sizes).astype(np.int64),
            family=self.family[kept],
            dims=self.dims[kept],
            sizes=sizes,
        )

    def members(self, slice_: int) -> Ints:
        end = self.starts[slice_ + 1] if slice_ + 1 < len(self.starts) else len(self.order)
        return self.order[self.starts[slice_] : end]

    def name(self, slice_: int, cube: Cube) -> dict[str, str]:
        leaf = self.order[self.starts[slice_]]
        fixed = self.fixed[self.family[slice_]]
        return {cube.dims[dim]: cube.names[dim][cube.codes[dim, leaf]] for dim in fixed}


def build(cube: Cube, most_dims: int = MOST_DIMS) -> Lattice:
    """The lattice of the leaves a cube has now; slices with equal leaves appear once, the one fixing fewest first."""
    codes, leaves = cube.codes, cube.leaves
    if not leaves:
        return Lattice(_NONE, _NONE, (), _NONE, np.zeros(0), np.zeros(0), 0)
    marks = _marks(leaves)
    seen: set[int] = set()
    families = [kept for count in range(1, most_dims + 1) for kept in combinations(range(len(cube.dims)), count)]
    orders, starts, family, offset = [], [], [], 0
    for number, fixed in enumerate(families):
        order, begins = _group(codes[list(fixed)])
        prints = np.add.reduceat(marks[order], begins)
        ends = np.append(begins[1:], leaves)
        for begin, end, mark in zip(begins.tolist(), ends.tolist(), prints.tolist(), strict=True):
            if mark in seen:
                continue
            seen.add(mark)
            orders.append(order[begin:end])
            starts.append(offset)
            family.append(number)
            offset += end - begin
    return Lattice(
        np.concatenate(orders),
        np.array(starts, np.int64),
        tuple(families),
        np.array(family, np.int64),
        np.array([len(families[number]) for number in family], np.float64),
        np.diff(np.append(starts, offset)).astype(np.float64),
        leaves,
    )


def _group(codes: Ints) -> tuple[Ints, Ints]:
    """Leaves sorted by their codes, and where each group begins."""
    order = np.lexsort(codes[::-1])
    ordered = codes[:, order]
    changed = (ordered[:, 1:] != ordered[:, :-1]).any(0)
    return order, np.concatenate([[0], np.flatnonzero(changed) + 1])


def _marks(leaves: int) -> NDArray[np.uint64]:
    """A well-mixed number per leaf (splitmix64): the sum over a set of leaves identifies the set."""
    x = np.arange(1, leaves + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
