"""From when to when an alarm lasts: where its shortfall begins, where it ends, and when enough has been well since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import scan
from checks.revenue.evidence import hourly_gain, last_run, worst_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.revenue.cube import Bools, Cube, Floats, Ints
    from checks.revenue.expectation import Fit
    from checks.revenue.scan import Hours

_QUIET_H = 24
_QUIET_EVENTS = 5.0


def end(hours: Hours, leaves: Ints, channel: str, common: Mapping[int, float]) -> int:
    """Number of hours from the first of `hours` after which nothing more was missing.

    `common`: epoch hour -> what moved everybody then.
    """
    seen, due = hourly(hours, leaves, channel, common)
    share, last = seen.sum() / due.sum() if due.sum() > 0 else 1.0, len(seen)
    for _ in range(3):
        first, ends = worst_run(hourly_gain(seen, due, share if channel == "value" else min(share, 0.9)))
        if first == ends:
            break
        last, share = ends, seen[:ends].sum() / max(due[:ends].sum(), 1e-9)
    return last


def start(hours: Hours, leaves: Ints, channel: str, common: Mapping[int, float], *, share: float, since: int) -> int:
    """First epoch hour from `since` of the run of hours, ending with the last, that speaks most for `share`."""
    seen, due = hourly(hours, leaves, channel, common)
    gain = hourly_gain(seen, due, share if channel == "value" else min(share, 0.9))[since - hours.since :]
    return since + last_run(gain)


def hourly(hours: Hours, leaves: Ints, channel: str, common: Mapping[int, float]) -> tuple[Floats, Floats]:
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
    earning = scan.earning(due.sum(keepdims=True), calendar.sum(keepdims=True))
    moved = np.array([common.get(hours.since + number, 1.0) for number in range(len(due))])
    return seen, due * earning * moved


def is_quiet(
    cube: Cube, model: Fit, leaves: Ints, channel: str, since: int, common: Mapping[int, float], masked: Bools
) -> bool:
    """A day of reports from `since`, in which enough was due to have shown trouble; or three days of anything.

    `masked` [leaf, hour of the cube]: hours that say nothing.
    """
    partners = np.unique(cube.codes_of("partner")[leaves])
    known_h = int(cube.received(since, cube.top)[partners].all(0).sum())
    if known_h < _QUIET_H:
        return False
    hours = scan.hours_of(cube, model, since, cube.top, masked=masked)
    _, due = hourly(hours, leaves, channel, common)
    judged = hours.ftd[leaves].sum() if channel == "value" else due.sum()
    return bool(judged >= _QUIET_EVENTS or known_h >= 3 * _QUIET_H)
