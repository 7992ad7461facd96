"""Slice-hours too strange to be believed: set aside with a reason, so that one damaged row makes no slice deaf for weeks.

A million clicks in one hour of a small site would raise its usual level, and with it what junk clicks may earn, until the
hour is forgotten five weeks later. Set aside it is neither learned from nor scanned, and comes back when a correction
brings it within what is usual, or when so many hours are like it that it is usual.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue.inputs import MEASURES

if TYPE_CHECKING:
    from checks.revenue.cube import Bools, Cube, Floats, Ints

_TIMES = {"clicks": 100.0, "regs": 100.0, "ftd": 100.0, "revenue": 1000.0}
"""An hour may be so many times as large as its leaf's hours usually are (their geometric mean)."""
_LEAST = {"clicks": 10.0, "regs": 2.0, "ftd": 1.0, "revenue": 0.0}
"""Added to what is usual, so that a leaf of ones and twos has room."""
LOOKS_H = 35 * 24
"""Hours that are judged; older ones teach nothing any more."""
_HOLD = 5.0
"""Hours that hold a leaf's usual at that of its partner."""


@dataclass(slots=True)
class Odd:
    """Cells set aside, with the figures they would have."""

    cells: dict[tuple[int, int], tuple[float, ...]] = field(default_factory=dict)
    """(leaf, epoch hour) -> the measures."""
    limits: Floats = field(default_factory=lambda: np.zeros((len(MEASURES), 0)))
    """[measure, leaf]: beyond it an hour is not believed; leaves that came later have none."""

    def judge(self, cube: Cube) -> None:
        """Learn what is usual from the last weeks and decide again about each of their hours."""
        self.release(cube, *self._places(cube))
        since = cube.base + cube.columns(cube.top - LOOKS_H, cube.top)[0]
        figures = [cube.measure(name, since, cube.base + cube.width) for name in MEASURES]
        self.limits = np.stack([_limit(name, part, cube) for name, part in zip(MEASURES, figures, strict=True)])
        beyond = np.zeros(figures[0].shape, np.bool_)
        for name, part, limit in zip(MEASURES, figures, self.limits, strict=True):
            beyond |= _beyond(name, part, limit[:, None])
        leaf, column = np.nonzero(beyond)
        self._take_out(cube, leaf, column + since - cube.base)

    def hold(self, cube: Cube, leaf: Ints, column: Ints) -> None:
        """Set aside those of the cells given that are beyond the limits, or hold fewer than no events."""
        limits = np.full((len(MEASURES), cube.leaves), np.inf)
        limits[:, : self.limits.shape[1]] = self.limits
        beyond = np.zeros(len(leaf), np.bool_)
        for name, limit in zip(MEASURES, limits, strict=True):
            figures = cube.measure(name, cube.base, cube.base + cube.width)[leaf, column]
            beyond |= _beyond(name, figures, limit[leaf])
        beyond &= column + cube.base >= cube.top - LOOKS_H
        self._take_out(cube, leaf[beyond], column[beyond])

    def release(self, cube: Cube, leaf: Ints, column: Ints) -> None:
        """Give those of the cells that were set aside their figures back."""
        if not self.cells:
            return
        for place in zip(leaf.tolist(), (column + cube.base).tolist(), strict=True):
            if figures := self.cells.pop(place, None):
                for name, figure in zip(MEASURES, figures, strict=True):
                    cube.measure(name, place[1], place[1] + 1)[place[0], 0] = figure

    def forget(self, base: int) -> None:
        """Let go of hours before `base`."""
        self.cells = {place: figures for place, figures in self.cells.items() if place[1] >= base}

    def mask(self, cube: Cube) -> Bools:
        """[leaf, hour of the cube]: where something was set aside."""
        mask = np.zeros(cube.masked.shape, np.bool_)  # takes no memory where it stays as it is
        if self.cells:
            mask[self._places(cube)] = True
        return mask

    def told(self, cube: Cube) -> tuple[str, ...]:
        """One line each: `P03 casino PL kiel aurora 11-17 06:00Z: 1,000,000 clicks in one hour, at most 1,400 believed`."""
        return tuple(self._line(cube, leaf, hour) for leaf, hour in sorted(self.cells))

    def _line(self, cube: Cube, leaf: int, hour: int) -> str:
        name = " ".join(names[code] for names, code in zip(cube.names, cube.codes[:, leaf], strict=True))
        moment = np.datetime64(hour, "h").item()
        for measure, figure, limit in zip(MEASURES, self.cells[leaf, hour], self._limit_of(leaf), strict=True):
            if figure < 0 and measure != "revenue":
                return f"{name} {moment:%m-%d %H:%MZ}: {figure:,.0f} {measure}, fewer than none"
            if abs(figure) > limit:
                return (
                    f"{name} {moment:%m-%d %H:%MZ}: {figure:,.0f} {measure} in one hour, at most {limit:,.0f} believed"
                )
        return f"{name} {moment:%m-%d %H:%MZ}: not believed"

    def _limit_of(self, leaf: int) -> Floats:
        known = leaf < self.limits.shape[1]
        return self.limits[:, leaf] if known else np.full(len(MEASURES), np.inf)

    def _places(self, cube: Cube) -> tuple[Ints, Ints]:
        """Leaves and columns of what is set aside."""
        places = np.array(sorted(self.cells), np.int64).reshape(-1, 2)
        return places[:, 0], places[:, 1] - cube.base

    def _take_out(self, cube: Cube, leaf: Ints, column: Ints) -> None:
        for place in zip(leaf.tolist(), (column + cube.base).tolist(), strict=True):
            views = [cube.measure(name, place[1], place[1] + 1) for name in MEASURES]
            self.cells[place] = tuple(float(view[place[0], 0]) for view in views)
            for view in views:
                view[place[0], 0] = 0


def _beyond(name: str, figures: Floats, limit: Floats) -> Bools:
    """Money may be taken back, events may not: there are never fewer than none."""
    return np.asarray((np.abs(figures) > limit) | ((figures < 0) & (name != "revenue")))


def _limit(name: str, figures: Floats, cube: Cube) -> Floats:
    """[leaf]: what one hour may hold, from [leaf, hour]."""
    figures = np.abs(figures)
    some = figures > 0
    sizes = np.log(figures, out=np.zeros(figures.shape), where=some).sum(1)
    hours = some.sum(1)
    partner = cube.codes_of("partner")
    count = len(cube.names_of("partner"))
    overall = (sizes.sum() / hours.sum()) if hours.sum() else np.inf
    together = (np.bincount(partner, sizes, count) + _HOLD * overall) / (np.bincount(partner, hours, count) + _HOLD)
    usual = np.exp((sizes + _HOLD * together[partner]) / (hours + _HOLD))
    return np.asarray(_TIMES[name] * (usual + _LEAST[name]))
