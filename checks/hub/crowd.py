"""The members of an incident as its detail needs them: walked over beside the loop, and very many not at every look."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.hub.funnels import guess
from checks.incidents.explain import Walked, walked
from checks.incidents.suspects import AFTER, BEFORE, suspects
from checks.revenue.alarm import slice_of
from data.model.principal import EVERYTHING, MoneyRight
from data.model.target import TargetKind
from data.store import audit, findings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from checks.hub.hub import Hub
    from data.model.ids import IncidentId
    from data.model.incident import Finding, Incident
    from data.model.principal import Scope
    from data.model.snapshot import BandPoint

MANY = 2_000
"""Fewer members than this are walked over at every look."""
REST = 20.0
"""More are not walked over again before so many times as long as it took: a twentieth of a core at most."""
_KEPT = 16


@dataclass(frozen=True, slots=True)
class Crowd:
    """Those of one incident that one scope sees."""

    members: tuple[Finding, ...]
    """Oldest first."""
    parsers: tuple[Finding, ...]
    walked: Walked
    moved: str
    """Which step of the funnel moved first where money is missing, and what that usually means."""
    changes: tuple[str, ...]
    """What people changed just before."""
    band: tuple[BandPoint, ...]
    """Commission per hour of all that is affected; nothing for whoever may not see money."""
    teams: tuple[tuple[str, int], ...]
    """Most members first."""


@dataclass(slots=True)
class Crowds:
    hub: Hub
    _kept: dict[tuple[IncidentId, Scope], tuple[float, Crowd]] = field(default_factory=dict)
    """With the monotonic time until which it serves."""
    _walking: dict[tuple[IncidentId, Scope], asyncio.Task[Crowd]] = field(default_factory=dict)
    """Whoever asks meanwhile waits for the same walk."""

    async def of(self, incident: Incident, scope: Scope, now: datetime) -> Crowd:
        """Of very many members it may be some seconds old."""
        key = incident.id, scope
        until, kept = self._kept.get(key, (0.0, None))
        if kept is not None and time.monotonic() < until:
            return kept
        walking = self._walking.get(key)
        if walking is None:
            walking = self._walking[key] = asyncio.create_task(self._walk(incident, scope, now))
            walking.add_done_callback(lambda _: self._walking.pop(key, None))
        return await asyncio.shield(walking)

    async def _walk(self, incident: Incident, scope: Scope, now: datetime) -> Crowd:
        members = self.hub.desk.members(incident.id)
        began = time.monotonic()
        crowd = await asyncio.to_thread(self._found, incident, members, scope, now)
        ended = time.monotonic()
        if len(crowd.members) >= MANY:
            self._kept = dict(list(self._kept.items())[1 - _KEPT :])
            self._kept[incident.id, scope] = ended + REST * (ended - began), crowd
        return crowd

    def _found(self, incident: Incident, members: Sequence[Finding], scope: Scope, now: datetime) -> Crowd:
        known = members or findings.of_incident(self.hub.store, scope, incident.id)
        mine = tuple(one for one in known if scope.sees(one.team))
        return Crowd(
            members=mine,
            parsers=tuple(one for one in mine if one.kind is TargetKind.PARSER),
            walked=walked(mine),
            moved=self._moved(incident, mine, scope, now),
            changes=self._changes(incident, mine),
            band=self._band(incident, mine, now) if scope.money is MoneyRight.FULL else (),
            teams=tuple(Counter({one.target: str(one.team) for one in mine}.values()).most_common()),
        )

    def _moved(self, incident: Incident, members: Sequence[Finding], scope: Scope, now: datetime) -> str:
        slices = (one.target for one in members if one.kind is TargetKind.SLICE)
        first = next(slices, None) if incident.cause.startswith("revenue.") else None
        return guess(self.hub, slice_of(first), scope, incident.started_at, incident.closed_at or now) if first else ""

    def _changes(self, incident: Incident, members: Sequence[Finding]) -> tuple[str, ...]:
        """Whoever sees a member may know what was done to it."""
        began = incident.started_at
        return suspects(audit.between(self.hub.store, EVERYTHING, began - BEFORE, began + AFTER), members, began)

    def _band(self, incident: Incident, members: Sequence[Finding], now: datetime) -> tuple[BandPoint, ...]:
        """Summed hour by hour."""
        since = min(incident.started_at, now - timedelta(hours=12)) - timedelta(hours=6)
        return self.hub.pricing.series_of(members, max(since, now - timedelta(hours=72)), now)
