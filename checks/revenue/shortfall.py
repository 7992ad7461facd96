"""What an alarm has cost so far."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import price
from checks.revenue.expectation import visible_share

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.revenue.cube import Cube, Floats
    from checks.revenue.expectation import Fit
    from checks.revenue.watch import Case
    from data.model.money import Loss

    Moved = Callable[[int, int], Floats]

_VALUE_HOLD = 10.0
"""Conversions at their usual value that weigh against those that came during a failure."""


def of_alarm(cube: Cube, model: Fit, case: Case, moved: Moved, currency: str) -> Loss:
    """Commission an alarm has cost: reported hours as they came, hours still to be told at the share lost so far.

    What is missing are conversions, each worth what those that came were worth; the luck of large and small ones among
    those that came is no loss.
    """
    partners = cube.codes[cube.dims.index("partner"), case.leaves]
    until = case.end
    if case.status == "open":
        known = np.flatnonzero(cube.received(case.end, cube.top)[partners].all(0))
        until = cube.top if not len(known) else case.end
    until = max(until, case.start + 1)
    told = cube.received(case.start, until)[partners]
    visible = visible_share(cube, model, case.start, until)[partners]
    came = np.where(told, cube.measure("revenue", case.start, until)[case.leaves] / visible, 0.0).sum()
    money = _due(cube, model, case, until, moved)
    untold = money.mean * (1.0 - float(told.mean())) * min(case.share, 1.0)
    if case.channel == "value":
        return price.loss_between(money, float(came), until - case.start, currency)
    events = np.where(told, cube.measure("ftd", case.start, until)[case.leaves] / visible, 0.0)
    value = np.zeros(cube.leaves)
    value[: len(model.value)] = model.value
    usual = float((events.sum(1) * value[case.leaves]).sum())
    held = _VALUE_HOLD * usual / max(float(events.sum()), 1.0)
    paid = (float(came) + held) / (usual + held) if usual > 0 else 1.0
    return price.loss_between(money.priced(paid), (usual + untold) * paid, until - case.start, currency)


def _due(cube: Cube, model: Fit, case: Case, until: int, moved: Moved) -> price.Money:
    """Expected from clicks; where conversions go on but pay nothing, from the conversions themselves."""
    common = moved(case.start, until)
    if case.channel != "value":
        money = price.expected(
            cube, model, case.leaves, case.start, until, calendar=False, common=common, spread=case.spread
        )
        return replace(money, variance=money.variance + money.mean**2 / case.size)
    leaves = case.leaves[case.leaves < len(model.value)]
    partners = cube.codes[cube.dims.index("partner"), leaves]
    events = cube.measure("ftd", case.start, until)[leaves] / visible_share(cube, model, case.start, until)[partners]
    value, count = model.value[leaves], events.sum(1)
    mean = float((count * value).sum())
    variance = float((count * value**2 * model.value_cv2[leaves]).sum())
    return price.Money(mean, variance, 0.1 * mean)
