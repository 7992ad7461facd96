"""One target and one incident as they were at an earlier moment."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.hub.incident_story import counted
from checks.incidents.explain import plans_of, statements
from data.access.redaction import redact_row, redact_words
from data.model.ids import IncidentId, TargetId
from data.model.principal import MoneyRight
from data.model.snapshot import IncidentDetail, IncidentPage, TargetDetail, TargetRow
from data.model.target import TargetKind
from data.store import flips, observations, rollups
from data.text import redact

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from checks.hub.hub import Hub
    from checks.hub.past import Moment
    from data.model.incident import Finding, Incident
    from data.model.principal import Principal, Scope
    from data.model.snapshot import BandPoint

_CELLS = 60
_MEMBERS = 200
_BAND = timedelta(hours=24)


@dataclass(slots=True)
class PastDetails:
    """Parts that only the present can tell (plans that could be used, what an upstream's members do) are left out."""

    hub: Hub

    async def incidents(self, who: Principal, at: datetime, offset: int, limit: int) -> IncidentPage:
        moment = await self.hub.past.at(at)
        return moment.views.incidents(who.scope, offset, limit)

    async def incident(self, who: Principal, number: int, at: datetime) -> IncidentDetail | None:
        """`None`: not in scope, or not known by then."""
        moment, scope = await self.hub.past.at(at), who.scope
        found = moment.get(IncidentId(number))
        if found is None or not any(map(scope.sees, found.teams)):
            return None
        mine = [one for one in moment.members(found.id) if scope.sees(one.team)]
        told = [entry for entry in moment.told.get(found.id, ()) if entry.at <= moment.at]
        band: tuple[BandPoint, ...] = ()
        if scope.money is MoneyRight.FULL:
            begin = min(found.started_at, moment.at) - _BAND / 4
            since = max(begin, moment.at - _BAND)
            band = await asyncio.to_thread(self.hub.pricing.series_of, mine, since, moment.at)
        story = self.hub.details.story
        (seen,) = await asyncio.to_thread(story.shown, [found], scope)
        said = (replace(one, text=redact_words(one.text, scope)) for one in statements(found, mine))
        return IncidentDetail(
            version=moment.board.version,
            incident=seen,
            statements=(*counted(seen), *said),
            timeline=await asyncio.to_thread(story.told, found, told, scope, moment.at),
            members=_rows(moment, mine, scope),
            band=band,
            plans=plans_of(found),
            teams=tuple(Counter({one.target: str(one.team) for one in mine}.values()).most_common()),
            checklist=self.hub.commands.records.checklist(found, tuple(told)),
        )

    async def target(self, who: Principal, name: str, at: datetime) -> TargetDetail | None:
        moment = await self.hub.past.at(at)
        row = moment.board.find_row(TargetId(name), moment.at)
        if row is None or not who.scope.sees(row.team):
            return None
        return await asyncio.to_thread(self._target, row, who.scope, moment)

    def _target(self, row: TargetRow, scope: Scope, moment: Moment) -> TargetDetail:
        store, at, target = self.hub.store, moment.at, moment.board.targets.get(row.target)
        seen = observations.of_target(store, scope, row.target, 50, at)
        hops = next((one.hops for one in seen if one.hops), ())
        changed = flips.of_target(store, scope, row.target, 100, at)

        def strip(days: float) -> str:
            return rollups.strip(store, scope, row.target, at - timedelta(days=days), at, _CELLS)

        sliced = row.kind is TargetKind.SLICE
        return TargetDetail(
            version=moment.board.version,
            row=redact_row(row, scope),
            revenue=self.hub.details.slices.past(row.target, scope, at) if sliced else None,
            url=redact(target.url) if target else "",
            check=(),
            strip_hour=strip(1 / 24),
            strip_day=strip(1),
            strip_90d=strip(90),
            hops=hops,
            observations=tuple(replace(one, detail=redact_words(one.detail, scope)) for one in seen),
            flips=tuple(replace(one, reason=redact_words(one.reason, scope)) for one in changed),
            incidents=self.hub.details.story.shown(_of(moment, row.target, scope), scope),
        )


def _of(moment: Moment, target: TargetId, scope: Scope) -> Iterable[Incident]:
    for number, members in moment.findings.items():
        found = moment.get(number)
        if found and any(one.target == target for one in members) and any(map(scope.sees, found.teams)):
            yield found


def _rows(moment: Moment, members: Iterable[Finding], scope: Scope) -> tuple[TargetRow, ...]:
    """Failing ones first."""
    names = dict.fromkeys(one.target for one in sorted(members, key=lambda one: one.closed_at is not None))
    rows = (moment.board.find_row(name, moment.at) for name in list(names)[:_MEMBERS])
    return tuple(redact_row(row, scope) for row in rows if row is not None)
