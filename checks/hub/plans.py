"""The desk for plans: what fits an incident, what it would do, who said yes, and that it ends."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from checks.hub.moves import Moves
from checks.hub.plan_world import PlanWorld
from checks.incidents.labels import parsed
from checks.incidents.plans import use
from checks.incidents.plans.calls import Call
from checks.incidents.plans.keitaro import Keitaro
from checks.incidents.plans.matching import chosen, plans_for, trouble_of
from checks.incidents.plans.needs import Question
from checks.incidents.plans.program import TIMEOUT_S, Program
from checks.incidents.plans.redirects import Redirects
from checks.incidents.plans.way import PlanRefused, PlanStuck
from data.errors import LosswatchError, NotAllowed, UsageError
from data.model.audit import AuditEntry
from data.model.ids import IncidentId, TeamId
from data.model.incident import TimelineEntry
from data.model.plan import Adapter, Rehearsed, SwitchState
from data.model.principal import EVERYTHING, Principal
from data.store import switches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from checks.hub.hub import Hub
    from checks.incidents.plans.way import Sight, Way
    from data.model.incident import Finding, Incident
    from data.model.observation import Observation
    from data.model.plan import Plan, Switch
    from data.store.tables import Record

log = logging.getLogger(__name__)

EVERY_S = 15.0
ITSELF = Principal(use.BY_ITSELF, -1, "admin", EVERYTHING, frozenset({use.RIGHT}))
_BETWEEN = frozenset({SwitchState.APPLYING, SwitchState.REVERTING})
_REMEMBERED = 10_000
"""Uses looked through for automatic plans that had their chance."""
_DIMS = ("partner", "geo", "site", "offer")


class NotStored(LosswatchError):
    """The world is never touched before the intention is durable."""


@dataclass(slots=True)
class Plans:
    """Declared plans and their uses. One change of the world at a time; every step is stored before and after it."""

    hub: Hub
    live: dict[str, Switch] = field(default_factory=dict)
    """Uses that wait, run or are stuck, by id."""
    drilled: dict[str, date] = field(default_factory=dict)
    """Last drill that went well, by plan."""
    moves: Moves = field(default_factory=Moves)
    _gate: asyncio.Lock = field(default_factory=asyncio.Lock)
    _tried: set[tuple[str, IncidentId]] = field(default_factory=set)
    """Automatic plans that had their chance at an incident."""
    _halfway: list[str] = field(default_factory=list)
    """Uses that an earlier life left between two steps."""

    async def restore(self) -> None:
        """Take up what an earlier life left; what it left halfway is looked at by the first tick: the world may be slow."""
        store = self.hub.store
        self.live = {one.id: one for one in await asyncio.to_thread(switches.live, store, EVERYTHING)}
        self.drilled = await asyncio.to_thread(switches.drilled, store)
        used = await asyncio.to_thread(switches.latest, store, EVERYTHING, _REMEMBERED)
        for one in reversed(used):
            self.moves.see(one)
        self._tried = {(one.plan, one.incident) for one in used if one.asked_by == use.BY_ITSELF and one.incident}
        self._halfway = [one.id for one in self.live.values() if one.state in _BETWEEN]

    # ── what is offered ──────────────────────────────────────────────────────────────────────────────────────────

    def offered(self, incident: Incident, members: Sequence[Finding]) -> tuple[Plan, ...]:
        if not self.hub.settings.plans:
            return ()  # nobody walks over a hundred thousand members for nothing
        targets = self.hub.board.targets
        projects = {known.project for one in members if (known := targets.get(one.target)) and known.project}
        return plans_for(self.hub.settings.plans, trouble_of(incident, members, projects))

    def judge(
        self, plan: Plan, incident: Incident, members: Sequence[Finding], sight: Sight | None = None
    ) -> Rehearsed:
        """A plan on paper, with what holds now; `sight` adds the lines that would change. It waits for the book: in a thread."""
        now = self.hub.clock.now()
        world, trouble = PlanWorld(self.hub, now), trouble_of(incident, members)
        geos = [plan.geo] if plan.geo else sorted(trouble.geos)
        requires = Question(plan, geos, frozenset(parsed(incident.upstream)), world, now).answers()
        gain = world.gain(plan, incident, self._where(plan, members))
        return Rehearsed(
            plan=plan.id,
            incident=incident.id,
            at=now,
            before=sight.before if sight else (),
            after=sight.after if sight else (),
            requires=requires,
            clicks_per_hour=gain.clicks,
            gain_per_hour=gain.middle,
            gain_lo=gain.low,
            gain_hi=gain.high,
            refused=use.refusal(plan, requires, list(self.live.values())),
            keys=use.keys_of(plan, incident.loss.per_hour if incident.loss.per_hour > 0 else None),
        )

    def rehearsed_on(self, plan: Plan) -> date | None:
        """The declared day, or that of the last drill."""
        days = [day for day in (plan.rehearsed, self.drilled.get(plan.id)) if day]
        return max(days, default=None)

    def named(self, incident: Incident, members: Sequence[Finding], key: str) -> Plan:
        """By id or letter, of those that fit; raises `UsageError`."""
        offered = self.offered(incident, members)
        plan = chosen(offered, key)
        if plan is None:
            there = ", ".join(f"{one.letter} {one.id}" for one in offered) or "none"
            raise UsageError(f"no plan {key!r} is declared for incident #{incident.id}; there are: {there}")
        return plan

    def rewrite(self, seen: Observation) -> Observation:
        """As `Moves.rewrite`, by the plans as they are declared now."""
        target = self.hub.board.targets.get(seen.target)
        return seen if target is None else self.moves.rewrite(seen, target, self.hub.settings.plans)

    # ── what people do ───────────────────────────────────────────────────────────────────────────────────────────

    async def rehearse(self, incident: Incident, members: Sequence[Finding], key: str) -> Rehearsed:
        """A dry run: what would change line by line, what it brings, and whether it may. Touches nothing."""
        plan = self.named(incident, members, key)
        sight, problem = None, ""
        if plan.does is not Adapter.WORDS:
            try:
                sight = await self._way(plan).look()
            except LosswatchError as refused:
                problem = str(refused)
        judged = await asyncio.to_thread(self.judge, plan, incident, members, sight)
        return replace(judged, refused=judged.refused or problem)

    async def ask(self, who: Principal, incident: Incident, members: Sequence[Finding], key: str) -> Switch:
        """Use a plan: at once when enough people have said yes, else it waits for them.

        Raises:
            UsageError: no such plan, or it is refused now; says by what.
        """
        plan = self.named(incident, members, key)
        async with self._gate:
            judged = await self._judged(plan, incident, members)
            now = self.hub.clock.now()
            switch = use.ask(plan, who, now, incident=incident.id, team=incident.team, keys=judged.keys)
            waiting = None if use.is_approved(switch) else f"asked for plan {plan.letter} {plan.title}"
            await self._keep(switch, who.name, waiting)
            return await self._apply(switch, plan) if use.is_approved(switch) else switch

    async def approve(self, who: Principal, key: str) -> Switch:
        """A further yes; what held when it was asked must hold now.

        Raises:
            UsageError: nothing waits for it, its incident is over, or it is refused now.
        """
        async with self._gate:
            switch = self._switch(who, key)
            plan = self._declared(switch)
            said = use.approve(switch, plan, who, self.hub.clock.now())
            incident = self.hub.desk.get(switch.incident) if switch.incident is not None else None
            if incident is None or incident.closed_at is not None:
                raise UsageError(f"incident #{switch.incident} is over; plan {plan.id} is not needed any more")
            await self._judged(plan, incident, self.hub.desk.members(incident.id))
            await self._keep(said, who.name, f"said yes to plan {plan.letter} {plan.title}")
            return await self._apply(said, plan) if use.is_approved(said) else said

    async def revert(self, who: Principal, key: str) -> Switch:
        """Take a use back, or withdraw a question that still waits."""
        async with self._gate:
            switch = self._switch(who, key)
            if switch.state is SwitchState.ASKED:
                gone = use.withdraw(switch, who.name, self.hub.clock.now())
                await self._keep(gone, who.name, f"withdrew plan {switch.letter} {switch.title}")
                return gone
            return await self._revert(switch, who.name)

    async def settle(self, who: Principal, key: str) -> Switch:
        """A person has looked at what was stuck and put it right by hand."""
        async with self._gate:
            switch = self._switch(who, key)
            if switch.state is not SwitchState.STUCK:
                raise UsageError(f"{switch.title} is {switch.state.value}; only what is stuck is settled by hand")
            if use.RIGHT not in who.actions:
                raise NotAllowed(f"{who.name} ({who.role}) may not settle plans; ask a lead or an admin")
            return await self._end(replace(switch, ended_by=who.name), SwitchState.WITHDRAWN, "put right by hand")

    async def drill(self, who: Principal, key: str) -> Switch:
        """Apply a plan and take it back at once, without an incident: its rehearsal."""
        mine = {one.id: one for one in self.hub.settings.plans if not one.team or who.scope.sees(TeamId(one.team))}
        plan = mine.get(key)
        if plan is None:
            raise UsageError(f"no plan {key!r}; there are: {', '.join(mine) or 'none'}")
        async with self._gate:
            if refused := use.refusal(plan, (), self.live.values()):
                raise UsageError(f"plan {plan.id} cannot be drilled: {refused}")
            team = TeamId(plan.team or "*")
            switch = replace(use.ask(plan, who, self.hub.clock.now(), incident=None, team=team, keys=1), drill=True)
            if not use.is_approved(switch):
                raise UsageError(f"a drill of {plan.id} needs somebody who may say yes to it")
            switch = await self._apply(switch, plan)
            if switch.state is SwitchState.APPLIED:
                switch = await self._revert(switch, who.name)
            if switch.state is SwitchState.REVERTED:
                self.drilled[plan.id] = self.hub.clock.now().date()
            return switch

    # ── what happens by the clock ────────────────────────────────────────────────────────────────────────────────

    async def tick(self) -> None:
        """Take back what is over, withdraw what nobody answered, and let automatic plans go where they may."""
        async with self._gate:
            while self._halfway:
                left = self.live.get(self._halfway.pop())
                if left is not None and left.state in _BETWEEN:  # nobody was faster
                    await self._take_up(left)
            over, lapsed = use.due(self.live.values(), self.hub.clock.now())
            for switch in over:
                await self._revert(switch, use.BY_ITSELF)
            for switch in lapsed:
                gone = use.ended(switch, SwitchState.WITHDRAWN, "nobody answered", self.hub.clock.now(), use.BY_ITSELF)
                words = f"withdrew plan {switch.letter} {switch.title}: nobody answered"
                await self._keep(gone, use.BY_ITSELF, words, must=False)
        if any(plan.auto for plan in self.hub.settings.plans):
            await self._go_by_themselves()

    async def _go_by_themselves(self) -> None:
        for incident in self.hub.desk.open_incidents:
            members = self.hub.desk.members(incident.id)
            for plan in self.offered(incident, members):
                if not plan.auto or (plan.id, incident.id) in self._tried:
                    continue
                judged = await asyncio.to_thread(self.judge, plan, incident, members)
                now = self.hub.clock.now()
                dated = replace(plan, rehearsed=self.rehearsed_on(plan))
                if judged.refused or judged.keys > 1 or use.may_go_by_itself(dated, judged.requires, now):
                    continue
                try:
                    await self.ask(ITSELF, incident, members, plan.id)
                except LosswatchError as problem:  # nothing was touched: that was no chance
                    log.warning("plan %s did not go by itself: %s", plan.id, problem)
                else:
                    self._tried.add((plan.id, incident.id))

    async def _judged(self, plan: Plan, incident: Incident, members: Sequence[Finding]) -> Rehearsed:
        """Raises `UsageError` when the plan is refused now."""
        judged = await asyncio.to_thread(self.judge, plan, incident, members)
        if judged.refused:
            raise UsageError(f"plan {plan.id} cannot be used: {judged.refused}")
        return judged

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _apply(self, switch: Switch, plan: Plan) -> Switch:
        way, now = self._way(plan), self.hub.clock.now
        try:
            sight = await way.look()
        except LosswatchError as problem:
            return await self._end(switch, SwitchState.FAILED, str(problem))
        going = use.applying(switch, dict(sight.undo), now())
        await self._keep(going, switch.approved[-1])
        try:
            said = await way.apply(sight)
        except PlanStuck as problem:
            return await self._end(going, SwitchState.STUCK, str(problem))
        except LosswatchError as problem:
            return await self._end(going, SwitchState.FAILED, str(problem))
        done = use.applied(going, plan, said, now())
        until = f" until {done.expires_at:%H:%MZ}" if done.expires_at else ""
        words = f"applied plan {plan.letter} {plan.title}{until}: {said}"
        await self._keep(done, switch.approved[-1], words, must=False)  # it is done, stored or not
        self._look_again(switch)
        return done

    async def _revert(self, switch: Switch, who: str) -> Switch:
        going = use.reverting(switch, who, self.hub.clock.now())
        try:
            plan = self._declared(switch)
            way = self._way(plan)
        except LosswatchError as problem:
            return await self._end(going, SwitchState.STUCK, str(problem))
        await self._keep(going, who, must=False)  # how to take it back was stored before it was applied
        try:
            said = await way.revert(going.undo)
        except LosswatchError as problem:
            return await self._end(going, SwitchState.STUCK, str(problem))
        self._look_again(switch)
        return await self._end(going, SwitchState.REVERTED, said)

    async def _take_up(self, switch: Switch) -> None:
        """What a crash left between two steps: look, and say only what is seen."""
        if switch.state is SwitchState.REVERTING:
            await self._revert(switch, switch.ended_by)
            return
        try:
            plan = self._declared(switch)
            sight = await self._way(plan).look()
        except LosswatchError as problem:
            await self._end(switch, SwitchState.STUCK, f"the hub stopped in the middle, and now: {problem}")
            return
        if sight.is_done:
            done = use.applied(
                switch, plan, "found applied after the hub was stopped in the middle", self.hub.clock.now()
            )
            await self._keep(done, use.BY_ITSELF, f"found plan {plan.letter} {plan.title} applied", must=False)
        elif sight.before and dict(sight.undo) == switch.undo:
            await self._end(switch, SwitchState.FAILED, "the hub was stopped before anything was changed")
        else:
            nobody = "the hub was stopped in the middle: nobody knows whether it was done"
            await self._end(switch, SwitchState.STUCK, nobody)

    async def _end(self, switch: Switch, state: SwitchState, said: str) -> Switch:
        over = use.ended(switch, state, said, self.hub.clock.now())
        words = {
            SwitchState.REVERTED: f"took plan {switch.letter} {switch.title} back: {said}",
            SwitchState.FAILED: f"could not apply plan {switch.letter} {switch.title}: {said}",
            SwitchState.WITHDRAWN: f"settled plan {switch.letter} {switch.title}: {said}",
            SwitchState.STUCK: f"plan {switch.letter} {switch.title} needs a person: {said}",
        }[state]
        await self._keep(over, over.ended_by or (switch.approved or (use.BY_ITSELF,))[-1], words, must=False)
        return over

    async def _keep(self, switch: Switch, who: str, told: str | None = None, *, must: bool = True) -> None:
        """Make a version durable, with its lines in the story and the audit.

        Raises:
            NotStored: the store cannot take it, and `must`: nothing may be touched then.
        """
        rows: list[Record] = [switch]
        if told and switch.incident is not None:
            rows.append(TimelineEntry(switch.incident, switch.at, who, told))
        if told:
            rows.append(AuditEntry(switch.at, who, switch.team, f"plan {switch.state.value}", switch.plan, told[:2000]))
            self.hub.board.say(switch.at, "person", who, told, TeamId("") if switch.team == "*" else switch.team)
        if not await self.hub.keeping.keep(rows) and must:
            raise NotStored("the database cannot be written, and nothing is switched that could not be taken back")
        if switch.is_running or switch.state is SwitchState.ASKED:
            self.live[switch.id] = switch
        else:
            self.live.pop(switch.id, None)
        self.moves.see(switch)
        self.hub.board.touch()

    def _look_again(self, switch: Switch) -> None:
        if switch.incident is not None:
            for one in self.hub.desk.members(switch.incident)[:50]:
                if one.closed_at is None:
                    self.hub.check_at(one.target, self.hub.clock.now())

    def _switch(self, who: Principal, key: str) -> Switch:
        """A live use by its id, or by its plan's."""
        mine = [one for one in self.live.values() if who.scope.sees(one.team)]
        found = next((one for one in mine if key in {one.id, one.plan}), None)
        if found is None:
            raise UsageError(f"no plan {key!r} is in use; there are: {', '.join(one.plan for one in mine) or 'none'}")
        return found

    def _declared(self, switch: Switch) -> Plan:
        plan = next((one for one in self.hub.settings.plans if one.id == switch.plan), None)
        if plan is None:
            raise PlanStuck(f"plan {switch.plan} is no longer declared in losswatch.toml")
        return plan

    def _way(self, plan: Plan) -> Way:
        allowed, client, options = self.hub.settings.programs, self.hub.pulls.client, plan.options
        if plan.does is Adapter.REDIRECTS:
            return Redirects(self.hub.home.config / Path(options["file"]), plan.sets, plan.run, allowed)
        if plan.does is Adapter.COMMAND:
            return Program(plan.run, plan.undo, allowed, float(options.get("timeout", TIMEOUT_S)))
        if plan.does is Adapter.HTTP:
            return Call(client, options, self._secret)
        if plan.does is Adapter.KEITARO:
            return Keitaro(client, options["url"], options["secret"], self._secret, plan.sets)
        raise PlanRefused("nothing is switched: it is for people to do")

    async def _secret(self, name: str) -> str:
        return await asyncio.to_thread(self.hub.secrets.get, name)

    @staticmethod
    def _where(plan: Plan, members: Sequence[Finding]) -> Mapping[str, str]:
        """The slice that the traffic is taken from: what the plan names, else what all members have in common."""
        named = {dim: value for dim in ("partner", "geo", "site") if (value := getattr(plan, dim))}
        if named:
            return named
        shared = [
            frozenset((dim, one.fingerprint[dim]) for dim in _DIMS if one.fingerprint.get(dim)) for one in members
        ]
        return dict(frozenset.intersection(*shared)) if shared else {}
