"""The life of alarms: raised once per cause, corrected while they last, closed after a quiet day."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import extent, scan
from checks.revenue.cube import DAY_H
from checks.revenue.evidence import WINDOWS_H

if TYPE_CHECKING:
    from checks.revenue.cube import Bools, Cube, Floats, Ints
    from checks.revenue.expectation import Fit
    from checks.revenue.lattice import Lattice
    from checks.revenue.scan import Caution

PAGE_NATS = 13.0
RECENT_H = 120
"""Nothing longer is scanned: windows beyond mostly find drift."""
LONGEST_H = 14 * DAY_H
_NATS_PER_DIM = 1.0
_WITHDRAW_NATS = 4.0
_BETTER_NATS = 3.0
_HOLDS_NATS = 3.0
_SETTLES_H = 48
_PER_TICK = 6


@dataclass(slots=True)
class Case:
    """One open alarm in hours and leaf numbers."""

    number: int
    channel: str
    where: dict[str, str]
    detected: int
    start: int
    end: int
    nats: float = 0.0
    observed: float = 0.0
    expected: float = 0.0
    status: str = "open"
    spread: float = 1.0
    size: float = np.inf
    """How far the level of its slice wanders over as long a time."""
    leaves: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def share(self) -> float:
        return self.observed / self.expected if self.expected > 0 else 1.0


@dataclass(slots=True)
class Known:
    """What accounts for missing money already: such hours are neither learned from nor scanned."""

    open: list[Case] = field(default_factory=list)
    closed: list[Case] = field(default_factory=list)
    explained: list[tuple[Ints, int, int]] = field(default_factory=list)
    """Leaves, first hour and one past the last of what incidents elsewhere explain."""

    def mask(self, cube: Cube, without: Case | None = None) -> Bools:
        """[leaf, hour of the cube]: hours of alarms and of what is explained; those of one alarm may be left out."""
        masked = cube.unmasked()
        spans = [
            (case.leaves, case.start, cube.top if case.status == "open" else case.end)
            for case in (*self.open, *self.closed)
            if case is not without and case.status != "withdrawn"
        ]
        for leaves, since, until in spans + self.explained:
            low, high = cube.columns(since, until)
            masked[leaves, low:high] = True
        return masked

    def explained_hours(self, cube: Cube) -> Bools:
        """[leaf, hour of the cube]: what incidents elsewhere account for."""
        masked = np.zeros_like(cube.masked)
        for leaves, since, until in self.explained:
            low, high = cube.columns(since, until)
            masked[leaves, low:high] = True
        return masked

    def settle(self, cube: Cube) -> None:
        """Move alarms that ended out of the open ones; forget those whose hours are no longer kept."""
        self.closed += [case for case in self.open if case.status == "closed"]
        self.closed = [case for case in self.closed if case.end > cube.base]
        self.open = [case for case in self.open if case.status == "open"]


@dataclass(slots=True)
class Watch:
    """Everything the scan needs to know at one tick."""

    cube: Cube
    model: Fit
    lattice: Lattice
    caution: Caution
    common: dict[int, float]
    """Epoch hour -> what moved everybody then."""
    known: Known

    def raise_alarms(self, next_number: int, page_nats: float) -> list[Case]:
        """The strongest slices over the line, one after the other, each explained away before the next is sought.

        A slice must also hold the line over the hours its trouble is found to have taken, not only over the window in
        which it first stood out.
        """
        raised: list[Case] = []
        for _ in range(_PER_TICK):
            case = self._strongest(next_number + len(raised), page_nats)
            if case is None:
                break
            if case.nats >= page_nats - _HOLDS_NATS:
                raised.append(case)
                self.known.open.append(case)
            low, high = self.cube.columns(case.start, self.cube.top)
            self.cube.masked[case.leaves, low:high] = True
        return raised

    def _strongest(self, number: int, page_nats: float) -> Case | None:
        top = self.cube.top
        hours = scan.hours_of(self.cube, self.model, top - RECENT_H, top)
        windows = scan.by_window(hours)
        live = scan.can_page(windows, self.lattice, page_nats)
        lattice = self.lattice.only(live)
        lengths_h = np.array(WINDOWS_H, np.float64)
        ftd_common, regs_common = self._moved(windows, lengths_h)
        self.common[top - 1] = float(ftd_common[WINDOWS_H.index(6)])
        sums = scan.weigh(lattice.sums(windows), ftd_common, regs_common, self.caution.only(live), lengths_h)
        if not len(lattice):
            return None
        best: tuple[float, str, int, int] | None = None
        for channel in scan.CHANNELS:
            nats = sums.nats[channel] - _NATS_PER_DIM * lattice.dims[:, None]
            slice_, window = divmod(int(np.argmax(nats)), nats.shape[1])
            found = (float(nats[slice_, window]), channel, slice_, window)
            best = found if best is None or found[0] > best[0] else best
        if best is None or best[0] < page_nats:
            return None
        _, channel, slice_, window = best
        observed, due = (float(figures[slice_, window]) for figures in sums.seen(channel))
        leaves = lattice.members(slice_)
        since = max(top - 2 * WINDOWS_H[window] - 12, hours.since)
        share = observed / max(due, 1e-9)
        start = extent.start(hours, leaves, channel, self.common, share=share, since=since)
        case = Case(number, channel, lattice.name(slice_, self.cube), top, start, top, leaves=leaves)
        self._measure(case)
        return case

    def follow(self, case: Case) -> None:
        """Bring an open alarm up to date: its slice, evidence and end; closes or withdraws it."""
        case.leaves = np.flatnonzero(self.cube.select(case.where))
        self._measure(case)
        if case.nats < _WITHDRAW_NATS:
            case.status = "withdrawn"
        elif self._is_over(case) or self.cube.top - case.start > LONGEST_H:
            case.status = "closed"

    def _measure(self, case: Case) -> None:
        """Evidence since the start, where the shortfall ends and how much of what was due came.

        For two days after its detection an alarm moves to a slice inside or around its own that explains the same
        hours clearly better: the first hours of a failure rarely show its whole extent.
        """
        masked = self.known.mask(self.cube, without=case)
        hours = scan.hours_of(self.cube, self.model, case.start, self.cube.top, masked=masked)
        last = extent.end(hours, case.leaves, case.channel, self.common)
        windows = hours.total(last)
        nested = self._nested(case.leaves)
        lattice = self.lattice.only(nested)
        lengths_h = np.array([float(last)])
        moved = self._moved(windows, lengths_h)
        sums = scan.weigh(lattice.sums(windows), *moved, self.caution.only(nested), lengths_h)
        equal = np.flatnonzero(lattice.sizes == len(case.leaves))
        if len(equal):
            number = int(equal[0])
            if self.cube.top - case.detected <= _SETTLES_H:
                best = self._better(lattice, number, sums.nats[case.channel][:, 0])
                if best != number:
                    case.where, case.leaves = lattice.name(best, self.cube), lattice.members(best)
                    last, number = extent.end(hours, case.leaves, case.channel, self.common), best
            seen, due = sums.seen(case.channel)
            case.observed, case.expected = float(seen[number, 0]), float(due[number, 0])
            case.nats = float(sums.nats[case.channel][number, 0])
            case.size = float(self.caution.only(nested).ftd.size(lengths_h)[number, 0])
        case.end = hours.since + last
        case.spread = self.caution.ftd.cluster

    def _nested(self, leaves: Ints) -> Bools:
        """[slice]: whether it lies in these leaves or around them."""
        inside = np.zeros(self.cube.leaves)
        inside[leaves] = 1.0
        shared = self.lattice.sums(inside)
        return np.asarray((shared > 0) & ((shared == self.lattice.sizes) | (shared == len(leaves))))

    @staticmethod
    def _better(lattice: Lattice, number: int, nats: Floats) -> int:
        """The slice with the largest evidence, if it is clearly larger than that of slice `number`."""
        nats = nats - _NATS_PER_DIM * lattice.dims
        best = int(np.argmax(nats))
        return best if nats[best] > nats[number] + _BETTER_NATS else number

    def _is_over(self, case: Case) -> bool:
        masked = self.known.mask(self.cube, without=case)
        return extent.is_quiet(self.cube, self.model, case.leaves, case.channel, case.end, self.common, masked)

    def _moved(self, windows: Floats, lengths_h: Floats) -> tuple[Floats, Floats]:
        """[window] of FTD and of registrations: what moves everybody."""
        usual_ftd, usual_regs = self.caution.usual_ftd.share(lengths_h), self.caution.usual_regs.share(lengths_h)
        ftd = scan.common_factor(windows[:, 0], windows[:, 1], self.cube, usual_ftd)
        return ftd, scan.common_factor(windows[:, 3], windows[:, 4], self.cube, usual_regs)
