"""What people ask of notices: what was said, mutes, somebody else's hands, a message again."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from checks.incidents.notify.mutes import covers
from checks.incidents.notify.outbox import notice_id
from checks.incidents.notify.words import as_seen
from data.config.problems import nearest
from data.config.routes import LABELS
from data.config.units import format_duration, parse_duration
from data.errors import NotAllowed, UsageError
from data.model.audit import AuditEntry
from data.model.ids import IncidentId, TeamId
from data.model.notice import Mute, Notice, NoticeKind, NoticePage, NoticeState
from data.model.snapshot import CommandReply
from data.store import outbox
from data.text import clean_text

if TYPE_CHECKING:
    from checks.hub.hub import Hub
    from data.model.incident import Incident
    from data.model.principal import Principal

SHORTEST_S, LONGEST_S = 60.0, 30 * 86_400.0
MOST = 1_000


@dataclass(slots=True)
class NoticeDesk:
    hub: Hub

    # ── what is read ─────────────────────────────────────────────────────────────────────────────────────────────

    async def page(self, who: Principal, state: str, offset: int, limit: int) -> NoticePage:
        """Notices about incidents of the reader's teams, in words the reader may read."""
        if state not in outbox.STATES:
            hint = nearest(state, outbox.STATES)
            raise UsageError(f"no state {state!r}; there are {', '.join(outbox.STATES)}{f' ({hint}?)' if hint else ''}")
        now, store, begin = self.hub.clock.now(), self.hub.store, max(offset, 0)
        total, rows = await asyncio.to_thread(
            outbox.page, store, who.scope, state, now, offset=begin, limit=min(max(limit, 1), MOST)
        )
        channels = await self.hub.notifier.channels(who)
        counts = {name: sum(getattr(row, name) for row in channels) for name in ("waiting", "late", "dead")}
        mutes = await asyncio.to_thread(outbox.mutes, store, who.scope, now)
        shown = tuple(as_seen(one, who.scope) for one in rows)
        return NoticePage(total, shown, now, counts, channels, tuple(mutes))

    async def handover(self, who: Principal, name: str) -> dict[str, str]:
        """The note of a rota as it would be handed over now."""
        room = self.hub.notifier
        rota = room.directory.rotas.get(name)
        if rota is None:
            known = list(room.directory.rotas)
            raise UsageError(f"no rota {name!r}; there are {', '.join(known) or 'none'}")
        shift = room.handovers.shift(rota, self.hub.clock.now())
        if shift is None:
            raise UsageError(f"{name} was not handed over for days")
        return {"rota": name, "text": await room.handovers.text(rota, shift, who.scope)}

    # ── what is asked ────────────────────────────────────────────────────────────────────────────────────────────

    async def mute(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        """Say nothing new of what matches; `dry_run` tells what that would be now. Reaches as far as the one who asks."""
        now, matchers = self.hub.clock.now(), _matchers(arguments.get("matchers"))
        seconds, reason = _seconds(arguments.get("for")), clean_text(str(arguments.get("reason") or ""), 200)
        if not reason:
            raise UsageError('a mute needs a reason: --reason "the partner rebuilds its links"')
        teams = ("*",) if who.scope.teams is None else tuple(sorted(who.scope.teams))
        words = f"{sorted(matchers.items())}{now.isoformat()}{who.name}"
        name = hashlib.blake2b(words.encode(), digest_size=4).hexdigest()
        made = Mute(name, tuple(map(TeamId, teams)), matchers, reason, who.name, now, now + timedelta(seconds=seconds))
        hidden = [one for one in self._mine(who) if covers(made, self.hub.notifier.labels.of(one))]
        listed = ", ".join(f"#{one.id}" for one in hidden[:10]) + (" and others" if len(hidden) > 10 else "")
        what = f"{len(hidden)} open incident{'' if len(hidden) == 1 else 's'}{f': {listed}' if listed else ''}"
        if arguments.get("dry_run"):
            return CommandReply(ok=True, message=f"would hide {what}")
        self.hub.notifier.mutes[name] = made
        matched = " ".join(f"{label}={value}" for label, value in matchers.items())
        entry = self._entry(who, "mute", matched, f"{format_duration(seconds)}: {reason}")
        return await self.hub.keeping.done([made, entry], f"{name}: quiet for {format_duration(seconds)}, hides {what}")

    async def unmute(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        name, known = str(arguments.get("mute") or ""), self.hub.notifier.mutes
        mute = known.get(name)
        if mute is None or not self._reaches(who, mute):
            mine = [one.id for one in known.values() if any(map(who.scope.sees, one.teams))]
            raise UsageError(f"no mute {name!r} in your scope; there are {', '.join(mine) or 'none'}")
        ended = replace(mute, ends_at=self.hub.clock.now())
        del known[name]
        entry = self._entry(who, "unmute", name)
        return await self.hub.keeping.done([ended, entry], f"{name} is over: what is open is told again")

    async def snooze(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        """One incident says nothing new for a while."""
        incident = self._incident(who, arguments)
        reason = str(arguments.get("reason") or "") or f"snoozed by {who.name}"
        given = {"matchers": {"incident": str(incident.id)}, "for": arguments.get("for") or "1h", "reason": reason}
        return await self.mute(who, given)

    async def assign(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        """Put an incident into somebody's hands: whoever was told hears it, and so do they."""
        incident, whom = self._incident(who, arguments), str(arguments.get("to") or "")
        people = self.hub.notifier.directory.people
        whom = next((one.name for one in people.values() if one.account and one.account == whom), whom)
        known = [*people, *(user.account for user in self.hub.settings.users)]
        if whom not in known:
            hint = nearest(whom, known)
            raise UsageError(f"nobody is called {whom!r}{f'; did you mean {hint!r}?' if hint else ''}")
        change = self.hub.desk.assign(incident.id, whom, who.name, self.hub.clock.now())
        rows = self.hub.intake.settle(change)
        if whom in people:
            rows += self.hub.notifier.tell(incident.id, whom)
        entry = self._entry(who, "assign", f"#{incident.id}", whom)
        return await self.hub.keeping.done([*rows, entry], f"incident #{incident.id} assigned to {whom}")

    async def retry(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        """Try a notice again that was given up, marked as a possible repeat."""
        name = str(arguments.get("notice") or "")
        known = await asyncio.to_thread(outbox.get, self.hub.store, who.scope, name)
        if known is None or known.state is not NoticeState.DEAD:
            raise UsageError(f"no dead notice {name!r} in your scope; see: losswatch notices --state dead")
        now = self.hub.clock.now()
        again = replace(
            known, state=NoticeState.WAITING, due_at=now, attempts=0, until=None, repeated=known.attempts > 0
        )
        entry = self._entry(who, "notice_retry", name, known.channel)
        return await self.hub.keeping.done(
            [*self.hub.notifier.send(again), entry], f"{name} is sent again to {known.channel}"
        )

    async def trial(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        """Send a word to a channel, to see whether it arrives."""
        name, now = str(arguments.get("channel") or ""), self.hub.clock.now()
        channels = self.hub.notifier.directory.channels
        if name not in channels:
            raise UsageError(f"no channel {name!r}; there are {', '.join(channels) or 'none'}")
        made = Notice(
            id=notice_id(NoticeKind.TRIAL, name, "trial", now, ()), kind=NoticeKind.TRIAL, channel=name,
            teams=(TeamId("*"),) if who.scope.teams is None else tuple(sorted(who.scope.teams)), incidents=(), told=(),
            group=f"trial {now.isoformat()}", route="", receiver=f"{name}: tried by {who.name}", created_at=now, due_at=now,
            text="This channel works. Nothing is wrong.",
        )  # fmt: skip
        entry = self._entry(who, "notice_try", name)
        return await self.hub.keeping.done(
            [*self.hub.notifier.send(made), entry], f"{made.id} is on its way to {name}; see: losswatch notices"
        )

    # ── shared ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _mine(self, who: Principal) -> list[Incident]:
        return [one for one in self.hub.desk.open_incidents if any(map(who.scope.sees, one.teams))]

    def _incident(self, who: Principal, arguments: dict[str, Any]) -> Incident:
        given = arguments.get("incident")
        if not isinstance(given, int) or isinstance(given, bool):
            raise UsageError("which incident? give its number")
        incident = self.hub.desk.get(IncidentId(given))
        if incident is None or incident.closed_at is not None or not any(map(who.scope.sees, incident.teams)):
            raise UsageError(f"no open incident #{given} in your scope")
        return incident

    def _reaches(self, who: Principal, mute: Mute) -> bool:
        if who.scope.teams is None:
            return True
        if "*" in mute.teams:
            raise NotAllowed("it is for every team; ask somebody who sees every team")
        return set(mute.teams) <= who.scope.teams

    def _entry(self, who: Principal, action: str, subject: str, detail: str = "") -> AuditEntry:
        return AuditEntry(self.hub.clock.now(), who.name, TeamId(""), action, subject, detail)


def _matchers(given: object) -> dict[str, str]:
    if not isinstance(given, dict) or not given:
        raise UsageError("a mute needs something to match, such as cause=edge or partner=P05")
    for label, value in given.items():
        if label not in LABELS:
            hint = nearest(str(label), LABELS)
            raise UsageError(f"no label {label!r}{f'; did you mean {hint!r}?' if hint else ''}")
        if not isinstance(value, str) or not value:
            raise UsageError(f"{label} needs a value")
    return {label: clean_text(value, 120) for label, value in given.items()}


def _seconds(given: object) -> float:
    try:
        seconds = parse_duration(str(given or ""))
    except ValueError:
        raise UsageError(f'how long? {given!r} is no duration such as "2h"') from None
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise UsageError(f"from {format_duration(SHORTEST_S)} to {format_duration(LONGEST_S)}, not {given}")
    return seconds
