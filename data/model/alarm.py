"""What is kept of the revenue detector: every word said of an alarm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from data.model.ids import CauseId, TargetId, TeamId
from data.model.money import NO_LOSS, Loss


@dataclass(frozen=True, slots=True)
class AlarmEntry:
    """An alarm as it was known at `at`; the latest entry of an id is what holds."""

    id: str
    at: datetime
    team: TeamId
    """The one team of the slice's leaves, `*` for several."""
    target: TargetId
    """The slice, which may be corrected from entry to entry."""
    channel: str
    """ftd | regs | value | clicks"""
    cause: CauseId
    detected_at: datetime
    start: datetime
    end: datetime | None
    status: str
    """open | closed | withdrawn"""
    nats: float
    prior_nats: float
    """Part of `nats` that other checks lent."""
    window_h: int
    """Length of the window in which it first stood out."""
    observed: float
    expected: float
    why: str
    loss: Loss = NO_LOSS
