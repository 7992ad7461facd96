from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What we know of a target. `unknown` is no evidence either way: never uptime, downtime or money."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILING = "failing"
    UNKNOWN = "unknown"
    PAUSED = "paused"

    @property
    def badness(self) -> int:
        """Rank for sorting, worst first when descending; `unknown` sits between `ok` and `degraded`."""
        return _BADNESS[self]

    @property
    def exit_code(self) -> int:
        """The exit code of monitoring plugins: 0 ok, 1 degraded, 2 failing, 3 unknown."""
        return _EXIT[self]


_BADNESS = {State.PAUSED: 0, State.OK: 1, State.UNKNOWN: 2, State.DEGRADED: 3, State.FAILING: 4}
_EXIT = {State.OK: 0, State.DEGRADED: 1, State.FAILING: 2, State.UNKNOWN: 3, State.PAUSED: 0}
