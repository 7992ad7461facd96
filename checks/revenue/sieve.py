"""Counts of some hours, weighed slice by slice: what cannot reach a line is left out early, and exactly.

Three sieves, each ten times as dear as the one before and asked about a tenth as many slices: whether enough is missing at
all, an upper bound of the evidence, the evidence. Parts are looked at some hundred at a time, so that no figure of all
parts and hours is ever held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import crowds, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from checks.revenue.crowds import Moods, Singles
    from checks.revenue.cube import Bools, Floats
    from checks.revenue.lattice import Lattice
    from checks.revenue.scan import Caution, Hours, Sums, Told

    Measured = Callable[[Moods, Floats], Singles]

_ROUNDED = 1e-6
"""Sums of differences are told from differences of sums no better."""
_PARTS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Counted:
    """Hours summed over spans that slices are judged by."""

    sums: Floats
    """[leaf, 8, span] as `Hours.sums` tells them."""
    told: Mapping[str, Told]
    """By channel."""
    spans: Floats
    """[hour, span]"""
    lengths_h: Floats
    """[span]"""
    moved: tuple[Floats, Floats]
    """[span] of FTD and of registrations: what moves everybody, at most 1."""
    caution: Caution
    """Of the slices of `lattice`."""
    lattice: Lattice

    def can_reach(self, nats: Floats) -> Bools:
        """[slice]: whether its evidence could reach `nats` [slice]."""
        able = self._lacks()
        rest = self.lattice.only(able)
        caution, shown = self.caution.only(able), scan.shown_of(rest.sums(self.sums), *self.moved)
        bounds = self._by_channel(rest, crowds.bounds)
        by_ftd = crowds.reach(bounds["ftd"], shown.ftd_usual, caution.ftd.size(self.lengths_h))
        by_regs = crowds.reach(bounds["regs"], shown.regs_usual, caution.regs.size(self.lengths_h))
        most = np.stack(list(scan.spoken(shown, by_ftd, by_regs).values())).max((0, 2), initial=0.0)
        able[able] = most >= nats[able]
        return able

    def weighed(self, kept: Bools) -> tuple[Lattice, Sums]:
        """Some of the slices, and their evidence."""
        lattice = self.lattice.only(kept)
        tables = self._by_channel(lattice, crowds.table)
        return lattice, scan.weigh(
            lattice.sums(self.sums), tables, *self.moved, self.caution.only(kept), self.lengths_h
        )

    def _lacks(self) -> Bools:
        """[slice]: whether its counts fall short enough in any span for any evidence at all."""
        ftd, ftd_due, _, regs, regs_due, _, low, low_due = np.moveaxis(self.sums, 1, 0)
        ftd_due, regs_due = ftd_due * self.moved[0], regs_due * self.moved[1]
        short = np.stack([ftd_due - ftd, regs_due - regs, low - low_due, scan.FEWER * ftd_due - ftd], 1)
        by_ftd, by_regs, by_value, fewer = np.moveaxis(self.lattice.sums(short), 1, 0)
        least = scan.LEAST_EXPECTED - _ROUNDED
        speaks = (by_ftd >= least) | ((by_regs >= least) & (fewer >= -_ROUNDED)) | (by_value >= least)
        return np.asarray(speaks.any(1))

    def _by_channel(self, lattice: Lattice, measured: Measured) -> dict[str, Floats]:
        """By channel, [slice, ...] of what is `measured` [part, ...] of moods and spans."""
        return {channel: self._by_slice(channel, lattice, measured) for channel in self.told}

    def _by_slice(self, channel: str, lattice: Lattice, measured: Measured) -> Floats:
        told, own = self.told[channel], self.caution.own[channel]
        blocks = [
            [measured(told.moods(block, own[cut]), self.spans) for block in parts.blocks(_PARTS_AT_ONCE)]
            for cut, parts in enumerate(lattice.cuts)
        ]
        empty = measured(told.moods(lattice.whole.only(np.zeros(0, np.int64))), self.spans)
        return lattice.sums_of_parts([np.concatenate([empty, *some]) for some in blocks])


def counted(
    hours: Hours, spans: Floats, lengths_h: Floats, caution: Caution, lattice: Lattice, moved: Callable[[Floats, Floats], tuple[Floats, Floats]]
) -> Counted:  # fmt: skip
    """`moved` tells from [leaf, 8, span] sums and the lengths of spans what moves everybody."""
    sums = hours.sums(spans)
    told = {channel: hours.told(channel, lattice.whole) for channel in scan.BY_CLICKS}
    return Counted(sums, told, spans, lengths_h, moved(sums, lengths_h), caution, lattice)
