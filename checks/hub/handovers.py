"""Hand-over notes: made when somebody else comes on call, and for whoever asks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.incidents.case import SYSTEM
from checks.incidents.notify.handover import Shift, note
from checks.incidents.notify.labels import LabelBook
from checks.incidents.notify.outbox import notice_id
from checks.incidents.notify.rota import changed_at, on_call
from checks.incidents.notify.routes import chosen
from checks.incidents.notify.words import told
from data.model.ids import TeamId
from data.model.notice import Notice, NoticeKind
from data.store import timeline

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from checks.hub.notifier import Notifier
    from data.config.notifying import Rota
    from data.model.incident import Incident
    from data.model.principal import Scope

MISSED = timedelta(minutes=30)
"""A hand-over that nobody was told of in this time is past telling."""
LOOK_EVERY = timedelta(seconds=20)
_MOMENT = timedelta(microseconds=1)
_SHIFT = timedelta(hours=24)
"""What was done is told for so long at least."""


@dataclass(slots=True)
class Handovers:
    notifier: Notifier
    _told: set[str] = field(default_factory=set)
    _looked_at: datetime | None = None

    def remember(self, notices: Iterable[Notice]) -> None:
        self._told = {notice.id for notice in notices if notice.kind is NoticeKind.HANDOVER}

    async def due(self, now: datetime) -> list[Notice]:
        """Notes for those who have just come on call; each once, also across a restart."""
        if self._looked_at is not None and now - self._looked_at < LOOK_EVERY:
            return []
        self._looked_at = now
        made = []
        for rota in self.notifier.directory.rules.rotas:
            shift = self.shift(rota, now)
            if shift is not None and shift.now and now - shift.at <= MISSED:
                made += await self._for(rota, shift, now)
        return made

    def shift(self, rota: Rota, now: datetime) -> Shift | None:
        """The last hand-over; `None` where there was none for days."""
        at = changed_at(rota, now)
        if at is None:
            return None
        before, after = on_call(rota, at - _MOMENT), on_call(rota, at)
        began = changed_at(rota, at - _MOMENT) or at - _SHIFT
        was, is_now = before.person if before else "", after.person if after else ""
        return Shift(rota.name, was, is_now, at, min(began, at - _SHIFT))

    async def text(self, rota: Rota, shift: Shift, scope: Scope) -> str:
        """The note for a reader of `scope`."""
        hub, now = self.notifier.hub, self.notifier.hub.clock.now()
        mine = [one for one in hub.desk.open_incidents if any(map(scope.sees, one.teams)) and self._leads_to(rota, one)]
        mine.sort(key=lambda one: (one.severity, one.started_at))
        labels: LabelBook = self.notifier.labels
        still = [told(one, labels.of(one), scope) for one in mine]
        done = await asyncio.to_thread(timeline.by_people, hub.store, scope, shift.began_at, now, SYSTEM)
        mutes = [
            mute for mute in self.notifier.mutes.values() if any(map(scope.sees, mute.teams)) or scope.teams is None
        ]
        return note(shift, still, done, sorted(mutes, key=lambda mute: mute.ends_at), scope)

    async def _for(self, rota: Rota, shift: Shift, now: datetime) -> list[Notice]:
        made = []
        directory = self.notifier.directory
        for channel, one in directory.reach([shift.now], now).items():
            name = notice_id(NoticeKind.HANDOVER, channel, rota.name, shift.at, ())
            if name in self._told:
                continue
            self._told.add(name)
            scope = directory.scopes[channel]
            made.append(
                Notice(
                    id=name, kind=NoticeKind.HANDOVER, channel=channel, teams=tuple(sorted(scope.teams or (TeamId("*"),))),
                    incidents=(), told=(), group=f"rota {rota.name}", route="", receiver=f"{rota.name}: {one.receiver}",
                    created_at=now, due_at=max(now, one.quiet_until or now), text=await self.text(rota, shift, scope),
                )
            )  # fmt: skip
        return made

    def _leads_to(self, rota: Rota, incident: Incident) -> bool:
        labels = self.notifier.labels.of(incident)
        routes = chosen(self.notifier.directory.rules.root, labels)
        return any(rota.name in (*route.to, *route.escalate) for route in routes)
