"""How long a person's word holds that closed what still fails. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from checks.incidents.correlation import ECHO, is_echo
from data.model.incident import IncidentState

if TYPE_CHECKING:
    from data.model.ids import CauseId
    from data.model.incident import Incident

_HOLDS = timedelta(minutes=30)
"""Against what is seen to fail on: three good looks at five minutes, twice over."""


def holds_for(cause: CauseId) -> timedelta:
    """Conversions lag behind their clicks: of what is missing nobody can say sooner that it still is."""
    return ECHO if is_echo(cause) else _HOLDS


def still_failing(incident: Incident) -> str:
    """Of an incident that somebody closed while it failed, what fails and what becomes of it; empty of any other."""
    if incident.state is not IncidentState.CLOSED or not incident.open_members or incident.closed_at is None:
        return ""
    several = incident.members > 1
    many = f"{incident.open_members:,} of {incident.members:,} members still fail" if several else "it still fails"
    return f"{many}; seen to fail after {incident.closed_at + holds_for(incident.cause):%H:%MZ}, it opens again"
