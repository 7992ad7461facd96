"""What holidays, sport and promotions do to clicks: learned per kind and GEO, doubted where there was little to learn from.

1. Hours of events are marked per GEO, and per partner where an event is one partner's.
2. Each past day with an event of one kind gives one ratio: clicks in its hours over clicks in the same hours of the week of
   weeks without an event. Ratios are averaged in logarithms: a GEO leans on its kind, a kind on "nothing changes"; the doubt
   that is left is that of the next event (normal-normal shrinkage with known variances).
3. What happens in most weeks at the same hour is in the usual week already and changes nothing.

Conversions given clicks are not touched: only what the calendar implies for clicks is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Protocol

import numpy as np

from checks.revenue.cube import DAY_H, WEEK_H, hour_after, hour_of, moment_of
from checks.revenue.price import Money
from data.model.calendar import CalendarEvent, EventKind, region_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from checks.revenue.cube import Bools, Cube, Floats, Ints

_SPREAD = {EventKind.HOLIDAY: 0.35, EventKind.SPORT: 0.25, EventKind.PROMOTION: 0.35}
"""Standard deviation of what a kind does to clicks (in logarithms) before anything was learned."""
_BETWEEN_GEOS = 0.15
_BETWEEN_EVENTS = 0.20
_LEAST_CLICKS = 20.0
"""A day whose event hours usually have fewer says nothing."""
_AHEAD_H = 14 * DAY_H

Mark = tuple[EventKind, str]
"""A kind of event, and the partner whose it is (empty: everybody's)."""


class Calendar(Protocol):
    """What is needed of `data.config.calendar.Calendar`."""

    def events(self, since: datetime, until: datetime, geo: str = "") -> tuple[CalendarEvent, ...]: ...


@dataclass(frozen=True, slots=True)
class Learned:
    """What events of one kind do to the clicks of one GEO."""

    kind: EventKind
    geo: str
    """Empty: of all GEOs together."""
    log_factor: float
    doubt: float
    """Standard deviation of `log_factor` at the next event."""
    days: int
    """Event days it was learned from."""

    @property
    def factor(self) -> float:
        return float(np.exp(self.log_factor))


@dataclass(slots=True)
class Dates:
    """The calendar as a detector uses it, with what was learned of its events' effects."""

    calendar: Calendar | None = None
    learned: tuple[Learned, ...] = ()
    _hours: dict[str, tuple[int, int, dict[Mark, Bools]]] = field(default_factory=dict)
    """By region: hours around now, from one up to another, and their marks."""

    def learn(self, cube: Cube) -> tuple[Learned, ...]:
        """What past events did to clicks; to be asked when the model is fitted."""
        self._hours.clear()
        if self.calendar is None or not cube.leaves:
            return ()
        ratios: dict[EventKind, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for region, leaves in _regions(cube).items():
            marks = self._marks(cube, region, cube.base, cube.top)
            for mark, active in marks.items():
                others = _either([hours for other, hours in marks.items() if other != mark], len(active))
                mine = _of_partner(cube, leaves, mark[1])
                ratios[mark[0]][region] += _ratios(cube, mine, active & ~others, active | others)
        return tuple(one for kind in EventKind for one in _shrunk(kind, ratios[kind]))

    def moves(self, cube: Cube, leaves: Ints, since: int, until: int) -> tuple[Floats, Floats]:
        """[leaf, hour] twice: the factor on usual clicks, and the standard deviation of its logarithm."""
        factor = np.zeros((len(leaves), until - since))
        doubt = np.zeros_like(factor)
        if self.calendar is None or since >= until:
            return np.exp(factor), doubt
        partners = cube.codes_of("partner")[leaves]
        for region, mine in _regions(cube, leaves).items():
            for mark, active in self._marks(cube, region, since, until).items():
                if not active.any():
                    continue
                rows = mine[partners[mine] == cube.code("partner", mark[1])] if mark[1] else mine
                known, new = self._known(mark[0], region), self._news(cube, region, mark, since, until)
                factor[rows] += known.log_factor * new * active
                doubt[rows] = np.hypot(doubt[rows], known.doubt * new * active)
        return np.exp(factor), doubt

    def priced(self, cube: Cube, leaves: Ints, since: int, until: int, price: Callable[[Ints, Floats], Money]) -> Money:
        """Commission from usual clicks: `price(leaves, factor [hour])` for each set of leaves that events move alike."""
        factor, doubt = self.moves(cube, leaves, since, until)
        rows, group = np.unique(np.hstack([factor, doubt]), axis=0, return_inverse=True)
        parts = []
        for number, row in enumerate(rows):
            moved, doubted = row[: until - since], row[until - since :]
            money = price(leaves[group.ravel() == number], moved)
            more = money.mean * float(doubted.mean()) if doubted.any() else 0.0
            parts.append(replace(money, doubt=float(np.hypot(money.doubt, more))))
        return reduce(Money.plus, parts, Money(0.0, 0.0, 0.0))

    def _known(self, kind: EventKind, region: str) -> Learned:
        """Of this GEO, else of the kind, else nothing but doubt."""
        mine = {one.geo: one for one in self.learned if one.kind == kind}
        return (
            mine.get(region)
            or mine.get("")
            or Learned(kind, "", 0.0, float(np.hypot(_SPREAD[kind], _BETWEEN_EVENTS)), 0)
        )

    def _news(self, cube: Cube, region: str, mark: Mark, since: int, until: int) -> Floats:
        """[hour]: how unusual the event is at that hour of the week, 1 for what no week before had."""
        before = [
            self._marks(cube, region, since - weeks * WEEK_H, until - weeks * WEEK_H)[mark]
            for weeks in range(1, 5)
            if since - weeks * WEEK_H >= cube.base
        ]
        return 1.0 - np.mean(before, 0) if before else np.ones(until - since)

    def _marks(self, cube: Cube, region: str, since: int, until: int) -> dict[Mark, Bools]:
        """Marks of [since, until) in a region; every mark that occurs near it is there."""
        first, last, known = self._hours.get(region, (0, 0, {}))
        if since < first or until > last:
            first, last = min(cube.base, since), max(cube.top + _AHEAD_H, until)
            known = self._look_up(region, first, last)
            self._hours[region] = first, last, known
        return {mark: active[since - first : until - first] for mark, active in known.items()}

    def _look_up(self, region: str, since: int, until: int) -> dict[Mark, Bools]:
        assert self.calendar is not None
        found: dict[Mark, Bools] = {}
        for event in self.calendar.events(moment_of(since), moment_of(until), region):
            low, high = hour_of(event.start) - since, hour_after(event.end) - since
            active = found.setdefault((event.kind, event.partner), np.zeros(until - since, np.bool_))
            active[max(low, 0) : max(high, 0)] = True
        return found


def _regions(cube: Cube, leaves: Ints | None = None) -> dict[str, Ints]:
    """Places in `leaves` (all by default) by region; a GEO that is no country is nowhere in particular."""
    codes, names = cube.codes_of("geo"), cube.names_of("geo")
    codes = codes if leaves is None else codes[leaves]
    region_of_code: dict[str, list[int]] = defaultdict(list)
    for code in np.unique(codes).tolist():
        name = region_of(names[code])
        country = name.partition("-")[0]
        region_of_code[name if len(country) == len("DE") and country.isalpha() else ""].append(code)
    return {region: np.flatnonzero(np.isin(codes, mine)) for region, mine in region_of_code.items()}


def _of_partner(cube: Cube, leaves: Ints, partner: str) -> Ints:
    codes = cube.codes_of("partner")[leaves]
    return leaves[codes == cube.code("partner", partner)] if partner else leaves


def _either(marks: list[Bools], hours: int) -> Bools:
    return np.asarray(np.logical_or.reduce([np.zeros(hours, np.bool_), *marks]))


def _ratios(cube: Cube, leaves: Ints, active: Bools, eventful: Bools) -> list[float]:
    """Logarithms of clicks over usual clicks, one a past day on which this event alone was on.

    Usual is what the nearest weeks without any event had at that hour, nearer weeks weighing more.
    """
    clicks = cube.measure("clicks", cube.base, cube.top)[leaves].sum(0)
    plain = ~eventful & (clicks > 0)
    found = []
    for days in _days(active):
        seen = usual = 0.0
        for hour in days.tolist():
            weeks = np.arange(hour % WEEK_H, len(clicks), WEEK_H)
            weeks = weeks[plain[weeks]]
            if len(weeks):
                near = 0.5 ** (np.abs(weeks - hour) / (2.0 * WEEK_H))
                seen += float(clicks[hour])
                usual += float(clicks[weeks] @ near / near.sum())
        if usual >= _LEAST_CLICKS:
            found.append(float(np.log((seen + 1.0) / (usual + 1.0))))
    return found


def _days(active: Bools) -> list[Ints]:
    """Hours of each event; of a long one those of each day."""
    hours = np.flatnonzero(active)
    runs = np.split(hours, np.flatnonzero(np.diff(hours) > 1) + 1)
    return [run[first : first + DAY_H] for run in runs for first in range(0, len(run), DAY_H)]


def _shrunk(kind: EventKind, ratios: dict[str, list[float]]) -> list[Learned]:
    """One line a GEO that had events of a kind, and one for the kind itself; nothing where none ever had."""
    known = {geo: days for geo, days in ratios.items() if days}
    if not known:
        return []
    between = _BETWEEN_EVENTS**2
    weights = {geo: 1.0 / (_BETWEEN_GEOS**2 + between / len(days)) for geo, days in known.items()}
    precision = 1.0 / _SPREAD[kind] ** 2 + sum(weights.values())
    middle = sum(weight * float(np.mean(known[geo])) for geo, weight in weights.items()) / precision
    lines = [
        Learned(kind, "", middle, _sd(1.0 / precision + _BETWEEN_GEOS**2 + between), sum(map(len, known.values())))
    ]
    for geo, days in sorted(known.items()):
        prior, own = 1.0 / (_BETWEEN_GEOS**2 + 1.0 / precision), len(days) / between
        mean = (prior * middle + own * float(np.mean(days))) / (prior + own)
        lines.append(Learned(kind, geo, mean, _sd(1.0 / (prior + own) + between), len(days)))
    return lines


def _sd(variance: float) -> float:
    return float(np.sqrt(variance))
