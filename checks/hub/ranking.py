"""Which targets a list shows first, without a row made for those that nobody sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from data.model.principal import MoneyRight
from data.model.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from data.model.ids import TargetId
    from data.model.observation import TargetState
    from data.model.principal import Scope
    from data.model.target import Target, TargetKind

_WORST_FIRST = sorted(State, key=lambda state: -state.badness)
_FEW = 1_000
_SCOPES = 32
"""Orders by importance that are remembered, one a kind and set of teams."""
_by_name = attrgetter("name")


def _importance(target: Target) -> tuple[int, str]:
    return target.tier, target.name


@dataclass(slots=True)
class Ranking:
    """Targets by state, kept as they move; the order of the rest changes only with the configuration."""

    targets: Mapping[TargetId, Target]
    generation: int = 0
    """Grows when a target comes, changes or goes."""
    _in_state: dict[tuple[TargetKind, State], set[TargetId]] = field(default_factory=dict)
    """Of every state but `ok`, which most are in."""
    _orders: dict[object, list[Target]] = field(default_factory=dict)

    def moved(self, new: TargetState, old: TargetState | None) -> None:
        """Take note of a state; O(1)."""
        if old is not None and old.state is new.state:
            return
        if old is not None and old.state is not State.OK:
            self._in_state[old.kind, old.state].discard(old.target)
        if new.state is not State.OK:
            self._in_state.setdefault((new.kind, new.state), set()).add(new.target)

    def gone(self, state: TargetState) -> None:
        """Forget a target."""
        if state.state is not State.OK:
            self._in_state.get((state.kind, state.state), set()).discard(state.target)
        self.changed()

    def changed(self) -> None:
        """The configuration moved on: orders are made anew when next asked for."""
        self.generation += 1
        self._orders.clear()

    def by_name(self, kind: TargetKind, scope: Scope) -> list[Target]:
        return self._order(kind, scope, "name")

    def worst_first(self, kind: TargetKind, scope: Scope, losses: Mapping[TargetId, Decimal]) -> Iterator[Target]:
        """Failing, degraded, unknown, ok, paused; within each the dearest, then the most important, then by name.

        Lazy: the first dozen of a hundred thousand cost what a dozen cost.
        """
        priced = losses if scope.money is MoneyRight.FULL else {}
        for state in _WORST_FIRST:
            if state is State.OK:
                yield from self._fine(kind, scope, priced)
            elif members := self._in_state.get((kind, state)):
                yield from self._dear(members, scope, priced)
                yield from self._others(members, kind, scope, priced)

    def _dear(self, members: set[TargetId], scope: Scope, losses: Mapping[TargetId, Decimal]) -> Iterator[Target]:
        found = [
            target
            for one in (losses.keys() & members if losses else ())
            if losses[one] and (target := self.targets.get(one)) and scope.sees(target.team)
        ]
        found.sort(key=lambda target: (-losses[target.id], target.tier, target.name))
        yield from found

    def _others(
        self, members: set[TargetId], kind: TargetKind, scope: Scope, losses: Mapping[TargetId, Decimal]
    ) -> Iterator[Target]:
        if len(members) < _FEW:
            few = (self.targets.get(one) for one in members)
            seen = [target for target in few if target and scope.sees(target.team) and not losses.get(target.id)]
            yield from sorted(seen, key=_importance)
            return
        for target in self._order(kind, scope, ""):
            if target.id in members and not losses.get(target.id):
                yield target

    def _fine(self, kind: TargetKind, scope: Scope, losses: Mapping[TargetId, Decimal]) -> Iterator[Target]:
        ill = [self._in_state.get((kind, state), set()) for state in State if state is not State.OK]
        bad: set[TargetId] = set().union(*ill)
        dear = {one for one in losses if one not in bad and one in self.targets and self.targets[one].kind is kind}
        yield from self._dear(dear, scope, losses)
        for target in self._order(kind, scope, ""):
            if target.id not in bad and not losses.get(target.id):
                yield target

    def _order(self, kind: TargetKind, scope: Scope, by: str) -> list[Target]:
        key = kind, scope.teams, by
        found = self._orders.get(key)
        if found is None:
            mine = [target for target in self.targets.values() if target.kind is kind and scope.sees(target.team)]
            mine.sort(key=_by_name if by else _importance)
            if len(self._orders) >= _SCOPES:
                self._orders.clear()
            self._orders[key] = found = mine
        return found
