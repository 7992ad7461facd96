from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from checks.hub.feed_desk import FeedDesk
from checks.hub.notice_desk import NoticeDesk
from checks.hub.plan_commands import PlanCommands
from checks.hub.records import Records
from checks.incidents.holds import still_failing
from checks.parsers import mend
from data.errors import NotAllowed, UsageError
from data.model.audit import AuditEntry
from data.model.ids import IncidentId, TargetId, TeamId
from data.model.snapshot import CommandReply
from data.model.target import TargetKind
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from checks.hub.hub import Hub
    from checks.incidents.change import Change
    from data.model.principal import Principal

NOTE_LIMIT = 2000
RIGHTS = {
    "mend": "apply",
    "feed_accept": "apply",
    "feed_map": "apply",
    "feed_replay": "apply",
    "feed_backfill": "apply",
    "feed_acknowledge": "acknowledge",
    "feed_invoice": "acknowledge",
    "tick": "acknowledge",
    "verdict": "acknowledge",
    "snooze": "acknowledge",
    "assign": "acknowledge",
    "mute": "close",
    "unmute": "close",
    "notice_retry": "close",
    "notice_try": "apply",
    "plan_rehearse": "acknowledge",
    "plan_use": "acknowledge",
    "plan_approve": "plan",
    "plan_revert": "plan",
    "plan_settle": "plan",
    "plan_drill": "plan",
}
"""Commands that need the right to another one: who may change the configuration may change a SPEC, and what a feed means; whoever is
on call may ask for a plan, and whose yes counts is the plan's to say."""


