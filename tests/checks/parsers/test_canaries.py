from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.parsers.canaries import judged
from data.model.observation import Observation, TargetState
from data.model.state import State
from data.model.target import Target, TargetKind, target_id

NOW = datetime(2026, 11, 17, 12, tzinfo=UTC)


def parser(name, query, *, canary=False):
    return Target(
        target_id(TargetKind.PARSER, name), TargetKind.PARSER, "aurora", name, "http://s.example/", query=query,
        canary=canary, interval_s=900.0,
    )  # fmt: skip


PLAIN, CANARY, OTHER = (
    parser("p", "wetten"),
    parser("c", "wetter", canary=True),
    parser("d", "nachrichten", canary=True),
)


def seen(state=State.OK, cause="", detail="10 items", value=10.0, **evidence):
    return Observation(
        "parser:p", "aurora", TargetKind.PARSER, NOW, state, cause, detail, value=value, evidence=evidence
    )


def empty(cause="parser.selector_dead", state=State.FAILING, **evidence):
    return seen(state, cause, "0 items, usually 10", 0.0, **evidence)


def state_of(target, state=State.OK, cause="", minutes=5, fails=0):
    at = NOW - timedelta(minutes=minutes)
    return TargetState(target.id, "aurora", TargetKind.PARSER, state, cause, "0 items", last_at=at, fails=fails)


def judge(observation, *states, target=PLAIN):
    return judged(observation, target, [CANARY, OTHER], {one.target: one for one in states})


def test_an_empty_query_beside_canaries_that_parse_has_no_results():
    told = judge(empty(), state_of(CANARY), state_of(OTHER))
    assert (told.state, told.cause) == (State.FAILING, "page.no_results")
    assert told.detail.endswith(
        "the canary 'wetter', 'nachrichten' parse: this query has no results, the parser is fine"
    )
    assert judge(told, state_of(CANARY), state_of(OTHER)) == told


@pytest.mark.parametrize(
    "states",
    [
        (),
        (state_of(CANARY, minutes=60), state_of(OTHER)),
        (state_of(CANARY, fails=1), state_of(OTHER)),
        (state_of(CANARY, State.UNKNOWN), state_of(OTHER)),
    ],
    ids=["none there", "too long ago", "one fails, unconfirmed", "one is unknown"],
)
def test_without_the_word_of_every_canary_an_empty_query_stays_what_it_is(states):
    assert judge(empty(), *states) == empty()


def test_results_that_are_plain_to_see_are_no_missing_results():
    shown = empty(witness="12")
    assert judge(shown, state_of(CANARY), state_of(OTHER)) == shown
    assert judge(empty(witness="3"), state_of(CANARY), state_of(OTHER)).cause == "page.no_results"


@pytest.mark.parametrize("state", [State.OK, State.DEGRADED])
def test_while_a_canary_fails_nothing_that_was_read_is_believed(state):
    told = judge(seen(state), state_of(CANARY, State.FAILING, "parser.selector_dead"), state_of(OTHER))
    assert (told.state, told.cause) == (State.UNKNOWN, "parser.selector_dead")
    assert "10 items; not believed: the canary 'wetter' fails: 0 items" in told.detail


def test_a_failure_beside_a_failing_canary_keeps_its_own_words():
    told = judge(empty(), state_of(CANARY, State.FAILING, "page.blocked"))
    assert (told.state, told.cause, told.detail) == (State.FAILING, "parser.selector_dead", "0 items, usually 10")
    assert told.evidence["canary"].startswith("'wetter' fails")


def test_a_canary_that_the_network_kept_from_answering_says_nothing_of_the_parser():
    assert judge(seen(), state_of(CANARY, State.FAILING, "tcp.timeout"), state_of(OTHER)) == seen()


@pytest.mark.parametrize("state", [State.UNKNOWN, State.FAILING])
def test_a_canary_without_results_is_a_dead_selector(state):
    told = judge(empty("page.no_results", state), target=CANARY)
    assert (told.state, told.cause) == (State.FAILING, "parser.selector_dead")
    assert told.detail.startswith("the canary 'wetter' always has results: 0 items")
    assert judge(seen(), target=CANARY) == seen()
