"""Own clicks far below what the calendar expects: a site that lost its visitors, found from the click log alone.

A channel of its own beside conversions, with its own caution and its own alarms (cause `revenue.traffic`): no partner is to
blame. Pure code over (cube, model, now).

1. Slices are sites, sites in one GEO, and teams. Expected are usual clicks times what the calendar knows of the hour; what
   moves most sites of a GEO at once (a holiday nobody wrote down, the weather) is taken out of its sites.
2. Each slice is held against how far it wandered over its own past, every day foretold from the days before it.
3. Evidence in nats over windows of 2 to 48 h; an alarm needs the page line, half of the clicks gone, and a believable count.
4. An alarm closes after a day of usual clicks, and is withdrawn when the clicks turn up after all.

Clicks far above the usual are no loss: see `checks.revenue.junk`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import segments
from checks.revenue.cube import DAY_H, WEEK_H
from checks.revenue.evidence import drop_nats, hourly_gain, last_run
from checks.revenue.expectation import of_all
from checks.revenue.groups import Groups, groups_of
from checks.revenue.junk import Junk, junk_of
from checks.revenue.watch import Case, mark

if TYPE_CHECKING:
    from checks.revenue.calendar import Dates
    from checks.revenue.cube import Bools, Cube, Floats, Ints
    from checks.revenue.expectation import Fit

CHANNEL = "clicks"
PAGE_NATS = 16.0
WINDOWS_H = (2, 3, 4, 6, 9, 12, 18, 24, 36, 48)
LEAST_HISTORY_H = 14 * DAY_H
_PAST_H = 35 * DAY_H
_BLOCK_H = 6
_MOST_LEFT = 0.5
"""Share of the clicks that may be left: smaller dips are everyday life."""
_LEAST_MISSING = 20.0
_PER_TICK = 6
_DAY_KEEPS = 0.5 ** (1.0 / 7.0)
"""What a day weighs against the one after it."""
_QUIET_H = 24
_BACK = 0.75
"""Share of the usual clicks from which on a slice is well again."""
_LONGEST_H = 14 * DAY_H
_WITHDRAW_NATS, _HOLDS_NATS = 4.0, 3.0
_SITES_TOGETHER = 4
_LEAST_TOGETHER = 0.3
"""No holiday takes more than this leaves: what most sites lack beyond it is a failure."""
_LEAST_DUE = 5.0
_HOLD = 40.0
_CLEARLY = 8.0


@dataclass(slots=True)
class Traffic:
    """Alarms about clicks that are open, and what is known of each slice's wandering. Made anew with every fit."""

    open: list[Case] = field(default_factory=list)
    closed: list[Case] = field(default_factory=list)
    groups: Groups | None = None
    wander: Wander | None = None
    fitted: int = 0
    """Hour of the fit it was measured for."""

    def refit(self, cube: Cube, model: Fit, explained: Bools) -> None:
        """Measure how far each slice wanders, hours that are accounted for left out."""
        groups, left_out = groups_of(cube, model, PAGE_NATS / WINDOWS_H[-1]), explained.copy()
        mark(left_out, cube, (case.taken(cube.top) for case in (*self.closed, *self.open)))
        self.groups, self.wander, self.fitted = groups, None, model.hour
        if model.history_h >= LEAST_HISTORY_H and len(groups):
            self.wander = wander_of(cube, model, groups, left_out)

    def tick(self, cube: Cube, model: Fit, dates: Dates, explained: Bools, number: int) -> list[Case]:
        """Follow what is open, raise what is new with numbers from `number` on; gives alarms that ended at this tick.

        `explained` [leaf, hour of the cube]: hours whose missing clicks somebody already accounts for.
        """
        if self.wander is None or self.groups is None:
            return []
        look = _Look(cube, model, dates, self.groups, explained)
        look.reach(min([case.start for case in self.open], default=cube.top))
        for case in self.open:
            self._follow(case, look)
        ended = [case for case in self.open if case.status != "open"]
        self.closed = [case for case in (*self.closed, *ended) if case.status == "closed" and case.end > cube.base]
        self.open = [case for case in self.open if case.status == "open"]
        self._raise(look, number)
        return ended

    def junk(self, cube: Cube, model: Fit, dates: Dates) -> tuple[Junk, ...]:
        """Notes for whoever buys traffic; none before there is history enough to know what is usual."""
        return () if self.wander is None or self.groups is None else junk_of(cube, model, self.groups, dates)

    def _raise(self, look: _Look, number: int) -> None:
        taken = np.zeros(look.cube.leaves, np.bool_)
        for case in self.open:
            taken[case.leaves] = True
        assert self.wander is not None
        nats = look.windows(self.wander, taken)
        for _ in range(_PER_TICK):
            if not nats.size:
                return
            place, window = divmod(int(np.argmax(nats)), nats.shape[1])
            if nats[place, window] <= 0.0:
                return
            leaves = look.groups.members(place)
            case = Case(number, CHANNEL, dict(look.groups.names[place]), look.cube.top, look.cube.top, look.cube.top)
            case.leaves = leaves
            case.start = look.start(leaves, WINDOWS_H[window])
            self._measure(case, look)
            if case.nats >= self.wander.line[place] - _HOLDS_NATS:
                self.open.append(case)
                number += 1
            nats[look.groups.shared(leaves) > 0] = 0.0

    def _follow(self, case: Case, look: _Look) -> None:
        case.leaves = np.flatnonzero(look.cube.select(case.where))
        self._measure(case, look)
        quiet_h = look.cube.top - case.end
        if case.nats < _WITHDRAW_NATS:
            case.status = "withdrawn"
        elif quiet_h >= _QUIET_H or look.cube.top - case.start > _LONGEST_H:
            case.status = "closed"

    def _measure(self, case: Case, look: _Look) -> None:
        """Where the shortfall ends, and the evidence from its start to there."""
        seen, due = look.hourly(case.leaves, case.start)
        gain = np.cumsum(hourly_gain(seen, due, 1.0 / (1.0 / _BACK + 1.0)))
        last = int(np.argmax(gain)) + 1 if len(gain) and gain.max() > 0 else len(gain)
        case.end = case.start + last
        case.observed, case.expected = float(seen[:last].sum()), float(due[:last].sum())
        place = look.place(case.leaves)
        if place is not None and self.wander is not None:
            seen_by, due_by = (np.full((len(look.groups), 1), total) for total in (case.observed, case.expected))
            case.nats = float(self.wander.nats(seen_by, due_by, np.zeros((1, 1)))[place, 0])


