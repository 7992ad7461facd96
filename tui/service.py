"""Where the dashboard's facts come from: a hub behind its socket, or anything else that speaks like one."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlencode

from data.errors import LosswatchError
from data.model.plan import Rehearsed
from data.model.revenue_view import Calibration, Watched
from data.model.snapshot import CommandReply, Hello, IncidentDetail, ListPage, Snapshot, TargetDetail
from tui.client import HubClient

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime
    from pathlib import Path

    from data.model.target import TargetKind

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True)
class Query:
    """A window of a list in an order; the hub sorts and filters."""

    kind: TargetKind
    filter: str = ""
    sort: str = ""
    desc: bool = True
    offset: int = 0
    limit: int = 200


@dataclass(frozen=True, slots=True)
class Lost:
    """The hub went away; what is on the screen is the last picture."""

    reason: str


@dataclass(frozen=True, slots=True)
class Alive:
    """The hub is there and has nothing new."""


Update = Hello | Snapshot | Lost | Alive


class Service(Protocol):
    """All a dashboard asks for. Every method may raise `LosswatchError`, whose sentence is shown."""

    def travel(self, at: datetime | None) -> None:
        """From now on everything but `updates` and `command` is about that moment; `None` is the present again."""
        ...

    async def snapshot(self) -> Snapshot:
        """The Overview of the moment."""
        ...

    def updates(self) -> AsyncGenerator[Update]:
        """What happens, for ever; reconnects by itself."""
        ...

    async def page(self, query: Query) -> ListPage: ...

    async def target(self, target: str) -> TargetDetail: ...

    async def slice(self, target: str, window: str) -> TargetDetail:
        """A slice of the revenue facts with its series over `window`: 6h | 24h | 7d | 28d."""
        ...

    async def watchlist(self) -> tuple[Watched, ...]:
        """Slices under suspicion, the strongest first."""
        ...

    async def calibration(self) -> Calibration:
        """Whether the detector of revenue keeps its word."""
        ...

    async def incident(self, number: int) -> IncidentDetail: ...

    async def command(self, name: str, **args: object) -> CommandReply: ...

    async def rehearse(self, number: int, plan: str) -> Rehearsed:
        """A dry run of a plan for an incident; touches nothing."""
        ...

    async def evidence(self, feed: str) -> bytes:
        """The evidence pack of a feed, a zip."""
        ...


class HubService:
    """A service over the hub's socket."""

    def __init__(self, socket: Path) -> None:
        self.client = HubClient(socket)

    def travel(self, at: datetime | None) -> None:
        self.client.at = at

    async def snapshot(self) -> Snapshot:
        return await self.client.get("/v1/snapshot", Snapshot)

    async def updates(self) -> AsyncGenerator[Update]:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                async with aclosing(self.client.events()) as lines:
                    async for line in lines:
                        pause_s = FIRST_PAUSE_S
                        yield line.hello or line.snapshot or Alive()
                        if line.kind == "bye":
                            break
                yield Lost("The hub said goodbye.")
            except LosswatchError as problem:
                yield Lost(str(problem))
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311  # jitter, not a secret
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def page(self, query: Query) -> ListPage:
        asked = {
            "filter": query.filter, "sort": query.sort, "desc": int(query.desc), "offset": query.offset,
            "limit": query.limit,
        }  # fmt: skip
        return await self.client.get(f"/v1/targets/{query.kind.value}?{urlencode(asked)}", ListPage)

    async def target(self, target: str) -> TargetDetail:
        return await self.client.get(f"/v1/target/{quote(target, safe='')}", TargetDetail)

    async def slice(self, target: str, window: str) -> TargetDetail:
        return await self.client.get(f"/v1/target/{quote(target, safe='')}?window={quote(window)}", TargetDetail)

    async def watchlist(self) -> tuple[Watched, ...]:
        return await self.client.get("/v1/watchlist", tuple[Watched, ...])

    async def calibration(self) -> Calibration:
        return await self.client.get("/v1/calibration", Calibration)

    async def incident(self, number: int) -> IncidentDetail:
        return await self.client.get(f"/v1/incidents/{number}", IncidentDetail)

    async def command(self, name: str, **args: object) -> CommandReply:
        return await self.client.command(name, **args)

    async def rehearse(self, number: int, plan: str) -> Rehearsed:
        return await self.client.ask("plan_rehearse", Rehearsed, incident=number, plan=plan)

    async def evidence(self, feed: str) -> bytes:
        return await self.client.get_bytes(f"/v1/feeds/{quote(feed, safe='')}/evidence")
