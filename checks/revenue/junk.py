"""Own clicks far above the usual whose registrations stay flat: a note for whoever buys traffic, never an alarm. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue.cube import moment_of
from checks.revenue.evidence import drop_nats
from checks.revenue.expectation import of_all

if TYPE_CHECKING:
    from checks.revenue.calendar import Dates
    from checks.revenue.cube import Cube, Floats
    from checks.revenue.expectation import Fit
    from checks.revenue.groups import Groups
    from data.model.ids import TeamId

_TIMES, _CLICKS = 3.0, 100.0
_WINDOWS_H = (2, 6)
_UNLIKE_NATS = 8.0
"""Evidence that as many people would have brought more registrations."""
_FLAT = 1.5
"""Registrations up to this multiple of the usual ones count as flat."""


@dataclass(frozen=True, slots=True)
class Junk:
    """Clicks that are no people, or no people who register."""

    slice: dict[str, str]
    team: TeamId
    since: int
    """Epoch hour."""
    clicks: float
    usual: float
    regs: float
    usual_regs: float


def junk_of(cube: Cube, model: Fit, groups: Groups, dates: Dates) -> tuple[Junk, ...]:
    """Slices whose clicks are a multiple of the usual over the last hours while registrations are not, most clicks first.

    Of slices inside one another the smallest that has nearly all of the excess speaks.
    """
    found: list[tuple[float, int, Junk]] = []
    for window in _WINDOWS_H:
        hours = np.arange(cube.top - window, cube.top)
        if cube.top - window < cube.base:
            continue
        factor, doubt = dates.moves(cube, np.arange(len(model.reg_rate)), cube.top - window, cube.top)
        usual = of_all((model.usual_clicks(hours) * factor * np.exp(2.0 * doubt)).sum(1), cube.leaves)
        rate, seen = of_all(model.reg_rate, cube.leaves), cube.measure("clicks", cube.top - window, cube.top).sum(1)
        clicks = groups.sums(seen)
        regs = groups.sums(cube.measure("regs", cube.top - window, cube.top).sum(1))
        due, due_regs = groups.sums(usual), groups.sums(usual * rate)
        people = groups.sums(seen * rate)
        unlike = drop_nats(regs, people, np.full(len(groups), 1e6), 1.0) >= _UNLIKE_NATS
        flat = unlike & (regs <= _FLAT * due_regs + 2.0 * np.sqrt(due_regs + 1.0))
        loud = (clicks >= _TIMES * due) & (clicks - due >= _CLICKS) & flat
        for number in np.flatnonzero(loud).tolist():
            note = _note(cube, groups, number, window, (clicks, due, regs, due_regs))
            found.append((float(clicks[number] - due[number]), int(groups.sizes[number]), note))
    return _innermost(found)


def _note(cube: Cube, groups: Groups, number: int, window: int, figures: tuple[Floats, Floats, Floats, Floats]) -> Junk:
    owner = cube.team_of(groups.members(number))
    return Junk(dict(groups.names[number]), owner, cube.top - window, *(float(part[number]) for part in figures))


def _innermost(found: list[tuple[float, int, Junk]]) -> tuple[Junk, ...]:
    """One note a cause: the smallest slice with most of the excess, nothing that shares a site or team with it."""
    kept: list[Junk] = []
    most = max((excess for excess, _, _ in found), default=0.0)
    for excess, _, note in sorted(found, key=lambda one: (one[0] < 0.8 * most, one[1], -one[0])):
        if not any(_akin(note, other) for other in kept) and excess > 0:
            kept.append(note)
    return tuple(kept)


def _akin(one: Junk, other: Junk) -> bool:
    return one.team == other.team or bool(set(one.slice.items()) & set(other.slice.items()))


def words_of(note: Junk) -> str:
    """`1,240 clicks since 12:00Z where 210 are usual, registrations flat (3): junk, for the media buyer`."""
    clicks = f"{note.clicks:,.0f} clicks since {moment_of(note.since):%H:%MZ} where {note.usual:,.0f} are usual"
    return f"{clicks}, registrations flat ({note.regs:,.0f}): junk, for the media buyer"
