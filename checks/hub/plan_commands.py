"""What people may tell the plan desk, and what they are shown of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from checks.hub.plan_world import PlanWorld
from checks.incidents.explain import plans_of
from checks.incidents.plans.needs import Question, doubtful, is_fresh
from checks.incidents.plans.use import waits_for
from data.access.redaction import redact_words
from data.errors import NotAllowed, UsageError
from data.model.ids import IncidentId, TeamId
from data.model.plan import Declared, PlanBook, Rehearsed
from data.model.principal import MoneyRight
from data.model.snapshot import CommandReply, PlanRow
from data.store import switches

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from checks.hub.hub import Hub
    from data.model.incident import Finding, Incident
    from data.model.plan import Plan, Requirement, Switch
    from data.model.principal import Principal, Scope


@dataclass(slots=True)
class PlanCommands:
    """The way from a person to `checks.hub.plans` and back; figures and partner names only by right."""

    hub: Hub

    async def rehearse(self, who: Principal, arguments: dict[str, Any]) -> Rehearsed:
        incident, members = self._incident(who, arguments)
        found = await self.hub.plans.rehearse(incident, members, _text(arguments, "plan"))
        return redact_rehearsed(found, who.scope)

    async def use(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        incident, members = self._incident(who, arguments)
        switch = await self.hub.plans.ask(who, incident, members, _text(arguments, "plan"))
        return self._reply(switch, who)

    async def approve(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        return self._reply(await self.hub.plans.approve(who, _text(arguments, "plan")), who)

    async def revert(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        return self._reply(await self.hub.plans.revert(who, _text(arguments, "plan")), who)

    async def drill(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        return self._reply(await self.hub.plans.drill(who, _text(arguments, "plan")), who)

    async def settle(self, who: Principal, arguments: dict[str, Any]) -> CommandReply:
        return self._reply(await self.hub.plans.settle(who, _text(arguments, "plan")), who)

    async def rows(self, incident: Incident, members: Sequence[Finding], scope: Scope) -> tuple[PlanRow, ...]:
        """Declared plans that fit, and words of what to do first for the letters that have none."""
        used = await asyncio.to_thread(switches.of_incident, self.hub.store, scope, incident.id)
        declared = await asyncio.to_thread(
            lambda: [
                self._row(plan, incident, members, used, scope) for plan in self.hub.plans.offered(incident, members)
            ]
        )
        taken = {row.letter for row in declared}
        words = [row for row in plans_of(incident) if row.letter not in taken]
        return tuple(sorted([*declared, *words], key=lambda row: row.letter))

    async def book(self, who: Principal) -> PlanBook:
        """Every plan the reader's teams may use, with its standbys as they are now, and the last uses."""
        scope, now = who.scope, self.hub.clock.now()
        used = await asyncio.to_thread(switches.latest, self.hub.store, scope)
        mine = [plan for plan in self.hub.settings.plans if not plan.team or scope.sees(TeamId(plan.team))]
        rows = await asyncio.to_thread(lambda: [self._declared(plan, scope, now) for plan in mine])
        return PlanBook(tuple(rows), tuple(redact_switch(one, scope) for one in used))

    def _declared(self, plan: Plan, scope: Scope, now: datetime) -> Declared:
        requires = Question(plan, (plan.geo,) if plan.geo else (), frozenset(), PlanWorld(self.hub, now), now).answers()
        live = next((one for one in list(self.hub.plans.live.values()) if one.plan == plan.id), None)
        rehearsed = self.hub.plans.rehearsed_on(plan)
        return Declared(
            id=plan.id,
            letter=plan.letter,
            title=redact_words(plan.title, scope),
            causes=plan.causes,
            scope=" ".join(filter(None, (plan.team, plan.project, plan.partner, plan.geo, plan.site))),
            does=plan.does,
            rehearsed=rehearsed,
            fresh=is_fresh(rehearsed, now),
            auto=plan.auto,
            doubt=redact_words(doubtful(requires), scope),
            live=redact_switch(live, scope) if live else None,
        )

    def _row(
        self, plan: Plan, incident: Incident, members: Sequence[Finding], used: Sequence[Switch], scope: Scope
    ) -> PlanRow:
        judged = redact_rehearsed(self.hub.plans.judge(plan, incident, members), scope)
        live = next((one for one in list(self.hub.plans.live.values()) if one.plan == plan.id), None)
        switch = live or next((one for one in used if one.plan == plan.id), None)
        rehearsed = self.hub.plans.rehearsed_on(plan)
        return PlanRow(
            letter=plan.letter,
            title=redact_words(plan.title, scope),
            gain_per_hour=judged.gain_per_hour,
            gain_lo=judged.gain_lo,
            gain_hi=judged.gain_hi,
            id=plan.id,
            does=plan.does.value,
            requires=judged.requires,
            refused=judged.refused,
            keys=judged.keys,
            approve=plan.approve,
            expires_s=plan.expires_s,
            rehearsed=rehearsed,
            fresh=is_fresh(rehearsed, self.hub.clock.now()),
            auto=plan.auto,
            switch=redact_switch(switch, scope) if switch else None,
        )

    def _reply(self, switch: Switch, who: Principal) -> CommandReply:
        name = f"plan {switch.letter} {switch.title}"
        plan = next((one for one in self.hub.settings.plans if one.id == switch.plan), None)
        words = {
            "asked": f"{name} {waits_for(switch, plan) if plan else 'waits'}",
            "applied": f"{name} is applied" + (f" until {switch.expires_at:%H:%MZ}" if switch.expires_at else ""),
            "reverted": f"{name} is taken back",
            "withdrawn": f"{name} is settled" if switch.applied_at or switch.undo else f"{name} is withdrawn",
            "failed": f"{name} failed, nothing is changed: {switch.detail}",
            "stuck": f"{name} needs a person: {switch.detail}",
        }.get(switch.state.value, f"{name} is {switch.state.value}")
        return CommandReply(ok=switch.state.value not in {"failed", "stuck"}, message=redact_words(words, who.scope))

    def _incident(self, who: Principal, arguments: dict[str, Any]) -> tuple[Incident, list[Finding]]:
        given = arguments.get("incident")
        if not isinstance(given, int) or isinstance(given, bool):
            raise UsageError("for which incident? give its number")
        incident = self.hub.desk.get(IncidentId(given))
        if incident is None or not any(map(who.scope.sees, incident.teams)):
            raise UsageError(f"no open incident #{given} in your scope")
        if not all(map(who.scope.sees, incident.teams)):
            raise NotAllowed(f"incident #{given} is other teams' too; somebody who sees all of them must decide")
        return incident, list(self.hub.desk.members(incident.id))


def redact_rehearsed(found: Rehearsed, scope: Scope) -> Rehearsed:
    money = scope.money is MoneyRight.FULL
    return replace(
        found,
        before=tuple(redact_words(line, scope) for line in found.before),
        after=tuple(redact_words(line, scope) for line in found.after),
        requires=tuple(_redacted(one, scope) for one in found.requires),
        refused=redact_words(found.refused, scope),
        gain_per_hour=found.gain_per_hour if money else None,
        gain_lo=found.gain_lo if money else None,
        gain_hi=found.gain_hi if money else None,
    )


def redact_switch(switch: Switch, scope: Scope) -> Switch:
    """Without what the adapter remembers: that is for the hub alone."""
    return replace(switch, title=redact_words(switch.title, scope), detail=redact_words(switch.detail, scope), undo={})


def _redacted(one: Requirement, scope: Scope) -> Requirement:
    return replace(one, detail=redact_words(one.detail, scope))


def _text(arguments: dict[str, Any], name: str) -> str:
    given = arguments.get(name)
    if not isinstance(given, str) or not given:
        raise UsageError(f"which {name}? give its id or letter")
    return given
