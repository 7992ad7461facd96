"""One look at all slices: counts against expectation over many windows that end now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import bursts, crowds, segments
from checks.revenue.cube import DAY_H, FROZEN, WEEK_H
from checks.revenue.evidence import WINDOWS_H, Spread, excess_nats, measure_spread
from checks.revenue.expectation import FIT_H, of_all, visible_share
from checks.revenue.past import spells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from checks.revenue.crowds import Moods
    from checks.revenue.cube import Bools, Cube, Floats, Ints
    from checks.revenue.expectation import Fit
    from checks.revenue.lattice import Lattice, Parts

_BLOCK_H = 6
_JUNK = 1.1
"""Clicks above this multiple of the usual earn no expectation."""
_SLACK = 1.0
_AT_ONCE_H = DAY_H
"""Hours of history looked at together: figures of all its hours at once would be most of the memory needed."""
SETTLING_H = 5 * DAY_H
_MOVES_TOGETHER = 4
"""Values of a dimension needed before their median speaks for everybody."""
LEAST_EXPECTED = 3.0
FEWER = 0.75
"""Registrations that are missing speak only where so few of the FTD came."""
CHANNELS = ("ftd", "regs", "value")
BY_CLICKS = ("ftd", "regs")
"""Those in which clicks foretell what is due."""


@dataclass(frozen=True, slots=True)
class Hours:
    """[leaf, hour] figures of consecutive hours; expectations are of what should be *visible* now."""

    since: int
    usable: Bools
    ftd: Floats
    ftd_due: Floats
    ftd_calendar: Floats
    """Expected from the usual clicks instead of the clicks seen."""
    regs: Floats
    regs_due: Floats
    regs_calendar: Floats
    low: Floats
    """FTD in hours that paid next to nothing for them."""
    low_due: Floats
    visible: Floats
    """[partner, hour]: share of the FTD that should be visible."""
    ftd_crowd: Floats
    """How much the FTD of a leaf's cell come together."""
    reg_crowd: Floats

    def sums(self, spans: Floats) -> Floats:
        """[leaf, 8, span] in the order used by `Sums`: usable hours summed over the columns of `spans` [hour, span]."""
        parts = (
            self.ftd, self.ftd_due, self.ftd_calendar, self.regs, self.regs_due, self.regs_calendar, self.low, self.low_due
        )  # fmt: skip
        return np.stack([(part * self.usable) @ spans for part in parts], 1)

    def told(self, channel: str, cells: Parts) -> Told:
        """What a channel says in usable hours, and what its `cells` say."""
        seen, due, crowd = {
            "ftd": (self.ftd, self.ftd_due, self.ftd_crowd),
            "regs": (self.regs, self.regs_due, self.reg_crowd),
        }[channel]
        seen, due = np.maximum(seen, 0.0) * self.usable, due * self.usable
        return Told(seen, due, crowd, cells.sums(seen), cells.sums(due))


@dataclass(frozen=True, slots=True)
class Told:
    """[leaf, hour] of one channel in usable hours."""

    seen: Floats
    due: Floats
    crowd: Floats
    """How much the conversions of a leaf's cell come together."""
    cell_seen: Floats
    """[cell, hour]"""
    cell_due: Floats

    def moods(self, parts: Parts, own: float = np.inf) -> Moods:
        """Of parts of cells, which have moods of shape `own` beside those of their cells."""
        return crowds.moods(*self._of(parts), own)

    def own_shape(self, parts: Parts) -> float:
        """How much parts of cells have moods of their own."""
        return crowds.own_shape(*self._of(parts))

    def _of(self, parts: Parts) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """[part, hour] as `crowds.moods` takes them."""
        seen, due, crowd = parts.sums(self.seen), parts.sums(self.due), self.crowd[parts.order[parts.starts]]
        return seen, due, self.cell_seen[parts.cell], self.cell_due[parts.cell], crowd

    def variance(self, parts: Parts) -> Floats:
        """[part, hour]: of the counts, the moods unknown."""
        due = parts.sums(self.due)
        return np.asarray(due + due**2 / self.crowd[parts.order[parts.starts]])


