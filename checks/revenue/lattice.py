from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from checks.revenue.cube import Bools, Cube, Floats, Ints

MOST_DIMS = 3
CELL = ("partner", "geo")
_NONE = np.zeros(0, np.int64)


def _none() -> Ints:
    return _NONE


@dataclass(frozen=True, slots=True)
class Parts:
    """Cells (partner and GEO) cut by some further dimensions."""

    order: Ints
    """Leaves, part after part."""
    starts: Ints
    cell: Ints
    """Per part: the number of its cell."""

    def sums(self, figures: Floats) -> Floats:
        """[leaf, hour] summed to [part, hour]."""
        return segments.sums(figures, self.order, self.starts)

    def only(self, kept: Ints) -> Parts:
        """Some of the parts, by their numbers."""
        ends = np.append(self.starts[1:], len(self.order))[kept]
        sizes = ends - self.starts[kept]
        starts = np.cumsum(sizes) - sizes
        order = self.order[np.repeat(self.starts[kept] - starts, sizes) + np.arange(int(sizes.sum()))]
        return Parts(order, starts, self.cell[kept])

    def blocks(self, size: int) -> Iterator[Parts]:
        """All of the parts, so many at a time."""
        ends = np.append(self.starts, len(self.order))
        for first in range(0, len(self.starts), size):
            starts = self.starts[first : first + size]
            order = self.order[starts[0] : ends[first + len(starts)]]
            yield Parts(order, starts - starts[0], self.cell[first : first + size])


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
    whole: Parts
    """Every cell, uncut."""
    cuts: tuple[Parts, ...] = ()
    """The ways in which slices cut cells."""
    cut: Ints = field(default_factory=_none)
    """Per slice: which of `cuts`."""
    pieces: Ints = field(default_factory=_none)
    """Per slice: how many parts it consists of."""
    piece_order: tuple[Ints, ...] = ()
    """Per cut: part numbers, slice after slice."""

    def __len__(self) -> int:
        return len(self.starts)

    def sums(self, figures: NDArray[np.float64]) -> Floats:
        """[leaf, ...] summed to [slice, ...]."""
        return segments.sums_of_any(figures, self.order, self.starts)

    def sums_of_parts(self, figures: Sequence[NDArray[np.floating]]) -> Floats:
        """[part, ...] figures for every cut, summed to [slice, ...]."""
        total = np.zeros((len(self.starts), *figures[0].shape[1:]))
        for cut, order in enumerate(self.piece_order):
            mine = np.flatnonzero(self.cut == cut)
            if len(mine):
                starts = np.cumsum(self.pieces[mine]) - self.pieces[mine]
                total[mine] = segments.sums_of_any(figures[cut], order, starts)
        return total

    def shared(self, leaves: Ints) -> Floats:
        """[slice]: how many of some leaves lie in it."""
        inside = np.zeros(self.leaves)
        inside[leaves] = 1.0
        return self.sums(inside)

    def only(self, kept: Bools) -> Lattice:
        """The same lattice with some of its slices, and the parts these consist of."""
        sizes, cuts, pieces = self.sizes[kept], [], []
        for cut, (parts, order) in enumerate(zip(self.cuts, self.piece_order, strict=True)):
            mine = self.cut == cut
            chosen = order[np.repeat(kept[mine], self.pieces[mine])]
            used = np.zeros(len(parts.starts), np.bool_)
            used[chosen] = True
            cuts.append(parts.only(np.flatnonzero(used)))
            pieces.append((np.cumsum(used) - 1)[chosen])
        return replace(
            self,
            order=self.order[np.repeat(kept, self.sizes.astype(np.int64))],
            starts=(np.cumsum(sizes) - sizes).astype(np.int64),
            family=self.family[kept],
            dims=self.dims[kept],
            sizes=sizes,
            cuts=tuple(cuts),
            cut=self.cut[kept],
            pieces=self.pieces[kept],
            piece_order=tuple(pieces),
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
        return Lattice(_NONE, _NONE, (), _NONE, np.zeros(0), np.zeros(0), 0, Parts(_NONE, _NONE, _NONE))
    marks = _marks(leaves)
    seen: set[int] = set()
    families = tuple(kept for count in range(1, most_dims + 1) for kept in combinations(range(len(cube.dims)), count))
    cuts, cut_of = _cuts(cube, families)
    orders, sizes, family, pieces, piece_orders = [], [], [], [], [[_NONE] for _ in cuts]
    for number, fixed in enumerate(families):
        order, begins = _group(codes[list(fixed)])
        prints = np.add.reduceat(marks[order], begins).tolist()
        fresh = np.array([mark not in seen for mark in prints])
        seen.update(prints)
        lengths = np.diff(np.append(begins, leaves))
        parts = cuts[cut_of[number]]
        of_leaf = np.empty(leaves, np.int64)
        of_leaf[order] = np.repeat(np.arange(len(begins)), lengths)
        of_part = of_leaf[parts.order[parts.starts]]
        sorted_parts = np.argsort(of_part, kind="stable")
        orders.append(order[np.repeat(fresh, lengths)])
        sizes.append(lengths[fresh])
        family.append(np.full(int(fresh.sum()), number))
        pieces.append(np.bincount(of_part, minlength=len(begins))[fresh])
        piece_orders[cut_of[number]].append(sorted_parts[fresh[of_part[sorted_parts]]])
    size, of_family = np.concatenate(sizes), np.concatenate(family)
    return Lattice(
        order=np.concatenate(orders),
        starts=np.cumsum(size) - size,
        fixed=families,
        family=of_family,
        dims=np.array([len(fixed) for fixed in families], np.float64)[of_family],
        sizes=size.astype(np.float64),
        leaves=leaves,
        whole=cuts[0],
        cuts=cuts,
        cut=np.array(cut_of, np.int64)[of_family],
        pieces=np.concatenate(pieces),
        piece_order=tuple(np.concatenate(some) for some in piece_orders),
    )


def cells(cube: Cube) -> Parts:
    """Every leaf's partner and GEO, uncut."""
    cell = _numbered(cube.codes[_cell_dims(cube)])
    return _parts(cell, cell)


def _cuts(cube: Cube, families: tuple[tuple[int, ...], ...]) -> tuple[tuple[Parts, ...], list[int]]:
    """The distinct ways in which families cut cells (partner and GEO), whole cells first, and per family which it is."""
    whole = _cell_dims(cube)
    cell = _numbered(cube.codes[whole])
    cuts, found = [_parts(cell, cell)], {cell.tobytes(): 0}
    chosen = []
    for fixed in families:
        of_leaf = _numbered(cube.codes[sorted({*whole, *fixed})])
        number = found.setdefault(of_leaf.tobytes(), len(cuts))
        if number == len(cuts):
            cuts.append(_parts(of_leaf, cell))
        chosen.append(number)
    return tuple(cuts), chosen


def _cell_dims(cube: Cube) -> list[int]:
    return [dim for dim, name in enumerate(cube.dims) if name in CELL]


def _numbered(codes: Ints) -> Ints:
    """[leaf]: the number of its group, in order of appearance: equal partitions get equal numbers."""
    _, first, group = np.unique(codes, axis=1, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[group.ravel()], np.int64)


def _parts(of_leaf: Ints, cell: Ints) -> Parts:
    order = np.argsort(of_leaf, kind="stable")
    starts = np.flatnonzero(np.diff(of_leaf[order], prepend=-1))
    return Parts(order, starts, cell[order[starts]])


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
