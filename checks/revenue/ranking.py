"""Which slices stand out at one tick: evidence of the counts, what other checks lend to it, and what a slice costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue.cube import hour_of
from checks.revenue.evidence import WINDOWS_H
from checks.revenue.scan import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.revenue.belief import Prior
    from checks.revenue.cube import Cube, Floats, Ints
    from checks.revenue.lattice import Lattice
    from checks.revenue.scan import Sums

NATS_PER_DIM = 0.5
"""Price of each dimension a slice fixes: of two that explain as much, the wider one is named."""
SPEAKS_NATS = 3.0
"""So much the counts must say for themselves before anything is lent to them."""
MOST_LENT, _OF_THE_LINE = 6.0, 0.5
"""However much others know: counts must say at least as much for themselves, and beyond this nothing is gained."""
WATCH_BELOW = 3.0
"""So many nats below the page line suspicion begins."""
_MOST_WATCHED = 20


@dataclass(frozen=True, slots=True)
class Suspect:
    """One slice in the window and channel in which it stands out most."""

    slice: int
    """Number in the lattice ranked."""
    channel: str
    window: int
    """Number of the window."""
    nats: float
    lent: float
    prior: int
    """Which prior lent it, -1 for none."""

    @property
    def window_h(self) -> int:
        return WINDOWS_H[self.window]


@dataclass(frozen=True, slots=True)
class Ranking:
    """[slice, window] of what each channel says, beside what is lent to it."""

    lattice: Lattice
    sums: Sums
    lent: Floats
    prior: Ints
    """[slice, window]: which prior lends, -1 for none."""

    def strongest(self) -> Iterator[Suspect]:
        """Every slice that has any evidence, most first, its price taken off."""
        if not len(self.lattice):
            return
        scored = np.stack([self._scored(channel) for channel in CHANNELS])
        flat = scored.transpose(1, 0, 2).reshape(len(self.lattice), -1)
        best = np.argmax(flat, 1)
        score = flat[np.arange(len(flat)), best]
        for slice_ in np.argsort(-score, kind="stable").tolist():
            if score[slice_] <= 0:
                return
            yield self._suspect(slice_, int(best[slice_]))

    def watched(self, low: float, high: float) -> tuple[Suspect, ...]:
        """The strongest slices from `low` to below `high` nats, of those that share leaves the strongest only."""
        taken = np.zeros(self.lattice.leaves, np.bool_)
        chosen: list[Suspect] = []
        for suspect in self.strongest():
            if len(chosen) == _MOST_WATCHED or self.score(suspect) < low:
                break
            leaves = self.lattice.members(suspect.slice)
            if self.score(suspect) < high and not taken[leaves].any():
                chosen.append(suspect)
            taken[leaves] = True
        return tuple(chosen)

    def score(self, suspect: Suspect) -> float:
        """Nats with the slice's price taken off: what is held against the line."""
        return suspect.nats - NATS_PER_DIM * float(self.lattice.dims[suspect.slice])

    def _scored(self, channel: str) -> Floats:
        counts = self.sums.nats[channel]
        lent = np.where(counts >= SPEAKS_NATS, self.lent, 0.0)
        return np.asarray(counts + lent - NATS_PER_DIM * self.lattice.dims[:, None])

    def _suspect(self, slice_: int, place: int) -> Suspect:
        channel, window = divmod(place, len(WINDOWS_H))
        counts = float(self.sums.nats[CHANNELS[channel]][slice_, window])
        lent = float(self.lent[slice_, window]) if counts >= SPEAKS_NATS else 0.0
        prior = int(self.prior[slice_, window]) if lent > 0 else -1
        return Suspect(slice_, CHANNELS[channel], window, counts + lent, lent, prior)


def most_lent(page_nats: float) -> float:
    """All that others may lend where slices page at this line."""
    return min(MOST_LENT, page_nats * _OF_THE_LINE)


def lent_to(
    priors: Sequence[Prior], cube: Cube, lattice: Lattice, windows_h: Floats, page_nats: float
) -> tuple[Floats, Ints]:
    """[slice, window]: nats of the strongest prior for a slice around it since before the window began, and which.

    Of the many slices inside the one that is suspected each gets its part of the odds only.
    """
    nats = np.zeros((len(lattice), len(windows_h)))
    which = np.full(nats.shape, -1)
    for number, prior in enumerate(priors):
        leaves = cube.select(prior.slice)
        inside = lattice.sums(leaves.astype(np.float64)) == lattice.sizes
        whole = inside & (lattice.sizes == leaves.sum())
        most = min(prior.nats, most_lent(page_nats))
        own = np.where(whole, most, np.where(inside, most - np.log(max(int(inside.sum()), 1)), 0.0))[:, None]
        counts = (cube.top - windows_h >= hour_of(prior.since)) & (own > nats)
        nats, which = np.where(counts, own, nats), np.where(counts, number, which)
    return nats, which
