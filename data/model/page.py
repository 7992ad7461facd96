from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from data.model.ids import TeamId


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page that a parser was given, kept as evidence: what it should look like, or how it failed."""

    parser: str
    team: TeamId
    at: datetime
    url: str
    """Redacted."""
    family: str
    """Layout family it was found to be of; empty where none is known."""
    verdict: str
    """The observation's cause, or `ok`."""
    good: bool
    """Everything was read from it as usual."""
    body: bytes
    """As received, zstd."""
    content_type: str = ""
    """As answered: some pages name their charset nowhere else."""
