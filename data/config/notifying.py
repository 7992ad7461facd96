"""Who is told what: channels, people, rotas and the tree of routes, as validated records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from data.model.incident import Severity

Seconds = float

ACK_S: Mapping[Severity, Seconds] = {Severity.SEV1: 300.0, Severity.SEV2: 900.0}
"""Within this time somebody acknowledges, or the next one up is told."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach somebody, and what may be said there."""

    name: str
    kind: str = "apprise"
    """`apprise`: the secret is an Apprise URL. `alertmanager`: `url` takes what Alertmanager's webhooks send."""
    secret: str = ""
    """Keyring entry; of a webhook the bearer token, where it wants one."""
    url: str = ""
    """Of a webhook."""
    role: str = "client"
    """Whoever reads there may see what this role may see."""
    teams: tuple[str, ...] = ("*",)
    fallback: str = ""
    """Channel that is told when this one fails."""
    per_minute: int = 20
    """Messages a real minute; more are put together."""
    timeout_s: Seconds = 15.0
    line: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    channels: tuple[str, ...]
    timezone: str = "UTC"
    account: str = ""
    """Unix account, by which an incident may be assigned to them as well."""
    quiet: tuple[time, time] | None = None
    """Local times between which SEV3 and SEV4 wait until the morning."""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Layer:
    """People who take turns."""

    people: tuple[str, ...]
    start: date
    """Local day on which the first one begins."""
    at: time = time(9)
    """Local time of the hand-over."""
    days: int = 7
    """Length of a turn."""
    hours: tuple[time, time] | None = None
    """On call only between these local times."""
    weekdays: tuple[int, ...] = ()
    """On call only on these local days, 0 is Monday; empty is every day."""


@dataclass(frozen=True, slots=True)
class Override:
    person: str
    start: datetime
    end: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rota:
    """Who is on call: overrides first, then the last layer that has somebody."""

    name: str
    timezone: str
    layers: tuple[Layer, ...]
    overrides: tuple[Override, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """One rule of the tree. Every list given must match; what it does not say it has from the rule above it."""

    to: tuple[str, ...] = ()
    """Channels, people and rotas."""
    escalate: tuple[str, ...] = ()
    """Who is told next while nobody acknowledges, one deadline after the other."""
    owner: str = ""
    """Role that acts first; empty: by the cause."""
    causes: tuple[str, ...] = ()
    """Families and exact causes."""
    teams: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    geos: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    goes_on: bool = False
    """Whether rules after it are tried as well."""
    group_by: tuple[str, ...] = ("team",)
    group_wait_s: Seconds = 30.0
    group_interval_s: Seconds = 300.0
    repeat_interval_s: Seconds = 14_400.0
    routes: tuple[Route, ...] = ()
    place: str = ""
    """`losswatch.toml:41`."""


@dataclass(frozen=True, slots=True)
class Notifying:
    """Nothing is sent while there is no channel."""

    root: Route = field(default_factory=Route)
    channels: tuple[Channel, ...] = ()
    people: tuple[Person, ...] = ()
    rotas: tuple[Rota, ...] = ()
    ack_s: Mapping[Severity, Seconds] = field(default_factory=lambda: ACK_S)

    def __bool__(self) -> bool:
        return bool(self.channels)
