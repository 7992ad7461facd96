"""How the vantages do, told from canaries and from what their checks show, and what a sick one's word is worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.engine.clock import FakeClock
from checks.engine.duequeue import DueQueue
from checks.hub.board import Board
from checks.hub.vantages import EVERY_S, FEWEST, VANTAGE, VantageWatch
from data.config.settings import NetworkSettings, Settings, Vantage
from data.model.cause import cause, state_of
from data.model.ids import TargetId, TeamId
from data.model.observation import NO_CAUSE, Hop, Observation
from data.model.state import State
from data.model.target import Target, TargetKind

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
CANARIES = ("http://a.example/", "http://b.example/", "http://c.example/")
TWO = (Vantage("DE", "http://127.0.0.1:1"), Vantage("DE", "http://127.0.0.1:2"), Vantage("AT", "http://127.0.0.1:3"))


class House:
    def __init__(self, home, canaries):
        self.online = True
        self.queue, self.board = DueQueue(), Board()
        self.settings = Settings(home, network=NetworkSettings(canaries=canaries), vantages=TWO)
        self.watch = VantageWatch(self.settings, self.board, FakeClock(NOON), self.queue, lambda: self.online)

    def canary(self, name, number, because="", status=200, region=None):
        """One canary's word through a vantage."""
        seen = sight(f"{VANTAGE}{number}:{name}", because, region=name if region is None else region, status=status)
        self.watch.observe(seen)

    def state(self, name):
        return next(row for row in self.watch.rows if row.name == name)


@pytest.fixture
def house(tmp_path):
    return House(tmp_path, CANARIES)


@pytest.fixture
def alone(tmp_path):
    """Without canaries."""
    return House(tmp_path, ())


def sight(target, because="", *, region="DE", status=200, **evidence):
    why = cause(because) if because else NO_CAUSE
    state = state_of(why) if because else State.OK
    hops = (Hop("u", status=status),) if status else ()
    return Observation(
        TargetId(target), TeamId("a"), TargetKind.LINK, NOON, state, why, because, region, hops=hops, evidence=evidence
    )


def down(target, name="DE", region="DE"):
    return sight(target, "local.network", region=region, status=0, vantage_down=f"{name}: does not answer")


def test_every_vantage_is_asked_two_canaries_a_minute(house):
    due = house.queue.due(NOON + timedelta(seconds=EVERY_S), 100)
    assert sorted(due) == sorted(f"{VANTAGE}{number}:{name}" for name in ("DE", "DE-2", "AT") for number in (0, 1))
    check = house.watch.check(TargetId(f"{VANTAGE}1:DE-2"))
    assert (check.url, check.geo, check.vantage) == (CANARIES[1], "DE", "DE-2")


def test_a_vantage_that_was_never_used_is_unknown(house):
    assert {row.state for row in house.watch.rows} == {State.UNKNOWN}
    assert not house.watch.problem


def test_one_canary_that_answers_is_enough(house):
    house.canary("DE", 0, "tcp.timeout", status=0)
    house.canary("DE", 1)
    assert house.state("DE").state is State.OK


@pytest.mark.parametrize(
    "word",
    [
        {"because": "local.network", "status": 0},
        {"because": "http.5xx", "status": 502},
        {"because": "http.auth", "status": 407},
        {"because": "", "status": 200, "region": "local"},
    ],
    ids=["unreachable", "gateway", "login", "seen only from here"],
)
def test_a_vantage_through_which_no_canary_answers_is_down(house, word):
    for number in (0, 1):
        house.canary("DE-2", number, **word)
    assert house.state("DE-2").state is State.FAILING
    assert house.watch.problem == f"the vantage DE-2 is down: {house.state('DE-2').detail}"
    assert "vantage" not in house.state("DE-2").detail
    assert house.state("DE").state is State.UNKNOWN


def test_a_page_that_a_canary_shows_is_no_matter(house):
    house.canary("DE", 0, "http.4xx", status=404)
    assert house.state("DE").state is State.OK


