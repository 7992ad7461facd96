"""One look at all slices: counts against expectation over many windows that end now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue.cube import WEEK_H
from checks.revenue.evidence import WINDOWS_H, Spread, drop_nats, excess_nats, measure_spread
from checks.revenue.expectation import FIT_H, visible_share

if TYPE_CHECKING:
    from checks.revenue.cube import Bools, Cube, Floats, Ints
    from checks.revenue.expectation import Fit
    from checks.revenue.lattice import Lattice

_BLOCK_H = 6
JUNK = 1.1
"""Clicks above this multiple of the usual earn no expectation."""
_SLACK = 1.0
_MOVES_TOGETHER = 4
"""Values of a dimension needed before their median speaks for everybody."""
_LEAST_EXPECTED = 3.0
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

    def stacked(self) -> Floats:
        """[leaf, 8, hour] in the order used by `Sums`."""
        parts = (
            self.ftd, self.ftd_due, self.ftd_calendar, self.regs, self.regs_due, self.regs_calendar, self.low, self.low_due
        )  # fmt: skip
        return np.stack([part * self.usable for part in parts], 1)


@dataclass(frozen=True, slots=True)
class Caution:
    """What makes evidence of each slice weigh less: its spread, and how little history it has."""

    ftd: Spread
    regs: Spread
    ftd_history: Floats
    regs_history: Floats

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


def freeze(cube: Cube, model: Fit) -> None:
    """Write today's predictions for every hour that has none; what was predicted once is not improved afterwards."""
    low, high = cube.columns(cube.top - FIT_H, cube.top)
    hours = np.arange(cube.base + low, cube.base + high)
    rates = {"ftd_rate": model.ftd_rate[:, None] * model.profile[hours % WEEK_H], "reg_rate": model.reg_rate[:, None]}
    for name, rate in rates.items():
        frozen = cube.measure(name, cube.base + low, cube.base + high)[: len(rate)]
        np.copyto(frozen, np.broadcast_to(rate, frozen.shape), where=frozen == 0)


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
    usual = np.zeros_like(clicks)
    usual[:known] = model.usual_clicks(np.arange(since, until))
    low_line, low_share = np.zeros(cube.leaves), np.zeros(cube.leaves)
    low_line[:known], low_share[:known] = model.low_value, model.low_share
    paid_little = cube.measure("revenue", since, until) < ftd * low_line[:, None]
    return Hours(
        since=since,
        usable=cube.received(since, until)[partner] & ~mask[: cube.leaves, low:high],
        ftd=ftd,
        ftd_due=clicks * ftd_rate * share,
        ftd_calendar=usual * ftd_rate * share,
        regs=cube.measure("regs", since, until),
        regs_due=clicks * reg_rate,
        regs_calendar=usual * reg_rate,
        low=np.where(paid_little, ftd, 0.0),
        low_due=ftd * low_share[:, None],
        visible=visible,
    )


def by_window(stacked: Floats) -> Floats:
    """[leaf, part, window]: sums over the last 1, 2, 3 ... hours."""
    width = stacked.shape[2]
    begins = np.array(sorted({max(width - hours, 0) for hours in WINDOWS_H}))
    pieces = np.add.reduceat(stacked, begins, axis=2)
    backwards = np.cumsum(pieces[:, :, ::-1], 2)
    return np.asarray(backwards[:, :, np.minimum(np.arange(len(WINDOWS_H)), len(begins) - 1)])


def common_factor(observed: Floats, due: Floats, cube: Cube) -> Floats:
    """[window]: what moves everybody at once (a holiday), at most 1, from [leaf, window] figures.

    Per dimension the median, weighted by the root of what is expected, of observed over expected of its values; of the
    dimensions the one that moved least, so that one broken partner, country or site is never taken for a common cause.
    """
    factor = np.zeros(observed.shape[1])
    spoken = np.zeros(observed.shape[1], np.bool_)
    for codes in cube.codes:
        seen, expected = _by_code(observed, codes), _by_code(due, codes)
        for window in range(observed.shape[1]):
            enough = expected[:, window] >= _LEAST_EXPECTED
            if enough.sum() < _MOVES_TOGETHER:
                continue
            ratio = (seen[enough, window] + 0.5) / (expected[enough, window] + 0.5)
            factor[window] = max(factor[window], _weighted_median(ratio, np.sqrt(expected[enough, window])))
            spoken[window] = True
    return np.where(spoken, np.minimum(factor, 1.0), 1.0)


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
    """Measure every slice's spread over the history, incidents left out."""
    hours = hours_of(cube, model, cube.top - FIT_H, cube.top)
    blocks = _blocks(hours.stacked()[:, :6], _BLOCK_H)
    ftd, ftd_due, ftd_calendar, regs, regs_due, regs_calendar = np.moveaxis(lattice.sums(blocks), 1, 0)
    ftd_due = np.minimum(ftd_due, JUNK * ftd_calendar + _SLACK) * common_factor(blocks[:, 0], blocks[:, 1], cube)
    regs_due = np.minimum(regs_due, JUNK * regs_calendar + _SLACK) * common_factor(blocks[:, 3], blocks[:, 4], cube)
    history = lattice.sums(np.stack([_padded(model.ftd_seen, cube), _padded(model.regs_seen, cube)], 1))
    return Caution(
        measure_spread(ftd, ftd_due), measure_spread(regs, regs_due), history[:, 0] + 1.0, history[:, 1] + 1.0
    )


def _padded(figures: Floats, cube: Cube) -> Floats:
    return np.concatenate([figures, np.zeros(cube.leaves - len(figures))])


def _blocks(stacked: Floats, block: int) -> Floats:
    whole = stacked.shape[2] // block
    cut = stacked[:, :, stacked.shape[2] - whole * block :]
    summed: Floats = cut.reshape(*cut.shape[:2], whole, block).sum(3)
    return summed


def _both(wander: Floats, history: Floats) -> Floats:
    """[slice, window]: the size of two doubts together; variances add."""
    return np.asarray(1.0 / (1.0 / wander + 1.0 / history[:, None]))


def _by_code(figures: Floats, codes: Ints) -> Floats:
    """[leaf, window] summed to [code present, window]."""
    order = np.argsort(codes, kind="stable")
    begins = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return np.asarray(np.add.reduceat(figures[order], begins, axis=0))


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) >= 0.5 * weights.sum()
    return float(values[order][int(np.argmax(reached))])
