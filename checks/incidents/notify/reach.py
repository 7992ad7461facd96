"""From the names in a rule to the channels that are used now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from checks.incidents.notify.rota import on_call, quiet_until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from data.config.notifying import Channel, Notifying, Person, Rota, Route
    from data.model.principal import Scope


@dataclass(frozen=True, slots=True)
class Reached:
    """A channel, for whom, and whether they sleep."""

    channel: str
    receiver: str
    """`ops`, `ana`, or `devs: ana`."""
    quiet_until: datetime | None = None
    """End of their night; SEV3 and SEV4 wait so long."""


@dataclass(slots=True)
class Directory:
    """Everybody who can be told something, and what each channel may see."""

    rules: Notifying
    scopes: dict[str, Scope]
    """By channel."""
    channels: dict[str, Channel] = field(init=False)
    people: dict[str, Person] = field(init=False)
    rotas: dict[str, Rota] = field(init=False)

    def __post_init__(self) -> None:
        self.channels = {one.name: one for one in self.rules.channels}
        self.people = {one.name: one for one in self.rules.people}
        self.rotas = {one.name: one for one in self.rules.rotas}

    def reach(self, names: Iterable[str], now: datetime) -> dict[str, Reached]:
        """Channel to who is meant there, in the order asked; awake if any of them is."""
        found: dict[str, Reached] = {}
        for name in names:
            for one in self._one(name, now):
                known = found.get(one.channel)
                if known is None or (known.quiet_until and not one.quiet_until):
                    found[one.channel] = one
        return found

    def receivers(self, route: Route, now: datetime) -> dict[str, Reached]:
        """Whom a rule tells now. Where nobody is on call: whom the topmost rule tells, else the first up the chain."""
        found = self.reach(route.to, now) or self.reach(self.rules.root.to, now)
        chain = (self.reach([name], now) for name in route.escalate)
        return found or next((reached for reached in chain if reached), {})

    def owner(self, channel: str, now: datetime) -> Reached:
        """A channel by itself, with the night of its people when all of them sleep."""
        nights = [quiet_until(one, now) for one in self.rules.people if channel in one.channels]
        awake = not nights or None in nights
        return Reached(channel, channel, None if awake else min(night for night in nights if night))

    def _one(self, name: str, now: datetime) -> list[Reached]:
        if name in self.channels:
            return [Reached(name, name)]
        person, words = self.people.get(name), name
        if name in self.rotas:
            on = on_call(self.rotas[name], now)
            person = self.people.get(on.person) if on else None
            words = f"{name}: {on.person}" if on else name
        if person is None:
            return []
        asleep = quiet_until(person, now)
        return [Reached(channel, words, asleep) for channel in person.channels if channel in self.channels]