def test_while_our_own_network_is_down_no_vantage_is_called_down(house):
    house.online = False
    for number in (0, 1):
        house.canary("DE", number, "local.network", status=0)
    for number in range(FEWEST):
        house.watch.rewrite(down(f"link:{number}"))
    assert house.state("DE").state is State.UNKNOWN


def test_a_failing_verdict_through_a_sick_vantage_is_unknown_and_keeps_what_was_seen(house):
    for number in (0, 1):
        house.canary("DE", number, "local.network", status=0)
    found = house.watch.rewrite(sight("link:a", "geo.blocked", status=451))
    assert (found.state, found.cause) == (State.UNKNOWN, "local.network")
    assert found.detail.startswith("the vantage DE is down: ")
    assert found.evidence["seen"] == "geo.blocked"


@pytest.mark.parametrize(
    "seen", [sight("link:a", "geo.blocked", region="DE-2"), sight("link:a", "http.5xx", region="local")]
)
def test_other_places_keep_their_word_while_one_vantage_is_sick(house, seen):
    for number in (0, 1):
        house.canary("DE", number, "local.network", status=0)
    assert house.watch.rewrite(seen) == seen


def test_what_is_fine_through_a_vantage_stays_fine_whatever_its_canaries_say(house):
    for number in (0, 1):
        house.canary("DE", number, "local.network", status=0)
    assert house.watch.rewrite(sight("link:a")).state is State.OK


def test_without_canaries_a_vantage_is_down_once_several_targets_failed_through_it_alone(alone):
    for number in range(FEWEST):
        assert not alone.watch.problem
        alone.watch.rewrite(down(f"link:{number}"))
    assert alone.watch.problem == "the vantage DE is down: does not answer"
    assert alone.watch.rewrite(sight("link:x", "http.5xx", status=502)).state is State.UNKNOWN


def test_one_target_that_fails_again_and_again_does_not_bring_a_vantage_down(alone):
    for _ in range(3 * FEWEST):
        alone.watch.rewrite(down("link:a"))
    assert not alone.watch.problem


@pytest.mark.parametrize("because", ["", "geo.blocked"])
def test_a_vantage_that_carries_something_again_is_up(alone, because):
    for number in range(FEWEST):
        alone.watch.rewrite(down(f"link:{number}"))
    alone.watch.rewrite(sight("link:9", because))
    assert not alone.watch.problem
    assert alone.state("DE").state is State.OK


def test_a_vantage_is_blamed_also_when_another_one_answered_in_its_place(alone):
    for number in range(FEWEST):
        alone.watch.rewrite(
            replace(sight(f"link:{number}", region="DE-2"), evidence={"vantage_down": "DE: refuses us"})
        )
    assert alone.watch.problem == "the vantage DE is down: refuses us"
    assert alone.state("DE-2").state is State.OK


def test_what_is_known_of_a_vantage_survives_a_change_of_another(alone):
    for number in range(FEWEST):
        alone.watch.rewrite(down(f"link:{number}"))
    alone.watch.reconfigure(replace(alone.settings, vantages=TWO[:1]))
    assert [row.name for row in alone.watch.rows] == ["DE"]
    assert alone.watch.problem


def test_a_vantage_that_leaves_is_asked_no_more(house):
    house.watch.reconfigure(replace(house.settings, vantages=TWO[2:]))
    due = house.queue.due(NOON + timedelta(seconds=EVERY_S), 100)
    assert {key.rpartition(":")[2] for key in due} == {"AT"}


@pytest.mark.parametrize(
    ("before", "after"), [(State.FAILING, State.OK), (State.UNKNOWN, State.UNKNOWN), (State.OK, State.UNKNOWN)]
)
def test_what_failed_from_here_is_over_when_it_is_fine_from_here(house, before, after):
    link = Target(TargetId("link:a"), TargetKind.LINK, TeamId("a"), "a", "http://x.example/", geo="PL")
    house.board.put_target(link)
    house.board.put_state(replace(house.board.states[link.id], state=before))
    found = house.watch.rewrite(sight("link:a", "local.network", region="local", from_here="ok"))
    assert found.state is after