@dataclass(slots=True)
class _Look:
    """One tick's clicks and what was due, [leaf, hour] over the longest window and what open alarms need."""

    cube: Cube
    model: Fit
    dates: Dates
    groups: Groups
    explained: Bools
    _since: int = 0
    _made: tuple[Floats, Floats, Floats] | None = None
    """Of the hours from `_since` up to now."""

    def reach(self, since: int) -> None:
        """Prepare all hours that will be asked for at once."""
        self._leaves(max(min(since, self.cube.top - 2 * WINDOWS_H[-1] - 6), self.cube.base), self.cube.top)

    def windows(self, wander: Wander, taken: Bools) -> Floats:
        """[slice, window]: evidence where it is enough to page, else 0; slices that share leaves with `taken` ones have none."""
        longest = WINDOWS_H[-1]
        seen, due, doubt = self._leaves(self.cube.top - longest, self.cube.top)
        seen_by, due_by = self.groups.sums(seen), self.groups.sums(due)
        doubt_by = np.divide(self.groups.sums(due * doubt), due_by, out=np.zeros_like(due_by), where=due_by > 0)
        parts = [np.stack([figures[:, longest - h :].sum(1) for h in WINDOWS_H], 1) for figures in (seen_by, due_by)]
        doubts = np.stack([doubt_by[:, longest - h :].max(1, initial=0.0) for h in WINDOWS_H], 1)
        nats = wander.nats(parts[0], parts[1], doubts) - np.array([len(name) for name in self.groups.names])[:, None]
        missing = parts[1] - parts[0] >= _LEAST_MISSING * wander.cluster[:, None]
        pages = (parts[0] <= _MOST_LEFT * parts[1]) & missing & (nats >= wander.line[:, None])
        free = self.groups.sums(taken.astype(np.float64)) == 0
        return np.where(pages & free[:, None], nats, 0.0)

    def hourly(self, leaves: Ints, since: int) -> tuple[Floats, Floats]:
        seen, due, _ = self._leaves(since, self.cube.top)
        return seen[leaves].sum(0), due[leaves].sum(0)

    def start(self, leaves: Ints, window: int) -> int:
        """First hour of the run, ending now, that speaks most for what is left of the clicks."""
        since = max(self.cube.top - 2 * window - 6, self.cube.base)
        seen, due = self.hourly(leaves, since)
        share = min(seen[-window:].sum() / max(due[-window:].sum(), 1e-9), 0.9)
        return since + last_run(hourly_gain(seen, due, share))

    def place(self, leaves: Ints) -> int | None:
        """The slice with exactly these leaves."""
        same = np.flatnonzero((self.groups.shared(leaves) == len(leaves)) & (self.groups.sizes == len(leaves)))
        return int(same[0]) if len(same) else None

    def _leaves(self, since: int, until: int) -> tuple[Floats, Floats, Floats]:
        """[leaf, hour]: clicks, due clicks and the calendar's doubt up to now."""
        if self._made is None or since < self._since:
            self._since, self._made = since, self._figures(since, until)
        seen, due, doubt = self._made
        skip = since - self._since
        return seen[:, skip:], due[:, skip:], doubt[:, skip:]

    def _figures(self, since: int, until: int) -> tuple[Floats, Floats, Floats]:
        """The same; explained hours are left out of clicks and due clicks."""
        hours = np.arange(since, until)
        low, high = self.cube.columns(since, until)
        missing, shape = len(hours) - (high - low), (self.cube.leaves, len(hours))
        usable, seen = np.zeros(shape, np.bool_), np.zeros(shape)
        usable[:, missing:] = ~self.explained[: self.cube.leaves, low:high]
        seen[:, missing:] = self.cube.measure("clicks", since, until)
        seen *= usable
        due = of_all(self.model.usual_clicks(hours), self.cube.leaves)
        factor, doubt = self.dates.moves(self.cube, np.arange(self.cube.leaves), since, until)
        due *= factor * usable
        return seen, due * _together(self.cube, seen, due), doubt


