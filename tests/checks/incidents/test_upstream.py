"""Outages of shared things, told through observations: which incidents come of them, and which must not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.incidents import upstream
from data.model.observation import ORIGIN_FINE
from data.model.target import TargetKind
from tests.checks.incidents.conftest import HALYARD, Story, Town, fine, street

COUNTRIES = ("DE", "AT", "CH", "NO", "FI")


def test_forty_sites_behind_one_dead_edge_are_one_incident_that_says_why(town):
    behind = street(town, 40, edge=HALYARD, network="198.51.100.0/24")
    beside = street(town, 30, 100, edge="Fastly", network="198.51.100.0/24")
    fine(town, behind + beside, -5)
    for at, target in enumerate(behind):
        town.fail(target, at / 40, "tcp.timeout")
        town.look(beside[at % 30], 0.4 + at / 40)
    town.tick(2)
    (incident,) = town.open
    assert (incident.upstream, incident.blame) == (f"edge={HALYARD}", HALYARD)
    assert incident.where == f"{HALYARD}: 40 sites"
    assert (incident.members, incident.open_members) == (40, 40)
    assert incident.reason == "they share the edge provider Halyard Edge"
    assert incident.evidence["fails"].startswith("40 of 40 looked at since 11:20")
    assert incident.evidence["fine"] == "none is fine"
    assert incident.evidence["elsewhere"] == "0 of 30 others fail"
    assert "network 198.51.100.0/24: 40 fail" in incident.evidence["rivals"]


def test_three_sites_failing_for_their_own_reasons_are_not_an_outage_of_their_cdn(town):
    behind = street(town, 400, edge=HALYARD)
    for at, target in enumerate(behind[3:]):
        town.look(target, 0.5 + at / 400)
    for target in behind[:3]:
        town.fail(target, 0.6, "http.5xx")
    town.tick(2)
    assert [row.members for row in town.open] == [1, 1, 1]
    assert {row.upstream for row in town.open} == {""}
    assert HALYARD not in {row.blame for row in town.open}


def test_what_does_not_fail_tells_the_edge_from_the_network(town):
    """The same sites fail either way; only the healthy ones differ."""
    both = street(town, 20, edge=HALYARD, network="192.0.2.0/24")
    edge_only = street(town, 20, 100, edge=HALYARD)
    fine(town, edge_only, 0.3)
    for target in both:
        town.fail(target, 0, "tcp.timeout")
    town.tick(2)
    assert [row.upstream for row in town.open] == ["network=192.0.2.0/24"]


@pytest.mark.parametrize(("label", "places"), [("pop", ("FRA", "AMS", "VIE")), ("geo", COUNTRIES)])
def test_an_edge_that_fails_in_one_place_is_named_with_it(town, label, places):
    behind = {place: street(town, 12, 100 * at, edge=HALYARD, **{label: place}) for at, place in enumerate(places)}
    sick, *well = behind
    for place in well:
        fine(town, behind[place], 0.3)
    for target in behind[sick]:
        town.fail(target, 0, "tcp.reset")
    town.tick(2)
    (incident,) = town.open
    word = "at" if label == "pop" else "in"
    assert incident.where == f"{HALYARD} {word} {sick}: 12 sites"
    assert incident.blame == HALYARD


def test_an_edge_that_fails_in_two_countries_is_one_incident(town):
    behind = {place: street(town, 20, 100 * at, edge=HALYARD, geo=place) for at, place in enumerate(COUNTRIES)}
    for place in COUNTRIES[2:]:
        fine(town, behind[place], 0.3)
    for target in (*behind["DE"], *behind["AT"]):
        town.fail(target, 0, "edge.error")
    town.tick(2)
    (incident,) = town.open
    assert incident.where == f"{HALYARD} in AT, DE: 40 sites"
    late = town.add("late", edge=HALYARD, geo="AT")
    town.fail(late, 5, "edge.error")
    assert [row.members for row in town.open] == [41]


def test_an_outage_without_a_narrower_place_is_partial(town):
    behind = street(town, 100, edge=HALYARD)
    fine(town, behind[30:], 0.3)
    for target in behind[:30]:
        town.fail(target, 0, "edge.error")
    town.tick(2)
    (incident,) = town.open
    assert (incident.upstream, incident.members) == (f"edge={HALYARD}", 30)
    assert incident.evidence["partly"] == "30% of it"


@pytest.mark.parametrize(
    ("cause", "traits", "expected"),
    [
        ("dns.nxdomain", {"ns": "ns1.zonehost.example ns2.zonehost.example", "edge": HALYARD}, "ns=zonehost.example"),
        ("dns.nodata", {"registrar": "Namely"}, "registrar=Namely"),
        ("tls.untrusted", {"issuer": "Cairn CA", "edge": "x"}, "edge=x"),
        ("tls.expired", {"certificate": "ab:cd", "issuer": "Cairn CA"}, "certificate=ab:cd"),
        ("tcp.timeout", {"ip": "192.0.2.9", "network": "192.0.2.0/24"}, "ip=192.0.2.9"),
        ("http.4xx", {"edge": HALYARD, "ip": "192.0.2.9"}, None),
        ("content.soft404", {"edge": HALYARD}, None),
        ("tcp.timeout", {"ip": "127.0.0.1", "network": "127.0.0.0/24"}, None),
    ],
)
def test_an_upstream_is_only_blamed_for_what_it_can_do(town, cause, traits, expected):
    for target in street(town, 8, **traits):
        town.fail(target, 0, cause)
    town.tick(2)
    assert {row.upstream for row in town.open} == {expected or ""}
    assert len(town.open) == (1 if expected else 8)


def test_links_through_a_dead_tracker_are_one_incident_and_links_beside_it_are_not_in_it(town):
    through = [town.add(f"l{at}", TargetKind.LINK, url=f"https://go{at}.example/x", partner=f"P{at:02}", tracker="trk.example") for at in range(8)]  # fmt: skip
    beside = [town.add(f"m{at}", TargetKind.LINK, url=f"https://to{at}.example/x", partner=f"P{at:02}") for at in range(8)]  # fmt: skip
    fine(town, beside, 0.2)
    for target in through:
        town.fail(target, 0, "redirect.hop_failed")
    town.fail(beside[0], 1, "tcp.reset")
    town.tick(3)
    assert town.groups == {frozenset(through), frozenset(beside[:1])}
    assert town.incidents[1].upstream == "host=trk.example"


def test_a_partner_that_blocks_one_country_is_named_with_it(town):
    links = [town.add(f"l{at}", TargetKind.LINK, partner="P05", geo=COUNTRIES[at % 5]) for at in range(40)]
    german = [target for target in links if town.targets[target].geo == "DE"]
    fine(town, [target for target in links if target not in german], 0.2)
    for target in german:
        town.fail(target, 0, "geo.blocked")
    town.tick(2)
    (incident,) = town.open
    assert incident.where == "P05 in DE: 8 links"
    assert set(german) == next(iter(town.groups))


def test_a_rule_joins_a_late_link_by_the_country_in_which_its_partner_fails(town):
    links = [town.add(f"l{at}", TargetKind.LINK, partner="P05", geo=COUNTRIES[at % 5]) for at in range(100)]
    german = [target for target in links if town.targets[target].geo == "DE"]
    for target in german[:2]:
        town.fail(target, 0, "geo.blocked")
    fine(town, [target for target in links if target not in german], 3)
    for target in german[2:4]:
        town.fail(target, 20, "geo.blocked")
    assert town.groups == {frozenset(german[:4])}


def test_pages_of_one_team_that_lose_one_parameter_at_once_are_one_change(town):
    aurora = [town.add(f"a{at}", team="aurora") for at in range(4)]
    baltic = town.add("b", team="baltic")
    for at, target in enumerate([*aurora, baltic]):
        town.fail(target, at, "link.param_lost", parameter="btag")
    assert town.groups == {frozenset(aurora), frozenset([baltic])}
    assert town.incidents[1].where == "aurora btag: 4 sites"


def test_two_outages_at_once_are_two_incidents(town):
    behind = street(town, 60, edge=HALYARD)
    hosted = street(town, 12, 100, network="192.0.2.0/24")
    rest = street(town, 200, 200, edge="Fastly")
    fine(town, rest, 0.3)
    for at, target in enumerate([*behind, *hosted]):
        town.fail(target, at / 100, "tcp.timeout")
    town.tick(3)
    assert town.groups == {frozenset(behind), frozenset(hosted)}


def burst(order):
    """30 sites behind a dead edge, 6 in a dead network that shares it in part, 3 on their own; 100 healthy ones."""
    town = Town(Story())
    dead = street(town, 30, edge=HALYARD, network="203.0.113.0/24")
    hosted = street(town, 6, 50, edge="Fastly", network="192.0.2.0/24")
    alone = street(town, 3, 60, edge="Fastly", network="203.0.113.0/24")
    fine(town, street(town, 60, 100, edge="Fastly", network="203.0.113.0/24"), 0.2)
    fine(town, street(town, 40, 200, edge="Fastly"), 0.2)
    failing = [*dead, *hosted, *alone]
    random.Random(order).shuffle(failing)
    for at, target in enumerate(failing):
        town.look(target, at / 60, "tcp.timeout")
    random.Random(order + 1).shuffle(failing)
    for at, target in enumerate(failing):
        town.look(target, 0.7 + at / 60, "tcp.timeout")
    town.tick(2)
    return town


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_the_findings_does_not_change_the_grouping(order):
    town = burst(order)
    assert sorted(map(len, town.groups)) == [1, 1, 1, 6, 30]
    assert {row.upstream for row in town.open} == {f"edge={HALYARD}", "network=192.0.2.0/24", ""}
    (whole,) = [row.id for row in town.open if row.members == 30]
    assert all(row.id > whole for row in town.incidents.values() if row.reason == f"merged into #{whole}")


def test_the_origins_tell_edge_from_origin_and_choose_the_plan(town):
    behind = street(town, 6, edge=HALYARD)
    for at, target in enumerate(behind):
        town.fail(target, 0, "http.5xx", origin_state=ORIGIN_FINE if at else "failing")
    (incident,) = town.open
    assert incident.evidence["origin"] == "5 of 6 origins asked directly answer: edge, not origin"


def test_an_origin_that_answers_an_error_does_not_clear_itself(town):
    for target in street(town, 6, edge=HALYARD):
        town.fail(target, 0, "http.5xx", origin="answers 503 directly (http.5xx)", origin_state="failing")
    (incident,) = town.open
    assert "edge, not origin" not in incident.evidence.get("origin", "")


def test_a_restart_in_the_middle_changes_no_grouping(town):
    behind, hosted = street(town, 20, edge=HALYARD), street(town, 5, 50, network="192.0.2.0/24")
    fine(town, street(town, 50, 100), 0.2)
    for at, target in enumerate([*behind, *hosted]):
        town.fail(target, 0.01 * at, "tcp.timeout")
        town.restart()
    town.tick(2)
    assert town.groups == {frozenset(behind), frozenset(hosted)}


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 1000), st.integers(1, 1000))
def test_more_failures_never_speak_against_an_upstream_and_more_healthy_ones_never_for_it(failed, well, members, more):
    usual, tiny = 0.01, 1e-9
    now = upstream.score(failed, well, 1, usual)
    assert upstream.score(failed + more, well, 1, usual) >= now - tiny
    assert upstream.score(failed, well + more, 1, usual) <= now + tiny
    assert upstream.score(failed + 9, 0, members + more, usual) < upstream.score(failed + 9, 0, members, usual)


def test_two_partners_an_hour_apart_behind_one_redirector_that_serves_others_well_are_two_incidents(town):
    links = {
        partner: [
            town.add(f"{partner}-{at}", TargetKind.LINK, partner=partner, url=f"https://go.example/{partner}/{at}", tracker="go.example")
            for at in range(20)
        ]
        for partner in ("P06", "P07", "P09")
    }  # fmt: skip
    every = [target for same in links.values() for target in same]
    fine(town, every, -5)
    for at, target in enumerate(links["P09"]):
        town.fail(target, at / 20, "link.inactive")
    fine(town, links["P06"] + links["P07"], 2)
    town.tick(4)
    fine(town, links["P06"], 54)
    for at, target in enumerate(links["P07"][:14]):
        town.fail(target, 55 + at / 14, "link.to_home")
    fine(town, links["P06"] + links["P07"][14:], 57)
    for minutes in (58, 62, 70):
        town.tick(minutes)
    assert town.groups == {frozenset(links["P09"]), frozenset(links["P07"][:14])}