@dataclass(frozen=True, slots=True)
class Caution:
    """What makes evidence of each slice weigh less: how far its level wanders, and how little history it has."""

    ftd: Spread
    regs: Spread
    usual_ftd: Usual
    usual_regs: Usual
    own: dict[str, tuple[float, ...]]
    """By channel and way of cutting cells: the shape of moods that parts have of their own."""

    def only(self, kept: Bools) -> Caution:
        """Of some of the slices."""
        return replace(self, ftd=self.ftd.only(kept), regs=self.regs.only(kept))


@dataclass(frozen=True, slots=True)
class Sums:
    """[slice, window] of one set of windows, with evidence by channel."""

    ftd: Floats
    ftd_due: Floats
    regs: Floats
    regs_due: Floats
    low: Floats
    low_due: Floats
    nats: dict[str, Floats]
    """By channel."""

    def seen(self, channel: str) -> tuple[Floats, Floats]:
        """Observed and expected of a channel."""
        return {"ftd": (self.ftd, self.ftd_due), "regs": (self.regs, self.regs_due), "value": (self.low, self.low_due)}[
            channel
        ]


def freeze(cube: Cube, model: Fit, since: int) -> None:
    """Write today's predictions for hours from `since` that have clicks and no prediction.

    What was predicted once is not improved afterwards. An hour without clicks foretells nothing, whatever the rate.
    """
    for first, last in spells(cube.kept(since, cube.top)[0], cube.top, _AT_ONCE_H):
        _freeze(cube, model, first, last)


def _freeze(cube: Cube, model: Fit, since: int, until: int) -> None:
    clicks, frozen = cube.measure("clicks", since, until), [cube.measure(name, since, until) for name in FROZEN]
    known = len(model.value)
    fresh = (clicks[:known] > 0) & ((frozen[0][:known] == 0) | (frozen[1][:known] == 0))
    columns = np.flatnonzero(fresh.any(0))
    if not len(columns):
        return
    some, fresh = clicks[:known, columns], fresh[:, columns]
    by_ftd = model.ftd_single[:, None] * model.profile[(since + columns) % WEEK_H] * model.ftd_bursts.factor(some)
    by_regs = model.reg_single[:, None] * model.reg_bursts.factor(some)
    for rates, rate in zip(frozen, (by_ftd, by_regs), strict=True):
        before = rates[:known, columns]
        rates[:known, columns] = np.where(fresh & (before == 0), _coarse(rate), before)


def _coarse(rates: Floats) -> NDArray[np.float32]:
    """Rounded to three digits and a half: more is noise, and predictions are what a memory mostly consists of."""
    bits = rates.astype(np.float32).view(np.uint32)
    return ((bits + np.uint32(1 << 11)) & np.uint32(0xFFFFF000)).view(np.float32)


def hours_of(cube: Cube, model: Fit, since: int, until: int, *, masked: Bools | None = None) -> Hours:
    """The figures of [since, until). `masked` [leaf, hour of the cube] replaces the cube's own mask."""
    low, high = cube.columns(since, until)
    since, until = cube.kept(since, until)
    partner = cube.codes_of("partner")
    mask = cube.masked if masked is None else masked
    visible = visible_share(cube, model, since, until)
    share = visible[partner]
    clicks, ftd = cube.measure("clicks", since, until), cube.measure("ftd", since, until)
    ftd_rate, reg_rate = cube.measure("ftd_rate", since, until), cube.measure("reg_rate", since, until)
    hours = np.arange(since, until)
    usual = of_all(model.usual_clicks(hours), cube.leaves)
    usual_ftd, usual_regs, low_line, low_share = (
        of_all(figures, cube.leaves) for figures in (model.ftd_rate, model.reg_rate, model.low_value, model.low_share)
    )
    size = bursts.shared_sizes(clicks, bursts.cells(cube))
    paid_little = cube.measure("revenue", since, until) < ftd * low_line[:, None]
    return Hours(
        since=since,
        usable=cube.received(since, until)[partner] & ~mask[: cube.leaves, low:high],
        ftd=ftd,
        ftd_due=clicks * ftd_rate * share,
        ftd_calendar=usual * usual_ftd[:, None] * model.profile[hours % WEEK_H] * share,
        regs=cube.measure("regs", since, until),
        regs_due=clicks * reg_rate,
        regs_calendar=usual * usual_regs[:, None],
        low=ftd * paid_little,
        low_due=ftd * low_share[:, None],
        visible=visible,
        ftd_crowd=model.ftd_crowds[size],
        reg_crowd=model.reg_crowds[size],
    )


