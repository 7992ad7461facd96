"""Commission that should have been there and was not, with its 80 % interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue.cube import WEEK_H
from data.model.money import Loss, cents

if TYPE_CHECKING:
    from checks.revenue.cube import Cube, Floats, Ints
    from checks.revenue.expectation import Fit

Z80 = 1.2816
_RATE_DOUBT = 0.05
"""Relative doubt of any expectation, however long its history."""


@dataclass(frozen=True, slots=True)
class Money:
    """Expected commission over some hours: its mean, the variance of the counts and values behind it, and its doubt."""

    mean: float
    variance: float
    doubt: float
    """Standard deviation of the expectation itself; adds up linearly, hours share it."""

    @property
    def sd(self) -> float:
        return float(np.hypot(np.sqrt(self.variance), self.doubt))

    def times(self, part: float) -> Money:
        """This for `part` of the time."""
        return Money(self.mean * part, self.variance * part, self.doubt * part)

    def priced(self, factor: float) -> Money:
        """The same events, each worth `factor` times as much."""
        return Money(self.mean * factor, self.variance * factor**2, self.doubt * factor)

    def plus(self, other: Money) -> Money:
        """Both, one after the other: counts are independent, the doubt is shared."""
        return Money(self.mean + other.mean, self.variance + other.variance, self.doubt + other.doubt)


def expected(
    cube: Cube, model: Fit, leaves: Ints, since: int, until: int, *, calendar: bool, common: Floats, spread: float = 1.0
) -> Money:
    """Commission of `leaves` over [since, until) from clicks seen, or with `calendar` from the clicks the week implies.

    `common` [hour] multiplies every hour (holidays). Variance is that of a compound Poisson count: `spread` x events x
    (value^2 + value variance).
    """
    leaves = leaves[leaves < len(model.value)]
    hours = np.arange(since, until)
    clicks = usual = model.usual_clicks(hours)[leaves]
    if not calendar:
        clicks = np.zeros((len(leaves), len(hours)))
        low, high = cube.columns(since, until)
        offset = cube.base + low - since
        clicks[:, offset : offset + high - low] = cube.measure("clicks", since, until)[leaves]
        total, cap = clicks.sum(), 1.3 * usual.sum() + 1.0
        clicks = clicks * min(1.0, cap / total) if total > 0 else clicks
    rate = model.ftd_rate[leaves][:, None] * model.profile[hours % WEEK_H]
    if not calendar:
        frozen = cube.measure("ftd_rate", since, until)[leaves]
        rate[:, offset : offset + high - low] = np.where(frozen > 0, frozen, rate[:, offset : offset + high - low])
    events = (clicks * rate * common).sum(1)
    value = model.value[leaves]
    mean = float((events * value).sum())
    variance = float(spread * (events * value**2 * (1.0 + model.value_cv2[leaves])).sum())
    history = float(model.ftd_seen[leaves].sum())
    relative = np.sqrt(_RATE_DOUBT**2 + (1.0 + float(np.median(model.value_cv2))) / (history + 15.0))
    return Money(mean, variance, mean * float(relative))


def loss_between(money: Money, actual: float, hours: float, currency: str, share: float = 1.0) -> Loss:
    """Expected minus actual over `hours`, never below zero; `share` of the expectation is affected."""
    lost = max(money.mean * share - actual, 0.0)
    half = Z80 * np.hypot(np.sqrt(money.variance * share), money.doubt * share)
    low, high = max(lost - half, 0.0), lost + half
    per = 1.0 / max(hours, 1.0)
    return Loss(
        lost=cents(lost),
        lost_lo=cents(low),
        lost_hi=cents(high),
        per_hour=cents(lost * per),
        per_hour_lo=cents(low * per),
        per_hour_hi=cents(high * per),
        currency=currency,
    )
