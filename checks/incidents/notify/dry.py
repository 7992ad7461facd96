"""What the rules would do with an incident at a moment, without one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.incidents.notify.labels import owned
from checks.incidents.notify.outbox import URGENT
from checks.incidents.notify.routes import chosen, group_key, owner_by

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from checks.incidents.notify.labels import Labels
    from checks.incidents.notify.reach import Directory, Reached


@dataclass(frozen=True, slots=True)
class Hearer:
    """Somebody who is told, or would be."""

    receiver: str
    channel: str
    when: datetime
    """Now, or the end of their night."""
    refused: str = ""
    """Why they are not told at all."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step up the chain while nobody acknowledges."""

    name: str
    after_s: float
    told: tuple[Hearer, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """One rule that applies."""

    rule: str
    """`losswatch.toml:41`."""
    owner: str
    told: tuple[Hearer, ...]
    escalate: tuple[Step, ...]
    group: str
    group_wait_s: float
    group_interval_s: float
    repeat_interval_s: float


def decide(directory: Directory, labels: Labels, now: datetime) -> tuple[Decision, ...]:
    """Every rule that an incident of these labels meets, and who is told by it at `now`."""
    owner = owner_by(directory.rules.root, labels)
    within = directory.rules.ack_s.get(labels.severity)
    made = []
    for route in chosen(directory.rules.root, labels):
        named = owned(labels, route.owner or owner)
        steps = tuple(
            Step(name, number * within, _hearers(directory, directory.reach([name], now).values(), named, now))
            for number, name in enumerate(route.escalate if within else (), 1)
            if within
        )
        made.append(
            Decision(
                rule=route.place,
                owner=named.owner,
                told=_hearers(directory, directory.receivers(route, now).values(), named, now),
                escalate=steps,
                group=group_key(route, named),
                group_wait_s=route.group_wait_s,
                group_interval_s=route.group_interval_s,
                repeat_interval_s=route.repeat_interval_s,
            )
        )
    return tuple(made)


def _hearers(directory: Directory, reached: Iterable[Reached], labels: Labels, now: datetime) -> tuple[Hearer, ...]:
    made = []
    for one in reached:
        blind = not any(map(directory.scopes[one.channel].sees, labels.teams))
        asleep = one.quiet_until if labels.severity not in URGENT else None
        refused = f"{one.channel} may not see team {', '.join(sorted(labels.teams))}" if blind else ""
        made.append(Hearer(one.receiver, one.channel, asleep or now, refused))
    return tuple(made)
