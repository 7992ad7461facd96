"""What an alarm has cost so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import price
from checks.revenue.expectation import visible_share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checks.revenue.cube import Bools, Cube, Floats
    from checks.revenue.expectation import Fit
    from checks.revenue.scatter import Scatter
    from checks.revenue.watch import Case, Taken
    from data.model.money import Loss

    Moved = Callable[[int, int], Floats]

_INTERVAL = (0.05, 0.5, 0.95)
"""Of what quiet slices showed: an alarm is where things looked worst, and its slice is estimated, too, so that the ends
of an 80 % interval lie further out. Measured on replays whose losses are known."""
_EDGE_H, _EDGE_SHARE = 12, 0.25
"""How far beyond its hours, and by what part of them, an alarm may have cost: its ends show faintly."""
_VALUE_HOLD = 40.0
"""Conversions at their usual value that weigh against those that came during a failure."""
_AROUND_H = 12
"""Worthless conversions this close to an alarm belong to it: a small slice shows its first and last ones late."""
_HUNDREDTH = (0.0005, 0.05)
"""Commission in hundredths of what is usual: a unit of money was mistaken for a hundred of the smaller one."""
_SMALL = 0.25
"""A leaf that earned more than this part of the usual was not told in hundredths."""
_UNIT = 100.0
_UNIT_DOUBT = 0.05
_TELLS = 3.0
"""Conversions due in hours told from which on their share speaks for the hours to come."""
_LEAST_WORTH = 3.0
"""Fewer conversions than these scatter as these do."""


@dataclass(frozen=True, slots=True)
class _Hours:
    """[leaf, hour] figures of an alarm's leaves over its hours, as they will be when the last report is in."""

    due: Floats
    """FTD expected from the clicks seen; in hours not told yet, too."""
    ftd: Floats
    revenue: Floats
    told: Bools
    value: Floats
    """[leaf, 1]: usual commission per FTD."""
    low_value: Floats
    """[leaf, 1]: commission per FTD below which an hour is worthless."""


def of_alarm(
    cube: Cube, model: Fit, scatter: Scatter, case: Case, taken: Sequence[Taken], moved: Moved, currency: str
) -> Loss:
    """Commission an alarm has cost, the middle of what it may be with the ends of its 80 % interval.

    What is missing are conversions, each worth what is usual and what those that came were worth. How far both may be
    off is what quiet slices of that size showed (`checks.revenue.scatter`); half of all true losses are above the
    figure, half below. Hours of a leaf that are `taken` are the loss of an older alarm, or of an incident whose cause is
    known.
    """
    until = max(_until(cube, case), case.start + 1)
    if case.channel == "value":
        ends = _worthless(
            _hours(cube, model, case, taken, case.start - _AROUND_H, case.end + _AROUND_H, moved), scatter
        )
    else:
        ends = _missing(_hours(cube, model, case, taken, case.start, until, moved), scatter, case.share)
    lasted_h = until - case.start
    low, lost, high = (float(end) for end in ends)
    return price.loss_of(low, lost, high, lasted_h, currency)


def _until(cube: Cube, case: Case) -> int:
    """One past the last hour that costs: where nothing told since speaks for an end, the trouble goes on."""
    if case.status != "open":
        return case.end
    partners = cube.codes_of("partner")[case.leaves]
    told = cube.received(case.end, cube.top)[partners].all(0)
    return case.end if told.any() else cube.top


