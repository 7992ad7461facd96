"""One look at all slices: counts against expectation over many windows that end now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue.cube import DAY_H, FROZEN, WEEK_H
from checks.revenue.evidence import WINDOWS_H, Spread, drop_nats, excess_nats, measure_spread
from checks.revenue.expectation import FIT_H, visible_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from checks.revenue.cube import Bools, Cube, Floats, Ints
    from checks.revenue.expectation import Fit
    from checks.revenue.lattice import Lattice

_BLOCK_H = 6
JUNK = 1.1
"""Clicks above this multiple of the usual earn no expectation."""
_SLACK = 1.0
SETTLING_H = 5 * DAY_H
_MOVES_TOGETHER = 4
"""Values of a dimension needed before their median speaks for everybody."""
_LEAST_EXPECTED = 3.0
_WHOLE = np.zeros(1, np.int64)
CHANNELS = ("ftd", "regs", "value")


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

    def pieces(self, begins: Ints) -> Floats:
        """[leaf, 8, piece] in the order used by `Sums`: usable hours summed from each of `begins` to the next."""
        parts = (
            self.ftd, self.ftd_due, self.ftd_calendar, self.regs, self.regs_due, self.regs_calendar, self.low, self.low_due
        )  # fmt: skip
        return np.stack([np.add.reduceat(part * self.usable, begins, axis=1) for part in parts], 1)

    def total(self, until: int) -> Floats:
        """[leaf, 8, 1]: the first `until` hours."""
        if not until:
            return np.zeros((len(self.ftd), 8, 1))
        return self.pieces(np.array([0, until]))[:, :, :1] if until < self.ftd.shape[1] else self.pieces(_WHOLE)


@dataclass(frozen=True, slots=True)
class Caution:
    """What makes evidence of each slice weigh less: its spread, and how little history it has."""

    ftd: Spread
    regs: Spread
    ftd_history: Floats
    regs_history: Floats
    usual_ftd: Usual
    usual_regs: Usual

    def only(self, kept: Bools) -> Caution:
        """Of some of the slices."""
        return replace(
            self,
            ftd=self.ftd.only(kept),
            regs=self.regs.only(kept),
            ftd_history=self.ftd_history[kept],
            regs_history=self.regs_history[kept],
        )

    def ftd_size(self, windows_h: Floats) -> Floats:
        return _both(self.ftd.size(windows_h), self.ftd_history / self.ftd.cluster)

    def regs_size(self, windows_h: Floats) -> Floats:
        return _both(self.regs.size(windows_h), self.regs_history / self.regs.cluster)


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

    def seen(self, channel: str) -> tuple[Floats, Floats]:
        """Observed and expected of a channel."""
        return {"ftd": (self.ftd, self.ftd_due), "regs": (self.regs, self.regs_due), "value": (self.low, self.low_due)}[
            channel
        ]


def freeze(cube: Cube, model: Fit, since: int) -> None:
    """Write today's predictions for hours from `since` that have clicks and no prediction.

    What was predicted once is not improved afterwards. An hour without clicks foretells nothing, whatever the rate.
    """
    low, high = cube.columns(since, cube.top)
    since, until = cube.base + low, cube.base + high
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
    since, until = cube.base + low, cube.base + high
    partner = cube.codes[cube.dims.index("partner")]
    mask = cube.masked if masked is None else masked
    visible = visible_share(cube, model, since, until)
    share = visible[partner]
    clicks, ftd = cube.measure("clicks", since, until), cube.measure("ftd", since, until)
    ftd_rate, reg_rate = cube.measure("ftd_rate", since, until), cube.measure("reg_rate", since, until)
    known = len(model.clicks_level)
    hours, usual = np.arange(since, until), np.zeros(clicks.shape)
    usual[:known] = model.usual_clicks(hours)
    usual_ftd, usual_regs = np.zeros(cube.leaves), np.zeros(cube.leaves)
    usual_ftd[:known], usual_regs[:known] = model.ftd_rate, model.reg_rate
    low_line, low_share = np.zeros(cube.leaves), np.zeros(cube.leaves)
    low_line[:known], low_share[:known] = model.low_value, model.low_share
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
        low=np.where(paid_little, ftd, 0.0),
        low_due=ftd * low_share[:, None],
        visible=visible,
    )


def by_window(hours: Hours) -> Floats:
    """[leaf, part, window]: sums over the last 1, 2, 3 ... hours."""
    width = hours.ftd.shape[1]
    begins = np.array(sorted({max(width - length, 0) for length in WINDOWS_H}))
    pieces = hours.pieces(begins)
    backwards = np.cumsum(pieces[:, :, ::-1], 2)
    return np.asarray(backwards[:, :, np.minimum(np.arange(len(WINDOWS_H)), len(begins) - 1)])


def can_page(windows: Floats, lattice: Lattice, nats: float) -> Bools:
    """[slice]: whether any evidence from [leaf, part, window] could reach `nats`.

    Silence speaks with at most one nat for each event due, so most slices of a large company are deaf at any hour.
    """
    ftd_due, regs_due, low = lattice.sums(windows[:, (1, 4, 6), -1]).T
    return np.asarray((np.maximum(ftd_due, regs_due) >= nats) | (low >= _LEAST_EXPECTED))


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
        weights = np.where(expected >= _LEAST_EXPECTED, np.sqrt(expected), 0.0)
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


def weigh(sums: Floats, ftd_common: Floats, regs_common: Floats, caution: Caution, windows_h: Floats) -> Sums:
    """Turn [slice, 8, window] sums into evidence."""
    ftd, ftd_due, ftd_calendar, regs, regs_due, regs_calendar, low, low_due = np.moveaxis(sums, 1, 0)
    ftd_due = np.minimum(ftd_due, JUNK * ftd_calendar + _SLACK) * ftd_common
    regs_due = np.minimum(regs_due, JUNK * regs_calendar + _SLACK) * regs_common
    by_ftd = drop_nats(ftd, ftd_due, caution.ftd_size(windows_h), caution.ftd.cluster)
    by_regs = drop_nats(regs, regs_due, caution.regs_size(windows_h), caution.regs.cluster)
    nats = {
        "ftd": np.where(ftd_due - ftd >= _LEAST_EXPECTED, by_ftd, 0.0),
        "regs": np.where((regs_due - regs >= _LEAST_EXPECTED) & (ftd <= 0.75 * ftd_due), by_regs, 0.0),
        "value": np.where(low - low_due >= _LEAST_EXPECTED, excess_nats(low, low_due), 0.0),
    }
    return Sums(ftd, ftd_due, regs, regs_due, low, low_due, nats)


def caution_of(cube: Cube, model: Fit, lattice: Lattice) -> Caution:
    """Measure every slice's spread over the history, incidents left out.

    The newest days are left out too once there are others: a failure that is not found yet must not excuse itself.
    """
    until = cube.top - SETTLING_H if model.history_h >= 3 * SETTLING_H else cube.top
    hours = hours_of(cube, model, cube.top - FIT_H, until)
    blocks = hours.pieces(np.arange(hours.ftd.shape[1] % _BLOCK_H, hours.ftd.shape[1], _BLOCK_H))[:, :6]
    ftd, ftd_due, ftd_calendar, regs, regs_due, regs_calendar = np.moveaxis(lattice.sums(blocks), 1, 0)
    usual_ftd, usual_regs = (_usual(blocks[:, at], blocks[:, at + 1], cube) for at in (0, 3))
    block_h = np.array([float(_BLOCK_H)])
    ftd_common = common_factor(blocks[:, 0], blocks[:, 1], cube, usual_ftd.share(block_h))
    regs_common = common_factor(blocks[:, 3], blocks[:, 4], cube, usual_regs.share(block_h))
    ftd_due = np.minimum(ftd_due, JUNK * ftd_calendar + _SLACK) * ftd_common
    regs_due = np.minimum(regs_due, JUNK * regs_calendar + _SLACK) * regs_common
    history = lattice.sums(np.stack([_padded(model.ftd_seen, cube), _padded(model.regs_seen, cube)], 1)) + 1.0
    spreads = measure_spread(ftd, ftd_due), measure_spread(regs, regs_due)
    return Caution(*spreads, history[:, 0], history[:, 1], usual_ftd, usual_regs)


def _padded(figures: Floats, cube: Cube) -> Floats:
    return np.concatenate([figures, np.zeros(cube.leaves - len(figures))])


def _both(wander: Floats, history: Floats) -> Floats:
    """[slice, window]: the size of two doubts together; variances add."""
    return np.asarray(1.0 / (1.0 / wander + 1.0 / history[:, None]))


def _by_code(figures: Floats, codes: Ints) -> Floats:
    """[leaf, window] summed to [code present, window]."""
    order = np.argsort(codes, kind="stable")
    begins = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return np.asarray(np.add.reduceat(figures[order], begins, axis=0))


def _weighted_medians(values: Floats, weights: Floats) -> Floats:
    """[column]: the median of [row, column] values."""
    order = np.argsort(values, axis=0)
    reached = np.cumsum(np.take_along_axis(weights, order, 0), 0) >= 0.5 * weights.sum(0)
    first = np.argmax(reached, 0)
    columns = np.arange(values.shape[1])
    return np.asarray(values[order[first, columns], columns])
