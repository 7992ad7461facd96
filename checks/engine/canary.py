"""Whether our own network is fine, told by pages that must answer. Pure: results and times come in from outside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from data.model.cause import cause
from data.model.state import State

if TYPE_CHECKING:
    from data.model.observation import Observation

FEWEST = 3
_NETWORK_FAMILIES = ("dns.", "tcp.", "tls.timeout", "tls.protocol", "slow.", "proto.empty_reply", "proto.truncated")


@dataclass(slots=True)
class Quorum:
    """The latest word of each of `configured` canaries; most of them failing means that we are the ones cut off."""

    configured: int
    _latest: dict[str, tuple[bool, datetime]] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """What a person should know about this quorum; empty when it works."""
        if self.configured >= FEWEST:
            return ""
        return f"{self.configured} of at least {FEWEST} canaries are configured: a cut of our own network looks like everybody's"

    def observe(self, canary: str, *, ok: bool, at: datetime) -> None:
        """Take one canary's result, made at `at`."""
        self._latest[canary] = (ok, at)

    def network_ok(self, now: datetime, max_age: timedelta | None = None) -> bool:
        """False only when more than half of the configured canaries last failed, within `max_age` if one is given.

        With fewer than three canaries configured the network is never blamed: one broken canary is no quorum.
        """
        if self.configured < FEWEST:
            return True
        fresh = [ok for ok, at in self._latest.values() if max_age is None or now - at <= max_age]
        return fresh.count(False) * 2 <= self.configured

    def rewrite(self, observation: Observation, now: datetime) -> Observation:
        """`observation`, or what it is worth while our own network is down: no evidence about the target."""
        return observation if self.network_ok(now) else blame_network(observation)


def reached(observation: Observation) -> bool:
    """Whether a canary's check proves the network: any HTTP answer does, whatever the page."""
    return any(hop.status for hop in observation.hops)


def blame_network(observation: Observation) -> Observation:
    """The same observation as `unknown` by `local.network`, if a dead network could have caused it.

    An answer is an answer: a 404 or a wrong page stays what it is. What was seen is kept in the evidence.
    """
    if observation.state is not State.FAILING or not observation.cause.startswith(_NETWORK_FAMILIES):
        return observation
    return replace(
        observation,
        state=State.UNKNOWN,
        cause=cause("local.network"),
        detail=f"our own network is down; seen meanwhile: {observation.detail}"[:300],
        evidence={**observation.evidence, "seen": observation.cause},
    )