@dataclass(slots=True)
class Commands:
    """What people may tell the hub. Every command is checked against the principal's rights, done, and audited."""

    hub: Hub
    _mending: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One SPEC is written at a time."""
    feeds: FeedDesk = field(init=False)
    plans: PlanCommands = field(init=False)
    notices: NoticeDesk = field(init=False)
    records: Records = field(init=False)

    def __post_init__(self) -> None:
        self.feeds = FeedDesk(self.hub)
        self.plans = PlanCommands(self.hub)
        self.notices = NoticeDesk(self.hub)
        self.records = Records(self.hub)

    async def give(self, who: Principal, name: str, arguments: dict[str, Any]) -> object:
        """Carry out the command.

        Raises:
            UsageError: no such command, or its arguments are off.
            NotAllowed: the role does not give this right, or the object is out of scope.
        """
        known: dict[str, Callable[[Principal, dict[str, Any]], Awaitable[object]]] = {
            "acknowledge": self._acknowledge,
            "close": self._close,
            "note": self._note,
            "tick": self.records.tick,
            "verdict": self.records.verdict,
            "snooze": self.notices.snooze,
            "assign": self.notices.assign,
            "mute": self.notices.mute,
            "unmute": self.notices.unmute,
            "notice_retry": self.notices.retry,
            "notice_try": self.notices.trial,
            "recheck": self._recheck,
            "apply": self._apply,
            "mend": self._mend,
            "feed_accept": self.feeds.accept,
            "feed_replay": self.feeds.replay,
            "feed_map": self.feeds.map,
            "feed_acknowledge": self.feeds.acknowledge,
            "feed_invoice": self.feeds.invoice,
            "feed_backfill": self._backfill,
            "plan_rehearse": self.plans.rehearse,
            "plan_use": self.plans.use,
            "plan_approve": self.plans.approve,
            "plan_revert": self.plans.revert,
            "plan_settle": self.plans.settle,
            "plan_drill": self.plans.drill,
            "stop": self._stop,
        }
        if name not in known:
            raise UsageError(f"no command {name!r}; there are {', '.join(known)}")
        if RIGHTS.get(name, name) not in who.actions:
            raise NotAllowed(f"{who.name} ({who.role}) may not {name}; ask somebody whose role may, or an admin")
        return await known[name](who, arguments)

    async def _acknowledge(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        number = self._incident(who, arguments)
        change = self.hub.desk.acknowledge(number, who.name, self.hub.clock.now())
        message = f"incident #{number} acknowledged by {who.name}"
        return await self._done(change, who, "acknowledge", f"#{number}", message)

    async def _close(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        number = self._incident(who, arguments)
        if arguments.get("verdict"):
            await self.records.verdict(who, arguments)
        closed = [member.target for member in self.hub.desk.members(number)]
        self.hub.hygiene.accept(closed)
        self.hub.ranks.accept(closed)
        change = self.hub.desk.close_by(number, who.name, self.hub.clock.now())
        still = f"; {told}" if change.incidents and (told := still_failing(change.incidents[0])) else ""
        message = f"incident #{number} closed by {who.name}{still}"
        return await self._done(change, who, "close", f"#{number}", message)

    async def _note(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        number = self._incident(who, arguments)
        text = clean_text(str(arguments.get("text") or ""), NOTE_LIMIT)
        if not text:
            raise UsageError("a note needs a text")
        change = self.hub.desk.note(number, who.name, text, self.hub.clock.now())
        return await self._done(change, who, "note", f"#{number}", f"note added to incident #{number}")

    async def _recheck(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        target = self.hub.board.targets.get(TargetId(str(arguments.get("target") or "")))
        if target is None or not who.scope.sees(target.team):
            raise UsageError(f"no target {arguments.get('target')!r} in your scope")
        self.hub.check_at(target.id, self.hub.clock.now())
        return CommandReply(ok=True, message=f"{target.name} is being checked")

    async def _apply(self, who: Principal, arguments: dict[str, Any]) -> object:
        return await self.hub.configuration.apply(who, dry_run=bool(arguments.get("dry_run")))

    async def _backfill(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        return await self.hub.pulls.backfills.command(who, arguments)

    async def _mend(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        """Write a selector (and those that hold only `within` it) into a SPEC, or take the last back, and look at once."""
        target = self.hub.board.targets.get(TargetId(str(arguments.get("target") or "")))
        if target is None or target.kind is not TargetKind.PARSER or not who.scope.sees(target.team) or not target.spec:
            raise UsageError(f"no parser {arguments.get('target')!r} with a SPEC in your scope")
        sharing = [
            other
            for other in self.hub.board.targets.values()
            if other.spec == target.spec and other.kind is target.kind
        ]
        if not all(who.scope.sees(other.team) for other in sharing):
            raise NotAllowed(f"{target.spec} is also the SPEC of another team's parser; ask an admin")
        path = self.hub.home.config / target.spec
        name, selector = str(arguments.get("field") or ""), str(arguments.get("selector") or "")
        async with self._mending:
            if arguments.get("undo"):
                await asyncio.to_thread(mend.undo, path)
                did, message = "undone", f"{path.name} is as it was before"
            else:
                within = _selectors(arguments.get("within"))
                previous = await asyncio.to_thread(mend.apply_repair, path, name, selector, within)
                also = "".join(f"; {one}: {css}" for one, css in within.items())
                did = f"{name}: {previous or 'nothing'} -> {selector}{also}"
                message = f"{path.name}: {name} is now {selector}, was {previous or 'empty'}{also}"
        entry = AuditEntry(self.hub.clock.now(), who.name, target.team, "mend", target.id, clean_text(did, NOTE_LIMIT))
        reply = await self.hub.keeping.done([entry], message)
        for other in sharing:
            self.hub.check_at(other.id, self.hub.clock.now())
        return reply

    async def _stop(self, who: Principal, _arguments: dict[str, Any]) -> CommandReply:
        await self._audit(who, "stop", "hub")
        self.hub.stopping.set()
        return CommandReply(ok=True, message="the hub is stopping")

    def _incident(self, who: Principal, arguments: dict[str, Any]) -> IncidentId:
        given = arguments.get("incident")
        if not isinstance(given, int) or isinstance(given, bool):
            raise UsageError("which incident? give its number")
        incident = self.hub.desk.get(IncidentId(given))
        if incident is None or not any(map(who.scope.sees, incident.teams)):
            raise UsageError(f"no open incident #{given} in your scope")
        return incident.id

    async def _done(self, change: Change, who: Principal, action: str, subject: str, message: str) -> CommandReply:
        rows = self.hub.intake.settle(change)
        rows.append(AuditEntry(self.hub.clock.now(), who.name, TeamId(""), action, subject))
        return await self.hub.keeping.done(rows, message)

    async def _audit(self, who: Principal, action: str, subject: str) -> None:
        entry = AuditEntry(self.hub.clock.now(), who.name, TeamId(""), action, subject)
        await self.hub.keeping.keep_at_once([entry])


def _selectors(given: object) -> dict[str, str]:
    """Selector by field, of what a command was given."""
    if given is None:
        return {}
    if not isinstance(given, dict) or not all(isinstance(text, str) for pair in given.items() for text in pair):
        raise UsageError("within is an object of field and selector")
    return given
