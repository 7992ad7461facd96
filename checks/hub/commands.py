from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data.errors import NotAllowed, UsageError
from data.model.audit import AuditEntry
from data.model.ids import IncidentId, TargetId, TeamId
from data.model.snapshot import CommandReply
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from checks.hub.hub import Hub
    from checks.incidents.change import Change
    from data.model.principal import Principal

NOTE_LIMIT = 2000
UNSTORED = "it is kept in memory only until the database can be written"


@dataclass(slots=True)
class Commands:
    """What people may tell the hub. Every command is checked against the principal's rights, done, and audited."""

    hub: Hub

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
            "recheck": self._recheck,
            "apply": self._apply,
            "stop": self._stop,
        }
        if name not in known:
            raise UsageError(f"no command {name!r}; there are {', '.join(known)}")
        if name not in who.actions:
            raise NotAllowed(f"{who.name} ({who.role}) may not {name}; ask somebody whose role may, or an admin")
        return await known[name](who, arguments)

    async def _acknowledge(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        number = self._incident(who, arguments)
        change = self.hub.desk.acknowledge(number, who.name, self.hub.clock.now())
        message = f"incident #{number} acknowledged by {who.name}"
        return await self._done(change, who, "acknowledge", f"#{number}", message)

    async def _close(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        number = self._incident(who, arguments)
        self.hub.hygiene.accept(member.target for member in self.hub.desk.members(number))
        change = self.hub.desk.close_by(number, who.name, self.hub.clock.now())
        message = f"incident #{number} closed by {who.name}"
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
        stored = await self.hub.keeping.keep(rows)
        return CommandReply(ok=True, message=message if stored else f"{message}; {UNSTORED}")

    async def _audit(self, who: Principal, action: str, subject: str) -> None:
        entry = AuditEntry(self.hub.clock.now(), who.name, TeamId(""), action, subject)
        await self.hub.keeping.keep([entry])
