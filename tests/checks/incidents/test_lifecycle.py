"""Time lines: one letter an observation (o ok, d degraded, f failing, u unknown, p paused), five minutes apart."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.incidents.lifecycle import THRESHOLDS, Thresholds, advance
from data.model.cause import state_of
from data.model.codec import from_json, to_json
from data.model.observation import TargetState
from data.model.state import State
from data.model.target import Target, TargetKind, target_id

SITE, LINK, PARSER, FEED, SLICE = TargetKind


def play(story, letters, kind=SITE, cause="", *, restart=False):
    """What each observation did: O opens, C closes, R revises, | flips without either, . nothing."""
    state, marks, steps = story.state(kind), "", []
    for number, letter in enumerate(letters):
        if restart:
            state = from_json(to_json(state), TargetState)
        step = advance(state, story.seen(letter, number * 5, kind, cause if letter == "f" else ""))
        state = step.state
        marks += "O" if step.opened else "C" if step.closed else "R" if step.revised else "|" if step.flip else "."
        steps.append(step)
    return marks, steps


TIMELINES = [
    ("o", "."),
    ("oooo", "...."),
    ("ff", ".O"),
    ("fo", ".|"),
    ("off", "..O"),
    ("fofofo", ".|...."),
    ("offffooo", "..O....C"),
    ("offoofooo", "..O.....C"),
    ("offofofooo", "..O......C"),
    ("ofuf", "..|O"),
    ("ofuuo", "..|.|"),
    ("offuooo", "..O...C"),
    ("offouoo", "..O...C"),
    ("offuuuu", "..O...."),
    ("u", "."),
    ("ou", ".|"),
    ("uo", ".|"),
    ("uff", "..O"),
    ("odd", "..O"),
    ("oddo", "..OC"),
    ("oddff", "..O.R"),
    ("oddfdff", "..O...R"),
    ("offddd", "..O..R"),
    ("offoddo", "..O..RC"),
    ("offp", "..OC"),
    ("opo", ".||"),
    ("opff", ".|.O"),
    ("offpff", "..OC.O"),
    ("offoooff", "..O..C.O"),
]


@pytest.mark.parametrize(("letters", "marks"), TIMELINES)
def test_a_site_opens_at_the_second_failure_and_closes_at_the_third_success(story, letters, marks):
    assert play(story, letters)[0] == marks


@pytest.mark.parametrize(("letters", "marks"), TIMELINES)
def test_a_restart_between_any_two_observations_changes_nothing(story, letters, marks):
    plain, restarted = play(story, letters), play(story, letters, restart=True)
    assert restarted == plain
    assert restarted[0] == marks


@pytest.mark.parametrize(
    ("kind", "letters", "cause", "marks"),
    [
        (PARSER, "off", "parser.field_dead", "..O"),
        (PARSER, "ofof", "parser.field_dead", "...O"),
        (PARSER, "ofoof", "parser.field_dead", "....."),
        (PARSER, "offoo", "parser.field_dead", "..O.C"),
        (FEED, "of", "feed.auth", ".O"),
        (FEED, "of", "feed.scale", ".O"),
        (FEED, "of", "feed.contract", ".O"),
        (FEED, "of", "feed.timezone", ".O"),
        (FEED, "off", "feed.throttled", "..O"),
        (FEED, "ofo", "feed.throttled", "..."),
        (FEED, "ofo", "feed.auth", ".OC"),
        (SLICE, "of", "revenue.silence", ".O"),
        (SLICE, "ofo", "revenue.silence", ".OC"),
        (LINK, "of", "geo.blocked", ".."),
    ],
)
def test_every_family_confirms_in_its_own_way(story, kind, letters, cause, marks):
    assert play(story, letters, kind, cause)[0] == marks


def test_a_finding_begins_with_the_first_bad_observation_not_with_its_confirmation(story):
    _, steps = play(story, "off")
    opened = steps[-1].opened
    assert opened.opened_at == story.at(5)
    assert opened.detected_at == story.at(10)
    assert opened.id == f"site:a1@{story.at(5).isoformat()}"
    assert steps[-1].state.since == story.at(5)


def test_the_finding_that_closes_is_the_one_that_was_opened(story):
    _, steps = play(story, "offufooo")
    assert steps[-1].closed.finding == steps[2].opened.id
    assert steps[-1].closed.at == story.at(35)


def test_a_family_that_knows_when_it_began_is_believed(story):
    began = story.at(-300)
    seen = story.seen("f", 0, SLICE, "revenue.silence", evidence={"began_at": began.isoformat()})
    assert advance(story.state(SLICE), seen).opened.opened_at == began


def test_the_first_failure_asks_for_a_confirmation_within_20_to_40_seconds_the_same_every_time(story):
    asked = {}
    for name in ("a1", "a2", "a3"):
        state = story.state(name=name)
        first = advance(state, story.seen("f", 0))
        assert advance(state, story.seen("f", 0)).confirm_in_s == first.confirm_in_s
        assert 20 <= first.confirm_in_s <= 40
        asked[name] = first.confirm_in_s
    assert len(set(asked.values())) == 3


def test_recovery_is_confirmed_soon_too(story):
    _, steps = play(story, "offo")
    assert 20 <= steps[-1].confirm_in_s <= 40


def test_a_parser_waits_for_its_next_run(story):
    assert play(story, "of", PARSER, "parser.field_dead")[1][-1].confirm_in_s is None


def test_another_cause_revises_the_open_finding_and_keeps_its_id(story):
    _, steps = play(story, "off")
    step = advance(steps[-1].state, story.seen("f", 20, cause="tcp.timeout"))
    assert step.opened is None
    assert step.revised.id == steps[-1].opened.id
    assert step.revised.cause == "tcp.timeout"
    assert step.state.cause == "tcp.timeout"


def test_an_answer_overtaken_by_a_later_one_changes_nothing(story):
    _, steps = play(story, "ooo")
    late = advance(steps[-1].state, story.seen("f", 1))
    assert late.state == steps[-1].state
    assert late.flip is None


def test_unknown_shows_on_a_target_that_was_fine_and_hides_nothing_on_one_that_fails(story):
    assert play(story, "ou")[1][-1].state.state is State.UNKNOWN
    failing = play(story, "offu")[1][-1].state
    assert (failing.state, failing.cause, failing.last_at) == (State.FAILING, "http.5xx", story.at(15))


def test_a_finding_carries_the_labels_it_may_share_with_others(story):
    target = Target(target_id(LINK, "a1"), LINK, "aurora", "a1", partner="P05", geo="DE", site="aurora-001")
    state = advance(story.state(LINK), story.seen("f", 0, LINK), target=target).state
    seen = story.seen("f", 1, LINK, evidence={"edge": "Halyard Edge", "title": "x", "ip": ""}, blame="p05.example")
    labels = advance(state, seen, target=target).opened.fingerprint
    assert labels == {
        "edge": "Halyard Edge",
        "host": "p05.example",
        "partner": "P05",
        "geo": "DE",
        "site": "aurora-001",
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("odfup", max_size=40), st.sampled_from(list(TargetKind)))
def test_openings_and_closings_alternate_and_only_failures_are_open(story, letters, kind):
    open_id, state = None, story.state(kind)
    for number, letter in enumerate(letters):
        step = advance(state, story.seen(letter, number, kind))
        assert not (step.opened and step.closed)
        if step.opened:
            assert open_id is None
            open_id = step.opened.id
        if step.revised:
            assert step.revised.id == open_id
        if step.closed:
            assert step.closed.finding == open_id
            open_id = None
        state = step.state
        assert (open_id is not None) == (state.state in {State.FAILING, State.DEGRADED})
        assert letter != "u" or not (step.opened or step.closed)
        if state.cause:
            assert state_of(state.cause) is state.state


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 6), st.integers(0, 6))
def test_exactly_the_configured_counts_open_and_close(story, fail, recover, failures, successes):
    rules = Thresholds(fail=fail, recover=recover)
    state, opened, closed = story.state(), 0, 0
    for number, letter in enumerate("o" + "f" * failures + "o" * successes):
        step = advance(state, story.seen(letter, number), rules)
        state, opened, closed = step.state, opened + bool(step.opened), closed + bool(step.closed)
    assert opened == (failures >= fail)
    assert closed == (failures >= fail and successes >= recover)


def test_each_kind_of_target_has_its_thresholds():
    assert set(THRESHOLDS) == set(TargetKind)
    assert all(rules.confirm_s is None or rules.confirm_s[1] <= 40 for rules in THRESHOLDS.values())
    assert timedelta(seconds=THRESHOLDS[SITE].confirm_s[0]) >= timedelta(seconds=20)


def changes(story, causes, kind=LINK):
    """Marks for a line of failing causes, five minutes apart; an empty one is a good answer."""
    state, marks, steps = story.state(kind), "", []
    for number, cause in enumerate(causes):
        step = advance(state, story.seen("f" if cause else "o", number * 5, kind, cause))
        state = step.state
        marks += (
            "B"
            if step.opened and step.closed
            else "O"
            if step.opened
            else "C"
            if step.closed
            else "R"
            if step.revised
            else "."
        )
        steps.append(step)
    return marks, steps


TLS, CAP, DOWN = "tls.expired", "link.inactive", "tcp.refused"


@pytest.mark.parametrize(
    ("causes", "marks"),
    [
        ([TLS, TLS, DOWN, DOWN], ".OR."),
        ([TLS, TLS, CAP, CAP], ".O.B"),
        ([TLS, TLS, CAP, TLS, CAP, CAP], ".O...B"),
        ([CAP, CAP, TLS, TLS], ".O.B"),
        ([TLS, TLS, CAP, "", ""], ".O..C"),
        ([CAP, CAP, "content.soft404"], ".OR"),
    ],
)
def test_a_failure_of_another_nature_twice_in_a_row_is_another_trouble(story, causes, marks):
    assert changes(story, causes)[0] == marks


def test_the_second_trouble_begins_when_it_was_first_seen_and_the_first_ends_with_it(story):
    step = changes(story, [TLS, TLS, CAP, CAP])[1][-1]
    assert (step.opened.opened_at, step.opened.cause) == (story.at(10), CAP)
    assert (step.closed.finding, step.closed.reason) == (
        f"link:a1@{story.at(0).isoformat()}",
        "it gave way to link.inactive",
    )
    assert step.state.since == story.at(10)


@pytest.mark.parametrize("kind", [PARSER, FEED])
def test_parsers_and_feeds_keep_one_finding_whatever_it_turns_into(story, kind):
    assert "B" not in changes(story, [TLS, TLS, CAP, CAP, CAP], kind)[0]
