"""Windows of the lists: filtered and sorted over targets and states, so that only the rows in sight are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from checks.hub.filters import SORTABLE, row_filter, sort_rows, target_filter
from data.access.redaction import redact_row, sees_all
from data.errors import UsageError
from data.model.state import State
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from checks.hub.board import Board
    from data.model.principal import Scope
    from data.model.snapshot import TargetRow
    from data.model.target import Target

_MANY = 5_000
"""Lists this long keep their order for a moment, so that the next pages of the same list cost nothing."""
_KEEP = timedelta(seconds=2)
_KEPT = 8
_OF_TARGET = frozenset({"name", "team", "geo", "partner", "offer", "site", "tier"})
_OF_STATE = frozenset({"cause", "since", "last_at", "value"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One list as somebody asked for it, whatever the window."""

    kind: TargetKind
    scope: Scope
    expression: str
    sort: str
    descending: bool


@dataclass(slots=True)
class _Kept:
    until: datetime
    generation: int
    found: Sequence[Target] | Sequence[TargetRow]


@dataclass(slots=True)
class Lists:
    board: Board
    _kept: dict[Asked, _Kept] = field(default_factory=dict)

    def window(self, asked: Asked, now: datetime, offset: int, limit: int) -> tuple[int, tuple[TargetRow, ...]]:
        """How many match, and the rows of the window, as the scope may see them, without strips.

        Raises:
            UsageError: a filter or an order names a field that does not exist.
        """
        found = self._found(asked, now)
        shown = found[offset : offset + limit]
        rows = (redact_row(self.board.row(one), asked.scope) if hasattr(one, "timeout_s") else one for one in shown)
        return len(found), tuple(rows)

    def _found(self, asked: Asked, now: datetime) -> Sequence[Any]:
        generation = self.board.ranking.generation
        kept = self._kept.get(asked)
        if kept is not None and kept.generation == generation and now < kept.until:
            return kept.found
        found: Sequence[Any] = self._targets(asked) if self._plain(asked) else self._rows(asked)
        if len(found) >= _MANY:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[asked] = _Kept(now + _KEEP, generation, found)
        return found

    def _plain(self, asked: Asked) -> bool:
        """Whether what the reader sees is what the board has: nothing redacted that a filter or an order could tell."""
        return asked.kind is not TargetKind.SLICE and (
            sees_all(asked.scope) or not (asked.expression or asked.sort not in {"", "last_at", "since", "state"})
        )

    def _rows(self, asked: Asked) -> list[TargetRow]:
        keep = row_filter(asked.expression)
        rows = (redact_row(row, asked.scope) for row in self.board.rows(asked.kind, asked.scope))
        return sort_rows([row for row in rows if keep(row)], asked.sort, descending=asked.descending)

    def _targets(self, asked: Asked) -> list[Target]:
        board, states = self.board, self.board.states
        keep = target_filter(asked.expression)
        ordered: Iterable[Target]
        if asked.sort:
            ordered = board.ranking.by_name(asked.kind, asked.scope)
        else:
            ordered = board.ranking.worst_first(asked.kind, asked.scope, board.loss_of)
        found = [target for target in ordered if keep(target, states[target.id])] if keep else list(ordered)
        return self._sorted(found, asked) if asked.sort else found

    def _sorted(self, found: list[Target], asked: Asked) -> list[Target]:
        """As `sort_rows`: figures that do not apply come last."""
        value = self._value(asked.sort)
        pairs = [(value(target), target) for target in found]
        known = [pair for pair in pairs if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=asked.descending)
        return [target for _, target in known] + [target for figure, target in pairs if figure is None]

    def _value(self, name: str) -> Callable[[Target], Any]:
        board = self.board
        if name not in SORTABLE:
            raise UsageError(f"no field {name!r} to sort by; there are {', '.join(SORTABLE)}")
        if name in _OF_TARGET:
            return lambda target: getattr(target, name)
        if name == "state":
            rank = {state: state.badness for state in State}
            return lambda target: rank[board.states[target.id].state]
        if name in _OF_STATE:
            return lambda target: getattr(board.states[target.id], name)
        if name == "loss_per_hour":
            return lambda target: board.loss_of.get(target.id)
        if name == "next_at":
            return lambda target: board.next_at.get(target.id)
        return lambda target: getattr(board.row(target), name)
