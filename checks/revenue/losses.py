"""What slices were to earn and what they lost, as the book knows it at one moment. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import price, shortfall
from checks.revenue.cube import hour_after, hour_of
from checks.revenue.watch import Case

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from checks.revenue.calendar import Dates
    from checks.revenue.cube import Bools, Cube, Floats, Ints
    from checks.revenue.expectation import Fit
    from checks.revenue.scatter import Scatter
    from checks.revenue.watch import Taken
    from data.model.money import Loss

    Without = tuple[Ints, datetime, datetime]
    """Leaves, and between which moments their loss is counted elsewhere."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Prices leaves over hours with what was fitted last."""

    cube: Cube
    model: Fit
    scatter: Scatter
    dates: Dates
    moved: shortfall.Moved
    """[hour] between two epoch hours: what moved everybody."""
    explained: Sequence[Taken]
    """What incidents of a known cause account for."""
    currency: str

    def expected(self, leaves: Ints, since: int, until: int, *, calendar: bool) -> price.Money:
        """Commission over [since, until) from clicks seen, or with `calendar` from those the week and its events imply."""
        common = self.moved(since, until)

        def priced(some: Ints, factor: Floats) -> price.Money:
            return price.expected(self.cube, self.model, some, since, until, calendar=calendar, common=common * factor)

        if calendar:
            return self.dates.priced(self.cube, leaves, since, until, priced)
        return priced(leaves, np.ones(until - since))

    def of_clicks(
        self, leaves: Ints, start: datetime, now: datetime, without: Sequence[Without], guests: Sequence[Without] = ()
    ) -> Loss:
        """The worth of the clicks seen, which earned nothing, unless clearly more came in than earlier ones still bring.

        Clicks of `guests` are left out, and of what came as much as they are worth.
        """
        part, since, lasted_h = _part(leaves, start, now, without), hour_of(start), _hours(start, now)
        factor = self.moved(since, since + part.shape[1])

        def worth(theirs: Bools) -> price.Money:
            return price.lost_clicks(self.cube, self.model, leaves, since, part, theirs, calendar=False, factor=factor)

        whole = due = worth(np.zeros(part.shape, np.bool_))
        came = price.came(self.cube, leaves, since, part)
        if guests:
            due = worth(part - _part(leaves, start, now, [*without, *guests]) > 0.0)
            came = max(came - (whole.mean - due.mean), 0.0)
        return price.loss_between(due, price.against(due, came, lasted_h), lasted_h, self.currency)

    def of_visits(self, leaves: Ints, start: datetime, now: datetime, without: Sequence[Without] = ()) -> Loss:
        """The worth of the clicks that did not come, as far as events let the calendar imply them."""
        part, since = _part(leaves, start, now, without), hour_of(start)
        until = since + part.shape[1]
        moved = self.moved(since, until)

        def priced(some: Ints, factor: Floats) -> price.Money:
            mine = part[np.isin(leaves, some)]
            nobody = np.zeros(mine.shape, np.bool_)
            return price.lost_clicks(
                self.cube, self.model, some, since, mine, nobody, calendar=True, factor=moved * factor
            )

        due = self.dates.priced(self.cube, leaves, since, until, priced)
        return price.loss_between(due, 0.0, _hours(start, now), self.currency)

    def of_counts(self, leaves: Ints, start: datetime, now: datetime, without: Sequence[Without]) -> Loss:
        """Conversions that are missing for no known reason."""
        since = hour_of(start)
        case = Case(0, "ftd", {}, since, since, max(hour_after(now), since + 1), status="closed", leaves=leaves)
        return self.of_alarm(case, [(taken, hour_of(begin), hour_of(end) + 1) for taken, begin, end in without])

    def of_alarm(self, case: Case, taken: Sequence[Taken]) -> Loss:
        """Of an alarm about conversions, without what is `taken` and what incidents of a known cause account for."""
        elsewhere = [*taken, *self.explained]
        return shortfall.of_alarm(self.cube, self.model, self.scatter, case, elsewhere, self.moved, self.currency)


def _part(leaves: Ints, start: datetime, now: datetime, without: Sequence[Without]) -> Floats:
    """[leaf, hour] from the hour of `start`: the part of each that lies between the two moments and is not taken."""
    hours = np.arange(hour_of(start), hour_after(now))
    part = np.tile(price.overlap(hours, start, now), (len(leaves), 1))
    for taken, begin, end in without:
        part[np.isin(leaves, taken)] -= price.overlap(hours, max(start, begin), min(now, end))
    return np.maximum(part, 0.0)


def _hours(start: datetime, now: datetime) -> float:
    return (now - start).total_seconds() / 3600.0
