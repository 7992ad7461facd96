"""From observations to states and findings: how often something must be seen before it is said.

Pure and per target. Two failing observations open, three good ones close, `unknown` does neither. A condition that was
opened keeps its finding until it closes, whatever its cause turns into meanwhile.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from checks.incidents.labels import WEB, traits_after
from data.model.cause import nature_of
from data.model.ids import FindingId
from data.model.incident import Finding
from data.model.observation import NO_CAUSE, Flip, Observation, TargetState
from data.model.state import State
from data.model.target import Target, TargetKind, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.model.ids import TargetId

_LEVEL = {State.OK: 0, State.UNKNOWN: 0, State.PAUSED: 0, State.DEGRADED: 1, State.FAILING: 2}
_SHARED = (
    "edge",
    "ip",
    "host",
    "partner",
    "tracker",
    "issuer",
    "certificate",
    "geo",
    "site",
    "offer",
    "compliance",
    "origin_state",
)
_DEPLOYED = ("link.param_lost", "seo.")
"""What a site's own software does to its pages, and so a change of it to several sites of a team at once."""
_BY_OTHERS = "seo.deindexed"
"""What a search engine does to a site."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How many observations in a row change a state."""

    fail: int = 2
    recover: int = 3
    recover_degraded: int = 1
    forget: int = 1
    """Good observations in a row that forget failures not yet confirmed; 2 makes `fail=2` mean 2 of 3."""
    at_once: frozenset[str] = frozenset()
    """Causes that are proof by themselves and need no confirmation."""
    confirm_s: tuple[float, float] | None = None
    """Look again within this range; `None` waits for the next scheduled observation."""


DEFAULT = Thresholds(confirm_s=(20.0, 40.0))
_PROVEN_BY_PAYLOAD = frozenset(
    f"feed.{detail}" for detail in ("auth", "contract", "scale", "timezone", "paging", "restated", "deprecated")
)
THRESHOLDS: Mapping[TargetKind, Thresholds] = {
    TargetKind.SITE: DEFAULT,
    TargetKind.LINK: DEFAULT,
    TargetKind.PARSER: Thresholds(forget=2, recover=2),
    TargetKind.FEED: Thresholds(recover=1, at_once=_PROVEN_BY_PAYLOAD),
    TargetKind.SLICE: Thresholds(fail=1, recover=1),
}


