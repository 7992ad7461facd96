"""What somebody at Corvane Media does about the feeds: over the hub's socket, with the rights of who started it, as any person.

1. 10:05 the unit of P06's money is mapped, and what was held back read again.
2. 13:40 P10's new token is stored, and the feed checked.
3. 21:10 the evidence against P05 is packed, for somebody to send it.

Each is tried again until the hub has done it: a person would wait for the alarm first.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx

from checks.demo.atomic import replace
from checks.demo.install import feed_name, secret_name
from checks.demo.partners import BY_ID as PARTNER
from checks.demo.script import ACTS, BY_ID
from data.secrets import open_secrets

if TYPE_CHECKING:
    from checks.demo.company import Company
    from checks.engine.clock import Clock

log = logging.getLogger(__name__)

Act = Callable[[httpx.AsyncClient], Awaitable[bool]]
"""Gives whether it is done."""

AGAIN = timedelta(minutes=2)
PATIENCE_S = 60.0
"""Wall seconds the hub has for an answer: reading kept bodies again may take its time."""


@dataclass(slots=True)
class People:
    """Does what is to be done on the script's day, each at its time; `begun` says when it was begun."""

    company: Company
    clock: Clock
    opened: datetime
    """When the hub could first see anything: what was due before was done without an alarm."""
    begun: dict[str, datetime] = field(default_factory=dict)

    async def work(self) -> None:
        """Return when all is done."""
        socket = httpx.AsyncHTTPTransport(uds=str(self.company.home.socket))
        async with httpx.AsyncClient(transport=socket, base_url="http://hub", timeout=PATIENCE_S) as hub:
            acts = {"F4": self._map, "F7": self._renew, "F15": self._pack}
            await asyncio.gather(*(self._do(event, act, hub) for event, act in acts.items()))

    async def _do(self, event: str, act: Act, hub: httpx.AsyncClient) -> None:
        await self.clock.sleep((self._due(event) - self.clock.now()).total_seconds())
        done = False
        while not done:
            began = self.clock.now()
            try:
                done = await act(hub)
            except httpx.HTTPError as problem:
                log.info("the hub does not answer yet: %s", problem)
            if done:
                self.begun[event] = began
            else:
                await self.clock.sleep(AGAIN.total_seconds())

    def _due(self, event: str) -> datetime:
        day = self.company.script.day
        return datetime.combine(day.date(), ACTS[event], day.tzinfo)

    async def _map(self, hub: httpx.AsyncClient) -> bool:
        target = f"feed:{feed_name(PARTNER['P06'])}"
        seen = await hub.get(f"/v1/target/{target}")
        raised = seen.status_code == httpx.codes.OK and seen.json()["row"]["cause"] == "feed.scale"
        if not raised and self.opened < BY_ID["F4"].began(self.company.script.day):
            return False
        return await self._command(hub, "feed_map", "P06", options={"unit": "minor"})

    async def _renew(self, hub: httpx.AsyncClient) -> bool:
        """The partner issues a token; it goes into the vault and nowhere else."""
        partner, token = PARTNER["P10"], secrets.token_urlsafe(24)
        self.company.town.apis[partner.id].secret = token
        vault = await asyncio.to_thread(open_secrets, self.company.home)
        await asyncio.to_thread(vault.set, secret_name(partner), token)
        return await self._command(hub, "recheck", partner.id)

    async def _pack(self, hub: httpx.AsyncClient) -> bool:
        name = feed_name(PARTNER["P05"])
        answer = await hub.get(f"/v1/feeds/{name}/evidence")
        if answer.status_code != httpx.codes.OK:
            return False
        replace(self.company.home.state / "demo" / f"{name}-evidence.zip", answer.content)
        return True

    async def _command(self, hub: httpx.AsyncClient, command: str, partner: str, **arguments: object) -> bool:
        about = {"target": f"feed:{feed_name(PARTNER[partner])}", **arguments}
        answer = await hub.post(f"/v1/commands/{command}", json=about)
        if answer.status_code != httpx.codes.OK:
            log.info("%s: %s", command, answer.text)
        return answer.status_code == httpx.codes.OK
