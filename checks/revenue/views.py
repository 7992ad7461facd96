"""What people see of the revenue book: bands, lists and waiting lines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import bursts, crowds, price
from checks.revenue.alarm import slice_target
from checks.revenue.cube import DAY_H, WEEK_H, moment_of
from checks.revenue.expectation import of_all, visible_share
from data.model.ids import TargetId, TeamId
from data.model.snapshot import BandPoint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from checks.revenue.alarm import Alarm
    from checks.revenue.cube import Bools, Cube, Floats, Ints
    from checks.revenue.expectation import Fit

    Moved = Callable[[int, int], Floats]
    Line = Callable[[Mapping[str, str]], float]

_LISTED = (("partner",), ("partner", "geo"))
_RECENT_H = 6
_WAIT_H = 2


@dataclass(frozen=True, slots=True)
class SliceView:
    """One line of the revenue list."""

    target: TargetId
    slice: dict[str, str]
    team: TeamId
    """The one team of its leaves, `*` for several."""
    revenue_per_hour: float
    """Mean of the newest hours whose report is here."""
    expected_per_hour: float
    """For the same hours, from the clicks seen."""
    trend: tuple[float, ...]
    """Commission of the last 24 hours, oldest first."""
    known: bool
    """False where history is too short or no recent hour has been reported: nothing can be said."""
    alarm: Alarm | None = None
    fires_after_h: float | None = None
    """As `silence_h`."""


def slices(cube: Cube, model: Fit, alarms: Sequence[Alarm], least_history_h: int, line: Line) -> tuple[SliceView, ...]:
    """Every partner and partner x GEO, and the slices of open alarms, which come first.

    `line` gives the nats at which a slice pages.
    """
    open_alarms = {alarm.target: alarm for alarm in alarms if alarm.status == "open"}
    day, known = _day(cube, model), model.history_h >= least_history_h
    rows = [
        _view(cube, np.flatnonzero(cube.select(one.slice)), one.slice, *day, known=known, alarm=one)
        for one in open_alarms.values()
    ]
    week = coming_week(cube, model, cube.top)
    for dims in _LISTED:
        for where, leaves in _groups(cube, dims):
            if slice_target(where) not in open_alarms:
                view = _view(cube, leaves, where, *day, known=known)
                rows.append(replace(view, fires_after_h=silence_h(week, leaves, line(where)) if known else None))
    return tuple(rows)


def view_of(
    cube: Cube, model: Fit, where: Mapping[str, str], leaves: Ints, least_history_h: int, line: Line
) -> SliceView:
    """The line of any slice, listed or not, made of these of its leaves."""
    known = model.history_h >= least_history_h
    view = _view(cube, leaves, dict(where), *_day(cube, model), known=known)
    week = coming_week(cube, model, cube.top)
    return replace(view, fires_after_h=silence_h(week, leaves, line(where)) if known else None)


def leaves_of(cube: Cube, where: Mapping[str, str], teams: frozenset[TeamId] | None) -> Ints:
    """Leaves of a slice that belong to these teams; `None` is every team."""
    inside = cube.select(where)
    if teams is not None:
        inside &= np.isin(cube.codes_of("team"), [cube.code("team", team) for team in teams])
    return np.flatnonzero(inside)


def _day(cube: Cube, model: Fit) -> tuple[Floats, Floats, Bools]:
    """[leaf, hour] of the last 24 hours: commission, what the clicks seen should have brought, whether it is reported."""
    since, top = cube.top - DAY_H, cube.top
    partner = cube.codes_of("partner")
    value = of_all(model.value, cube.leaves)[:, None]
    due = cube.measure("clicks", since, top) * cube.measure("ftd_rate", since, top) * value
    due = due * visible_share(cube, model, since, top)[partner]
    return cube.measure("revenue", since, top), due, cube.received(since, top)[partner]


def _groups(cube: Cube, dims: tuple[str, ...]) -> list[tuple[dict[str, str], Ints]]:
    rows = cube.codes[[cube.dims.index(dim) for dim in dims]]
    distinct, group = np.unique(rows, axis=1, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(group.ravel()))[:-1])
    names = [cube.names_of(dim) for dim in dims]
    return [
        ({dim: name[code] for dim, name, code in zip(dims, names, column, strict=True)}, leaves)
        for column, leaves in zip(distinct.T.tolist(), parts, strict=True)
    ]


def _view(
    cube: Cube,
    leaves: Ints,
    where: dict[str, str],
    revenue: Floats,
    due: Floats,
    usable: Bools,
    *,
    known: bool,
    alarm: Alarm | None = None,
) -> SliceView:
    told = np.flatnonzero(usable[leaves].all(0))[-_RECENT_H:]
    mine = revenue[leaves].sum(0)
    return SliceView(
        target=slice_target(where),
        slice=where,
        team=cube.team_of(leaves),
        revenue_per_hour=float(mine[told].mean()) if len(told) else 0.0,
        expected_per_hour=float(due[leaves].sum(0)[told].mean()) if len(told) else 0.0,
        trend=tuple(mine.round(2).tolist()),
        known=known and len(told) > 0,
        alarm=alarm,
    )


def band(cube: Cube, model: Fit, leaves: Ints, since: int, until: int, moved: Moved) -> tuple[BandPoint, ...]:
    partners = np.unique(cube.codes_of("partner")[leaves])
    points = []
    for hour in range(max(since, cube.base), min(until, cube.base + cube.width)):
        money = price.expected(
            cube, model, leaves, hour, hour + 1, calendar=hour >= cube.top, common=moved(hour, hour + 1)
        )
        half = price.Z80 * money.sd
        told = hour < cube.top and bool(cube.received(hour, hour + 1)[partners].all())
        actual = float(cube.measure("revenue", hour, hour + 1)[leaves].sum()) if told else None
        points.append(BandPoint(moment_of(hour), money.mean, max(money.mean - half, 0.0), money.mean + half, actual))
    return tuple(points)


@dataclass(frozen=True, slots=True)
class Week:
    """What silence in the coming 168 hours would weigh, by the calendar, and how long reports take."""

    regs: Floats
    """[leaf, hour] nats."""
    ftd: Floats
    delay_h: Floats
    """[leaf] from the end of an hour to its report, median."""


def coming_week(cube: Cube, model: Fit, hour: int) -> Week:
    clicks = model.usual_clicks(np.arange(hour, hour + WEEK_H))
    cell = bursts.cells(cube)[: len(clicks)]
    size = bursts.shared_sizes(clicks, cell)
    regs, ftd = (
        crowds.silence_nats(clicks * rate[:, None], cell, shape[size])
        for rate, shape in ((model.reg_rate, model.reg_crowds), (model.ftd_rate, model.ftd_crowds))
    )
    delays = [usual_delay_h(cube, number, 0.5) for number in range(len(cube.names_of("partner")))]
    partner = cube.codes_of("partner")
    return Week(regs, ftd, np.array(delays, np.float64)[partner])


def silence_h(week: Week, leaves: Ints, nats: float) -> float | None:
    """Hours until silence would weigh `nats` and its report is in; None: not within a week."""
    known, waits = leaves[leaves < len(week.regs)], []
    for events in (week.regs[known].sum(0), week.ftd[known].sum(0)):
        total = np.cumsum(events)
        if total[-1] >= nats:
            last = int(np.argmax(total >= nats))
            waits.append(last + 1 - (total[last] - nats) / events[last])
    return float(min(waits)) + float(np.median(week.delay_h[leaves])) if waits else None


def usual_delay_h(cube: Cube, partner: int, quantile: float) -> float:
    """Hours between the end of an hour and its report, 0 where reports are not tracked."""
    ends = (np.arange(cube.base, cube.base + cube.width) + 1) * 3600
    receipts = cube.receipt_s[partner]
    delays = (receipts - ends)[receipts <= cube.now_s]
    return float(np.quantile(delays, quantile)) / 3600.0 if len(delays) else 0.0


@dataclass(frozen=True, slots=True)
class Reported:
    """How one partner's reports come in."""

    partner: str
    missing: int | None
    """First epoch hour of the last week whose report is not here; `None` where every one is."""
    covered: int
    """Epoch hour up to which every report is here."""
    last_s: int | None
    """When the newest report came; `None` where none ever did."""
    usual_h: float
    late: bool
    """Later than theirs usually are."""


