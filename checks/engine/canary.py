"""Whether our own network, resolver and clock are fine, told by pages that must answer. Pure: results and times come in."""

from __future__ import annotations

import ipaddress
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from data.model.cause import cause
from data.model.ids import CauseId
from data.model.observation import NO_CAUSE
from data.model.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.model.observation import Observation

CANARY = "canary:"
"""Start of the ids of canaries, which are nobody's targets."""
FEWEST = 3
NETWORK_FAMILIES = ("dns.", "tcp.", "tls.timeout", "tls.protocol", "slow.", "proto.empty_reply", "proto.truncated")
"""What a dead network of ours looks like from here."""
DATED = frozenset({"tls.expired", "tls.not_yet_valid", "tls.expiring"})
"""Causes that are only as true as our clock."""
_RESOLVER = ("dns.", "local.resolver")
_RESOLVER_ANSWERS = ("dns.nxdomain", "dns.nodata", "dns.servfail", "dns.refused", "local.resolver")


@dataclass(frozen=True, slots=True)
class Word:
    """The latest result of one canary."""

    ok: bool
    at: datetime
    """When it was asked."""
    cause: CauseId = NO_CAUSE
    literal: bool = False
    """Its URL holds an address: no resolver is needed."""
    skew_s: float | None = None
    """How far our wall clock is ahead of its `Date`."""


@dataclass(slots=True)
class Quorum:
    """The latest word of each of `configured` canaries; most of them failing means that we are the ones cut off."""

    configured: int
    _latest: dict[str, Word] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """What a person should know about this quorum; empty when it works."""
        if self.configured >= FEWEST:
            return ""
        return f"{self.configured} of at least {FEWEST} canaries are configured: a cut of our own network looks like everybody's"

    def observe(
        self,
        canary: str,
        *,
        ok: bool,
        at: datetime,
        because: CauseId = NO_CAUSE,
        literal: bool = False,
        skew_s: float | None = None,
    ) -> None:
        """Take one canary's result, asked at `at`."""
        self._latest[canary] = Word(ok, at, because, literal, skew_s)

    def network_ok(self, now: datetime, max_age: timedelta | None = None) -> bool:
        """False only when more than half of the configured canaries last failed, within `max_age` if one is given.

        With fewer than three canaries configured the network is never blamed: one broken canary is no quorum.
        """
        return self.configured < FEWEST or self._most_answer(
            [w for w in self._latest.values() if _fresh(w, now, max_age)]
        )

    def fault(self, now: datetime) -> CauseId:
        """`local.network`, `local.resolver`, or no cause while we are fine.

        It is the resolver when canaries fail by their names only, while one with an address answers or the resolver
        itself answers wrongly; names that nobody answers for look the same over a dead network.
        """
        if self.configured < FEWEST:
            return NO_CAUSE
        named = [word for word in self._latest.values() if not word.literal]
        by_name = [word for word in named if not word.ok and word.cause.startswith(_RESOLVER)]
        reached_by_address = any(word.ok and word.literal for word in self._latest.values())
        if len(by_name) >= 2 and len(by_name) == len(named) and reached_by_address:
            return cause("local.resolver")
        if self.network_ok(now):
            return NO_CAUSE
        failing = [word for word in self._latest.values() if not word.ok]
        answered = any(word.cause.startswith(_RESOLVER_ANSWERS) for word in failing)
        if answered and all(word.cause.startswith(_RESOLVER) for word in failing):
            return cause("local.resolver")
        return cause("local.network")

    def vouches(self, since: datetime) -> bool | None:
        """Whether our network was fine after `since`, as soon as canaries asked since then decide it; `None` until then."""
        words = [word.ok for word in self._latest.values() if word.at >= since]
        if words.count(True) * 2 >= self.configured:
            return True
        return False if words.count(False) * 2 > self.configured else None

    def skew_s(self, limit_s: float) -> float:
        """Seconds that our clock is ahead (behind: negative); 0 unless three canaries and most of all agree beyond the limit."""
        told = [word.skew_s for word in self._latest.values() if word.ok and word.skew_s is not None]
        if len(told) < FEWEST:
            return 0.0
        middle = median(told)
        beyond = [skew for skew in told if abs(skew) > limit_s and skew * middle > 0]
        agree = len(beyond) >= FEWEST and len(beyond) * 2 > len(told)
        return middle if agree and abs(middle) > limit_s else 0.0

    def rewrite(self, observation: Observation, now: datetime) -> Observation:
        """`observation`, or what it is worth while our own network or resolver is down: no evidence about the target."""
        fault = self.fault(now)
        return blame_us(observation, fault) if fault else observation

    def _most_answer(self, words: list[Word]) -> bool:
        return sum(not word.ok for word in words) * 2 <= self.configured


