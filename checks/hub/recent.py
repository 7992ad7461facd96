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
class _Ended:
    incident: Incident
    members: Sequence[Finding]
    """Empty once it is known what they account for."""
    closed_at: datetime
    spans: tuple[Explained, ...] = ()

    def accounts_for(self, pricing: Pricing) -> tuple[Explained, ...]:
        if self.members:
            self.spans = pricing.explained(self.incident, self.members, self.closed_at)
            self.members = ()
        return self.spans


@dataclass(slots=True)
class Recent:
    """Incidents that ended lately: what they cost today, and which missing money they still account for."""

    desk: IncidentDesk
    pricing: Pricing
    _ended: dict[IncidentId, _Ended] = field(default_factory=dict)

    def closed(self, incident: Incident, findings: Sequence[Finding], now: datetime) -> None:
        """Remember an incident that ended; what ended long ago is forgotten."""
        self._ended[incident.id] = _Ended(incident, findings, now)
        for one in [one.incident for one in self._ended.values()]:
            if one.closed_at and now - one.closed_at > REMEMBERED:
                del self._ended[one.id]

    def reopened(self, number: IncidentId) -> None:
        """It is counted among the open ones again."""
        self._ended.pop(number, None)

    def asked(self, now: datetime) -> Callable[[], list[Explained]]:
        """Tells everything that open incidents and those that ended lately account for, as they are now.

        It may be called beside the loop: of an incident with a hundred thousand members it takes most of a second.
        """
        running = [(one, self.desk.members(one.id)) for one in self.desk.open_incidents]
        ended = list(self._ended.values())

        def explained() -> list[Explained]:
            still = [span for one, members in running for span in self.pricing.explained(one, members, now)]
            return still + [span for one in ended for span in one.accounts_for(self.pricing)]

        return explained

    def lost_since(self, midnight: datetime, scope: Scope) -> Decimal:
        """Money lost in incidents that closed since then."""
        mine = [one.incident for one in self._ended.values() if any(map(scope.sees, one.incident.teams))]
        return sum((one.loss.lost for one in mine if one.closed_at and one.closed_at >= midnight), ZERO)
