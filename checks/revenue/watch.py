"""The life of alarms: raised once per cause, corrected while they last, closed after a quiet day."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import extent, ranking, scan, sieve
from checks.revenue.cube import DAY_H
from checks.revenue.evidence import WINDOWS_H
from checks.revenue.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.revenue.belief import Prior
    from checks.revenue.cube import Bools, Cube, Floats, Ints
    from checks.revenue.expectation import Fit
    from checks.revenue.lattice import Lattice
    from checks.revenue.ranking import Suspect
    from checks.revenue.scan import Caution, Hours

    Taken = tuple[Ints, int, int]
    """Leaves, first hour and one past the last whose loss is accounted for."""

PAGE_NATS = 13.0
"""The line of a company whose quiet days are not known yet; no line is higher."""
LEAST_PAGE_NATS = 7.5
CALM_DAYS = 49.0
"""Chance alone may reach the line once in so many days, unless somebody prefers otherwise."""
_MEDIAN = -float(np.log(np.log(2.0)))
"""How far the median of a Gumbel distribution of scale one is above its mode."""
_QUIET_DAYS = 21
_KNOWN_DAYS = 10
LOOK_BACK_H = 30 * DAY_H
"""With as much history the line is drawn from it before the first day is over."""
_BETWEEN_TICKS = 1.5
"""How much the strongest of a day's ticks has beyond one of them, foretold instead of learned from."""
RECENT_H = 120
"""Nothing longer is scanned: windows beyond mostly find drift."""
LONGEST_H = 14 * DAY_H
_WITHDRAW_NATS = 3.0
_FADED, _FADED_NATS = 0.3, 5.0
"""What falls below this share of what it was, and below so many nats, was late."""
_BETTER_NATS = 2.0
_HOLDS_NATS = 2.0
_SETTLES_H = 48
_PER_TICK = 6
_SAYS_NOTHING = 1.0
_MOVED = 0.9


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
    """Of the counts alone."""
    lent: float = 0.0
    """By other checks."""
    peak: float = 0.0
    """The most nats its counts have had: what fades when data fill in was late, not lost."""
    window_h: int = 0
    """Length of the window in which it first stood out."""
    why: str = ""
    observed: float = 0.0
    expected: float = 0.0
    status: str = "open"
    leaves: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def share(self) -> float:
        return self.observed / self.expected if self.expected > 0 else 1.0

    def taken(self, top: int) -> Taken:
        """What it accounts for by hour `top`."""
        return self.leaves, self.start, top if self.status == "open" else self.end


@dataclass(slots=True)
class Known:
    """What accounts for missing money already: such hours are neither learned from nor scanned."""

    open: list[Case] = field(default_factory=list)
    closed: list[Case] = field(default_factory=list)
    explained: list[Taken] = field(default_factory=list)
    """By incidents elsewhere."""
    quiet: dict[int, float] = field(default_factory=dict)
    """Day -> the most nats any slice had that raised no alarm."""

    def line(self, calm_days: float = CALM_DAYS) -> float:
        """Nats at which a slice pages: chance alone reaches them about once in `calm_days`, as quiet days were.

        The strongest evidence of a day without alarms follows a Gumbel distribution whose scale is one nat: that is
        what a nat means. One day in so many is their logarithm above its mode.
        """
        if len(self.quiet) < _KNOWN_DAYS:
            return PAGE_NATS
        usual = float(np.median(list(self.quiet.values())))
        return min(max(usual - _MEDIAN + float(np.log(calm_days)), LEAST_PAGE_NATS), PAGE_NATS)

    def mask(self, cube: Cube, without: Case | None = None) -> Bools:
        """[leaf, hour of the cube]: hours of alarms and of what is explained; those of one alarm may be left out."""
        cases = (
            case.taken(cube.top)
            for case in (*self.open, *self.closed)
            if case is not without and case.status != "withdrawn"
        )
        masked = cube.odd.mask(cube)
        mark(masked, cube, (*cases, *self.explained))
        return masked

    def settle(self, cube: Cube) -> None:
        """Move alarms that ended out of the open ones; forget those whose hours are no longer kept."""
        self.closed += [case for case in self.open if case.status == "closed"]
        self.closed = [case for case in self.closed if case.end > cube.base]
        self.open = [case for case in self.open if case.status == "open"]


