"""As whom a chain is walked, and how far: phones, app stores, the partner's door."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from data.config.settings import Brand
from data.model.ids import PartnerId
from data.model.state import State
from tests.checks.sites.conftest import GOOD_PAGE, http, to

GOOD = http(GOOD_PAGE)
OUT = "go.ours.example/out"
WEB = "http://m.brand.example:PORT/land"


def intent(fallback=""):
    extra = f";S.browser_fallback_url={quote(fallback.replace('PORT', '{port}'), safe='{}')}" if fallback else ""
    return f"intent://open/offer#Intent;scheme=brand;package=com.brand{extra};end"


def sends_to_intent(fallback):
    def answer(request):
        port = request.headers["host"].partition(":")[2]
        return to(intent(fallback).replace("{port}", port))

    return answer


# ── phones ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_phone_says_so_in_agent_and_client_hints_on_every_hop_and_a_desktop_check_does_not(town, travel):
    place = town({OUT: to(WEB), "m.brand.example/land": GOOD})
    travel(place, OUT, device="mobile")
    for request in place.server.requests:
        assert "Mobile" in request.headers["user-agent"]
        assert "losswatch" in request.headers["user-agent"], "a phone of ours is no disguise"
        assert request.headers["sec-ch-ua-mobile"] == "?1"
        assert request.headers["sec-ch-ua-platform"] == '"Android"'
    place.server.requests.clear()
    travel(place, OUT)
    assert all("Mobile" not in request.headers["user-agent"] for request in place.server.requests)
    assert all("sec-ch-ua-mobile" not in request.headers for request in place.server.requests)


def test_a_link_that_breaks_on_phones_only_fails_only_as_a_phone(town, travel):
    def answer(request):
        return to("brandapp://offer") if "Mobile" in request.headers["user-agent"] else to(WEB)

    place = town({OUT: answer, "m.brand.example/land": GOOD})
    assert travel(place, OUT).state is State.OK
    found = travel(place, OUT, device="mobile")
    assert (found.state, found.cause) == (State.FAILING, "redirect.non_http")
    assert "brandapp" in found.detail


def test_a_phone_takes_the_web_fallback_of_an_intent_and_a_desktop_has_no_use_for_it(town, travel):
    place = town({OUT: sends_to_intent(WEB), "m.brand.example/land": GOOD})
    found = travel(place, OUT, device="mobile")
    assert (found.state, len(found.hops)) == (State.OK, 2)
    assert travel(place, OUT).cause == "redirect.non_http"


def test_a_fallback_that_is_dead_fails_as_any_hop_does(town, travel):
    assert travel(town({OUT: sends_to_intent(WEB)}), OUT, device="mobile").cause == "http.4xx"


@pytest.mark.parametrize(
    "location", [intent(), intent("javascript:alert(1)"), "market://details?id=x", "itms-apps://x/id1"]
)
def test_an_app_without_a_web_fallback_is_a_dead_end_for_phones_too(town, travel, location):
    assert travel(town({OUT: to(location)}), OUT, device="mobile").cause == "redirect.non_http"


STORE = "http://play.google.com:PORT/store/apps/details?id=com.brand"
LISTED = {"play.google.com/store/apps/details": GOOD}


def test_a_phone_that_ends_in_the_app_store_is_where_it_should_be(town, travel):
    place = town({OUT: to("http://track.brand.example:PORT/t?btag=abc"), "track.brand.example/t": to(STORE), **LISTED})
    found = travel(
        place, f"{OUT}?btag=abc", device="mobile", final_host="brand.example", final_path="/land", keep=("btag",)
    )
    assert (found.state, found.evidence["param.btag"]) == (State.OK, "present")
    assert travel(place, f"{OUT}?btag=abc", final_host="brand.example").cause == "link.wrong_target"


def test_a_store_link_may_carry_the_parameter_in_its_referrer(town, travel):
    place = town({OUT: to(f"{STORE}&referrer=btag%3Dabc%26x%3D1"), **LISTED})
    found = travel(place, f"{OUT}?btag=abc", device="mobile", keep=("btag",))
    assert (found.state, found.evidence["param.btag"]) == (State.OK, "moved")


def test_a_parameter_dropped_before_the_store_is_lost(town, travel):
    place = town({OUT: to("http://track.brand.example:PORT/t"), "track.brand.example/t": to(STORE), **LISTED})
    found = travel(place, f"{OUT}?btag=abc", device="mobile", keep=("btag",))
    assert (found.cause, found.blame) == ("link.param_lost", "go.ours.example")


@pytest.mark.parametrize("device", ["", "mobile"])
def test_an_app_that_left_the_store_is_an_inactive_offer(town, travel, device):
    found = travel(town({OUT: to(STORE)}), OUT, device=device)
    assert (found.state, found.cause, found.blame) == (State.FAILING, "link.inactive", "play.google.com")


# ── depth ────────────────────────────────────────────────────────────────────────────────────────────────────────────

CHAIN = {
    "ours.example/out": to("http://www.ours.example:PORT/out?btag=abc"),
    "www.ours.example/out": to("http://track.partner.example:PORT/t?btag=abc"),
    "track.partner.example/t": to("http://www.brand.example:PORT/land?btag=abc"),
    "www.brand.example/land": GOOD,
}
START = "ours.example/out?btag=abc"


def test_depth_one_walks_our_own_hops_and_asks_nobody_elses_host(town, travel):
    place = town(CHAIN)
    found = travel(place, START, depth=1, keep=("btag",), final_host="track.partner.example")
    assert (found.state, found.evidence["param.btag"]) == (State.OK, "present")
    assert place.asked() == ["ours.example/out?btag=abc", "www.ours.example/out?btag=abc"]


def test_depth_two_stops_before_the_third_site(town, travel):
    place = town(CHAIN)
    assert travel(place, START, depth=2).state is State.OK
    assert [url.partition("/")[0] for url in place.asked()] == [
        "ours.example",
        "www.ours.example",
        "track.partner.example",
    ]


def test_a_door_that_is_not_the_partners_is_a_wrong_target_although_nobody_went_through(town, travel):
    place = town({"ours.example/out": to("http://rival.example:PORT/x?btag=abc")})
    found = travel(place, START, depth=1, final_host="partner.example")
    assert (found.state, found.cause) == (State.FAILING, "link.wrong_target")
    assert "leads to rival.example" in found.detail
    assert place.asked() == [START]


def test_a_door_of_the_partners_other_brands_is_right(town, travel):
    brands = (Brand("Other", PartnerId("P05"), ("track.partner.example",)),)
    found = travel(town(CHAIN), START, depth=1, partner="P05", brands=brands, final_host="brand.example")
    assert found.state is State.OK


def test_a_parameter_lost_on_the_way_to_the_door_is_seen_from_there(town, travel):
    place = town({"ours.example/out": to("http://partner.example:PORT/x")})
    found = travel(place, START, depth=1, keep=("btag",))
    assert (found.cause, found.blame) == ("link.param_lost", "ours.example")
    assert place.asked() == [START]


def test_the_partners_host_is_never_asked_however_deep_the_walk_may_go(town, travel):
    place = town(CHAIN)
    assert travel(place, START, depth=9, final_host="brand.example").state is State.OK
    assert not any(url.startswith("www.brand.example") for url in place.asked())


def test_what_breaks_before_the_door_fails_and_what_never_leaves_is_judged_as_a_page(town, travel):
    assert travel(town({}), START, depth=1).cause == "http.4xx"
    assert travel(town({"ours.example/out": GOOD}), START, depth=1).state is State.OK
    assert (
        travel(town({"ours.example/out": GOOD}), START, depth=1, text=("no such words",)).cause
        == "content.missing_keyword"
    )


def test_texts_are_not_asked_of_a_page_that_was_not_asked_for(town, travel):
    assert travel(town(CHAIN), START, depth=1, text=("Quillspin",), brand=("Quillspin",)).state is State.OK
