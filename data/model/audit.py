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


@dataclass(frozen=True, slots=True)
class AuditChain:
    """The audit, followed from its first entry to the newest."""

    entries: int
    head: str
    """Hash of the newest entry, empty before the first. Entries cut off at the end leave a whole chain: whoever keeps this
    outside of the database sees that they are gone."""
    broken: str = ""
    """A sentence about the first entry that is not what was written; empty when there is none."""
