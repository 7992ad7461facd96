"""What the steps from click to commission brought in a slice, and what each lets the next one expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from checks.revenue.expectation import visible_share
from checks.revenue.funnel import COMMISSION, FTD, OWN, PARTNER, REGISTRATIONS, Counted

if TYPE_CHECKING:
    from checks.revenue.cube import Cube, Floats, Ints
    from checks.revenue.expectation import Fit


def counted(
    cube: Cube, model: Fit, leaves: Ints, since: int, until: int, common: Floats, partner_clicks: Counted | None = None
) -> dict[str, Counted]:
    """The steps of `leaves` over the epoch hours [since, until), for `checks.revenue.funnel.funnel`.

    Conversions are of hours whose report is here, scaled to what such a report usually shows by now; own clicks of all.
    `common` [hour] multiplies what the calendar expects. Nobody counts the partner's clicks by the hour: who knows them
    gives them.
    """
    leaves = leaves[leaves < len(model.value)]
    first, end = cube.kept(since, min(until, cube.top))
    hours = np.arange(first, end)
    partner = cube.codes_of("partner")[leaves]
    told = cube.received(first, end)[partner]
    shown = visible_share(cube, model, first, end)[partner]
    clicks = cube.measure("clicks", first, end)[leaves]
    usual = model.usual_clicks(hours)[leaves] * common[first - since : first - since + len(hours)]
    regs, ftd, revenue = ((cube.measure(name, first, end)[leaves] * told) for name in ("regs", "ftd", "revenue"))
    due_regs = float((clicks * told * model.reg_rate[leaves][:, None]).sum())
    due_ftd = float((clicks * told * shown * model.ftd_rate[leaves][:, None]).sum())
    per_reg = due_ftd / due_regs if due_regs > 0 else 0.0
    has_regs = model.regs_seen[leaves].sum() > 0
    events = ftd.sum(1)
    worth = float((events * model.value[leaves]).sum())
    variance = float((events * model.value[leaves] ** 2 * model.value_cv2[leaves]).sum())
    scatter = variance * float(events.sum()) / worth**2 if worth > 0 else 0.0
    found = {
        OWN: Counted(float(clicks.sum()), float(usual.sum())),
        REGISTRATIONS: Counted(float(regs.sum()), due_regs) if has_regs else Counted(None, None),
        FTD: Counted(float(events.sum()), float(regs.sum()) * per_reg if has_regs else due_ftd),
        COMMISSION: Counted(float(revenue.sum()), worth, scatter, float(events.sum())),
    }
    return found | ({PARTNER: partner_clicks} if partner_clicks else {})