def _together(cube: Cube, seen: Floats, due: Floats) -> Floats:
    """[leaf, hour]: what most sites, of all and of the leaf's GEO, show of their clicks over the 6 hours before, at most 1."""
    geo, site = cube.codes_of("geo"), cube.codes_of("site")
    cell, place = np.unique(np.stack([geo, site]), axis=1, return_inverse=True)
    order = np.argsort(place.ravel(), kind="stable")
    begins = np.searchsorted(place.ravel()[order], np.arange(cell.shape[1]))
    sums = []
    for figures in (seen, due):
        total = np.cumsum(segments.sums(figures, order, begins), 1)
        total[:, _BLOCK_H:] -= total[:, :-_BLOCK_H]
        sums.append(total)
    factor = np.tile(_median(*sums), (len(cube.names_of("geo")), 1))
    for code in np.unique(geo).tolist():
        mine = cell[0] == code
        factor[code] = np.minimum(factor[code], _median(sums[0][mine], sums[1][mine]))
    return np.asarray(factor[geo])


def _median(seen: Floats, due: Floats) -> Floats:
    """[hour] of [site, hour]: the median share of what was due, between 0.3 and 1; 1 where few sites can say."""
    known = due >= _LEAST_DUE
    share = np.where(known, seen / np.maximum(due, _LEAST_DUE), np.inf)
    many = known.sum(0)
    middle = (
        np.sort(share, 0)[np.minimum((many - 1) // 2, len(share) - 1), np.arange(share.shape[1])] if len(share) else 1.0
    )
    return np.where(many >= _SITES_TOGETHER, np.clip(middle, _LEAST_TOGETHER, 1.0), 1.0)


@dataclass(frozen=True, slots=True)
class Wander:
    """How far each slice's clicks wandered over its past from what the days before foretold, [slice]."""

    cluster: Floats
    """Variance over mean where few clicks are due: clicks that come together count as one."""
    size: Floats
    """Of the negative binomial beyond it."""
    line: Floats
    """Nats an alarm needs: the page line, and clearly more than its second worst day ever showed."""

    def nats(self, seen: Floats, due: Floats, doubt: Floats) -> Floats:
        """Evidence of [slice, window] figures."""
        size = 1.0 / (1.0 / (self.size[:, None] * self.cluster[:, None]) + doubt**2 / self.cluster[:, None])
        return drop_nats(seen / self.cluster[:, None], due / self.cluster[:, None], size, 1.0)


def wander_of(cube: Cube, model: Fit, groups: Groups, left_out: Bools) -> Wander:
    """Foretell every day of the last five weeks from the days before it, and look how wrong that was."""
    clicks, due = _foretold(cube, model, groups, left_out)
    blocks = [part.reshape(len(groups), -1, _BLOCK_H).sum(2) for part in (clicks, due)]
    short = 2.0 * np.minimum(blocks[0] - blocks[1], 0.0) ** 2
    few = blocks[1] <= np.median(blocks[1], 1, keepdims=True)
    small, large = (
        ((figures * few).sum(1) for figures in (short, blocks[1])),
        ((figures * ~few).sum(1) for figures in (short, blocks[1])),
    )
    cluster = np.maximum(_held(*small), 1.0)
    beyond = np.maximum(_held(*large) - cluster, 1e-3)
    mean = np.divide((blocks[1] ** 2).sum(1), blocks[1].sum(1), out=np.zeros(len(groups)), where=blocks[1].any(1))
    known = Wander(cluster, np.clip(mean / beyond, 1.0, 1e4), np.full(len(groups), PAGE_NATS))
    return replace(known, line=np.maximum(_second_worst(known, clicks, due) + _CLEARLY, PAGE_NATS))


def _foretold(cube: Cube, model: Fit, groups: Groups, left_out: Bools) -> tuple[Floats, Floats]:
    """[slice, hour] clicks and what the days before implied for them; the first week only teaches.

    Day by day, so that a large company needs no matrix of all its leaves and hours.
    """
    days = min((cube.top - cube.base) // DAY_H, _PAST_H // DAY_H)
    level, weight = np.zeros((len(groups), 1)), np.zeros((len(groups), 1))
    seen, due = [], []
    for since in range(cube.top - days * DAY_H, cube.top, DAY_H):
        low, high = cube.columns(since, since + DAY_H)
        usable = ~left_out[: cube.leaves, low:high]
        usual = of_all(model.usual_clicks(np.arange(since, since + DAY_H)), cube.leaves)
        clicks = groups.sums(cube.measure("clicks", since, since + DAY_H) * usable)
        shape = groups.sums(usual * usable)
        seen.append(clicks)
        due.append(shape * np.divide(level, weight, out=np.zeros_like(level), where=weight > 0))
        level = level * _DAY_KEEPS + clicks.sum(1, keepdims=True)
        weight = weight * _DAY_KEEPS + shape.sum(1, keepdims=True)
    return np.hstack(seen)[:, WEEK_H:], np.hstack(due)[:, WEEK_H:]


def _held(short: Floats, due: Floats) -> Floats:
    """Variance over mean of each slice, leaning on all slices where little was due."""
    pooled = short.sum() / max(due.sum(), 1e-9)
    return np.asarray((short + _HOLD * pooled) / (due + _HOLD))


def _second_worst(known: Wander, clicks: Floats, due: Floats) -> Floats:
    """[slice]: the most nats of any window on its second worst day."""
    total = [np.cumsum(np.pad(figures, ((0, 0), (1, 0))), 1) for figures in (clicks, due)]
    ends = np.arange(_BLOCK_H, clicks.shape[1] + 1, 2)
    most = np.zeros((len(clicks), len(ends)))
    for length in WINDOWS_H:
        begins = np.maximum(ends - length, 0)
        seen, foretold = (sums[:, ends] - sums[:, begins] for sums in total)
        most = np.maximum(most, known.nats(seen, foretold, np.zeros((1, 1))) * (seen <= _MOST_LEFT * foretold))
    by_day = [most[:, ends // DAY_H == day].max(1, initial=0.0) for day in range(clicks.shape[1] // DAY_H + 1)]
    return np.sort(np.stack(by_day, 1), 1)[:, -2]
