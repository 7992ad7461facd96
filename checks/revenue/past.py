"""The hours a model learns from. Figures of all leaves and hours are never held at once: they are made some leaves at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import segments
from checks.revenue.cube import DAY_H

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.revenue.bursts import Bursts, Classes, Told
    from checks.revenue.cube import Bools, Cube, Floats, Ints

    Rows = slice | Ints

HALF_LIFE_H = 21 * DAY_H
_AT_ONCE = 256
"""Rows: five weeks of them stay where they are quickly read again."""


def some_of(rows: int) -> Iterator[slice]:
    """All of them in order, some at a time."""
    return (slice(first, min(first + _AT_ONCE, rows)) for first in range(0, rows, _AT_ONCE))


def spells(since: int, until: int, length_h: int) -> list[tuple[int, int]]:
    """Epoch hours cut into so many at a time, in order, the newest whole; at least one."""
    ends = range(until, min(since, until - 1), -length_h)
    return [(max(end - length_h, since), end) for end in reversed(ends)]


@dataclass(frozen=True, slots=True)
class Past:
    """What is left in of them and how much each weighs."""

    cube: Cube
    hours: Ints
    """Epoch hours, one after the other."""
    usable: Bools
    """[leaf, hour]: its report is here and no incident is known."""
    recency: Floats
    """[hour]: what it weighs, the last one 1."""
    partner: Ints
    """[leaf]"""
    cell: Ints
    """[leaf]: the number of its partner and GEO."""

    def blocks(self) -> Iterator[slice]:
        return some_of(len(self.usable))

    def measure(self, name: str) -> Floats:
        """[leaf, hour], as the cube has it."""
        return self.cube.measure(name, int(self.hours[0]), int(self.hours[-1]) + 1) if len(self.hours) else np.zeros(self.usable.shape)  # fmt: skip

    def weight(self, rows: Rows) -> Floats:
        """[row, hour] of usable hours."""
        return np.where(self.usable[rows], self.recency, 0.0)

    def total(self, name: str) -> Floats:
        """[leaf] of a measure, weighted."""
        figures, total = self.measure(name), np.zeros(len(self.usable))
        for rows in self.blocks():
            total[rows] = (figures[rows] * self.weight(rows)).sum(1)
        return total


@dataclass(frozen=True, slots=True)
class Channel:
    """Counts of one kind beside the clicks that brought them, weighted."""

    past: Past
    name: str
    visible: Floats
    """[partner, hour]: the share of the counts that should be here by now."""
    own: Classes
    """[leaf, hour]: size class of the leaf's clicks."""
    shared: Classes
    """Of its cell's."""

    def counts(self, rows: Rows) -> Floats:
        """[row, hour] of usable hours."""
        return np.asarray(self.past.measure(self.name)[rows] * self.past.weight(rows))

    def exposure(self, rows: Rows) -> Floats:
        """[row, hour] of clicks."""
        weighted = self.past.measure("clicks")[rows] * self.past.weight(rows)
        return np.asarray(weighted * self.visible[self.past.partner[rows]])

    def seen(self) -> tuple[Floats, Floats]:
        """[leaf] and [hour] of counts."""
        by_leaf, by_hour = np.zeros(len(self.own)), np.zeros(len(self.past.hours))
        for rows in self.past.blocks():
            counts = self.counts(rows)
            by_leaf[rows] = counts.sum(1)
            by_hour = np.vstack([by_hour, counts]).sum(0)
        return by_leaf, by_hour

    def earned(self, effect: Bursts, season: Floats) -> Floats:
        """[leaf] of exposure with the factor of bursts and of the `season` [hour]."""
        total = np.zeros(len(self.own))
        for rows in self.past.blocks():
            total[rows] = (self._earning(rows, effect) * season).sum(1)
        return total

    def due_by_hour(self, effect: Bursts, single: Floats) -> Floats:
        """[hour] of counts due at `single` [leaf] a click, whatever the season."""
        total = np.zeros(len(self.past.hours))
        for rows in self.past.blocks():
            total = np.vstack([total, self._earning(rows, effect) * single[rows, None]]).sum(0)
        return total

    def told(self, season: Floats, single: Floats) -> Iterator[Told]:
        """Counts and what was due of them, all bursts alike, some leaves at a time."""
        for rows in self.past.blocks():
            yield (
                self.own[rows],
                self.shared[rows],
                self.counts(rows),
                self.exposure(rows) * season * single[rows, None],
            )

    def by_cell(self, effect: Bursts, season: Floats, single: Floats) -> tuple[Floats, Floats, Ints]:
        """[cell, hour]: counts, what was due, and the size class of clicks, unweighted."""
        order = np.argsort(self.past.cell, kind="stable")
        starts = np.flatnonzero(np.diff(self.past.cell[order], prepend=-1))
        ends = np.append(starts[1:], len(order))
        seen, due = (np.zeros((len(starts), len(self.past.hours))) for _ in range(2))
        for cells in some_of(len(starts)):
            first = starts[cells.start]
            rows, begins = order[first : ends[cells.stop - 1]], starts[cells] - first
            place = np.arange(len(rows))
            earned = self._earning(rows, effect) * season * single[rows, None]
            seen[cells] = segments.sums(self.counts(rows) / self.past.recency, place, begins)
            due[cells] = segments.sums(earned / self.past.recency, place, begins)
        return seen, due, self.shared[order[starts]].astype(np.int64)

    def _earning(self, rows: Rows, effect: Bursts) -> Floats:
        return np.asarray(self.exposure(rows) * effect.factor_of(self.own[rows], self.shared[rows]))
