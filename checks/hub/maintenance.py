"""Times in which failures are expected: what fails in one is shown as paused and opens nothing. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from data.model.state import State
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from checks.hub.board import Board
    from data.config.settings import Maintenance
    from data.model.ids import TargetId
    from data.model.observation import Observation
    from data.model.target import Target

ABNORMAL = frozenset({State.FAILING, State.DEGRADED})


def ends_at(window: Maintenance, now: datetime) -> datetime | None:
    """When the window that is open at `now` ends, aware UTC; `None` when it is not open.

    A weekly window begins at its wall time in its zone and lasts its length in real time, so that it is neither longer nor
    shorter on the night when the clocks change; in an hour that does not exist it begins as if they had not.
    """
    if window.start and window.end:
        return window.end if window.start <= now < window.end else None
    if not window.at:
        return None
    zone, length = ZoneInfo(window.timezone), timedelta(seconds=window.length_s)
    today, wall = now.astimezone(zone).date(), time.fromisoformat(window.at)
    for back in range(length.days + 2):
        day = today - timedelta(days=back)
        begins = datetime.combine(day, wall, zone).astimezone(UTC)
        if day.weekday() in window.weekdays and begins <= now < begins + length:
            return begins + length
    return None


def covers(window: Maintenance, target: Target) -> bool:
    """Whether every field that the window gives matches; one that gives none covers nothing."""
    site = target.name if target.kind == "site" else target.site
    given = [(window.team, target.team), (window.site, site), (window.partner, target.partner)]
    named = any(asked for asked, _ in given) or bool(window.targets)
    fields = all(not asked or asked == has for asked, has in given)
    return named and fields and (not window.targets or any(_matches(one, target.id) for one in window.targets))


def _matches(pattern: str, target: str) -> bool:
    return target.startswith(pattern[:-1]) if pattern.endswith("*") else target == pattern


@dataclass(slots=True)
class Windows:
    """The configured windows over the targets of the board."""

    board: Board
    configured: Callable[[], Iterable[Maintenance]]

    def of(self, target: Target, now: datetime) -> tuple[Maintenance, datetime] | None:
        """The window that covers the target now, the one that ends last, and when that is."""
        found = [
            (window, end)
            for window in self.configured()
            if (end := ends_at(window, now)) is not None and covers(window, target)
        ]
        return max(found, key=lambda item: item[1], default=None)

    def covers(self, target_id: TargetId, now: datetime) -> bool:
        target = self.board.targets.get(target_id)
        return target is not None and self.of(target, now) is not None

    def rewrite(self, seen: Observation) -> Observation:
        """What an observation is worth while its target is being worked on.

        Good news stays, and so does the worsening of nothing: a target that was already failing keeps its finding. One that
        was degraded gets no worse: that is `unknown`, which changes nothing.
        """
        if seen.state not in ABNORMAL:
            return seen
        target, state = self.board.targets.get(seen.target), self.board.states.get(seen.target)
        if target is None or state is None or state.state is State.FAILING or state.state is seen.state:
            return seen
        open_now = self.of(target, seen.started_at)
        if open_now is None:
            return seen
        detail = clean_text(f"{words(*open_now, seen.started_at)}; seen: {seen.detail or seen.cause}", 300)
        calm = State.UNKNOWN if state.state is State.DEGRADED else State.PAUSED
        return replace(seen, state=calm, detail=detail, evidence={**seen.evidence, "seen": seen.cause})

    def note(self, target: Target, now: datetime) -> str:
        """What its detail screen says; empty outside of any window."""
        open_now = self.of(target, now)
        return f"{words(*open_now, now)}: failures open nothing" if open_now else ""

    def count(self, now: datetime) -> int:
        """Targets that are being worked on."""
        active = [window for window in self.configured() if ends_at(window, now) is not None]
        if not active:
            return 0
        return sum(any(covers(window, target) for window in active) for target in self.board.targets.values())


def words(window: Maintenance, end: datetime, now: datetime) -> str:
    """`maintenance until 14:00Z: the reason`, with the day when that is not today."""
    until = f"{end:%H:%M}Z" if end.date() == now.date() else f"{end:%d %b %H:%M}Z"
    return f"maintenance until {until}: {window.reason}"
