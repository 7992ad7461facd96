"""Visitors that plans sent elsewhere: from when to when, and whose. Such a slice is not lost, it earns at its standby."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from checks.hub.sharing import Move

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.model.ids import IncidentId
    from data.model.plan import Plan, Switch

_SCOPE = ("partner", "geo", "site", "team", "project")


@dataclass(slots=True)
class Moves:
    """What became of the uses of plans, by incident.

    Only a plan that says where visitors go instead (`to`) moves them away from what fails. What any other plan does
    is seen on the targets themselves: a site that answers again loses nothing, whoever brought it back.
    """

    _uses: dict[IncidentId, dict[str, Switch]] = field(default_factory=lambda: defaultdict(dict))

    def see(self, switch: Switch) -> None:
        """A version of a use; the newest counts."""
        if switch.incident is not None and switch.applied_at is not None and not switch.drill:
            self._uses[switch.incident][switch.id] = switch

    def of(self, incident: IncidentId, plans: Iterable[Plan]) -> tuple[Move, ...]:
        """Those of one incident, by the plans as they are declared now."""
        declared = {plan.id: plan for plan in plans if plan.to}
        return tuple(
            Move(_scope(declared[one.plan]), one.applied_at, one.ended_at)
            for one in self._uses.get(incident, {}).values()
            if one.plan in declared and one.applied_at is not None
        )


def _scope(plan: Plan) -> dict[str, str]:
    return {name: value for name in _SCOPE if (value := getattr(plan, name))}