def reported(cube: Cube, partner: int) -> Reported | None:
    """`None` where the last week had no report at all: nobody tracks them, or nothing is known yet."""
    low, high = cube.columns(cube.top - WEEK_H, cube.top)
    told = cube.receipt_s[partner, low:high] <= cube.now_s
    if not told.any():
        return None
    first = int(np.argmax(told))
    missing = None if told[first:].all() else cube.base + low + first + int(np.argmin(told[first:]))
    receipts = cube.receipt_s[partner]
    usual = usual_delay_h(cube, partner, 0.5)
    late_h = 0.0 if missing is None else cube.now_s / 3600.0 - (missing + 1)
    late = missing is not None and late_h > usual_delay_h(cube, partner, 0.95) + _WAIT_H
    return Reported(
        partner=cube.names_of("partner")[partner],
        missing=missing,
        covered=cube.base + high if missing is None else missing,
        last_s=int(receipts[receipts <= cube.now_s].max()),
        usual_h=usual,
        late=late,
    )


def waiting(cube: Cube) -> tuple[str, ...]:
    """Partners whose report is later than theirs usually are, and since when."""
    lines = []
    for number in range(len(cube.names_of("partner"))):
        found = reported(cube, number)
        if found is not None and found.late and found.missing is not None:
            lines.append(f"waiting for {found.partner} since {moment_of(found.missing):%m-%d %H:%MZ}")
    return tuple(lines)
