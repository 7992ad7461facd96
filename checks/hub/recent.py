from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from data.model.money import ZERO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from decimal import Decimal

    from checks.hub.pricing import Pricing
    from checks.incidents.desk import IncidentDesk
    from checks.revenue.book import Explained
    from data.model.ids import IncidentId
    from data.model.incident import Finding, Incident
    from data.model.principal import Scope

REMEMBERED = timedelta(days=2)
"""Evidence in the revenue facts reaches back some days: what explains it must, too."""


@dataclass(slots=True)
class Recent:
    """Incidents that ended lately: what they cost today, and which missing money they still account for."""

    desk: IncidentDesk
    pricing: Pricing
    _closed: dict[IncidentId, Incident] = field(default_factory=dict)
    _spans: dict[IncidentId, tuple[Explained, ...]] = field(default_factory=dict)

    def closed(self, incident: Incident, findings: Sequence[Finding], now: datetime) -> None:
        """Remember an incident that ended; what ended long ago is forgotten."""
        self._closed[incident.id] = incident
        self._spans[incident.id] = self.pricing.explained(incident, findings, now)
        old = [one.id for one in self._closed.values() if one.closed_at and now - one.closed_at > REMEMBERED]
        for number in old:
            del self._closed[number], self._spans[number]

    def reopened(self, number: IncidentId) -> None:
        """It is counted among the open ones again."""
        self._closed.pop(number, None)
        self._spans.pop(number, None)

    def asked(self, now: datetime) -> Callable[[], list[Explained]]:
        """Tells everything that open incidents and those that ended lately account for, as they are now.

        It may be called beside the loop: of an incident with a hundred thousand members it takes most of a second.
        """
        running = [(one, self.desk.members(one.id)) for one in self.desk.open_incidents]
        ended = [span for spans in self._spans.values() for span in spans]

        def explained() -> list[Explained]:
            return [span for one, members in running for span in self.pricing.explained(one, members, now)] + ended

        return explained

    def lost_since(self, midnight: datetime, scope: Scope) -> Decimal:
        """Money lost in incidents that closed since then."""
        mine = [one for one in self._closed.values() if any(map(scope.sees, one.teams))]
        return sum((one.loss.lost for one in mine if one.closed_at and one.closed_at >= midnight), ZERO)
