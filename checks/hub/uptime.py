from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from data.model.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from data.model.ids import TargetId
    from data.model.observation import Flip, TargetState

SPAN = timedelta(hours=24)
_KNOWN = frozenset({State.OK, State.DEGRADED, State.FAILING})


@dataclass(slots=True)
class Uptime:
    """What share of the last day's known time a target was not failing; costs memory only for those that changed state."""

    _past: dict[TargetId, list[tuple[datetime, datetime, State]]] = field(default_factory=dict)
    """(from, until, state) of the states before the present one, oldest first."""

    def moved(self, old: TargetState, new: TargetState) -> None:
        """A target has another state since `new.since`."""
        if old.since is None or new.since is None or old.last_at is None or new.since <= old.since:
            return
        past = self._past.setdefault(new.target, [])
        past.append((old.since, new.since, old.state))
        while past and new.since - past[0][1] > SPAN:
            del past[0]

    def restore(self, flips: Iterable[Flip], begin: datetime) -> None:
        """Take up a day's flips, oldest first, that began at `begin`."""
        for flip in flips:
            past = self._past.setdefault(flip.target, [])
            since = past[-1][1] if past else begin
            if flip.at > since:
                past.append((since, flip.at, flip.old))

    def forget(self, target: TargetId) -> None:
        self._past.pop(target, None)

    def share(self, state: TargetState, now: datetime) -> float | None:
        """0..1, or `None` where nothing is known; unknown and paused time count neither way."""
        begin, past = now - SPAN, self._past.get(state.target)
        if state.last_at is None or state.since is None:
            return None
        if not past and state.state in _KNOWN:
            return 0.0 if state.state is State.FAILING else 1.0
        known = failing = 0.0
        for since, until, was in (*(past or ()), (state.since, now, state.state)):
            seconds = (until - max(since, begin)).total_seconds()
            if seconds > 0 and was in _KNOWN:
                known += seconds
                failing += seconds if was is State.FAILING else 0.0
        return 1.0 - failing / known if known else None
