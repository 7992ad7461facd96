from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from checks.engine.canary import (
    CANARY,
    FEWEST,
    NETWORK_FAMILIES,
    Burst,
    Quorum,
    blame_clock,
    blame_network,
    is_literal,
    reached,
)
from checks.engine.duequeue import DueQueue, phase_s
from checks.incidents.lifecycle import THRESHOLDS
from data.config.units import format_duration
from data.model.ids import TargetId, TeamId
from data.model.state import State
from data.model.target import Check, Expect, TargetKind

if TYPE_CHECKING:
    from checks.engine.clock import Clock
    from checks.hub.board import Board
    from data.config.settings import NetworkSettings
    from data.model.observation import Observation, TargetState

EVERY_S = 30.0
"""Real seconds: our own network does not run on simulated time."""
TIMEOUT_S = 10.0
AGAIN_S = 1.0
"""Real seconds between two rounds while observations wait for their word..."""
DOWN_AGAIN_S = 5.0
"""...while we are cut off..."""
BURST_AGAIN_S = 10.0
"""...and for bursts of failures."""
HELD_S = 45.0
"""Real seconds that an observation waits at most: canaries that do not even fail by then say nothing good."""
LOOK_AGAIN_PER_S = 100.0
"""After a cut of ours, so many a real second of those that it blinded are looked at anew."""
_FEW_RESOLVED = 25
_BAD = frozenset({State.FAILING, State.UNKNOWN})


@dataclass(frozen=True, slots=True)
class _Held:
    since: datetime
    """When it arrived: only canaries asked after that can vouch."""
    until_s: float
    observation: Observation


