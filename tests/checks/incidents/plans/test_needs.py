"""Which plans are offered, and whether what they need holds at the moment they are used."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from checks.incidents.plans.matching import Trouble, chosen, plans_for
from checks.incidents.plans.needs import Question, Standby, broken, doubtful, is_fresh
from data.model.plan import Needs
from data.model.state import State

EDGE = ("edge", "Halyard Edge")


class World:
    """What the tests say there is."""

    def __init__(self, *standbys, licences=None, ftd=None):
        self.standbys = {one.target: one for one in standbys}
        self.licences, self.ftd = licences or {}, ftd

    def standby(self, target):
        return self.standbys.get(target)

    def licensed(self, partner, geo):
        return self.licences.get((partner, geo))

    def ftd_today(self, _partner):
        return self.ftd


@pytest.fixture
def asks(plan, now):
    def made(world, geos=("DE",), failing=(EDGE,), **fields):
        question = Question(plan(**fields), geos, frozenset(failing), world, now)
        return [(one.held, one.detail) for one in question.answers()]

    return made


@pytest.fixture
def link(now):
    def made(state=State.OK, ago_s=20.0, detail="", interval_s=300.0, **fields):
        return Standby("link:P11-DE", state, detail, now - timedelta(seconds=ago_s), interval_s, **fields)

    return made


GREEN = {"needs": (Needs.GREEN,), "standby": ("link:P11-DE",)}


@pytest.mark.parametrize(
    ("seen", "held", "words"),
    [
        ({}, True, "P11-DE ok, 20 s ago"),
        ({"state": State.FAILING, "detail": "503"}, False, "P11-DE failing: 503, 20 s ago"),
        ({"state": State.DEGRADED, "detail": "slow"}, False, "P11-DE degraded: slow, 20 s ago"),
        ({"state": State.UNKNOWN}, None, "P11-DE is unknown"),
        ({"state": State.PAUSED}, None, "P11-DE is paused"),
        ({"ago_s": 901.0}, None, "P11-DE was not looked at since 11-17 11:44Z"),
        ({"ago_s": 899.0}, True, "P11-DE ok, 899 s ago"),
    ],
)
def test_a_standby_must_be_seen_well_and_lately(asks, link, seen, held, words):
    assert asks(World(link(**seen)), **GREEN) == [(held, words)]


def test_a_standby_nobody_watches_proves_nothing(asks):
    assert asks(World(), **GREEN) == [(None, "P11-DE is not watched")]


@pytest.mark.parametrize(
    ("labels", "failing", "held"),
    [
        ({EDGE}, (EDGE,), False),
        ({("edge", "Other")}, (EDGE,), True),
        (set(), (EDGE,), True),
        ({EDGE, ("ip", "192.0.2.1")}, (("ip", "192.0.2.1"),), False),
    ],
)
def test_a_standby_behind_what_fails_is_none(asks, link, labels, failing, held):
    world = World(link(labels=frozenset(labels)))
    [(found, words)] = asks(world, failing=failing, needs=(Needs.INDEPENDENT,), standby=("link:P11-DE",))
    assert found is held
    assert ("which fails" in words) is not held


def test_where_nothing_shared_is_blamed_nobody_asks_who_depends_on_it(asks, link):
    assert asks(World(link()), failing=(), needs=(Needs.INDEPENDENT,), standby=("link:P11-DE",)) == []


@pytest.mark.parametrize(
    ("licences", "geos", "found"),
    [
        ({("P11", "DE"): True}, ("DE",), [(True, "P11 may be shown in DE")]),
        ({("P11", "DE"): False}, ("DE",), [(False, "P11 has no licence for DE")]),
        ({}, ("DE",), [(None, "P11 declares no brand for DE")]),
        ({("P11", "DE"): True, ("P11", "AT"): False}, ("DE", "AT"), [(False, "P11 has no licence for AT"), (True, "P11 may be shown in DE")]),
        ({}, (), [(None, "the trouble names no country")]),
    ],
)  # fmt: skip
def test_the_brand_that_takes_over_needs_a_licence_in_every_country_of_the_trouble(asks, licences, geos, found):
    assert asks(World(licences=licences), geos=geos, needs=(Needs.LICENCE,), to={"partner": "P11"}) == found


def test_whose_brand_takes_over_is_known_from_the_standby_when_the_plan_does_not_say(asks, link):
    world = World(link(partner="P11"), licences={("P11", "DE"): True})
    assert asks(world, needs=(Needs.LICENCE,), standby=("link:P11-DE",)) == [(True, "P11 may be shown in DE")]


@pytest.mark.parametrize(
    ("cap", "ftd", "held"), [(0, None, True), (15, 14.0, True), (15, 15.0, False), (15, None, None)]
)
def test_a_cap_that_is_reached_refuses(asks, cap, ftd, held):
    [(found, _)] = asks(World(ftd=ftd), needs=(Needs.CAP,), cap=cap, to={"partner": "P11"})
    assert found is held


def test_a_sure_no_refuses_and_a_doubt_only_keeps_it_from_going_off_by_itself(plan, link, now):
    doubts = Question(plan(**GREEN), (), frozenset(), World(link(state=State.UNKNOWN)), now).answers()
    fails = Question(plan(**GREEN), (), frozenset(), World(link(state=State.FAILING)), now).answers()
    assert (broken(doubts), bool(doubtful(doubts))) == ("", True)
    assert broken(fails) == doubtful(fails) != ""


@pytest.mark.parametrize(
    ("day", "fresh"),
    [(None, False), (date(2026, 11, 17), True), (date(2026, 8, 19), True), (date(2026, 8, 18), False), (date(2026, 11, 18), False)],
)  # fmt: skip
def test_a_rehearsal_lasts_ninety_days(day, fresh, now):
    assert is_fresh(day, now) is fresh


DEAD = Trouble("link.inactive", frozenset({"P02"}), frozenset({"DE"}), frozenset({"kiel"}), frozenset({"aurora"}))


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({}, True),
        ({"causes": ("link.",)}, True),
        ({"causes": ("link.to_home", "http.")}, False),
        ({"causes": ("link.inac",)}, False),
        ({"partner": "P02", "geo": "DE", "site": "kiel", "team": "aurora"}, True),
        ({"partner": "P03"}, False),
        ({"geo": "AT"}, False),
        ({"team": "baltic"}, False),
        ({"project": "kestrel"}, False),
    ],
)
def test_a_plan_is_offered_when_its_cause_and_every_dimension_it_names_fit(plan, fields, fits):
    assert bool(plans_for([plan(**fields)], DEAD)) is fits


def test_letters_come_in_order_and_of_one_letter_the_narrowest_first(plan):
    plans = [
        plan(id="b-wide", causes=("link.",), line=1), plan(id="c", letter="C", line=2), plan(id="b-p02", partner="P02", line=3),
        plan(id="a", letter="A", line=4), plan(id="b-p02-de", partner="P02", geo="DE", line=5),
    ]  # fmt: skip
    offered = plans_for(plans, DEAD)
    assert [one.id for one in offered] == ["a", "b-p02-de", "b-p02", "b-wide", "c"]
    assert chosen(offered, "b").id == "b-p02-de"
    assert chosen(offered, "b-wide").id == "b-wide"
    assert chosen(offered, "d") is None
