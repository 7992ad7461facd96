"""Commission that should have been there and was not, with its 80 % interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue.cube import WEEK_H
from data.model.money import Loss, cents

if TYPE_CHECKING:
    from datetime import datetime

    from checks.revenue.cube import Bools, Cube, Floats, Ints
    from checks.revenue.expectation import Fit

Z80 = 1.2816
_RATE_DOUBT = 0.05
"""Relative doubt of any expectation, however long its history."""
_YOUNG_H = 0.25
"""A few minutes say little of an hour: three clicks in one would be a hundred and eighty."""
_ECHO_H = 1.1
_CLEARLY_SD = 2.0
_CLICK_DOUBT = 0.12
"""Relative doubt of one hour's clicks as the calendar has them."""


@dataclass(frozen=True, slots=True)
class Money:
    """Expected commission over some hours: its mean, the variance of the counts and values behind it, and its doubt."""

    mean: float
    variance: float
    doubt: float
    """Standard deviation of the expectation itself."""

    @property
    def sd(self) -> float:
        return float(np.hypot(np.sqrt(self.variance), self.doubt))

    def plus(self, other: Money) -> Money:
        """Both: counts are independent, the doubt is shared."""
        return Money(self.mean + other.mean, self.variance + other.variance, self.doubt + other.doubt)


def expected(cube: Cube, model: Fit, leaves: Ints, since: int, until: int, *, calendar: bool, common: Floats) -> Money:
    """Commission of `leaves` over [since, until) from clicks seen, or with `calendar` from the clicks the week implies.

    `common` [hour] multiplies every hour (holidays). Variance is that of a compound Poisson count: events x (value^2 +
    value variance).
    """
    leaves = leaves[leaves < len(model.value)]
    hours = np.arange(since, until)
    clicks = usual = model.usual_clicks(hours)[leaves]
    if not calendar:
        clicks = _seen(cube, "clicks", leaves, since, until)
        total, cap = clicks.sum(), 1.3 * usual.sum() + 1.0
        clicks = clicks * min(1.0, cap / total) if total > 0 else clicks
    rate = model.ftd_rate[leaves][:, None] * model.profile[hours % WEEK_H]
    if not calendar:
        frozen = _seen(cube, "ftd_rate", leaves, since, until)
        rate = np.where(frozen > 0, frozen, rate)
    return _worth(model, leaves, (clicks * rate * common).sum(1), _doubt(model, leaves))


def lost_clicks(
    cube: Cube, model: Fit, leaves: Ints, since: int, part: Floats, guests: Bools, *, calendar: bool, factor: Floats
) -> Money:
    """Worth of clicks that earned nothing: those seen, or with `calendar` those that did not come.

    `part` [leaf, hour] of each hour from epoch hour `since` counts, `factor` [hour] multiplies the calendar. A click is
    worth what it brings in the end: the hour of the week in which its conversions are booked does not matter. Where
    `guests` [leaf, hour] are sent, clicks beyond those the week implies are theirs: they come another way, and earn.
    """
    known = leaves < len(model.value)
    leaves, part, guests = leaves[known], part[known], guests[known]
    hours = np.arange(since, since + part.shape[1])
    usual = model.usual_clicks(hours)[leaves] * factor
    seen = _seen(cube, "clicks", leaves, since, since + part.shape[1])
    elapsed = np.clip(cube.now_s / 3600.0 - hours, 0.0, 1.0)
    if (
        calendar
    ):  # of clicks that still come, those outside of the time in question are taken off as the week implies them
        seen = np.maximum(seen - usual * np.maximum(elapsed - part, 0.0), 0.0) * (part > 0)
        clicks = np.maximum((usual * part).sum(1) - seen.sum(1), 0.0)
    else:  # what is seen of a running hour is whole
        there, due = seen[guests].sum(), (usual * elapsed)[guests].sum()  # hour by hour a small leaf is never as usual
        seen = np.where(guests, seen * min(due / there, 1.0) if there > 0 else seen, seen)
        clicks = (seen * np.minimum(np.divide(part, elapsed, out=np.zeros_like(part), where=elapsed > 0), 1.0)).sum(1)
    lasted_h = float(part.max(0, initial=0.0).sum())
    level = _CLICK_DOUBT / np.sqrt(max(lasted_h, 1.0)) if calendar or guests.any() else 0.0
    return _worth(model, leaves, clicks * model.ftd_rate[leaves], float(np.hypot(_doubt(model, leaves), level)))


def _worth(model: Fit, leaves: Ints, events: Floats, doubt: float) -> Money:
    """Commission of so many [leaf] conversions, whose number is in relative doubt."""
    value = model.value[leaves]
    mean = float((events * value).sum())
    variance = float((events * value**2 * (1.0 + model.value_cv2[leaves])).sum())
    return Money(mean, variance, mean * doubt)


def _seen(cube: Cube, name: str, leaves: Ints, since: int, until: int) -> Floats:
    """[leaf, hour] of a measure in [since, until); 0 in hours that are not kept."""
    first, last = cube.kept(since, until)
    seen = np.zeros((len(leaves), until - since))
    seen[:, first - since : last - since] = cube.measure(name, since, until)[leaves]
    return seen


def overlap(hours: Ints, start: datetime, end: datetime) -> Floats:
    """[hour]: the part of each epoch hour that lies between two moments."""
    first, last = start.timestamp() / 3600.0, end.timestamp() / 3600.0
    return np.asarray(np.maximum(np.minimum(hours + 1, last) - np.maximum(hours, first), 0.0))


def came(cube: Cube, leaves: Ints, since: int, part: Floats) -> float:
    """Commission of [leaf, hour] parts of hours from epoch hour `since`."""
    return float((_seen(cube, "revenue", leaves, since, since + part.shape[1]) * part).sum())


def against(due: Money, came: float, lasted_h: float) -> float:
    """What of the commission that came over some hours speaks against clicks having been worth nothing.

    Conversions lag behind their clicks: about an hour's worth is the echo of earlier ones. Only what is clearly more
    than that tells of clicks that did earn.
    """
    part = min(_ECHO_H / lasted_h, 1.0)
    echo = due.mean * part
    return came - echo if came > echo + _CLEARLY_SD * np.sqrt(due.variance * part) else 0.0


def _doubt(model: Fit, leaves: Ints) -> float:
    """Relative, of what a click of these leaves brings."""
    if not len(leaves):
        return _RATE_DOUBT
    history = float(model.ftd_seen[leaves].sum())
    return float(np.sqrt(_RATE_DOUBT**2 + (1.0 + float(np.median(model.value_cv2))) / (history + 15.0)))


def loss_between(money: Money, actual: float, hours: float, currency: str) -> Loss:
    """Expected minus actual over `hours`, never below zero."""
    lost = max(money.mean - actual, 0.0)
    low, high = max(lost - Z80 * money.sd, 0.0), lost + Z80 * money.sd
    return loss_of(low, lost, high, hours, currency)


def loss_of(low: float, lost: float, high: float, hours: float, currency: str) -> Loss:
    """What was lost over `hours`, and by the hour; of what began a moment ago as if it had lasted `_YOUNG_H`."""
    per = 1.0 / max(hours, _YOUNG_H)
    return Loss(
        lost=cents(lost),
        lost_lo=cents(low),
        lost_hi=cents(high),
        per_hour=cents(lost * per),
        per_hour_lo=cents(low * per),
        per_hour_hi=cents(high * per),
        currency=currency,
    )
