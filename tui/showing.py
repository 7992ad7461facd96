"""Which picture is on the screen: the newest, one that is held, or one of an earlier moment; and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from data.model.snapshot import Snapshot
from data.text import clean_text
from tui import format as fmt
from tui.lines import Line, wrap
from tui.service import Lost

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.service import Update

EMPTY = Snapshot(0, datetime(1970, 1, 1, tzinfo=UTC))
SILENT_S = 12.0
"""No heartbeat for so long: the picture is called stale."""
LITE_S = 5.0
"""With `--lite`, for slow lines, the picture changes at most this often."""
YOUNG = timedelta(seconds=100)
"""While something is younger, its age is written in seconds and ticks each second."""


@dataclass(slots=True)
class Showing:
    """Pure over `monotonic`, a clock in seconds. Every picture of the present passes `take`."""

    monotonic: Callable[[], float]
    lite: bool = False
    snapshot: Snapshot = EMPTY
    """What is drawn."""
    waiting: Snapshot | None = None
    """The newest of the present, as long as something else is drawn."""
    at: datetime | None = None
    """The earlier moment that is looked at; `None` is the present."""
    _paused_at: float | None = None
    _lost: str = "Waiting for the hub."
    _heard: float = field(init=False)
    _drawn: float = field(init=False)

    def __post_init__(self) -> None:
        self._heard = self._drawn = self.monotonic()

    def hear(self, update: Update) -> bool:
        """Take a sign of life, or that there is none; whether what is said of the picture changed."""
        before, self._lost = self._lost, clean_text(update.reason) if isinstance(update, Lost) else ""
        if not isinstance(update, Lost):
            self._heard = self.monotonic()
        return self._lost != before

    def take(self, snapshot: Snapshot) -> bool:
        """A newer picture: whether it is to be drawn now. If not it waits."""
        too_soon = self.lite and self.snapshot.version and self.monotonic() - self._drawn < LITE_S
        if self.at is not None or self.paused or too_soon:
            self.waiting = snapshot
            return False
        self._show(snapshot)
        return True

    def _show(self, snapshot: Snapshot) -> None:
        self.waiting, self.snapshot, self._drawn = None, snapshot, self.monotonic()

    def take_waiting(self) -> bool:
        """The one that waits, if nothing holds it any more: whether it is to be drawn now."""
        return self.waiting is not None and self.take(self.waiting)

    def leave_for(self, at: datetime) -> None:
        """An earlier moment is looked at from now on; the present waits."""
        if self.at is None and self.snapshot.version:
            self.waiting = self.waiting or self.snapshot
        self.at = at

    def show_past(self, picture: Snapshot, at: datetime) -> bool:
        """The picture of an earlier moment: whether that is still what is looked at."""
        if self.at != at:
            return False
        self.snapshot = picture
        return True

    def come_back(self) -> bool:
        """The present again, which nothing holds any more: whether its picture is to be drawn now."""
        self.at = self._paused_at = None
        if self.waiting is None:
            return False
        self._show(self.waiting)
        return True

    def pause_or_go_on(self) -> None:
        self._paused_at = self.monotonic() if self._paused_at is None else None

    @property
    def paused(self) -> bool:
        return self._paused_at is not None

    @property
    def stale(self) -> bool:
        return bool(self._lost) or self.monotonic() - self._heard > SILENT_S

    @property
    def present(self) -> datetime:
        """The hub's clock, whatever moment is looked at."""
        return self.waiting.at if self.at is not None and self.waiting is not None else self.now()

    def now(self) -> datetime:
        """The hub's clock; stands still while the picture does."""
        if self.at is not None or self.paused or self.stale:
            return self.snapshot.at
        return self.snapshot.at + timedelta(seconds=(self.monotonic() - self._drawn) * self.snapshot.speed)

    def ages_move(self) -> bool:
        """Whether something on the screen changes every second by itself."""
        now = self.now()
        return self.paused or self.stale or any(now - one.started_at < YOUNG for one in self.snapshot.incidents)

    def freshness(self) -> Line:
        """`LIVE 14:32:07Z`, `PAUSED 3m`, `STALE 41s`, `PAST 11-17 12:00Z`: how far the picture can be trusted."""
        if self.at is not None:
            return ((" PAST ", "need"), (f"{self.at:%m-%d %H:%MZ} ", "strong"))
        seen = fmt.clock(self.snapshot.at) if self.snapshot.version else ""
        if self.stale:
            word = f"STALE {fmt.age(self.monotonic() - self._heard)}" if self.snapshot.version else "CONNECTING"
            return ((f" {word} ", "warn"), (f"{seen} ", "dim"))
        if self._paused_at is not None:
            return ((f" PAUSED {fmt.age(self.monotonic() - self._paused_at)} ", "need"), (f"{seen} ", "dim"))
        return ((" LIVE ", "dim"), (f"{seen} ", ""))

    def own_lines(self, width: int) -> list[Line]:
        """What is wrong with ourselves, on top of the log."""
        if not (self._lost and self.stale):
            return []
        told = wrap(self._lost, width - 4, "warn")[:3]
        return [((" ▲ " if number == 0 else "   ", "warn"), *line) for number, line in enumerate(told)]
