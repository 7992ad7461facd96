from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from checks.engine.canary import CANARY
from checks.sites.vantages import FAILED, named
from data.model.cause import cause
from data.model.health import VantageHealth
from data.model.ids import TargetId, TeamId
from data.model.observation import NO_CAUSE
from data.model.state import State
from data.model.target import Check, Expect, TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.engine.clock import Clock
    from checks.engine.duequeue import DueQueue
    from checks.hub.board import Board
    from data.config.settings import Settings
    from data.model.observation import Observation

VANTAGE = f"{CANARY}vantage:"
"""Begins the id of a canary that is asked through a vantage: `canary:vantage:0:DE-2`."""
EVERY_S = 60.0
"""Real seconds between two looks at a canary through a vantage."""
TIMEOUT_S = 10.0
CANARIES = 2
FEWEST = 3
"""Targets that a vantage without canaries must fail in a row, fine from here, before it is called down."""
_FINE = frozenset({State.OK, State.DEGRADED})


@dataclass(slots=True)
class _Seen:
    """What is known of one vantage."""

    country: str
    canaries: dict[int, str] = field(default_factory=dict)
    """Last word of each canary: empty when it answered, else why not."""
    failed: dict[TargetId, str] = field(default_factory=dict)
    """Targets that it alone failed since it last carried one, and how."""
    last_at: datetime | None = None
    """When anything was last seen of it."""

    @property
    def trouble(self) -> str:
        """Why it is down; empty when it is not known to be."""
        if self.canaries:
            return next(iter(self.canaries.values())) if all(self.canaries.values()) else ""
        return next(reversed(self.failed.values())) if len(self.failed) >= FEWEST else ""


@dataclass(slots=True)
class VantageWatch:
    """How the vantages do, and what an observation made through a sick one is worth.

    1. Up to two canaries are asked through each, once a minute; all of them failing while our own network is fine means
    that it is down. 2. Without canaries it is down once three targets in a row failed through it alone. 3. No failing
    verdict comes from a vantage that is down. 4. A link that is watched from here, for want of a vantage in its country,
    can never be seen to be `ok` there; what was found failing from here is over, though, when it is fine from here.
    """

    settings: Settings
    board: Board
    clock: Clock
    queue: DueQueue
    network_ok: Callable[[], bool]
    _seen: dict[str, _Seen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Ask the canaries of `settings` from now on."""
        self._watch()

    def reconfigure(self, settings: Settings) -> None:
        """Other vantages; what is known of those that stay is kept."""
        for key in self._keys():
            self.queue.remove(key)
        self.settings = settings
        self._watch()

    def check(self, key: TargetId) -> Check:
        """The canary behind a key, to be asked through the key's vantage."""
        number, _, name = key.removeprefix(VANTAGE).partition(":")
        url, country = self.settings.network.canaries[int(number)], self._seen[name].country
        return Check(key, TeamId(""), TargetKind.SITE, url, TIMEOUT_S, Expect(), geo=country, vantage=name)

    def observe(self, observation: Observation) -> None:
        """Take what a canary said through a vantage."""
        number, _, name = observation.target.removeprefix(VANTAGE).partition(":")
        seen = self._seen.get(name)
        if seen is None:
            return
        carried = observation.region == name and observation.cause != "local.network"
        answered = carried and any(hop.status and hop.status not in FAILED for hop in observation.hops)
        if not answered and not self.network_ok():
            return
        seen.canaries[int(number)] = "" if answered else observation.detail or "no canary answers through it"
        seen.last_at = observation.started_at

    def rewrite(self, observation: Observation) -> Observation:
        """What an observation is worth by where it was made from."""
        told = observation.evidence
        if told.get("from_here") == "ok":
            return self._over(observation)
        self._learn(observation)
        seen = self._seen.get(observation.region)
        if seen is None or observation.state is not State.FAILING or not (why := seen.trouble):
            return observation
        return replace(
            observation,
            state=State.UNKNOWN,
            cause=cause("local.network"),
            detail=f"{said(observation.region, why)}; seen meanwhile: {observation.detail}"[:300],
            evidence={**told, "seen": observation.cause},
        )

    @property
    def rows(self) -> tuple[VantageHealth, ...]:
        """All of them, in the order of the configuration."""
        return tuple(
            VantageHealth(name, seen.country, _state(seen), reason(name, seen.trouble), seen.last_at)
            for name, seen in self._seen.items()
        )

    @property
    def problem(self) -> str:
        """The sick ones in one sentence; empty when none is."""
        sick = [said(name, why) for name, seen in self._seen.items() if (why := seen.trouble)]
        more = f" (and {len(sick) - 1} more vantages)" if len(sick) > 1 else ""
        return f"{sick[0]}{more}" if sick else ""

    def _learn(self, observation: Observation) -> None:
        told = observation.evidence.get("vantage_down", "")
        seen = self._seen.get(observation.region)
        if seen is not None and (observation.state in _FINE or observation.cause == "geo.blocked"):
            seen.failed.clear()
            seen.last_at = observation.started_at
        name, _, why = told.partition(": ")
        seen = self._seen.get(name) if told else None
        if seen is not None and self.network_ok():
            seen.failed[observation.target] = why
            seen.last_at = observation.started_at

    def _over(self, observation: Observation) -> Observation:
        state = self.board.states.get(observation.target)
        if state is None or state.state not in {State.FAILING, State.DEGRADED}:
            return observation
        detail = f"fine from here again; {observation.detail}"
        return replace(observation, state=State.OK, cause=NO_CAUSE, detail=detail)

    def _watch(self) -> None:
        old, self._seen = self._seen, {}
        for name, vantage in named(self.settings.vantages):
            kept = old.get(name)
            country = vantage.country.upper()
            self._seen[name] = kept if kept and kept.country == country else _Seen(country)
            self._seen[name].canaries.clear()
        for key in self._keys():
            self.queue.put(key, EVERY_S * self.clock.speed, self.clock.now())

    def _keys(self) -> Iterator[str]:
        count = min(len(self.settings.network.canaries), CANARIES)
        return (f"{VANTAGE}{number}:{name}" for name in self._seen for number in range(count))


def said(name: str, why: str) -> str:
    """`the vantage DE-2 is down: does not answer`."""
    return f"the vantage {name} is down: {reason(name, why)}"


def reason(name: str, why: str) -> str:
    """`does not answer`, without the words that name the vantage."""
    return why.removeprefix(f"the vantage {name} is down: ").removeprefix(f"the vantage {name} ")


def _state(seen: _Seen) -> State:
    if seen.trouble:
        return State.FAILING
    return State.OK if seen.last_at else State.UNKNOWN
