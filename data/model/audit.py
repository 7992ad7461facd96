from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from data.model.ids import TeamId


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what; append-only and hash-chained by the store."""

    at: datetime
    who: str
    team: TeamId
    action: str
    subject: str
    detail: str = ""
