"""Visitors that plans sent elsewhere: from when to when, and whose. Such a slice is not lost, it earns at its standby."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.hub.sharing import Move
from data.model.cause import family_of
from data.model.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from data.model.ids import IncidentId
    from data.model.observation import Observation
    from data.model.plan import Plan, Switch
    from data.model.target import Target

_SCOPE = ("partner", "geo", "site", "team", "project")


@dataclass(slots=True)
class Moves:
    """What became of the uses of plans, by incident.

    Only a plan that says where visitors go instead (`to`) moves them away from what fails. What any other plan does
    is seen on the targets themselves: a site that answers again loses nothing, whoever brought it back.
    """

    _uses: dict[IncidentId, dict[str, Switch]] = field(default_factory=lambda: defaultdict(dict))
    _running: dict[str, Switch] = field(default_factory=dict)
    """Those that have not ended; asked for at every look at a link that fails."""

    def see(self, switch: Switch) -> None:
        """A version of a use; the newest counts."""
        if switch.incident is not None and switch.applied_at is not None and not switch.drill:
            self._uses[switch.incident][switch.id] = switch
            self._running.pop(switch.id, None)
            if switch.ended_at is None:
                self._running[switch.id] = switch

    def of(self, incident: IncidentId, plans: Iterable[Plan]) -> tuple[Move, ...]:
        """Those of one incident, by the plans as they are declared now."""
        scopes = {plan.id: _scope(plan) for plan in plans if plan.to}
        return _moves(tuple(self._uses.get(incident, {}).values()), scopes)

    def guests(self, plans: Iterable[Plan]) -> tuple[Move, ...]:
        """The slices that visitors are sent to, whichever incident it is for, and when."""
        places = {plan.id: _place(plan) for plan in plans if plan.to}
        return _moves([one for uses in tuple(self._uses.values()) for one in tuple(uses.values())], places)

    def rewrite(self, seen: Observation, target: Target, plans: Iterable[Plan]) -> Observation:
        """What a look at a link is worth while a plan sends its visitors elsewhere.

        That it leads to the standby says nothing of where it usually leads: no evidence either way, so that what is known
        of it stays. A standby that fails, or that has no licence there, is told as ever.
        """
        if seen.state is not State.FAILING or family_of(seen.cause) != "link" or "compliance" in seen.evidence:
            return seen
        switch = self._sending(target, seen, plans)
        if switch is None or switch.applied_at is None:
            return seen
        words = (
            f"plan {switch.letter} sends its visitors elsewhere since {switch.applied_at:%H:%MZ}; seen: {seen.detail}"
        )
        return replace(seen, state=State.UNKNOWN, detail=words[:300], evidence={**seen.evidence, "seen": seen.cause})

    def _sending(self, target: Target, seen: Observation, plans: Iterable[Plan]) -> Switch | None:
        """The use that sends the target's visitors elsewhere; a plan without a scope is no target's in particular."""
        scopes = {plan.id: _scope(plan) for plan in plans if plan.to}
        return next(
            (
                one
                for one in self._running.values()
                if (scope := scopes.get(one.plan))
                and one.applied_at is not None
                and one.applied_at <= seen.started_at
                and all(str(getattr(target, name)) == value for name, value in scope.items())
            ),
            None,
        )


def _moves(uses: Iterable[Switch], places: Mapping[str, Mapping[str, str]]) -> tuple[Move, ...]:
    """`uses` is a copy: prices are found beside the loop, which may add one."""
    return tuple(
        Move(places[one.plan], one.applied_at, one.ended_at)
        for one in uses
        if one.plan in places and one.applied_at is not None
    )


def _place(plan: Plan) -> dict[str, str]:
    """A slice of the facts, which know of no projects."""
    return {name: value for name, value in (_scope(plan) | plan.to).items() if name != "project"}


def _scope(plan: Plan) -> dict[str, str]:
    return {name: value for name in _SCOPE if (value := getattr(plan, name))}
