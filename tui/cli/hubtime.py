from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.client import HubClient


@dataclass(frozen=True, slots=True)
class _Status:
    now: datetime


async def now_of(client: HubClient) -> datetime:
    """The hub's clock, which in a simulation is not the wall's."""
    return (await client.get("/v1/status", _Status)).now
