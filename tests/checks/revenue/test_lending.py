"""What failing checks, silent postbacks and changes lend to a slice whose revenue is in doubt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.revenue.lending import CHANGE_LASTS, MOST, OLD, WEIGHTS, Sign, deploy_share, lent, of_changes, of_links
from data.model.ids import PartnerId, TeamId
from data.model.target import Target, TargetKind, target_id

NOW = datetime(2026, 11, 17, 14, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)


def link(name, partner="P05", geo="DE", offer="casino", site="s1", device=""):
    kind = TargetKind.LINK
    return Target(
        target_id(kind, name),
        kind,
        TeamId("aurora"),
        name,
        partner=PartnerId(partner),
        geo=geo,
        offer=offer,
        site=site,
        device=device,
    )


LINKS = [link(f"de{n}", site=f"s{n}") for n in range(4)] + [link(f"at{n}", geo="AT", site=f"s{n}") for n in range(6)]


def signs_of(*names, kind="link"):
    hit = {target_id(TargetKind.LINK, name): SINCE for name in names}
    return of_links(kind, LINKS, hit, dict.fromkeys(hit, "blocked in this country"))


def test_the_country_whose_links_all_fail_borrows_and_the_partner_as_a_whole_does_not():
    priors = lent(signs_of("de0", "de1", "de2", "de3"), NOW)
    assert priors[0].slice == {"partner": "P05", "geo": "DE"}
    assert priors[0].nats == WEIGHTS["link"]
    assert priors[0].since == SINCE
    assert "4 of 4 links of P05 DE: blocked in this country since 11-17 13:00Z" in priors[0].why
    assert {"partner": "P05"} not in [prior.slice for prior in priors]


def test_a_slice_inside_one_that_lends_as_much_gets_none_of_its_own():
    priors = lent(signs_of(*(link.name for link in LINKS)), NOW)
    assert [prior.slice for prior in priors] == [{"partner": "P05"}]


def test_half_of_the_links_lend_half_and_fewer_lend_nothing():
    half = {tuple(prior.slice.items()): prior.nats for prior in lent(signs_of("de0", "de1"), NOW)}
    assert half[("partner", "P05"), ("geo", "DE")] == pytest.approx(WEIGHTS["link"] / 2)
    one = [prior.slice for prior in lent(signs_of("de0"), NOW)]
    assert {"partner": "P05", "geo": "DE"} not in one
    assert {"partner": "P05", "site": "s0"} in one, "half of what that site links to"


def test_what_fails_for_phones_alone_is_a_sign_though_most_links_are_looked_at_otherwise():
    phones = [link(f"m{n}", geo="PL", device="mobile") for n in range(2)]
    links = [*phones, *(link(f"pl{n}", geo="PL") for n in range(20))]
    hit = {one.id: SINCE for one in phones}
    (sign, *_) = lent(of_links("challenge", links, hit, dict.fromkeys(hit, "challenge shown")), NOW)
    assert sign.slice == {"partner": "P05", "geo": "PL"}
    assert sign.nats == WEIGHTS["challenge"]
    assert "2 of 2 mobile links of P05 PL" in sign.why


def test_signs_of_several_kinds_add_up_to_a_limit_and_of_one_kind_the_strongest_counts():
    dims = (("partner", "P05"),)
    both = [
        Sign("link", dims, SINCE, "links"),
        Sign("postbacks", dims, SINCE, "silent"),
        Sign("postbacks", dims, SINCE, "silent", 0.5),
    ]
    (prior,) = lent(both, NOW)
    assert prior.nats == MOST
    assert prior.why.startswith("links since")
    (weak,) = lent([Sign("challenge", dims, SINCE, "a"), Sign("challenge", dims, SINCE, "b", 0.4)], NOW)
    assert weak.nats == WEIGHTS["challenge"]


@pytest.mark.parametrize(("kind", "age", "lends"), [
    ("link", OLD - timedelta(minutes=1), True), ("link", OLD + timedelta(minutes=1), False),
    ("change", CHANGE_LASTS, True), ("change", CHANGE_LASTS + timedelta(minutes=1), False),
])  # fmt: skip
def test_what_has_been_so_for_long_is_no_news(kind, age, lends):
    assert bool(lent([Sign(kind, (("partner", "P05"),), NOW - age, "x")], NOW)) == lends


def test_a_change_is_a_suspect_where_it_was_made_and_a_change_of_everything_suspects_nothing():
    (prior,) = lent(of_changes([link("de0")], SINCE), NOW)
    assert prior.slice == {"partner": "P05", "site": "s1"}
    assert prior.nats == WEIGHTS["change"]
    assert of_changes([link(f"x{n}", site=f"s{n}") for n in range(51)], SINCE) == []


@pytest.mark.parametrize(
    ("deploys", "nats"), [(0, 0.0), (1, 2.0), (2, 1.72), (7, 0.47), (11, 0.02), (12, 0.0), (500, 0.0)]
)
def test_the_more_usual_a_deploy_is_the_less_it_counts(deploys, nats):
    assert deploy_share(deploys) * WEIGHTS["deploy"] == pytest.approx(nats, abs=0.01)


def test_the_same_signs_in_another_order_lend_the_same():
    signs = [*signs_of("de0", "de1", "de2"), *signs_of("at0", "at1", "at2", "at3", kind="challenge")]
    assert lent(signs, NOW) == lent(signs[::-1], NOW)


_PLACES = st.dictionaries(st.sampled_from(["partner", "geo", "offer", "site"]), st.sampled_from("ab"), max_size=4)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(WEIGHTS)), _PLACES, st.integers(0, 300), st.floats(0, 1)), max_size=30)
)
def test_a_slice_inside_another_that_lends_as_much_as_long_gets_nothing_of_its_own_however_many_lend(given_signs):
    signs = [
        Sign(kind, tuple(place.items()), NOW - timedelta(minutes=ago), "seen", share)
        for kind, place, ago, share in given_signs
    ]
    found = lent(signs, NOW)
    for number, prior in enumerate(found):
        wider = [one for one in found[:number] if one.slice.items() <= prior.slice.items()]
        assert not any(one.nats >= prior.nats and one.since <= prior.since for one in wider)
    fresh = [one for one in signs if lent([one], NOW)]
    for sign in fresh:
        inside = dict(sign.dims).items()
        assert any(one.slice.items() <= inside for one in found)