@dataclass(slots=True)
class Canaries:
    """Whether it is us: pages that must answer vouch for our network, resolver and clock before others are called failing.

    1. They are asked every 30 s, at once when many targets newly fail, and every few seconds while we are cut off. 2. An
    observation that would turn a target failing by what a dead network looks like waits until canaries asked after it
    arrived have decided. 3. While we are cut off such observations are `unknown`; what they blinded is looked at anew as
    soon as we are back. 4. Verdicts on certificate dates are `unknown` while our clock is wrong.
    """

    network: NetworkSettings
    board: Board
    clock: Clock
    queue: DueQueue
    quorum: Quorum = field(init=False)
    _burst: Burst = field(default_factory=Burst)
    _held: list[_Held] = field(default_factory=list)
    _asked_s: float = -1e9
    _blinded: set[TargetId] = field(default_factory=set)
    _by_second: deque[bool] = field(default_factory=lambda: deque(maxlen=50))
    """Whether the second resolver had to answer, of the last observations."""

    def __post_init__(self) -> None:
        """Start with the canaries of `network`."""
        self._watch()

    def reconfigure(self, network: NetworkSettings) -> None:
        """Other canaries from now on; what the old ones said is forgotten."""
        for number in range(len(self.network.canaries)):
            self.queue.remove(f"{CANARY}{number}")
        self.network = network
        self._watch()

    def check(self, canary: TargetId) -> Check:
        url = self.network.canaries[int(canary.removeprefix(CANARY))]
        return Check(canary, TeamId(""), TargetKind.SITE, url, TIMEOUT_S, Expect())

    # ── what they say ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def ok(self) -> bool:
        """Whether our own network and resolver are fine, as far as canaries can tell."""
        return not self.quorum.fault(self.clock.now())

    @property
    def problem(self) -> str:
        """What is wrong with us, for a person; empty when nothing is."""
        fault, skew_s = self.quorum.fault(self.clock.now()), self._skew_s
        told = [
            "our own network is down: states are unknown until it is back" if fault == "local.network" else "",
            "our own resolver does not answer: states are unknown until it does" if fault == "local.resolver" else "",
            f"our own clock is {_shown(abs(skew_s))} {'ahead' if skew_s > 0 else 'behind'}: certificates are not judged"
            if skew_s
            else "",
            "our first resolver fails and the second answers"
            if not fault and sum(self._by_second) >= _FEW_RESOLVED
            else "",
        ]
        return "; ".join(filter(None, told))

    def observe(self, seen: Observation) -> None:
        """Take the result of one canary."""
        before, number = self.problem, int(seen.target.removeprefix(CANARY))
        if number >= len(self.network.canaries):
            return
        told = seen.evidence.get("skew_s")
        self.quorum.observe(
            seen.target,
            ok=reached(seen),
            at=seen.started_at,
            because=seen.cause,
            literal=is_literal(self.network.canaries[number]),
            skew_s=float(told) if told else None,
        )
        if self.problem != before:
            self.board.touch()
        if self._blinded and self.ok:
            self._look_again()

    def rewrite(self, seen: Observation) -> Observation:
        """What an observation is worth while we may be the ones who fail."""
        worth = self.quorum.rewrite(seen, self.clock.now())
        if worth is not seen:
            self._blinded.add(seen.target)
        if skew_s := self._skew_s:
            worth = blame_clock(worth, skew_s, _shown)
        return worth

    # ── what waits for their word ────────────────────────────────────────────────────────────────────────────────

    def hold(self, seen: Observation, now_s: float) -> bool:
        """Whether `seen` must wait for the canaries; it comes out of `released`, once."""
        self._by_second.append("resolver" in seen.evidence)
        if self.quorum.configured < FEWEST or not self.ok:
            return False
        state = self.board.states.get(seen.target)
        network_like = seen.state in _BAD and seen.cause.startswith(NETWORK_FAMILIES)
        newly = network_like and state is not None and state.state not in _BAD
        if self._burst.observe(newly_failing=newly) and now_s - self._asked_s >= BURST_AGAIN_S:
            self._ask(now_s)
        if state is None or not (network_like and self._would_open(seen, state)):
            return False
        self._held.append(_Held(self.clock.now(), now_s + HELD_S, seen))
        return True

    @staticmethod
    def _would_open(seen: Observation, state: TargetState) -> bool:
        failing = seen.state is State.FAILING and state.state is not State.FAILING
        return failing and state.fails + 1 >= THRESHOLDS[seen.kind].fail

    def released(self, now_s: float) -> list[Observation]:
        """Observations that have waited long enough: as they were, or `unknown` when nobody vouches for our network."""
        if not self._held:
            return []
        out: list[Observation] = []
        still: list[_Held] = []
        for held in self._held:
            vouched = self.quorum.vouches(held.since)
            if vouched is None and now_s < held.until_s:
                still.append(held)
                continue
            if not vouched:
                self._blinded.add(held.observation.target)
            out.append(held.observation if vouched else blame_network(held.observation))
        self._held = still
        return out

    def tick(self, now_s: float) -> None:
        """Ask the canaries early where their word is awaited."""
        waited_s = now_s - self._asked_s
        if (self._held and waited_s >= AGAIN_S) or (waited_s >= DOWN_AGAIN_S and not self.ok):
            self._ask(now_s)

    @property
    def _skew_s(self) -> float:
        return self.quorum.skew_s(self.network.max_skew_s)

    def _watch(self) -> None:
        now, canaries = self.clock.now(), self.network.canaries
        self.quorum = Quorum(len(canaries))
        for number in range(len(canaries)):
            self.queue.put(f"{CANARY}{number}", EVERY_S * self.clock.speed, now)
            self.queue.soon(f"{CANARY}{number}", now)

    def _ask(self, now_s: float) -> None:
        self._asked_s = now_s
        for number in range(len(self.network.canaries)):
            self.queue.soon(f"{CANARY}{number}", self.clock.now())

    def _look_again(self) -> None:
        now, blinded = self.clock.now(), self._blinded
        within_s = len(blinded) / LOOK_AGAIN_PER_S * self.clock.speed
        self._blinded = set()
        for target in blinded:
            self.queue.soon(target, now + timedelta(seconds=phase_s(target, within_s)))


def _shown(seconds: float) -> str:
    """`2h3m`: what is below a minute matters only alone."""
    return format_duration(round(seconds / 60) * 60 if seconds >= 120 else round(seconds))
