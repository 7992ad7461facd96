"""Clicks that are no people: a calm line for whoever buys the traffic, kept for a day. Never an alarm, never a partner's fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.revenue.alarm import slice_target
from checks.revenue.junk import words_of
from data.model.observation import NO_CAUSE
from data.model.snapshot import TargetRow
from data.model.state import State
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from checks.hub.board import Board
    from checks.revenue.junk import Junk
    from data.model.ids import TargetId

KEPT = timedelta(days=1)
_MOST = 50


@dataclass(slots=True)
class JunkNotes:
    """Each slice is told once in the log, and stands in the revenue list with its words for a day."""

    _rows: dict[TargetId, TargetRow] = field(default_factory=dict)

    def take(self, notes: Iterable[Junk], now: datetime, board: Board) -> None:
        """Note what is new, bring up to date what is known, forget what is old."""
        self._rows = {target: row for target, row in self._rows.items() if row.last_at and now - row.last_at < KEPT}
        for note in notes:
            row = _row(note, now)
            if row.target not in self._rows and len(self._rows) >= _MOST:
                continue
            if row.target not in self._rows:
                board.say(now, "note", row.name, row.detail, row.team)
            self._rows[row.target] = row

    def rows(self) -> dict[TargetId, TargetRow]:
        return dict(self._rows)


def _row(note: Junk, now: datetime) -> TargetRow:
    return TargetRow(
        target=slice_target(note.slice),
        kind=TargetKind.SLICE,
        team=note.team,
        name=" ".join(note.slice.values()),
        state=State.OK,
        cause=NO_CAUSE,
        since=None,
        detail=words_of(note),
        last_at=now,
        geo=note.slice.get("geo", ""),
        site=note.slice.get("site", ""),
        tier=2,
    )
