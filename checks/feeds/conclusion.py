"""What the changes of a delivery come to: one state, one cause, one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.feeds.kinds import BREAKING, KINDS, RISKY
from data.model.cause import cause, state_of
from data.model.observation import NO_CAUSE
from data.model.state import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.feeds.arrival import Arrival
    from checks.feeds.change import Change
    from checks.feeds.memory import Memory
    from checks.feeds.pull import Pulled
    from data.model.ids import CauseId

RANK = (
    "feed.scale",
    "feed.contract",
    "feed.paging",
    "feed.timezone",
    "feed.restated",
    "feed.auth",
    "feed.deprecated",
)
"""Of changes of one severity, the cause that is told first."""


def conclusion(pulled: Pulled, memory: Memory, found: Sequence[Change], waiting: Arrival) -> tuple[State, CauseId, str]:
    """The worst change, else what was restated of late, else what is awaited, else the number of rows."""
    for severity in (BREAKING, RISKY):
        telling = [change for change in found if change.severity == severity]
        if telling:
            return _by_change(severity, telling)
    if memory.restated:
        return State.FAILING, cause("feed.restated"), memory.restated
    if waiting.late:
        return state_of(cause("feed.late")), cause("feed.late"), waiting.note
    if not memory.newest and not pulled.rows:
        return State.OK, NO_CAUSE, "no rows yet"
    words = f"{len(pulled.rows)} rows" + (f", {waiting.note}" if waiting.note else "")
    return State.OK, NO_CAUSE, words


def _by_change(severity: str, telling: Sequence[Change]) -> tuple[State, CauseId, str]:
    by_cause: dict[str, list[Change]] = {name: [] for name in RANK}
    for change in telling:
        by_cause[KINDS[change.kind].cause].append(change)
    name, first = next((name, group) for name, group in by_cause.items() if group)
    lowered = name == "feed.restated"
    state = State.FAILING if severity == BREAKING or lowered else State.DEGRADED
    more = f" and {len(first) - 1} more" if len(first) > 1 else ""
    return state, cause(name), words_of(first[0]) + more


def words_of(change: Change) -> str:
    """A change in plain words."""
    where = change.path or "report"
    match change.kind:
        case "scale-changed":
            factor = change.now.partition(",")[0]
            return f"{factor} on {where}, counts flat"
        case "field-renamed":
            return f"{change.was} is now {change.now}"
        case "response-required-property-removed" | "response-optional-property-removed":
            return f"{where} is gone"
        case "rows-vanished":
            return f"{change.was} became {change.now}"
        case _:
            return f"{where}: {change.was} → {change.now}"
