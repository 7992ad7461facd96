"""What canary queries say of a parser: their results are always there, so that only the parser can be missing them.

1. A canary without results is a dead selector, whatever its page and its short history say. 2. While a canary fails the
parser is broken: what an ordinary query reads is not believed, `unknown`. 3. An ordinary query that is empty while every
canary parses has no results: the world, not the parser. Not where a page plainly shows results that were not read.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.parsers.witness import PROOF
from data.model.cause import cause, family_of, state_of
from data.model.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.model.ids import TargetId
    from data.model.observation import Observation, TargetState
    from data.model.target import Target

SELECTOR_DEAD = cause("parser.selector_dead")
NO_RESULTS = cause("page.no_results")
FRESH = 2.5
"""Intervals for which a canary's word holds."""
_OF_PARSERS = frozenset({"parser", "page"})
"""Families of causes that say something of a parser; a network that failed does not."""
_NAMED = 3


def judged(
    seen: Observation, target: Target, canaries: Sequence[Target], states: Mapping[TargetId, TargetState]
) -> Observation:
    """`seen` as its canaries make it; said twice it stays the same. `canaries` are those that speak for `target`."""
    if target.canary:
        return _of_canary(seen, target)
    known = [(one, states[one.id]) for one in canaries if one.id in states]
    failing = next(((one, state) for one, state in known if _fails(state)), None)
    if failing and seen.state in {State.OK, State.DEGRADED}:
        return _doubted(seen, *failing)
    if failing:
        return replace(seen, evidence={**seen.evidence, "canary": _fails_words(*failing)})
    parse = [one for one, state in known if _parses(one, state, seen)]
    if not parse or len(parse) < len(known) or not _is_empty(seen):
        return seen
    named = ", ".join(repr(one.query) for one in parse[:_NAMED])
    words = f"{named} parse{'s' if len(parse) == 1 else ''}"
    evidence = {**seen.evidence, "canary": words}
    if seen.cause == NO_RESULTS:
        return replace(seen, evidence=evidence)
    detail = f"{seen.detail}; the canary {words}: this query has no results, the parser is fine"
    return replace(seen, state=state_of(NO_RESULTS), cause=NO_RESULTS, detail=detail[:300], evidence=evidence)


def _of_canary(seen: Observation, target: Target) -> Observation:
    if seen.cause != NO_RESULTS:
        return seen
    return replace(
        seen,
        state=state_of(SELECTOR_DEAD),
        cause=SELECTOR_DEAD,
        detail=f"the canary {target.query!r} always has results: {seen.detail}"[:300],
        evidence={**seen.evidence, "canary": f"{target.query!r} has no results"},
    )


def _doubted(seen: Observation, canary: Target, state: TargetState) -> Observation:
    words = _fails_words(canary, state)
    return replace(
        seen,
        state=State.UNKNOWN,
        cause=state.cause,
        detail=f"{seen.detail}; not believed: the canary {words}"[:300],
        evidence={**seen.evidence, "canary": words},
    )


def _fails(state: TargetState) -> bool:
    return state.state is State.FAILING and family_of(state.cause) in _OF_PARSERS


def _fails_words(canary: Target, state: TargetState) -> str:
    return f"{canary.query!r} fails: {state.detail}"[:200]


def _parses(canary: Target, state: TargetState, seen: Observation) -> bool:
    """Lately, and without a doubt that waits to be confirmed."""
    last = state.last_at
    lately = last is not None and seen.started_at - last <= timedelta(seconds=FRESH * canary.interval_s)
    return lately and state.state is State.OK and not state.fails


def _is_empty(seen: Observation) -> bool:
    """Whether nothing was read and nothing was there to be read, as far as anybody can see."""
    if seen.value or seen.cause not in {SELECTOR_DEAD, NO_RESULTS}:
        return False
    shown = seen.evidence.get("witness", "0")
    return not shown.isdigit() or int(shown) < PROOF
