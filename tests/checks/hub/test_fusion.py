"""What the board lends to the detector, and which slices are blind and not dead."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from checks.hub.board import Board
from checks.hub.fusion import Fusion
from checks.hub.spool import receipt_frame
from checks.revenue.book import RevenueBook
from checks.revenue.lending import WEIGHTS
from data.config.diff import difference
from data.config.settings import Feed, Partner, Settings
from data.model.audit import AuditEntry
from data.model.fact import Receipt
from data.model.ids import CauseId, PartnerId, TeamId
from data.model.observation import TargetState
from data.model.state import State
from data.model.target import Target, TargetKind, target_id

NOW = datetime(2026, 11, 17, 14, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
API = Feed("p10-api", TeamId("delta"), PartnerId("P10"), "inhouse", base_url="https://a.example")
CALLS = Feed("p10-calls", TeamId("delta"), PartnerId("P10"), "postback")


class House:
    def __init__(self, feeds=(API, CALLS)):
        self.pushed = False
        book = RevenueBook()
        book.at_rest = nullcontext
        facts = SimpleNamespace(
            lines=lambda: ("p10-api: figures held, no rate for JPY",), is_pushed=lambda _feed: self.pushed
        )
        settings = Settings(
            Path(), feeds=feeds, partners=(Partner(PartnerId("P10"), "Ambervolt", report_lag_s=3600.0),)
        )
        clock = SimpleNamespace(now=lambda: NOW)
        self.hub = SimpleNamespace(board=Board(), settings=settings, book=book, to_facts=facts, clock=clock)
        self.fusion = Fusion(self.hub)

    def put(self, kind, name, state=State.OK, cause="", since=NOW - HOUR, fails=0, evidence=None, **more):
        target = Target(target_id(kind, name), kind, TeamId("delta"), name, **more)
        self.hub.board.put_target(target)
        self.hub.settings = replace(self.hub.settings, targets=(*self.hub.settings.targets, target))
        told = TargetState(target.id, target.team, kind, state, CauseId(cause), since=since, fails=fails, evidence=evidence or {})  # fmt: skip
        self.hub.board.put_state(told)

    def link(self, name, state=State.OK, cause="", fails=0, geo="PL", site="s1", **more):
        self.put(
            TargetKind.LINK, name, state, cause, fails=fails, partner=PartnerId("P08"), geo=geo, offer="bet", site=site, **more,
        )  # fmt: skip

    def feed(self, state, cause="", name="p10-api", since=NOW - HOUR, evidence=None):
        self.put(TargetKind.FEED, name, state, cause, since, evidence=evidence, partner=PartnerId("P10"))

    def reported(self, until):
        hours = tuple(Receipt(PartnerId("P10"), until - n * HOUR, NOW - HOUR) for n in range(1, 30))
        self.hub.book.add_receipts(receipt_frame(hours))
        zero = {"clicks": [1], "regs": [0], "ftd": [0], "revenue": [0.0]}
        named = {"partner": ["P10"], "offer": [""], "geo": [""], "site": [""], "team": ["delta"]}
        hour = pl.Series([until - HOUR]).cast(pl.Datetime("us", "UTC"))
        self.hub.book.add(pl.DataFrame({"hour": hour, "seen_at": hour, **named, **zero}))
        self.hub.book.cube.advance(NOW)

    def clicked(self, **sites):
        """Own clicks of P08 in PL, an hour ago."""
        hour = pl.Series([NOW - HOUR] * len(sites)).cast(pl.Datetime("us", "UTC"))
        named = {"partner": "P08", "offer": "bet", "geo": "PL", "site": list(sites), "team": "delta"}
        told = {"clicks": list(sites.values()), "regs": 0, "ftd": 0, "revenue": 0.0}
        self.hub.book.add(pl.DataFrame({"hour": hour, "seen_at": hour, **named, **told}))
        self.hub.book.cube.advance(NOW)

    def priors(self):
        return {tuple(one.slice.items()): one for one in self.fusion.priors(NOW)}


@pytest.fixture
def house():
    return House()


def test_a_quiet_board_lends_nothing(house):
    for n in range(3):
        house.link(f"l{n}")
    assert house.priors() == {}


def test_links_that_fail_in_one_country_lend_to_its_slice(house):
    for n in range(4):
        house.link(f"pl{n}", State.FAILING, "geo.blocked", fails=3)
        house.link(f"cz{n}", geo="CZ", site="s2")
    house.link("cz9", geo="CZ", site="s2")
    prior = house.priors()[("partner", "P08"), ("geo", "PL")]
    assert prior.nats == WEIGHTS["link"]
    assert "4 of 4 links of P08 PL" in prior.why
    assert (("partner", "P08"),) not in house.priors()


def test_phones_that_are_challenged_lend_a_little_and_a_first_failure_less_than_a_confirmed_one(house):
    house.link("a-mobile", State.UNKNOWN, "edge.challenge", device="mobile")
    house.link("b")
    assert house.priors()[("partner", "P08"), ("geo", "PL")].nats == WEIGHTS["challenge"]
    house.link("b", fails=1)
    priors = house.priors()
    assert priors[("partner", "P08"),].nats == WEIGHTS["link once"]
    assert WEIGHTS["link once"] < WEIGHTS["link"]


def test_a_page_of_ours_that_is_parked_lends_to_its_site(house):
    house.put(TargetKind.SITE, "nord", State.FAILING, "content.parked", fails=2)
    assert house.priors()[("site", "nord"),].nats == WEIGHTS["landing"]


def test_sites_that_carry_most_of_a_partner_lend_to_it_and_those_that_carry_little_do_not(house):
    for n in range(4):
        house.link(f"pl{n}", site=f"s{n}")
        house.link(f"cz{n}", geo="CZ", site="s9")
    for n in range(3):
        house.put(TargetKind.SITE, f"s{n}", State.FAILING, "edge.error", fails=2)
    priors = house.priors()
    prior = priors[("partner", "P08"), ("geo", "PL")]
    assert prior.nats == pytest.approx(WEIGHTS["site"] * 0.75)
    assert prior.why.startswith("75% of the clicks of P08 PL pass sites that fail")
    assert prior.since == NOW - HOUR
    assert (("partner", "P08"),) not in priors


def test_clicks_say_how_much_a_site_carries_where_they_name_it(house):
    for site in ("s1", "s2"):
        house.link(site, site=site)
    house.clicked(s1=90, s2=10)
    house.put(TargetKind.SITE, "s1", State.FAILING, "edge.error", fails=2)
    assert house.priors()[("partner", "P08"),].nats == pytest.approx(WEIGHTS["site"] * 0.9)


def test_silent_postbacks_lend_as_much_as_their_silence_is_sure_and_our_own_door_lends_nothing(house):
    house.feed(State.FAILING, "postback.silent", "p10-calls", evidence={"silence_nats": "9.0"})
    assert house.priors()[("partner", "P10"),].nats == pytest.approx(WEIGHTS["postbacks"] * 0.75)
    house.feed(State.FAILING, "http.5xx", "p10-calls", evidence={"endpoint": "ours"})
    assert house.priors() == {}


def deploy(place, hours_ago=1.0):
    return AuditEntry(NOW - hours_ago * HOUR, "maria", TeamId(""), "deploy", place, "release 8f31c0")


def test_a_deploy_of_a_site_lends_a_little_to_it_and_to_what_it_carries(house):
    house.put(TargetKind.SITE, "s1")
    house.link("pl1", site="s1")
    house.link("cz1", geo="CZ", site="s9")
    for _ in range(2):
        house.fusion.deploys.told([deploy("site:s1")])
    priors = house.priors()
    assert set(priors) == {(("site", "s1"),), (("partner", "P08"), ("geo", "PL")), (("partner", "P08"),)}
    assert priors[("site", "s1"),].nats == WEIGHTS["deploy"]
    assert priors[("partner", "P08"),].nats == WEIGHTS["deploy"] / 2
    assert priors[("site", "s1"),].why == "deploy of site s1: release 8f31c0 since 11-17 13:00Z"


@pytest.mark.parametrize(
    ("place", "lends"),
    [
        ("host:go.example", True),
        ("host:to.example", False),
        ("team:delta", True),
        ("team:aurora", False),
        ("site:s8", False),
    ],
)
def test_a_deploy_lends_to_what_it_names_and_to_nothing_else(house, place, lends):
    house.link("pl1", url="https://go.example/1")
    house.fusion.deploys.told([deploy(place)])
    assert bool(house.priors()) == lends


def test_an_old_deploy_one_that_is_to_come_and_one_of_twelve_a_week_lend_nothing(house):
    house.put(TargetKind.SITE, "s1")
    house.put(TargetKind.SITE, "s2")
    house.fusion.deploys.told(
        [deploy("site:s1", 3.1), deploy("site:s1", -1), *(deploy("site:s2", n) for n in range(1, 13))]
    )
    assert house.priors() == {}


def test_what_else_people_did_is_no_deploy(house):
    house.put(TargetKind.SITE, "s1")
    house.fusion.deploys.told([replace(deploy("site:s1"), action="apply")])
    assert house.priors() == {}


def test_a_change_of_the_configuration_is_a_suspect_for_some_hours(house):
    before = Target(
        target_id(TargetKind.LINK, "x"), TargetKind.LINK, TeamId("delta"), "x", partner=PartnerId("P08"), site="s1"
    )
    house.fusion.changed(difference([], [before]), NOW - HOUR)
    assert house.priors()[("partner", "P08"), ("site", "s1")].nats == WEIGHTS["change"]
    assert house.fusion.priors(NOW + timedelta(days=1)) == ()


@pytest.mark.parametrize(
    ("state", "cause", "blind"),
    [
        (State.FAILING, "feed.auth", True),
        (State.FAILING, "feed.scale", True),
        (State.FAILING, "feed.late", True),
        (State.UNKNOWN, "local.network", True),
        (State.FAILING, "tls.expired", True),
        (State.PAUSED, "", True),
        (State.OK, "", False),
        (State.DEGRADED, "feed.contract", False),
        (State.FAILING, "feed.restated", False),
        (State.UNKNOWN, "", False),
    ],
)
def test_a_feed_that_does_not_deliver_blinds_its_partner_and_nobody_else(house, state, cause, blind):
    house.feed(state, cause)
    found = house.fusion.blind(NOW)
    assert [one.slice for one in found] == ([{"partner": "P10"}] if blind else [])
    assert [span.slices for span in house.fusion.unjudged(NOW)] == ([({"partner": "P10"},)] if blind else [])


def test_it_is_blind_from_the_last_report_on_and_says_since_when_and_why(house):
    house.reported(NOW - 5 * HOUR)
    house.feed(State.FAILING, "feed.auth")
    (one,) = house.fusion.blind(NOW)
    assert one.since == NOW - 5 * HOUR
    lines = house.fusion.lines()
    assert lines[0].startswith("P10 not judged since 11-17 09:00Z because p10-api: ")
    assert lines[1] == "p10-api: figures held, no rate for JPY"
    assert house.fusion.blind_to({"partner": "P10", "geo": "JP"}) == one
    assert house.fusion.blind_to({"partner": "P08"}) is None


def test_money_that_comes_another_way_is_judged_whatever_the_feed_says(house):
    house.reported(NOW - HOUR)
    house.feed(State.FAILING, "feed.auth")
    assert house.fusion.blind(NOW) == ()


def test_pushed_facts_without_receipts_are_judged_too(house):
    house.pushed = True
    house.feed(State.FAILING, "feed.auth")
    assert house.fusion.blind(NOW) == ()


def test_of_two_accounts_only_the_team_of_the_dead_one_is_blind():
    second = Feed("p10-two", TeamId("kestrel"), PartnerId("P10"), "inhouse", base_url="https://b.example")
    house = House((API, second))
    house.feed(State.FAILING, "feed.auth")
    house.feed(State.OK, name="p10-two")
    assert [one.slice for one in house.fusion.blind(NOW)] == [{"partner": "P10", "team": "delta"}]


def test_failing_parsers_blind_no_money(house):
    house.put(TargetKind.PARSER, "serp", State.FAILING, "parser.selector_dead")
    assert house.priors() == {}
    assert house.fusion.blind(NOW) == ()