def mark(mask: Bools, cube: Cube, taken: Iterable[Taken]) -> None:
    """Set what is taken of a mask [leaf, hour of the cube]."""
    for leaves, since, until in taken:
        low, high = cube.columns(since, until)
        mask[leaves, low:high] = True


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
    priors: tuple[Prior, ...] = ()
    """What other checks lend."""

    def raise_alarms(self, next_number: int, page_nats: float) -> Ranking:
        """Open alarms for the strongest slices over the line, one after the other, each explained away before the next.

        A slice must also hold the line over the hours its trouble is found to have taken, not only over the window in
        which it first stood out. Returns what is left below the line.
        """
        found, hours = self.rank(page_nats)
        for _ in range(_PER_TICK):
            suspect = next(found.strongest(), None)
            if suspect is None or found.score(suspect) < page_nats:
                break
            case = self._case(next_number, found, suspect, hours)
            if case.nats + case.lent >= page_nats - _HOLDS_NATS:
                next_number += 1
                self.known.open.append(case)
            low, high = self.cube.columns(case.start, self.cube.top)
            self.cube.masked[case.leaves, low:high] = True
            found, hours = self.rank(page_nats)
        self._remember(self.cube.top, min(_most(found), page_nats), page_nats)
        return found

    def look_back(self, page_nats: float) -> None:
        """Learn from each day of the history how much evidence chance alone lends to the strongest slice."""
        newest = self.cube.top - scan.SETTLING_H
        for top in range(newest - DAY_H * _QUIET_DAYS, newest, 2 * DAY_H):
            self._remember(top, _most(self.rank(page_nats, top)[0]) + _BETWEEN_TICKS, page_nats)

    def _remember(self, top: int, most: float, page_nats: float) -> None:
        quiet, day = self.known.quiet, top // DAY_H
        quiet[day] = max(quiet.get(day, page_nats - ranking.WATCH_BELOW), most)
        for old in sorted(quiet)[:-_QUIET_DAYS]:
            del quiet[old]

    def rank(self, page_nats: float, top: int | None = None) -> tuple[Ranking, Hours]:
        """Every slice that could come near the line, weighed over all windows that end now, or at hour `top`."""
        now, top = self.cube.top, self.cube.top if top is None else top
        hours = scan.hours_of(self.cube, self.model, top - RECENT_H, top)
        spans, lengths_h = scan.windows_of(hours.ftd.shape[1]), np.array(WINDOWS_H, np.float64)
        seen = sieve.counted(hours, spans, lengths_h, self.caution, self.lattice, self._moved)
        if top == now:
            self.common[top - 1] = float(seen.moved[0][WINDOWS_H.index(6)])
        lent, which = ranking.lent_to(self.priors, self.cube, self.lattice, lengths_h, page_nats)
        below = ranking.WATCH_BELOW + (0.0 if top == now else _BETWEEN_TICKS)
        live = seen.can_reach(page_nats - below - lent.max(1))
        return Ranking(*seen.weighed(live), lent[live], which[live]), hours

    def _case(self, number: int, found: Ranking, suspect: Suspect, hours: Hours) -> Case:
        observed, due = (float(part[suspect.slice, suspect.window]) for part in found.sums.seen(suspect.channel))
        leaves = found.lattice.members(suspect.slice)
        top = self.cube.top
        since = max(top - 2 * suspect.window_h - 12, hours.since)
        share = observed / max(due, 1e-9)
        start = extent.start(hours, leaves, suspect.channel, self.common, share=share, since=since)
        where = found.lattice.name(suspect.slice, self.cube)
        case = Case(number, suspect.channel, where, top, start, top, leaves=leaves)
        case.lent, case.window_h = suspect.lent, suspect.window_h
        case.why = self._why(suspect, hours, leaves)
        self._measure(case)
        return case

    def _why(self, suspect: Suspect, hours: Hours, leaves: Ints) -> str:
        """What counted beside the counts, and what was left out of them."""
        said = [self.priors[suspect.prior].why] if suspect.prior >= 0 else []
        length_h = min(suspect.window_h, hours.ftd.shape[1])
        usable = hours.usable[leaves, -length_h:]
        if not usable.all():
            told = usable.any(0)
            said.append(f"{int((~told).sum())} of {length_h} h left out: no report yet, or accounted for already")
        moved = float(np.mean([self.common.get(hour, 1.0) for hour in range(self.cube.top - length_h, self.cube.top)]))
        if moved < _MOVED:
            said.append(f"everybody is at {moved:.0%} of the usual")
        return "; ".join(said)

    def follow(self, case: Case) -> None:
        """Bring an open alarm up to date: its slice, evidence and end; closes or withdraws it."""
        case.leaves = np.flatnonzero(self.cube.select(case.where))
        self._measure(case)
        around = [
            min(prior.nats, ranking.MOST_LENT)
            for prior in self.priors
            if self.cube.select(prior.slice)[case.leaves].all()
        ]
        case.lent = min(case.lent, max(around, default=0.0))
        case.peak = max(case.peak, case.nats)
        least = max(_WITHDRAW_NATS, min(_FADED * case.peak, _FADED_NATS))
        if case.nats + case.lent < least or case.nats < _SAYS_NOTHING:
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
        spans = (np.arange(hours.ftd.shape[1]) < last).astype(np.float64)[:, None]
        nested, lengths_h = self._nested(case.leaves), np.array([float(last)])
        counted = sieve.counted(hours, spans, lengths_h, self.caution, self.lattice, self._moved)
        lattice, sums = counted.weighed(nested)
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
        case.end = hours.since + last

    def _nested(self, leaves: Ints) -> Bools:
        """[slice]: whether it lies in these leaves or around them."""
        shared = self.lattice.shared(leaves)
        return np.asarray((shared > 0) & ((shared == self.lattice.sizes) | (shared == len(leaves))))

    @staticmethod
    def _better(lattice: Lattice, number: int, nats: Floats) -> int:
        """The slice with the largest evidence, if it is clearly larger than that of slice `number`."""
        nats = nats - ranking.NATS_PER_DIM * lattice.dims
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


def _most(found: Ranking) -> float:
    """What counts alone say of the strongest slice, its price taken off."""
    suspect = next(found.strongest(), None)
    return found.score(suspect) - suspect.lent if suspect else 0.0
