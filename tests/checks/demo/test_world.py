from __future__ import annotations

from collections import Counter

import pytest

from checks.demo.partners import BY_ID, PARTNERS
from checks.demo.world import TAIL_SITE, TEAMS, build_world


def test_the_company_has_the_clicks_and_the_money_it_is_said_to_have(world):
    clicks = sum(leaf.clicks_per_day for leaf in world.leaves)
    commission = sum(leaf.clicks_per_day * BY_ID[leaf.partner].epc for leaf in world.leaves)
    assert clicks == pytest.approx(19_250, rel=0.001)
    assert commission == pytest.approx(38_800, rel=0.03)


def test_the_company_has_the_sites_it_is_said_to_have(world):
    assert Counter(site.tier for site in world.sites) == {1: 40, 2: 140, 3: 1000}
    assert Counter(site.team for site in world.sites) == {"aurora": 310, "baltic": 260, "cedar": 420, "delta": 190}
    assert sum(site.edge for site in world.sites) / 1180 == pytest.approx(0.38, abs=0.005)
    assert len({site.host for site in world.sites}) == 1180


def test_every_money_site_has_two_to_four_partners_and_the_long_tail_has_no_links(world):
    for site in world.sites:
        partners = {link.partner for link in world.links if link.site == site.name}
        assert len(partners) in ({2, 3, 4} if site.tier < 3 else {0}), site
    assert 600 <= len(world.links) <= 900
    assert len({link.name for link in world.links}) == len(world.links)


def test_a_leaf_belongs_to_a_link_of_its_site_and_sums_to_its_partner(world):
    pairs = {(link.site, link.partner) for link in world.links}
    assert all((leaf.site, leaf.partner) in pairs for leaf in world.leaves if leaf.site != TAIL_SITE)
    for partner in PARTNERS:
        own = sum(leaf.clicks_per_day for leaf in world.leaves if leaf.partner == partner.id)
        assert own == pytest.approx(partner.clicks_per_day)
    assert 1_000 <= len(world.leaves) <= 1_400


def test_four_fifths_of_the_clicks_are_on_forty_sites(world):
    tier = {site.name: site.tier for site in world.sites} | {TAIL_SITE: 3}
    top = sum(leaf.clicks_per_day for leaf in world.leaves if tier[leaf.site] == 1)
    assert top / 19_250 == pytest.approx(0.80, abs=0.03)


def test_kestrel_is_three_sites_of_two_teams(world):
    kestrel = [site for site in world.sites if site.project == "kestrel"]
    assert [site.team for site in kestrel] == ["aurora", "aurora", "cedar"]
    assert [site.geos[0] for site in kestrel] == ["ES", "ES", "MX"]


def test_partners_that_differ_by_country_are_looked_at_from_each(world):
    desktop = [link for link in world.links if not link.device]
    assert all(bool(link.geo) == (link.partner in {"P04", "P05"}) for link in desktop)
    assert {"DE", "AT", "CH", "GB", "IE"} <= {link.geo for link in desktop}


def test_korrigan_is_looked_at_with_a_phones_eyes_from_poland(world):
    phones = [link for link in world.links if link.device]
    assert phones
    assert {(link.partner, link.geo, link.device, link.tier) for link in phones} == {("P08", "PL", "mobile", 1)}


def test_a_failure_of_a_share_touches_that_share_of_the_links(world):
    for names, partner, share in ((world.untagged, "P01", 0.6), (world.shallow, "P07", 0.7)):
        mine = {link.name for link in world.links if link.partner == partner}
        assert names < mine
        assert len(names) / len(mine) == pytest.approx(share, abs=0.02)
    assert len(world.migrating) == 12


def test_there_are_six_search_parsers_a_team(world):
    assert Counter(parser.team for parser in world.parsers) == {team.id: 6 for team in TEAMS}
    assert len({parser.name for parser in world.parsers}) == 24


def test_a_seed_is_a_world():
    assert build_world(3) == build_world(3)
    assert build_world(3) != build_world(4)