@dataclass(frozen=True, slots=True)
class Closing:
    """A finding that is over."""

    finding: FindingId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one observation did to one target."""

    state: TargetState
    flip: Flip | None = None
    opened: Finding | None = None
    closed: Closing | None = None
    revised: Finding | None = None
    """An open finding whose cause changed: same id, newer words. Give it to the desk as if it were opened."""
    confirm_in_s: float | None = None
    """Observe again after this many seconds, before the schedule would."""


def finding_id(target: TargetId, opened_at: datetime) -> FindingId:
    return FindingId(f"{target}@{opened_at.astimezone(UTC).isoformat()}")


def advance(
    state: TargetState, observation: Observation, thresholds: Thresholds | None = None, target: Target | None = None
) -> Step:
    """Apply `observation` to `state`.

    1. An answer older than the last one known changes nothing.
    2. `unknown` shows where nothing worse is known; it opens, closes and counts nothing. `paused` closes.
    3. Worse than the present state: after `fail` in a row the state changes; the first one asks for a confirmation.
    4. Better: after `recover` in a row (`recover_degraded` from degraded) it changes; at ok the finding closes.
    5. The same: its words are kept up to date. A failure of another nature (see `nature_of`), seen `fail` times in a row, is
       another trouble: the finding of the first closes, one of the second opens.

    `target` lends its partner, GEO, site and offer to the finding's fingerprint. Without `thresholds` the kind's apply.
    """
    if state.last_at is not None and observation.started_at < state.last_at:
        return Step(state)
    move = _Move(state, observation, thresholds or THRESHOLDS[observation.kind], target)
    if observation.state is State.UNKNOWN:
        return move.to_unknown()
    if observation.state is State.PAUSED:
        return move.to_paused()
    was, seen = _LEVEL[state.state], _LEVEL[observation.state]
    if seen > was:
        return move.worse()
    if seen < was:
        return move.better()
    return move.still_bad() if seen else move.still_good()


@dataclass(frozen=True, slots=True)
class _Move:
    state: TargetState
    observation: Observation
    rules: Thresholds
    target: Target | None
    fresh: TargetState = field(init=False)
    """The state with what is always taken over from an observation."""

    def __post_init__(self) -> None:
        seen = self.observation
        traits = traits_after(seen, self.state.traits) if seen.kind in WEB else self.state.traits
        fresh = replace(self.state, last_at=seen.started_at, last_ms=seen.total_ms, value=seen.value, traits=traits)
        object.__setattr__(self, "fresh", fresh)

    def to_unknown(self) -> Step:
        if _LEVEL[self.state.state]:
            return Step(self.fresh)
        return self._shown("no evidence either way", self.fresh)

    def to_paused(self) -> Step:
        rested = replace(self.fresh, fails=0, oks=0, first_fail_at=None)
        step = self._shown("paused", rested)
        return replace(step, closed=self._closing("paused")) if _LEVEL[self.state.state] else step

    def worse(self) -> Step:
        seen = self.observation
        fails = self.state.fails + 1
        first = self.state.first_fail_at or _began_at(seen)
        if fails < self.rules.fail and seen.cause not in self.rules.at_once:
            waiting = replace(self.fresh, fails=fails, oks=0, first_fail_at=first)
            return Step(waiting, confirm_in_s=self._look_again())
        opens = _LEVEL[self.state.state] == 0
        kept = fails if seen.state is State.FAILING else 0
        worse = replace(self.fresh, fails=kept, oks=0, first_fail_at=first)
        step = self._shown(
            f"{fails} in a row since {first:%H:%M:%SZ}", worse, since=first if opens else seen.started_at
        )
        finding = self._finding(first)
        return replace(step, opened=finding) if opens else replace(step, revised=finding)

    def better(self) -> Step:
        oks = self.state.oks + 1
        failing = self.state.state is State.FAILING
        if oks < (self.rules.recover if failing else self.rules.recover_degraded):
            return Step(replace(self.fresh, oks=oks), confirm_in_s=self._look_again())
        reason = f"{oks} good in a row"
        if self.observation.state is State.DEGRADED:
            step = self._shown(reason, replace(self.fresh, fails=0, oks=0))
            return replace(step, revised=self._finding(self.state.first_fail_at or self.observation.started_at))
        step = self._shown(reason, replace(self.fresh, fails=0, oks=oks, first_fail_at=None))
        return replace(step, closed=self._closing(reason))

    def still_bad(self) -> Step:
        seen, state = self.observation, self.state
        if state.kind in WEB and nature_of(seen.cause) != nature_of(state.cause):
            return self._another_trouble()
        fails = state.fails + 1 if seen.state is State.FAILING else 0
        first = state.first_fail_at or _began_at(seen)
        same = _said(replace(self.fresh, fails=fails, oks=0, first_fail_at=first), seen)
        return Step(same, revised=self._finding(first) if seen.cause != state.cause else None)

    def _another_trouble(self) -> Step:
        """`oks` counts how often in a row the first trouble was not seen, as it does on the way to recovery."""
        seen, others = self.observation, self.state.oks + 1
        if others < self.rules.fail and seen.cause not in self.rules.at_once:
            return Step(replace(self.fresh, oks=others), confirm_in_s=self._look_again())
        began = (self.state.last_at if others > 1 else None) or seen.started_at
        closing = self._closing(f"it gave way to {seen.cause}")
        fails = others if seen.state is State.FAILING else 0
        fresh = replace(self.fresh, fails=fails, oks=0, first_fail_at=began, since=began)
        flip = Flip(seen.target, seen.team, seen.started_at, seen.state, seen.state, seen.cause, closing.reason)
        return Step(_said(fresh, seen), flip=flip, opened=self._finding(began), closed=closing)

    def still_good(self) -> Step:
        oks = self.state.oks + 1
        good = replace(self.fresh, oks=oks)
        if oks >= self.rules.forget:
            good = replace(good, fails=0, first_fail_at=None)
        return self._shown("observed ok", good)

    def _shown(self, reason: str, state: TargetState, since: datetime | None = None) -> Step:
        """Move to the observed state. The first word ever about a target that is fine is no news."""
        seen = self.observation
        if seen.state is self.state.state and self.state.last_at is not None:
            return Step(_said(state, seen))
        shown = _said(replace(state, state=seen.state, since=since or seen.started_at), seen)
        if self.state.last_at is None and _LEVEL[seen.state] == 0:
            return Step(shown)
        flip = Flip(seen.target, seen.team, seen.started_at, self.state.state, seen.state, seen.cause, reason)
        return Step(shown, flip=flip)

    def _finding(self, first: datetime) -> Finding:
        seen = self.observation
        return Finding(
            id=finding_id(seen.target, first),
            target=seen.target,
            team=seen.team,
            kind=seen.kind,
            cause=seen.cause,
            opened_at=first,
            detected_at=seen.started_at,
            detail=seen.detail,
            blame=seen.blame,
            fingerprint=fingerprint(seen, self.target),
        )

    def _closing(self, reason: str) -> Closing:
        opened_at = self.state.first_fail_at or self.state.since or self.observation.started_at
        return Closing(finding_id(self.state.target, opened_at), self.observation.started_at, reason)

    def _look_again(self) -> float | None:
        """A moment in the range that is the same for a target every time and differs between targets."""
        if self.rules.confirm_s is None:
            return None
        low, high = self.rules.confirm_s
        return low + (high - low) * (zlib.crc32(self.state.target.encode()) / 0xFFFFFFFF)


def fingerprint(observation: Observation, target: Target | None = None) -> dict[str, str]:
    """The labels a finding may share with others; an empty label is left out and so equals nothing."""
    labels = {name: observation.evidence.get(name, "") for name in _SHARED}
    labels["edge"] = labels["edge"] or next((hop.edge for hop in reversed(observation.hops) if hop.edge), "")
    if observation.kind in {TargetKind.SITE, TargetKind.LINK, TargetKind.PARSER}:
        labels["host"] = labels["host"] or observation.blame
    if target is not None:
        known = {"partner": target.partner, "geo": target.geo, "site": target.site, "offer": target.offer}
        labels |= {name: value for name, value in known.items() if value}
    if observation.kind is TargetKind.SITE:
        labels["site"] = name_of(observation.target)
        if observation.cause.startswith(_DEPLOYED) and observation.cause != _BY_OTHERS:
            labels["deploy"] = f"{observation.team} {observation.evidence.get('parameter') or observation.cause}"
    return {name: value for name, value in labels.items() if value}


def _said(state: TargetState, seen: Observation) -> TargetState:
    """The state in the words of an observation."""
    cause = NO_CAUSE if seen.state is State.OK else seen.cause
    return replace(state, cause=cause, detail=seen.detail, blame=seen.blame, evidence=seen.evidence)


def _began_at(seen: Observation) -> datetime:
    """When the condition began: a family that knows better than `started_at` says so in `evidence["began_at"]`."""
    told = seen.evidence.get("began_at", "")
    if not told:
        return seen.started_at
    began = datetime.fromisoformat(told)
    return began if began.tzinfo else began.replace(tzinfo=UTC)