def windows_of(width: int) -> Floats:
    """[hour, window]: 1 in the last 1, 2, 3 ... of `width` hours."""
    age = np.arange(width, 0, -1)
    return np.asarray(age[:, None] <= np.array(WINDOWS_H), np.float64)


def blocks_of(width: int, length: int) -> Floats:
    """[hour, block]: 1 in each of the blocks of `length` hours that end with the last."""
    block = np.arange(width) - width % length
    return np.asarray(block[:, None] // length == np.arange(width // length), np.float64)


@dataclass(frozen=True, slots=True)
class Usual:
    """What the median slice shows of its expectation when nothing moves everybody.

    A few slices with many conversions pull the mean above the median: without this every day looks like half a holiday.
    """

    hours: float = 1.0
    """For windows up to 6 h."""
    days: float = 1.0

    def share(self, windows_h: Floats) -> Floats:
        """By window."""
        part = np.clip((windows_h - _BLOCK_H) / (DAY_H - _BLOCK_H), 0.0, 1.0)
        return np.asarray(self.hours + part * (self.days - self.hours))


def common_factor(observed: Floats, due: Floats, cube: Cube, usual: Floats) -> Floats:
    """[window]: what moves everybody at once (a holiday), at most 1, from [leaf, window] figures.

    Per dimension the median, weighted by the root of what is expected, of observed over expected of its values; of the
    dimensions the one that moved least, so that one broken partner, country or site is never taken for a common cause.
    It is held against what is `usual` [window].
    """
    factor = _medians(observed, due, cube)
    return np.where(np.isnan(factor), 1.0, np.minimum(factor / usual, 1.0))


def _medians(observed: Floats, due: Floats, cube: Cube) -> Floats:
    """[window], nan where too little is due to say."""
    factor = np.full(observed.shape[1], np.nan)
    for codes in cube.codes:
        seen, expected = _by_code(observed, codes), _by_code(due, codes)
        weights = np.where(expected >= LEAST_EXPECTED, np.sqrt(expected), 0.0)
        middle = _weighted_medians((seen + 0.5) / (expected + 0.5), weights)
        factor = np.where((weights > 0).sum(0) >= _MOVES_TOGETHER, np.fmax(factor, middle), factor)
    return factor


def _usual(observed: Floats, due: Floats, cube: Cube) -> Usual:
    """From [leaf, block of 6 h] history."""
    shares = []
    for length in (1, DAY_H // _BLOCK_H):
        days = observed.shape[1] // length * length
        parts = [figures[:, :days].reshape(len(figures), -1, length).sum(2) for figures in (observed, due)]
        medians = _medians(parts[0], parts[1], cube)
        known = medians[~np.isnan(medians)]
        shares.append(min(max(float(np.median(known)), 0.5), 1.0) if len(known) else 1.0)
    return Usual(*shares)


def weigh(
    sums: Floats,
    tables: Mapping[str, Floats],
    ftd_common: Floats,
    regs_common: Floats,
    caution: Caution,
    windows_h: Floats,
) -> Sums:
    """Turn [slice, 8, window] sums and, by channel, [slice, window, share] tables into evidence."""
    shown = shown_of(sums, ftd_common, regs_common)
    by_ftd = crowds.missing_nats(tables["ftd"], shown.ftd_usual, caution.ftd.size(windows_h))
    by_regs = crowds.missing_nats(tables["regs"], shown.regs_usual, caution.regs.size(windows_h))
    figures = shown.ftd, shown.ftd_due, shown.regs, shown.regs_due, shown.low, shown.low_due
    return Sums(*figures, spoken(shown, by_ftd, by_regs))


@dataclass(frozen=True, slots=True)
class Shown:
    """[slice, window]: counts, what was due of them without junk clicks and common movement, and the share these leave."""

    ftd: Floats
    ftd_due: Floats
    ftd_usual: Floats
    regs: Floats
    regs_due: Floats
    regs_usual: Floats
    low: Floats
    low_due: Floats


def shown_of(sums: Floats, ftd_common: Floats, regs_common: Floats) -> Shown:
    ftd, ftd_due, ftd_calendar, regs, regs_due, regs_calendar, low, low_due = np.moveaxis(sums, 1, 0)
    ftd_usual = ftd_common * earning(ftd_due, ftd_calendar)
    regs_usual = regs_common * earning(regs_due, regs_calendar)
    return Shown(ftd, ftd_due * ftd_usual, ftd_usual, regs, regs_due * regs_usual, regs_usual, low, low_due)


def spoken(shown: Shown, by_ftd: Floats, by_regs: Floats) -> dict[str, Floats]:
    """By channel the nats of windows in which enough is missing, 0 elsewhere."""
    fewer = shown.ftd <= FEWER * shown.ftd_due
    return {
        "ftd": np.where(shown.ftd_due - shown.ftd >= LEAST_EXPECTED, by_ftd, 0.0),
        "regs": np.where((shown.regs_due - shown.regs >= LEAST_EXPECTED) & fewer, by_regs, 0.0),
        "value": np.where(shown.low - shown.low_due >= LEAST_EXPECTED, excess_nats(shown.low, shown.low_due), 0.0),
    }


def weigh_alone(
    hours: Hours, inside: Bools, cells: Parts, spans: Floats, common: Floats, caution: Caution, windows_h: Floats
) -> Sums:
    """Evidence [1, span] of the leaves `inside` as if they were all there is, over the columns of `spans` [hour, span].

    `common` [span] is what moves everybody.
    """
    alone = replace(hours, usable=hours.usable & inside[:, None])
    tables = {
        channel: crowds.table(alone.told(channel, cells).moods(cells), spans).sum(0)[None] for channel in BY_CLICKS
    }
    return weigh(alone.sums(spans).sum(0)[None], tables, common, common, caution, windows_h)


def earning(due: Floats, calendar: Floats) -> Floats:
    """The share of clicks that is not junk."""
    most = _JUNK * calendar + _SLACK
    return np.minimum(np.divide(most, due, out=np.ones_like(due), where=due > 0), 1.0)


def caution_of(cube: Cube, model: Fit, lattice: Lattice) -> Caution:
    """Measure how far the level of slices wanders beyond what crowds explain, incidents left out.

    The newest days are left out too once there are others: a failure that is not found yet must not excuse itself.
    """
    until = cube.top - SETTLING_H if model.history_h >= 3 * SETTLING_H else cube.top
    hours = hours_of(cube, model, cube.top - FIT_H, until)
    blocks = hours.sums(blocks_of(hours.ftd.shape[1], _BLOCK_H))[:, :6]
    usual_ftd, usual_regs = (_usual(blocks[:, at], blocks[:, at + 1], cube) for at in (0, 3))
    spans = blocks_of(hours.ftd.shape[1], DAY_H)
    days, day_h = hours.sums(spans)[:, :6], np.array([float(DAY_H)])
    spreads, own = [], dict[str, tuple[float, ...]]()
    for at, channel, usual in ((0, "ftd", usual_ftd), (3, "regs", usual_regs)):
        seen, due, calendar = np.moveaxis(lattice.sums(days[:, at : at + 3]), 1, 0)
        common = common_factor(days[:, at], days[:, at + 1], cube, usual.share(day_h))
        due = due * earning(due, calendar) * common
        told = hours.told(channel, lattice.whole)
        variance = lattice.sums_of_parts([told.variance(parts) @ spans for parts in lattice.cuts])
        spreads.append(measure_spread(seen, due, variance, lattice.family))
        shapes = (told.own_shape(parts) for parts in lattice.cuts[1:])
        own[channel] = (np.inf, *shapes)
    return Caution(spreads[0], spreads[1], usual_ftd, usual_regs, own)


def _by_code(figures: Floats, codes: Ints) -> Floats:
    """[leaf, window] summed to [code present, window]."""
    order = np.argsort(codes, kind="stable")
    begins = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return segments.sums(figures, order, begins)


def _weighted_medians(values: Floats, weights: Floats) -> Floats:
    """[column]: the median of [row, column] values."""
    order = np.argsort(values, axis=0)
    reached = np.cumsum(np.take_along_axis(weights, order, 0), 0) >= 0.5 * weights.sum(0)
    first = np.argmax(reached, 0)
    columns = np.arange(values.shape[1])
    return np.asarray(values[order[first, columns], columns])
