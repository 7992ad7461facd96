from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from checks.demo.inbox import Heard
from checks.demo.script import Event, Reach, Script
from checks.demo.switchboard import Setting
from checks.demo.told import State

if TYPE_CHECKING:
    from checks.demo.ledger import Ledger
    from checks.demo.world import World


_HELPS: dict[str, Callable[[Setting], bool]] = {
    "F1": lambda setting: setting.sent.get("P02", "P02") != "P02",
    "F5": lambda setting: setting.reserve,
}
"""What the company can switch against which failure."""


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
    relief: Relief | None = None
    """What a plan did about it."""


@dataclass(frozen=True, slots=True)
class Relief:
    """A failure goes on, and somebody has switched its visitors to where they earn. EUR an hour, as really lost."""

    at: datetime
    until: datetime | None
    """When it was taken back, or the failure ended; `None` while it holds."""
    before: float
    after: float


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
    heard: tuple[Heard, ...] = ()
    """Messages that reached somebody."""


def truth_at(
    now: datetime,
    world: World,
    script: Script,
    ledger: Ledger,
    *,
    opened: datetime,
    speed: float,
    states: tuple[State, ...] = (),
    heard: tuple[Heard, ...] = (),
) -> Truth:
    events = tuple(_event(event, now, world, script, ledger) for event in script.events)
    return Truth(now, speed, opened, events, states, heard)


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
        _relief(event, now, script, ledger) if began <= now else None,
    )


def _relief(event: Event, now: datetime, script: Script, ledger: Ledger) -> Relief | None:
    """The first time during the event at which what helps against it was switched, and what was lost an hour around it."""
    if event.id not in _HELPS:
        return None
    began, ended = event.began(script.day), min(now, event.ended(script.day))
    settings = ledger.settings()
    ends = (*(one.at for one in settings[1:]), None)
    held = [(one.at, end) for one, end in zip(settings, ends, strict=False) if _HELPS[event.id](one)]
    at, until = next(((max(at, began), end) for at, end in held if end is None or end > began), (ended, None))
    over = min(until or ended, ended)
    if at >= over:
        return None

    def rate(since: datetime, to: datetime) -> float:
        lost = ledger.true_loss(event.id, to) - ledger.true_loss(event.id, since)
        return round(lost * 3600 / max((to - since).total_seconds(), 1.0), 2)

    done = over if over < now or until else None
    return Relief(at, done, rate(began, at), rate(at, over))


def reach_of(event: Event, world: World) -> Reach:
    """The event's reach with what only the world knows: the one site of D3, D4 and F14."""
    site = {"D3": world.flooded, "D4": world.challenged, "F14": world.hub}.get(event.id, "")
    return replace(event.reach, site=site)
