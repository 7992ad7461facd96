"""Reading the history of one feed, older than what is read all the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from data.model.ids import TeamId


class BackfillState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Backfill:
    """How far one came. Windows of days are read from the newest to the oldest."""

    feed: str
    team: TeamId
    first: date
    last: date
    """Days asked for, both inclusive, in the partner's zone."""
    by: str
    started_at: datetime
    updated_at: datetime
    windows: int
    """Windows in all."""
    done: int = 0
    """Windows that are stored."""
    left: date | None = None
    """The newest day that is not stored yet; `None` when all are."""
    rows: int = 0
    """Records delivered."""
    held: int = 0
    """Windows whose figures are in quarantine."""
    state: BackfillState = BackfillState.RUNNING
    detail: str = ""
    """Why it waits, failed or was cancelled."""

    @property
    def share(self) -> float:
        return self.done / self.windows if self.windows else 1.0
