"""Streams of a Keitaro tracker switched on and off over its Admin API (v1: `PUT /admin_api/v1/streams/{id}`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.incidents.plans.calls import request
from checks.incidents.plans.way import PlanRefused, PlanStuck, Sight
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import httpx


@dataclass(frozen=True, slots=True)
class Keitaro:
    """Sets the state of some streams; all of them, or none."""

    client: httpx.AsyncClient
    url: str
    """Of the tracker, without `/admin_api`."""
    secret: str
    key: Callable[[str], Awaitable[str]]
    sets: Mapping[str, str]
    """Stream number to `active` or `disabled`."""

    async def look(self) -> Sight:
        before, after, undo = [], [], {}
        for stream, wanted in self.sets.items():
            now, name = await self._state(stream)
            label = f"stream {stream}{name and f' {name}'}"
            before.append(f"{label}: {now}")
            after.append(f"{label}: {wanted}")
            undo[stream] = now
        return Sight(tuple(before), tuple(after), undo)

    async def apply(self, sight: Sight) -> str:
        done: dict[str, str] = {}
        for stream, wanted in self.sets.items():
            if (was := sight.undo[stream]) == wanted:
                continue
            try:
                await self._put(stream, wanted)
            except PlanRefused as problem:
                await self._back(done, problem)
                raise
            done[stream] = was
        return f"{len(done)} streams were set"

    async def revert(self, undo: Mapping[str, str]) -> str:
        changed = []
        for stream, was in undo.items():
            now, _ = await self._state(stream)
            if now == was:
                continue
            if now != self.sets.get(stream):
                raise PlanStuck(f"stream {stream} was changed by somebody else since and is left as it is")
            await self._put(stream, was)
            changed.append(stream)
        return f"{len(changed)} streams are as they were"

    async def _back(self, done: Mapping[str, str], why: Exception) -> None:
        for stream, was in done.items():
            try:
                await self._put(stream, was)
            except (PlanRefused, PlanStuck) as problem:
                raise PlanStuck(f"half done ({why}), and stream {stream} cannot be taken back: {problem}") from problem

    async def _state(self, stream: str) -> tuple[str, str]:
        answer = await request(self.client, "GET", self._at(stream), headers=await self._headers())
        try:
            told = answer.json()
        except ValueError:
            told = None
        if not isinstance(told, dict) or not isinstance(told.get("state"), str):
            raise PlanRefused(f"stream {stream}: the tracker's answer has no state")
        return clean_text(told["state"], 40), clean_text(str(told.get("name") or ""), 60)

    async def _put(self, stream: str, state: str) -> None:
        body = json.dumps({"state": state}).encode()
        await request(self.client, "PUT", self._at(stream), content=body, headers=await self._headers())

    def _at(self, stream: str) -> str:
        return f"{self.url.rstrip('/')}/admin_api/v1/streams/{stream}"

    async def _headers(self) -> dict[str, str]:
        return {"Api-Key": await self.key(self.secret), "content-type": "application/json"}