def _hours(cube: Cube, model: Fit, case: Case, taken: Sequence[Taken], since: int, until: int, moved: Moved) -> _Hours:
    low, high = cube.columns(since, min(until, cube.top))
    since, until = cube.base + low, cube.base + high
    leaves = case.leaves[case.leaves < len(model.value)]
    partners = cube.codes_of("partner")[leaves]
    mine = np.ones((cube.leaves, high - low), np.bool_)
    for others, begin, end in taken:
        first, last = cube.columns(begin, end)
        mine[others, max(first - low, 0) : max(last - low, 0)] = False
    mine = mine[leaves]
    told = cube.received(since, until)[partners]
    visible = visible_share(cube, model, since, until)[partners]
    due = cube.measure("clicks", since, until)[leaves] * cube.measure("ftd_rate", since, until)[leaves]
    return _Hours(
        due=due * moved(since, until) * mine,
        ftd=np.where(told & mine, cube.measure("ftd", since, until)[leaves] / visible, 0.0),
        revenue=np.where(told & mine, cube.measure("revenue", since, until)[leaves] / visible, 0.0),
        told=told,
        value=model.value[leaves][:, None],
        low_value=model.low_value[leaves][:, None],
    )


def _missing(hours: _Hours, scatter: Scatter, share: float) -> Floats:
    """[low, middle, high] of conversions that did not come; hours not told yet lose the share lost so far."""
    due, money = float(hours.due.sum()), float((hours.due * hours.value).sum())
    if due <= 0.0 or money <= 0.0:
        return np.zeros(3)
    each = money / due
    usual = float((hours.ftd * hours.value).sum())
    told = float((hours.due * hours.value * hours.told).sum())
    share = usual / told if told >= _TELLS * each else share
    untold = float((hours.due * hours.value * ~hours.told).sum()) * min(share, 1.0)
    if usual + untold < each / 2.0:
        return np.asarray(np.quantile(scatter.money.at(due) * money, _INTERVAL))
    held = _VALUE_HOLD * each
    paid = (float(hours.revenue.sum()) + held) / (usual + held)
    lost = np.maximum(scatter.count.at(due) * due - (usual + untold) / each, 0.0)
    worth = scatter.worth.at(max(float(lost.mean()), _LEAST_WORTH))
    return np.asarray(np.quantile(np.outer(lost, worth) * each * paid, _INTERVAL))


def _worthless(hours: _Hours, scatter: Scatter) -> Floats:
    """[low, middle, high] of what conversions that came should have paid.

    In hundredths of the usual, the report itself says what they were worth: a hundred times as much. Hours not told yet
    may be as bad as those told, or well.
    """
    usual, came = hours.ftd * hours.value, hours.revenue
    low = (usual > 0) & (came < hours.ftd * hours.low_value)
    if not low.any():
        return np.zeros(3)
    between = _between(low)
    middle = float(np.median(came[low] / usual[low]))
    if _HUNDREDTH[0] < middle < _HUNDREDTH[1]:
        lost = (_UNIT - 1.0) * float(came[_shrunk(hours, low, between)].sum())
        ends = lost * np.array([1.0 - _UNIT_DOUBT, 1.0, 1.0 + _UNIT_DOUBT])
    else:
        worth = scatter.worth.at(float(hours.ftd[low].sum())) * float(usual[low].sum())
        ends = np.asarray(np.quantile(np.maximum(worth - float(came[low].sum()), 0.0), _INTERVAL))
    due = hours.due * hours.value
    told, untold = float((due * hours.told)[:, between].sum()), float((due * ~hours.told).sum())
    more = ends[1] * untold / told if told > 0 else 0.0
    return ends + more * np.array([0.0, 1.0, 1.5])


def _between(low: Bools) -> Bools:
    """[hour]: from the first to the last that surely was."""
    surely = np.flatnonzero(low.any(0))
    between = np.zeros(low.shape[1], np.bool_)
    between[surely[0] : surely[-1] + 1] = True
    return between


def _shrunk(hours: _Hours, low: Bools, between: Bools) -> Bools:
    """[leaf, hour] told in hundredths: all hours `between`, of leaves that were.

    One large payment still looks usual when it is a hundredth; all of a leaf's together do not.
    """
    usual = (hours.ftd * hours.value * between).sum(1)
    affected = low.any(1) & ((hours.revenue * between).sum(1) < _SMALL * usual)
    return np.asarray(affected[:, None] & between)
