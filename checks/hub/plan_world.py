"""What plans may ask of the hub: how standbys do, who is licensed where, what a slice brings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from checks.incidents.plans.needs import Standby
from checks.revenue.cube import DAY_H, hour_of
from data.model.ids import TargetId
from data.model.money import cents

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from checks.hub.hub import Hub
    from data.model.incident import Incident
    from data.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Gain:
    """What using a plan would move and bring, an hour; `None` where nobody can tell."""

    clicks: float | None
    middle: Decimal | None
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class PlanWorld:
    """The world of `checks.incidents.plans.needs`, as the hub sees it now."""

    hub: Hub
    now: datetime

    def standby(self, target: str) -> Standby | None:
        board, name = self.hub.board, TargetId(target)
        known, state = board.targets.get(name), board.states.get(name)
        if known is None or state is None:
            return None
        return Standby(
            name,
            state.state,
            state.detail,
            state.last_at,
            known.interval_s,
            str(known.partner),
            frozenset(board.census.labels(name)),
        )

    def licensed(self, partner: str, geo: str) -> bool | None:
        brands = [brand for brand in self.hub.settings.brands if brand.partner == partner]
        if not brands:
            return None
        return all(not brand.licensed or geo.upper() in brand.licensed for brand in brands)

    def ftd_today(self, partner: str) -> float | None:
        """Since midnight where the partner counts its days."""
        zone = next((one.timezone for one in self.hub.settings.partners if one.id == partner), "UTC")
        midnight = self.now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
        with self.hub.book.at_rest():
            cube = self.hub.book.cube
            leaves = np.flatnonzero(cube.select({"partner": partner}))
            if not len(leaves):
                return None
            return float(cube.measure("ftd", hour_of(midnight), cube.top + 1)[leaves].sum())

    def gain(self, plan: Plan, incident: Incident, where: Mapping[str, str]) -> Gain:
        """A and C are worth what they stop being lost; B what the other slice earns with the same clicks.

        `where` is what the trouble is about. Clicks are those that a mean hour of the coming day would see.
        """
        clicks = self._clicks_per_hour(where)
        loss = incident.loss
        ratio = self._ratio(plan, where)
        if plan.letter == "C" or ratio is None or loss.per_hour <= 0:
            return Gain(clicks, None, None, None)
        share = plan.recovers * ratio
        middle, low, high = (cents(float(one) * share) for one in (loss.per_hour, loss.per_hour_lo, loss.per_hour_hi))
        return Gain(clicks, middle, low, high)

    def _ratio(self, plan: Plan, where: Mapping[str, str]) -> float | None:
        """What a click earns there over what it earns here."""
        if not plan.to:
            return 1.0
        here, there = self._epc(where), self._epc(plan.to)
        return there / here if here and there else None

    def _epc(self, where: Mapping[str, str]) -> float | None:
        clicks = self._clicks_per_hour(where)
        if not clicks:
            return None
        hours = [self.now + timedelta(hours=ahead) for ahead in range(DAY_H)]
        return sum(self.hub.book.expected_per_hour(where, hour) for hour in hours) / len(hours) / clicks

    def _clicks_per_hour(self, where: Mapping[str, str]) -> float | None:
        with self.hub.book.at_rest():
            reader = self.hub.book.reader()
            if reader is None:
                return None
            leaves = np.flatnonzero(reader.cube.select(where))
            leaves = leaves[leaves < len(reader.model.value)]
            if not len(leaves):
                return None
            hours = np.arange(reader.cube.top, reader.cube.top + DAY_H)
            return float(reader.model.usual_clicks(hours)[leaves].sum() / DAY_H)
