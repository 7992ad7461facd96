"""How well the hub itself does, and what it looks through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from data.model.state import State


@dataclass(frozen=True, slots=True)
class VantageHealth:
    """How one vantage does, whatever the hosts behind it."""

    name: str
    country: str
    state: State
    """`unknown` until it was used."""
    detail: str = ""
    """Why it is down; empty when it is not."""
    last_at: datetime | None = None
    """When anything was last seen of it."""


@dataclass(frozen=True, slots=True)
class HubHealth:
    """How well the hub itself does; shown in the header when not well."""

    state: State = State.OK
    detail: str = ""
    """What is wrong with us, in one sentence; empty when nothing is."""
    network_ok: bool = True
    due: int = 0
    late: int = 0
    """Checks of the last hour that began more than one interval late, or not at all."""
    late_s: float = 0.0
    """The longest that a target was behind its time in the last hour, seconds of the hub's clock."""
    checks_per_s: float = 0.0
    store_ok: bool = True
    missing_secrets: tuple[str, ...] = ()
    vantages: tuple[VantageHealth, ...] = ()
