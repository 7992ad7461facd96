"""How far a replay has come, on standard error, where that is a terminal."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.cli.paper import shows_utf8

if TYPE_CHECKING:
    from datetime import datetime

BAR = 24
"""Cells of the bar."""
_EVERY_S = 0.2


@dataclass(slots=True)
class Bar:
    total: int
    shown_at: float = 0.0
    begun_at: float = field(default_factory=time.monotonic)
    first: int = -1
    """Ticks that were done when it began."""

    def show(self, done: int, now: datetime, lines: int) -> None:
        """Draw it, at most five times a second."""
        self.first = done - 1 if self.first < 0 else self.first
        at = time.monotonic()
        if not sys.stderr.isatty() or (at - self.shown_at < _EVERY_S and done < self.total):
            return
        self.shown_at = at
        left_s = (at - self.begun_at) / (done - self.first) * (self.total - done)
        width = shutil.get_terminal_size().columns
        # a line that is shorter than the one before must not leave its end behind
        print(f"\r\x1b[K{self.line(done, now, lines, left_s)[: width - 1]}", end="", file=sys.stderr, flush=True)

    def line(self, done: int, now: datetime, lines: int, left_s: float) -> str:
        """`replay ██████░░░░ 412/1177  2030-03-01 14:00Z  87 lines  1:12 left`."""
        full, empty = ("█", "░") if shows_utf8() else ("#", "-")
        cells = BAR * done // max(self.total, 1)
        minutes, seconds = divmod(round(left_s), 60)
        bar = full * cells + empty * (BAR - cells)
        left = f"{minutes}:{seconds:02d} left"
        return f"replay {bar} {done:,}/{self.total:,}  {now:%Y-%m-%d %H:%MZ}  {lines:,} lines  {left}"

    def end(self) -> None:
        if self.shown_at:
            print(file=sys.stderr)
