"""Which sites a slice's clicks pass: by clicks where counts name sites, by links where they do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.incidents.traffic import Traffic
from data.model.target import Target, TargetKind, target_id


def link(site, partner="P02", geo="", offer="", n=0):
    name = f"{partner}-{site}-{geo}-{n}"
    return Target(target_id(TargetKind.LINK, name), TargetKind.LINK, "aurora", name, site=site, partner=partner, geo=geo, offer=offer)  # fmt: skip


LINKS = [link("a", geo="DE"), link("b", geo="DE"), link("b", geo="FI", offer="bet"), link("c", "P05")]


def test_without_counts_every_link_weighs_the_same():
    traffic = Traffic.of(LINKS, {})
    assert traffic.sites_of({"partner": "P02"}) == pytest.approx({"a": 1 / 3, "b": 2 / 3})
    assert traffic.sites_of({"partner": "P02", "geo": "DE"}) == {"a": 0.5, "b": 0.5}
    assert traffic.sites_of({"partner": "P02", "offer": "bet"}) == {"b": 1.0}


def test_clicks_weigh_where_they_name_their_site():
    clicks = {("P02", "DE", "a"): 90.0, ("P02", "DE", "b"): 10.0, ("P02", "FI", "b"): 100.0}
    traffic = Traffic.of(LINKS, clicks)
    assert traffic.sites_of({"partner": "P02", "geo": "DE"}) == pytest.approx({"a": 0.9, "b": 0.1})
    assert traffic.sites_of({"partner": "P02"}) == pytest.approx({"a": 0.45, "b": 0.55})


def test_links_of_one_place_share_its_clicks():
    links = [link("a", geo="DE"), link("a", geo="DE", n=1), link("b", geo="DE")]
    traffic = Traffic.of(links, {("P02", "DE", "a"): 50.0, ("P02", "DE", "b"): 50.0})
    assert traffic.sites_of({"partner": "P02"}) == pytest.approx({"a": 0.5, "b": 0.5})


def test_a_link_of_no_country_stands_for_all_of_its_site():
    traffic = Traffic.of(
        [link("a"), link("b")], {("P02", "DE", "a"): 20.0, ("P02", "FI", "a"): 10.0, ("P02", "", "b"): 10.0}
    )
    assert traffic.sites_of({"partner": "P02"}) == pytest.approx({"a": 0.75, "b": 0.25})


def test_clicks_that_mostly_name_no_site_are_not_asked():
    traffic = Traffic.of(LINKS, {("P02", "DE", "a"): 10.0, ("P02", "DE", ""): 90.0})
    assert traffic.sites_of({"partner": "P02", "geo": "DE"}) == {"a": 0.5, "b": 0.5}


def test_slices_of_no_partner_are_weighed_one_way_and_unknown_ones_not_at_all():
    clicks = {("P02", "DE", "a"): 1000.0, ("P02", "DE", "b"): 1000.0}
    assert Traffic.of(LINKS, clicks).sites_of({"geo": "DE"}) == {"a": 0.5, "b": 0.5}
    assert Traffic.of(LINKS, clicks).sites_of({"partner": "P09"}) == {}
    assert Traffic().sites_of({"partner": "P02"}) == {}


PLACES = st.tuples(
    st.sampled_from(["P02", "P05"]), st.sampled_from(["", "DE", "FI"]), st.sampled_from(["", "a", "b", "c"])
)


@given(
    st.lists(PLACES.map(lambda place: link(place[2], place[0], place[1])), max_size=12),
    st.dictionaries(PLACES, st.floats(0, 1e6), max_size=8),
    st.sampled_from([{}, {"partner": "P02"}, {"geo": "DE"}, {"partner": "P05", "geo": "FI"}, {"site": "a"}]),
)
def test_shares_are_parts_of_a_whole_in_any_order(links, clicks, where):
    shares = Traffic.of(links, clicks).sites_of(where)
    assert not shares or sum(shares.values()) == pytest.approx(1.0)
    assert all(0.0 <= share <= 1.0 + 1e-9 for share in shares.values())
    assert Traffic.of(links[::-1], clicks).sites_of(where) == pytest.approx(shares)
