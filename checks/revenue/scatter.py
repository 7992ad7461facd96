"""How far what came lay from what was expected while nothing was wrong: the doubt in every price, as it was seen.

Split-conformal in spirit: no distribution is assumed. Where conversions come in bursts and pay unequally the curves are
wide and their middle lies below one; where every player is worth the same they are narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import past
from checks.revenue.cube import DAY_H
from checks.revenue.expectation import FIT_H, of_all, visible_share

if TYPE_CHECKING:
    from checks.revenue.cube import Bools, Cube, Floats
    from checks.revenue.expectation import Fit
    from checks.revenue.lattice import Lattice

RANKS = 20
"""Equally likely points that stand for a distribution."""
_SHARES = (np.arange(RANKS) + 0.5) / RANKS
_NORMAL = np.array(
    [-1.960, -1.440, -1.150, -0.935, -0.755, -0.598, -0.454, -0.319, -0.189, -0.063,
     0.063, 0.189, 0.319, 0.454, 0.598, 0.755, 0.935, 1.150, 1.440, 1.960]
)  # fmt: skip
"""The same points of a standard normal."""
_POINTS = np.array([3.0, 6.0, 12.0, 24.0, 48.0, 96.0, 192.0, 384.0])
_NEAR = np.sqrt(2.0)
"""Blocks within this factor of a point speak for it."""
_ENOUGH_BLOCKS = 60
_BLOCK_H = 6
_BLOCKS = (1, 4, 12)
"""Lengths of what is compared, in blocks of 6 h."""
_AT_ONCE_H = 2 * DAY_H
_MOST_ROWS = 20_000
"""Leaves of all slices looked at together: a larger lattice is sampled."""
_WHOLE = 0.9
"""Share of a block's expectation that must lie in hours whose report is here and no incident is known."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Actual over expected by the number of events the latter rests on."""

    events: Floats
    """[point], ascending; none where history is too short."""
    ratios: Floats
    """[point, rank] ascending."""
    cv2: float
    """Squared coefficient of variation of one event: what is believed where nothing was seen."""

    def at(self, events: float) -> Floats:
        """[rank] of ratios, between the two points nearest; beyond the last they draw together as averages do."""
        if not len(self.events):
            return spread_of((1.0 + self.cv2) / max(events, 1.0))
        place = np.log(max(events, self.events[0]))
        points = np.log(self.events)
        if place > points[-1]:
            return np.asarray(self.ratios[-1] ** np.exp(-0.5 * (place - points[-1])))
        return np.array([np.interp(place, points, column) for column in self.ratios.T])


@dataclass(frozen=True, slots=True)
class Scatter:
    """What quiet slices showed over the last weeks."""

    count: Curve
    """FTD seen over those expected from clicks."""
    worth: Curve
    """Commission over what the FTD seen are usually worth."""
    money: Curve
    """Commission over that expected from clicks: both of the above."""


def spread_of(variance: float) -> Floats:
    """[rank] of a lognormal with mean 1 and this variance."""
    sigma2 = np.log1p(variance)
    return np.asarray(np.exp(np.sqrt(sigma2) * _NORMAL - sigma2 / 2.0))


def measure(cube: Cube, model: Fit, lattice: Lattice, common: Floats, masked: Bools) -> Scatter:
    """From blocks of 6, 24 and 72 hours of the slices' last weeks; the newest day is still coming in.

    `common` [hour] is what moved everybody over the hours of `FIT_H` before `cube.top`; `masked` [leaf, hour of the
    cube] are those of incidents.
    """
    parts = _parts(cube, model, lattice.leaves, common, masked)
    lattice = _sample(lattice)
    rows = [np.zeros((0, 6))]
    for length in _BLOCKS:
        if parts.shape[2] >= length and len(lattice):
            sums = np.moveaxis(lattice.sums(_summed(parts, length)), 1, 2).reshape(-1, 6)
            rows.append(sums[(sums[:, 0] >= 1.0) & (sums[:, 0] >= _WHOLE * sums[:, 5])])
    due, due_money, ftd, usual, revenue, _ = np.concatenate(rows).T
    cv2 = float(np.median(model.value_cv2)) if len(model.value_cv2) else 1.0
    return Scatter(
        _curve(ftd, due, due, 0.0), _curve(revenue, usual, ftd, cv2 - 1.0), _curve(revenue, due_money, due, cv2)
    )


def _parts(cube: Cube, model: Fit, leaves: int, common: Floats, masked: Bools) -> Floats:
    """[leaf, 6, block of 6 h]: FTD and commission due, FTD, their usual worth, commission; FTD due in hours left out, too."""
    since, until = cube.top - FIT_H, cube.top - DAY_H
    spells = past.spells(*cube.kept(since, until), _AT_ONCE_H)
    return np.concatenate(
        [_spell(cube, model, begin, end, common[begin - since :], masked)[:leaves] for begin, end in spells], 2
    )


def _spell(cube: Cube, model: Fit, since: int, until: int, common: Floats, masked: Bools) -> Floats:
    """The same of some hours; `common` begins with the first."""
    low, high = cube.columns(since, until)
    partner = cube.codes_of("partner")
    told = (cube.received(since, until)[partner] & ~masked[: cube.leaves, low:high]).astype(np.float64)
    share = visible_share(cube, model, since, until)[partner]
    due = cube.measure("clicks", since, until) * cube.measure("ftd_rate", since, until) * share * common[: high - low]
    value = of_all(model.value, cube.leaves)[:, None]
    ftd = cube.measure("ftd", since, until) * told
    parts = (due * told, due * told * value, ftd, ftd * value, cube.measure("revenue", since, until) * told, due)
    return np.stack([_summed(part, _BLOCK_H) for part in parts], 1)


def _summed(figures: Floats, length: int) -> Floats:
    """[..., block]: sums of so many neighbours, the newest ones whole."""
    blocks = figures.shape[-1] // length
    whole = figures[..., figures.shape[-1] - blocks * length :]
    return np.asarray(whole.reshape(*figures.shape[:-1], blocks, length).sum(-1))


def _sample(lattice: Lattice) -> Lattice:
    """Every so many slices, so that what is summed stays bounded."""
    step = -(-len(lattice.order) // _MOST_ROWS)
    kept = np.arange(len(lattice)) % max(step, 1) == 0
    return lattice.only(kept)


def _curve(seen: Floats, expected: Floats, events: Floats, cv2: float) -> Curve:
    """[block] figures to a curve, up to the last point enough blocks speak for."""
    known = (events > 0) & (expected > 0)
    ratio, events = seen[known] / expected[known], events[known]
    points, rows = [], []
    edges = np.concatenate([_POINTS / _NEAR, _POINTS[-1:] * _NEAR])
    for point, (low, high) in zip(_POINTS, pairwise(edges), strict=True):
        near = ratio[(events >= low) & (events < high)]
        if len(near) < _ENOUGH_BLOCKS:
            break
        points.append(point)
        rows.append(np.quantile(near, _SHARES))
    return Curve(np.array(points), np.array(rows).reshape(len(points), RANKS), max(cv2, 0.0))