@dataclass(slots=True)
class Burst:
    """Whether many targets that were fine fail at once by what a dead network looks like: then the canaries are asked early.

    Targets that failed before do not count, so a share of permanently dead ones raises nothing.
    """

    last: int = 50
    fewest: int = 10
    _seen: deque[bool] = field(init=False)

    def __post_init__(self) -> None:
        """Nothing was seen yet."""
        self._seen = deque(maxlen=self.last)

    def observe(self, *, newly_failing: bool) -> bool:
        """Take one observation; true when at least `fewest` of the `last` newly failed."""
        self._seen.append(newly_failing)
        return newly_failing and sum(self._seen) >= self.fewest


def _fresh(word: Word, now: datetime, max_age: timedelta | None) -> bool:
    return max_age is None or now - word.at <= max_age


def reached(observation: Observation) -> bool:
    """Whether a canary's check proves the network: any HTTP answer does, whatever the page."""
    return any(hop.status for hop in observation.hops)


def is_literal(url: str) -> bool:
    """Whether the URL's host is an address."""
    try:
        ipaddress.ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return True


def skew_of(date: str, age: str, wall_now: datetime) -> float | None:
    """Seconds that our clock is ahead of a `Date` header, the `Age` of a cached answer allowed for; `None` for nonsense.

    `Date` has whole seconds: differences below one mean nothing.
    """
    try:
        theirs = parsedate_to_datetime(date) + timedelta(seconds=int(age) if age.isascii() and age.isdigit() else 0)
        return round((wall_now - theirs).total_seconds(), 1)
    except (ValueError, TypeError, OverflowError):
        return None


def blame_network(observation: Observation) -> Observation:
    """As `blame_us` by `local.network`."""
    return blame_us(observation, cause("local.network"))


def blame_us(observation: Observation, fault: CauseId) -> Observation:
    """The same observation as `unknown` by `fault`, if that fault of ours could have caused it.

    An answer is an answer: a 404 or a wrong page stays what it is. What was seen is kept in the evidence.
    """
    families = ("dns.",) if fault == "local.resolver" else NETWORK_FAMILIES
    if observation.state not in {State.FAILING, State.UNKNOWN} or not observation.cause.startswith(families):
        return observation
    what = "resolver does not answer" if fault == "local.resolver" else "network is down"
    return _unknown(observation, fault, f"our own {what}")


def blame_clock(observation: Observation, skew_s: float, shown: Callable[[float], str]) -> Observation:
    """The same observation as `unknown` by `local.clock`, if it rests on the dates of a certificate."""
    if observation.cause not in DATED:
        return observation
    side = "ahead" if skew_s > 0 else "behind"
    return _unknown(observation, cause("local.clock"), f"our own clock is {shown(abs(skew_s))} {side}")


def _unknown(observation: Observation, fault: CauseId, why: str) -> Observation:
    return replace(
        observation,
        state=State.UNKNOWN,
        cause=fault,
        detail=f"{why}; seen meanwhile: {observation.detail}"[:300],
        evidence={**observation.evidence, "seen": observation.cause},
    )
