"""What somebody at Corvane Media does: over the hub's socket, with the rights of who started it, as any person.

1. 06:34 plan B for P02's paused offer: its visitors go to P01. Ten minutes after the offer is back it is taken back.
2. 10:05 the unit of P06's money is mapped, and what was held back read again.
3. 11:41 Halyard Edge: plan C is tried first and refused, its holding page is behind Halyard, too. Plan B puts tiers 1 and 2
   behind the reserve edge, and is taken back after the end.
4. 13:40 P10's new token is stored, and the feed checked.
5. 21:10 the evidence against P05 is packed, for somebody to send it.

Each is tried again until the hub has done it: a person would wait for the alarm first. A plan is not tried any more once
its trouble is over, and somebody else may have used it meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from checks.demo.install import feed_name, secret_name
from checks.demo.partners import BY_ID as PARTNER
from checks.demo.prepared import HOLD, RESERVE, SWAP
from checks.demo.script import ACTS, BACK, BY_ID
from data.durable import replace_file
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
            await asyncio.gather(
                *(self._do(event, act, hub) for event, act in acts.items()),
                self._switch("F1", [SWAP], hub),
                self._switch("F5", [HOLD, RESERVE], hub),
            )

    async def _switch(self, event: str, plans: list[str], hub: httpx.AsyncClient) -> None:
        """Use the last of `plans`, once those before it were tried, and take back what is used when the trouble is over."""
        over = BY_ID[event].ended(self.company.script.day)
        await self._wait(self._due(event))
        used = False
        while not used and self.clock.now() < over:
            used = await self._use(event, plans, hub)
            if not used:
                await self.clock.sleep(AGAIN.total_seconds())
        await self._wait(over + BACK)
        for plan in plans if used else ():
            while await self._is_used(plan, hub):
                await self._told(hub, "plan_revert", plan=plan)
                await self.clock.sleep(AGAIN.total_seconds())

    async def _use(self, event: str, plans: list[str], hub: httpx.AsyncClient) -> bool:
        if await self._is_used(plans[-1], hub):
            return True
        began = self.clock.now()
        for number in await self._troubles(event, hub):
            await self._told(hub, "acknowledge", incident=number)
            if [await self._told(hub, "plan_use", incident=number, plan=plan) for plan in plans][-1]:
                self.begun[event] = began
                return True
        return False

    async def _troubles(self, event: str, hub: httpx.AsyncClient) -> list[int]:
        """Open incidents that the event's plan may be for."""
        rows = await self._asked(hub, "/v1/incidents?state=open&limit=200", "rows")
        return [row["id"] for row in rows if row["cause"] in BY_ID[event].expected_causes]

    async def _is_used(self, plan: str, hub: httpx.AsyncClient) -> bool:
        book = await self._asked(hub, "/v1/plans", "plans")
        return any(one["id"] == plan and (one.get("live") or {}).get("state") == "applied" for one in book)

    async def _asked(self, hub: httpx.AsyncClient, path: str, part: str) -> list[dict[str, Any]]:
        """Part of an answer; nothing when the hub has none."""
        answer = await _answer(hub.get(path))
        rows: list[dict[str, Any]] = answer.json().get(part, []) if answer else []
        return rows

    async def _wait(self, until: datetime) -> None:
        await self.clock.sleep((until - self.clock.now()).total_seconds())

    async def _do(self, event: str, act: Act, hub: httpx.AsyncClient) -> None:
        await self._wait(self._due(event))
        done = False
        while not done:
            began = self.clock.now()
            done = await act(hub)
            if done:
                self.begun[event] = began
            else:
                await self.clock.sleep(AGAIN.total_seconds())

    def _due(self, event: str) -> datetime:
        day = self.company.script.day
        return datetime.combine(day.date(), ACTS[event], day.tzinfo)

    async def _map(self, hub: httpx.AsyncClient) -> bool:
        target = f"feed:{feed_name(PARTNER['P06'])}"
        seen = await _answer(hub.get(f"/v1/target/{target}"))
        raised = seen is not None and seen.json()["row"]["cause"] == "feed.scale"
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
        answer = await _answer(hub.get(f"/v1/feeds/{name}/evidence"))
        if answer is None:
            return False
        replace_file(self.company.home.state / "demo" / f"{name}-evidence.zip", answer.content)
        return True

    async def _command(self, hub: httpx.AsyncClient, command: str, partner: str, **arguments: object) -> bool:
        return await self._told(hub, command, target=f"feed:{feed_name(PARTNER[partner])}", **arguments)

    async def _told(self, hub: httpx.AsyncClient, command: str, **arguments: object) -> bool:
        """Whether the hub did it."""
        return await _answer(hub.post(f"/v1/commands/{command}", json=arguments)) is not None


async def _answer(asked: Awaitable[httpx.Response]) -> httpx.Response | None:
    """`None` where the hub refuses, or does not answer yet."""
    try:
        answer = await asked
    except httpx.HTTPError as problem:
        log.info("the hub does not answer yet: %s", problem)
        return None
    if answer.status_code != httpx.codes.OK:
        log.info("%s: %s", answer.url.path, answer.text)
        return None
    return answer
