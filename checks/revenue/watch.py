"""The life of alarms: raised once per cause, corrected while they last, closed after a quiet day."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import scan
from checks.revenue.cube import DAY_H
from checks.revenue.evidence import WINDOWS_H, hourly_gain, worst_run

if TYPE_CHECKING:
    from checks.revenue.cube import Bools, Cube, Floats, Ints
    from checks.revenue.expectation import Fit
    from checks.revenue.lattice import Lattice
    from checks.revenue.scan import Caution, Hours, Sums

PAGE_NATS = 13.0
QUIET_H = 24
RECENT_H = 120
"""Nothing longer is scanned: windows beyond mostly find drift."""
LONGEST_H = 14 * DAY_H
_NATS_PER_DIM = 1.0
_WITHDRAW_NATS = 4.0
_BETTER_NATS = 3.0
_HOLDS_NATS = 3.0
_QUIET_EVENTS = 5.0
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
    leaves: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def share(self) -> float:
        return self.observed / self.expected if self.expected > 0 else 1.0


@dataclass(slots=True)
class Watch:
    """Everything the scan needs to know at one tick."""

    cube: Cube
    model: Fit
    lattice: Lattice
    caution: Caution
    common: dict[int, float]
    """Epoch hour -> what moved everybody then."""

    def raise_alarms(self, next_number: int, page_nats: float) -> list[Case]:
        """The strongest slices over the line, one after the other, each explained away before the next is sought.

        A slice must also hold the line over the hours its trouble is found to have taken, not only over the window in
        which it first stood out.
        """
        raised: list[Case] = []
        unconvincing: list[Case] = []
        for _ in range(_PER_TICK):
            case = self._strongest(next_number + len(raised), page_nats)
            if case is None:
                break
            (raised if case.nats >= page_nats - _HOLDS_NATS else unconvincing).append(case)
            self.mask(case)
        for case in unconvincing:
            self.unmask(case)
        for case in raised:
            self.mask(case)
        return raised

    def _strongest(self, number: int, page_nats: float) -> Case | None:
        top = self.cube.top
        hours = scan.hours_of(self.cube, self.model, top - RECENT_H, top)
        sums = self._sums(scan.by_window(hours.stacked()), np.array(WINDOWS_H, np.float64), remember=True)
        best: tuple[float, str, int, int] | None = None
        for channel in scan.CHANNELS:
            nats = sums.nats[channel] - _NATS_PER_DIM * self.lattice.dims[:, None]
            slice_, window = divmod(int(np.argmax(nats)), nats.shape[1])
            found = (float(nats[slice_, window]), channel, slice_, window)
            best = found if best is None or found[0] > best[0] else best
        if best is None or best[0] < page_nats:
            return None
        _, channel, slice_, window = best
        observed, due = (float(figures[slice_, window]) for figures in sums.seen(channel))
        leaves = self.lattice.members(slice_)
        since = max(top - 2 * WINDOWS_H[window] - 12, hours.since)
        start = self._start(hours, leaves, channel, observed / max(due, 1e-9), since)
        case = Case(number, channel, self.lattice.name(slice_, self.cube), top, start, top, leaves=leaves)
        self._measure(case)
        return case

    def follow(self, case: Case) -> None:
        """Bring an open alarm up to date: its slice, evidence and end; closes or withdraws it."""
        case.leaves = np.flatnonzero(self.cube.select(case.where))
        self._measure(case)
        if case.nats < _WITHDRAW_NATS:
            case.status = "withdrawn"
            self.unmask(case)
            return
        if self._is_quiet(case) or self.cube.top - case.start > LONGEST_H:
            case.status = "closed"
            self.unmask(case)
        self.mask(case)

    def mask(self, case: Case) -> None:
        until = case.end if case.status == "closed" else self.cube.top
        low, high = self.cube.columns(case.start, until)
        self.cube.masked[case.leaves, low:high] = True

    def unmask(self, case: Case) -> None:
        low, high = self.cube.columns(case.start, self.cube.top)
        self.cube.masked[case.leaves, low:high] = False

    def _own_mask(self, case: Case) -> Bools:
        """Everybody's mask but this alarm's own."""
        masked = self.cube.masked.copy()
        low, _ = self.cube.columns(case.start - 1, self.cube.top)
        masked[case.leaves, low:] = False
        return masked

    def _measure(self, case: Case) -> None:
        """Evidence since the start, where the shortfall ends and how much of what was due came.

        For two days after its detection an alarm moves to a slice inside or around its own that explains the same
        hours clearly better: the first hours of a failure rarely show its whole extent.
        """
        hours = scan.hours_of(self.cube, self.model, case.start, self.cube.top, masked=self._own_mask(case))
        stacked = hours.stacked()
        last = self._end(hours, case)
        sums = self._sums(stacked[:, :, :last].sum(2)[:, :, None], np.array([float(last)]))
        number = self._slice_number(case)
        if self.cube.top - case.detected <= _SETTLES_H and number is not None:
            better = self._better(case, number, sums)
            if better != number:
                self.unmask(case)
                case.where, case.leaves = self.lattice.name(better, self.cube), self.lattice.members(better)
                last, number = self._end(hours, case), better
        case.end = hours.since + last
        case.spread = self.caution.ftd.cluster
        if number is not None:
            seen, due = sums.seen(case.channel)
            case.observed, case.expected = float(seen[number, 0]), float(due[number, 0])
            case.nats = float(sums.nats[case.channel][number, 0])

    def _better(self, case: Case, number: int, sums: Sums) -> int:
        """The slice nested with this one whose evidence is largest, if it is clearly larger."""
        nats = sums.nats[case.channel][:, 0] - _NATS_PER_DIM * self.lattice.dims
        inside = np.zeros(self.cube.leaves)
        inside[case.leaves] = 1.0
        shared, sizes = self.lattice.sums(inside), self.lattice.sizes
        nested = (shared == sizes) | (shared == len(case.leaves))
        best = int(np.argmax(np.where(nested & (shared > 0), nats, -np.inf)))
        return best if nats[best] > nats[number] + _BETTER_NATS else number

    def _end(self, hours: Hours, case: Case) -> int:
        """Number of hours from the start after which nothing more was missing."""
        seen, due = self._hourly(hours, case.leaves, case.channel)
        share, last = seen.sum() / due.sum() if due.sum() > 0 else 1.0, len(seen)
        for _ in range(3):
            first, end = worst_run(hourly_gain(seen, due, share if case.channel == "value" else min(share, 0.9)))
            if first == end:
                break
            last, share = end, seen[:end].sum() / max(due[:end].sum(), 1e-9)
        return last

    def _slice_number(self, case: Case) -> int | None:
        inside = np.zeros(self.cube.leaves)
        inside[case.leaves] = 1.0
        sizes = self.lattice.sizes
        equal = np.flatnonzero((self.lattice.sums(inside) == len(case.leaves)) & (sizes == len(case.leaves)))
        return int(equal[0]) if len(equal) else None

    def _start(self, hours: Hours, leaves: Ints, channel: str, share: float, since: int) -> int:
        """First epoch hour of the run of hours, ending now, that speaks most for `share`."""
        seen, due = self._hourly(hours, leaves, channel)
        gain = hourly_gain(seen, due, share if channel == "value" else min(share, 0.9))[since - hours.since :]
        return since + len(gain) - 1 - int(np.argmax(np.cumsum(gain[::-1])))

    def _hourly(self, hours: Hours, leaves: Ints, channel: str) -> tuple[Floats, Floats]:
        """[hour] observed and due of some leaves, junk clicks and common movement taken out."""
        usable = hours.usable[leaves]
        parts = {
            "ftd": (hours.ftd, hours.ftd_due, hours.ftd_calendar),
            "regs": (hours.regs, hours.regs_due, hours.regs_calendar),
            "value": (hours.low, hours.low_due, None),
        }[channel]
        seen, due = ((part[leaves] * usable).sum(0) for part in parts[:2])
        if parts[2] is None:
            return seen, due
        calendar = (parts[2][leaves] * usable).sum(0)
        total = due.sum()
        capped = min(1.0, (scan.JUNK * calendar.sum() + 1.0) / total) if total > 0 else 1.0
        moved = np.array([self.common.get(hours.since + number, 1.0) for number in range(len(due))])
        return seen, due * capped * moved

    def _is_quiet(self, case: Case) -> bool:
        """A day of reports since the end, in which enough was due to have shown trouble; or three days of anything."""
        partners = np.unique(self.cube.codes[self.cube.dims.index("partner"), case.leaves])
        known_h = int(self.cube.received(case.end, self.cube.top)[partners].all(0).sum())
        if known_h < QUIET_H:
            return False
        hours = scan.hours_of(self.cube, self.model, case.end, self.cube.top, masked=self._own_mask(case))
        _, due = self._hourly(hours, case.leaves, case.channel)
        judged = hours.ftd[case.leaves].sum() if case.channel == "value" else due.sum()
        return bool(judged >= _QUIET_EVENTS or known_h >= 3 * QUIET_H)

    def _sums(self, windows: Floats, lengths_h: Floats, *, remember: bool = False) -> Sums:
        ftd_common = scan.common_factor(windows[:, 0], windows[:, 1], self.cube)
        regs_common = scan.common_factor(windows[:, 3], windows[:, 4], self.cube)
        if remember and len(lengths_h) > WINDOWS_H.index(6):
            self.common[self.cube.top - 1] = float(ftd_common[WINDOWS_H.index(6)])
        return scan.weigh(self.lattice.sums(windows), ftd_common, regs_common, self.caution, lengths_h)
