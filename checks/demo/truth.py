from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from checks.demo.script import Event, Reach, Script
from checks.demo.told import State

if TYPE_CHECKING:
    from checks.demo.ledger import Ledger
    from checks.demo.world import World


@dataclass(frozen=True, slots=True)
class EventTruth:
    """What really happened, so far: what reports of the demo are compared with."""

    id: str
    kind: str
    title: str
    expected_causes: tuple[str, ...]
    reach: Reach
    began_at: datetime | None
    """None while it has not begun."""
    ended_at: datetime | None
    true_loss: float
    """EUR: people the event really took away, each at the expected commission of a click of that leaf."""


@dataclass(frozen=True, slots=True)
class Truth:
    at: datetime
    """Simulated."""
    speed: float
    started_at: datetime
    """First simulated moment the hub could see; a day that was joined late has not seen what began earlier."""
    events: tuple[EventTruth, ...]
    states: tuple[State, ...] = ()
    """What had to be known of the audited partners, after each of their answers."""


def truth_at(
    now: datetime,
    world: World,
    script: Script,
    ledger: Ledger,
    *,
    opened: datetime,
    speed: float,
    states: tuple[State, ...] = (),
) -> Truth:
    events = tuple(_event(event, now, world, script, ledger) for event in script.events)
    return Truth(now, speed, opened, events, states)


def _event(event: Event, now: datetime, world: World, script: Script, ledger: Ledger) -> EventTruth:
    began, ended = event.began(script.day), event.ended(script.day)
    return EventTruth(
        event.id,
        event.kind,
        event.title,
        event.expected_causes,
        reach_of(event, world),
        began if began <= now else None,
        ended if ended <= now else None,
        round(ledger.true_loss(event.id, now), 2),
    )


def reach_of(event: Event, world: World) -> Reach:
    """The event's reach with what only the world knows: the one site of D3, D4 and F14."""
    site = {"D3": world.flooded, "D4": world.challenged, "F14": world.hub}.get(event.id, "")
    return replace(event.reach, site=site)
