"""The slices in which own clicks are watched: sites, sites in one GEO, teams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import segments
from checks.revenue.expectation import of_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from checks.revenue.cube import Cube, Floats, Ints
    from checks.revenue.expectation import Fit
    from checks.revenue.segments import Number

FAMILIES: tuple[tuple[str, ...], ...] = (("site",), ("site", "geo"), ("team",))
_MOST_SITES = 2_000


@dataclass(frozen=True, slots=True)
class Groups:
    """The slices of `FAMILIES`, each set of leaves once, under its shortest name."""

    order: Ints
    starts: Ints
    names: tuple[dict[str, str], ...]
    sizes: Ints
    leaves: int
    """That there are in all."""

    def __len__(self) -> int:
        return len(self.names)

    def sums(self, figures: NDArray[Number]) -> NDArray[Number]:
        """[leaf, ...] to [slice, ...]."""
        return segments.sums_of_any(figures, self.order, self.starts)

    def shared(self, leaves: Ints) -> Floats:
        """[slice]: how many of some leaves lie in it."""
        inside = np.zeros(self.leaves)
        inside[leaves] = 1.0
        return self.sums(inside)

    def members(self, number: int) -> Ints:
        return self.order[self.starts[number] : self.starts[number] + self.sizes[number]]


def groups_of(cube: Cube, model: Fit, least_per_hour: float) -> Groups:
    """Slices that could speak at all: of the sites those with clicks enough, the richest 2,000 at most."""
    site = cube.codes_of("site")
    level = of_all(model.clicks_level, cube.leaves)
    by_site = np.bincount(site, level, len(cube.names_of("site")))
    rich = np.argsort(-by_site, kind="stable")[:_MOST_SITES]
    rich = rich[by_site[rich] >= least_per_hour]
    heard = np.flatnonzero(np.isin(site, rich))
    parts: list[Ints] = []
    names: list[dict[str, str]] = []
    known = set[bytes]()
    for family in FAMILIES:
        dims = [cube.dims.index(dim) for dim in family]
        for leaves in _alike(cube.codes[dims], heard if "site" in family else np.arange(cube.leaves)):
            mark = leaves.tobytes()
            if mark not in known:
                known.add(mark)
                parts.append(leaves)
                names.append(
                    {dim: cube.names[at][cube.codes[at, leaves[0]]] for dim, at in zip(family, dims, strict=True)}
                )
    sizes = np.array([len(leaves) for leaves in parts], np.int64)
    order = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    return Groups(order, np.cumsum(sizes) - sizes, tuple(names), sizes, cube.leaves)


def _alike(rows: Ints, leaves: Ints) -> list[Ints]:
    """Leaves with equal codes, each set in ascending order."""
    if not len(leaves):
        return []
    order = leaves[np.lexsort(rows[::-1, leaves])]
    changed = np.flatnonzero((np.diff(rows[:, order]) != 0).any(0)) + 1
    return np.split(order, changed)
