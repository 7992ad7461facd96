"""The life of a switch: asked, approved, applied, taken back. Pure; every step gives the next version or says why not.

1. Nothing runs without a person, unless the plan says `auto`, its rehearsal is fresh and every precondition surely holds.
2. Over a plan's limit two different people must say yes; the one who asked is the first.
3. Before the world is touched the intention is written down with all that taking it back needs; what a crash leaves in
   between is looked at again, never guessed.
4. What is applied ends by itself when its time is over.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from checks.incidents.plans.needs import broken, doubtful, is_fresh
from data.errors import NotAllowed, UsageError
from data.model.plan import Adapter, Switch, SwitchState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime
    from decimal import Decimal

    from data.model.ids import IncidentId, TeamId
    from data.model.plan import Plan, Requirement
    from data.model.principal import Principal

BY_ITSELF = "losswatch"
LAPSES = timedelta(minutes=30)
"""A question nobody answers is withdrawn: what was true when it was asked need not be now."""
ADMIN = "admin"
RIGHT = "plan"
"""The action of those whose yes counts."""


def keys_of(plan: Plan, moved_per_hour: Decimal | None) -> int:
    """People who must say yes. Where a limit is set and the money is not known, two."""
    if plan.two_over <= 0:
        return 1
    return 2 if moved_per_hour is None or moved_per_hour > plan.two_over else 1


def refusal(plan: Plan, requires: Iterable[Requirement], running: Iterable[Switch]) -> str:
    """Why a plan cannot be used now, in words; empty when it can."""
    if plan.does is Adapter.WORDS:
        return "nothing is switched: it is for people to do"
    taken = next((one for one in running if one.is_running and one.plan == plan.id), None)
    if taken is not None:
        return f"it is {taken.state.value} since {taken.at:%H:%MZ} by {taken.asked_by}"
    return broken(requires)


def may_go_by_itself(plan: Plan, requires: Sequence[Requirement], now: datetime) -> str:
    """Why a plan that says `auto` waits for a person; empty when it need not."""
    if not plan.auto:
        return "it is not automatic"
    if not is_fresh(plan.rehearsed, now):
        return "its rehearsal is not fresh"
    return doubtful(requires)


def ask(plan: Plan, who: Principal, now: datetime, *, incident: IncidentId | None, team: TeamId, keys: int) -> Switch:
    """Somebody wants it; the one who asks has said yes when their role may."""
    approved = (who.name,) if may_approve(plan, who) else ()
    return Switch(
        id=f"{plan.id}@{now.astimezone(UTC).isoformat()}",
        plan=plan.id,
        letter=plan.letter,
        title=plan.title,
        team=team,
        incident=incident,
        state=SwitchState.ASKED,
        at=now,
        asked_by=who.name,
        asked_at=now,
        keys=keys,
        approved=approved,
    )


def approve(switch: Switch, plan: Plan, who: Principal, now: datetime) -> Switch:
    """A further yes.

    Raises:
        UsageError: it no longer waits for one.
        NotAllowed: the role may not, or this person has said yes already.
    """
    _expect(switch, {SwitchState.ASKED})
    if not may_approve(plan, who):
        whom = f"a {plan.approve}" if plan.approve else "somebody who may apply plans"
        raise NotAllowed(f"{plan.id} needs the yes of {whom}; {who.name} is {who.role}")
    if who.name in switch.approved:
        raise NotAllowed(f"{who.name} has said yes already; a second person must")
    return replace(switch, approved=(*switch.approved, who.name), at=now)


def may_approve(plan: Plan, who: Principal) -> bool:
    """Whether a yes of this person counts."""
    return RIGHT in who.actions and (not plan.approve or who.role in {plan.approve, ADMIN})


def is_approved(switch: Switch) -> bool:
    return len(switch.approved) >= switch.keys


def waits_for(switch: Switch, plan: Plan) -> str:
    """Whose yes is missing, in words."""
    missing = switch.keys - len(switch.approved)
    whom = f"of a {plan.approve}" if plan.approve else "of somebody else"
    return f"waits for {'a second yes' if switch.approved else 'the yes' if missing == 1 else 'two people'} {whom}"


def applying(switch: Switch, undo: dict[str, str], now: datetime) -> Switch:
    _expect(switch, {SwitchState.ASKED})
    if not is_approved(switch):
        raise NotAllowed(f"{switch.plan} has {len(switch.approved)} of {switch.keys} yes")
    return replace(switch, state=SwitchState.APPLYING, undo=undo, at=now)


def applied(switch: Switch, plan: Plan, said: str, now: datetime) -> Switch:
    _expect(switch, {SwitchState.APPLYING})
    expires = now + timedelta(seconds=plan.expires_s) if plan.expires_s else None
    return replace(switch, state=SwitchState.APPLIED, applied_at=now, expires_at=expires, at=now, detail=said)


def reverting(switch: Switch, who: str, now: datetime) -> Switch:
    _expect(switch, {SwitchState.APPLIED, SwitchState.STUCK, SwitchState.REVERTING, SwitchState.APPLYING})
    return replace(switch, state=SwitchState.REVERTING, ended_by=who, at=now)


def ended(switch: Switch, state: SwitchState, said: str, now: datetime, who: str = "") -> Switch:
    """Reverted, failed, stuck or withdrawn."""
    over = None if state is SwitchState.STUCK else now
    return replace(switch, state=state, ended_at=over, ended_by=who or switch.ended_by, at=now, detail=said)


def withdraw(switch: Switch, who: str, now: datetime) -> Switch:
    _expect(switch, {SwitchState.ASKED})
    return ended(switch, SwitchState.WITHDRAWN, f"withdrawn by {who}", now, who)


def due(switches: Iterable[Switch], now: datetime) -> tuple[list[Switch], list[Switch]]:
    """Applied ones whose time is over, and questions that nobody answered."""
    over, lapsed = [], []
    for one in switches:
        if one.state is SwitchState.APPLIED and one.expires_at is not None and now >= one.expires_at:
            over.append(one)
        if one.state is SwitchState.ASKED and now - one.asked_at >= LAPSES:
            lapsed.append(one)
    return over, lapsed


def _expect(switch: Switch, states: Collection[SwitchState]) -> None:
    if switch.state not in states:
        raise UsageError(f"{switch.title} is {switch.state.value} since {switch.at:%m-%d %H:%MZ}")
