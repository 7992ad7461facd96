from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from data.model.audit import AuditEntry
from data.model.ids import TeamId

PLACES = ("site", "host", "team")


@dataclass(frozen=True, slots=True)
class Deploy:
    """A change that somebody made to what is watched, as their own tools tell us: exactly one place is given."""

    at: datetime
    what: str
    who: str = ""
    site: str = ""
    host: str = ""
    team: str = ""

    @property
    def places(self) -> list[str]:
        """`site:kiel`, as incidents name it."""
        return [f"{name}:{value}" for name in PLACES if (value := getattr(self, name))]

    @property
    def entry(self) -> AuditEntry:
        """How it is kept: among all that people did."""
        return AuditEntry(self.at, self.who, TeamId(self.team), "deploy", self.places[0], self.what)
