"""What becomes of the parameters that must survive: at real servers, and for any value."""

from __future__ import annotations

import base64
import json
import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.sites.exchange import Exchange, Walk
from checks.sites.params import Fate, follow_params, values
from checks.sites.url import parse, with_probe
from data.model.state import State
from tests.checks.sites.conftest import GOOD_PAGE, http, to

GOOD = http(GOOD_PAGE)
LINK = "go.ours.example/out?btag=Ab3-Click-0042"


def chain(landing, second="track.partner.example/t?btag=Ab3-Click-0042", **headers):
    """Our redirector, the partner's tracker, the landing page: the tracker is the one that does it."""
    return {
        "go.ours.example/out": to(f"http://{second.replace('.example', '.example:PORT')}"),
        "track.partner.example/t": to(landing.replace(".example", ".example:PORT"), **headers),
        "www.partner.example/land": GOOD,
        "www.partner.example/land/Ab3-Click-0042": GOOD,
        "other.brand.example/land": GOOD,
    }


LAND = "http://www.partner.example/land"


@pytest.mark.parametrize(
    ("landing", "fate", "now", "words"),
    [
        (f"{LAND}?btag=Ab3-Cl", "truncated", "Ab3-Cl", "cuts the parameter btag from 14 to 6 characters"),
        (f"{LAND}?btag=ab3-click-0042", "lowercased", "ab3-click-0042", "in lower case"),
        (f"{LAND}?btag=Zz9", "changed", "Zz9", "changes the parameter btag from Ab3-Click-0042 to Zz9"),
        (f"{LAND}?btag=Ab3-Click-0042&btag=Zz9", "changed", "Ab3-Click-0042 and Zz9", "changes the parameter btag"),
        (LAND, "missing", "", "drops the parameter btag"),
        (f"{LAND}?btag=", "missing", "", "drops the parameter btag"),
        (f"{LAND}?btag={{clickid}}", "macro", "{clickid}", "sends the macro {clickid} unreplaced as btag"),
        (f"{LAND}?btag=%%CLICK_ID%%", "macro", "%%CLICK_ID%%", "sends the macro %%CLICK_ID%% unreplaced"),
        (f"{LAND}?btag=[btag]", "macro", "[btag]", "sends the macro [btag] unreplaced"),
    ],
)
def test_a_parameter_that_no_longer_tells_the_click_is_lost_and_the_hop_that_did_it_named(
    town, travel, landing, fate, now, words
):
    found = travel(town(chain(landing)), LINK, keep=("btag",))
    assert (found.state, found.cause, found.blame) == (State.FAILING, "link.param_lost", "track.partner.example")
    assert found.evidence["param.btag"] == fate
    assert found.evidence.get("param_now.btag", "") == now
    assert found.evidence["param_was.btag"] == "Ab3-Click-0042"
    assert found.evidence["param_hop.btag"].startswith("track.partner.example:")
    assert words in found.detail
    assert [bool(hop.params) for hop in found.hops] == [False, True, False]
    assert words in found.hops[1].params


@pytest.mark.parametrize(
    ("landing", "fate", "words"),
    [
        (f"{LAND}?affid=Ab3-Click-0042", "renamed", "renames the parameter btag to affid"),
        (f"{LAND}/Ab3-Click-0042", "moved", "moves btag into the path"),
        (f"{LAND}#/register?btag=Ab3-Click-0042", "moved", "moves btag into the fragment"),
        (f"{LAND}?next=%2Foffer%3Fbtag%3DAb3-Click-0042", "moved", "moves btag into next"),
    ],
)
def test_a_partner_that_carries_the_value_another_way_earns_and_is_marked(town, travel, landing, fate, words):
    found = travel(town(chain(landing)), LINK, keep=("btag",))
    assert (found.state, found.evidence["param.btag"]) == (State.OK, fate)
    assert words in found.hops[1].params


@pytest.mark.parametrize("landing", [f"{LAND}?btag=Ab3-Click-0042", f"{LAND}?x=1&BTag=Ab3-Click-0042&utm=y"])
def test_a_parameter_that_arrives_is_present_whatever_the_case_of_its_name(town, travel, landing):
    found = travel(town(chain(landing)), LINK, keep=("btag",))
    assert (found.state, found.evidence["param.btag"]) == (State.OK, "present")
    assert not any(hop.params for hop in found.hops)


@pytest.mark.parametrize(
    ("sent", "landing", "fate"),
    [
        ("a%2Bb%2Bc", "a+b+c", "decoded"),
        ("one%26two", "one&two", "decoded"),
        ("one%23two", "one#two", "decoded"),
        ("a%252Fb", "a%2Fb", "decoded"),
        ("a%25252Fb", "a%2Fb", "decoded"),
        ("a%20b", "a%2520b", "encoded"),
        ("a%20b", "a b", "present"),
        ("a%2Fb", "a/b", "present"),
        ("%41bc", "Abc", "present"),
    ],
)
def test_decoding_once_too_often_is_told_from_spelling_the_same_value_otherwise(town, travel, sent, landing, fate):
    second = f"track.partner.example/t?btag={sent}"
    found = travel(town(chain(f"{LAND}?btag={landing}", second)), f"go.ours.example/out?btag={sent}", keep=("btag",))
    assert found.evidence["param.btag"] == fate
    assert found.cause == ("" if fate == "present" else "link.param_lost")


PLAIN = "Ab3-Click-0042"
IN_JSON = base64.urlsafe_b64encode(json.dumps({"aff": 7, "tag": PLAIN}).encode()).decode()


@pytest.mark.parametrize(
    "cookie", [f"aff={PLAIN}", f"aff=7|{PLAIN}|x", f'aff="{quote(f"7:{PLAIN}")}"', f"aff={IN_JSON}"]
)
def test_a_partner_that_keeps_the_value_in_its_cookie_and_cleans_the_url_is_a_hand_over(town, travel, cookie):
    found = travel(town(chain(LAND, set_cookie=f"{cookie}; Path=/; Domain=partner.example")), LINK, keep=("btag",))
    assert (found.state, found.evidence["param.btag"]) == (State.OK, "cookie")
    assert found.hops[1].params == "keeps btag in its cookie aff"


@pytest.mark.parametrize(
    ("landing", "cookie"),
    [
        (LAND, "session=Ab3-Click-00421; Path=/"),
        (LAND, "aff=Ab3; Path=/"),
        (LAND, f"aff={PLAIN}; Max-Age=0"),
        ("http://other.brand.example/land", f"aff={PLAIN}; Path=/"),
    ],
)
def test_a_cookie_without_the_value_or_of_a_host_that_the_landing_never_hears_of_hands_nothing_over(
    town, travel, landing, cookie
):
    found = travel(town(chain(landing, set_cookie=cookie)), LINK, keep=("btag",))
    assert (found.cause, found.evidence["param.btag"]) == ("link.param_lost", "missing")


def test_what_a_later_hop_puts_back_is_present(town, travel):
    found = travel(town(chain(f"{LAND}?btag={PLAIN}", "track.partner.example/t")), LINK, keep=("btag",))
    assert (found.state, found.evidence["param.btag"]) == (State.OK, "present")


def test_the_first_hop_to_damage_a_parameter_is_blamed_though_a_later_one_drops_the_rest(town, travel):
    found = travel(town(chain(LAND, "track.partner.example/t?btag=Ab3-Cl")), LINK, keep=("btag",))
    assert (found.evidence["param.btag"], found.blame) == ("truncated", "go.ours.example")


def test_a_rename_by_our_own_redirector_is_a_loss_since_the_partner_does_not_read_that_name(town, travel):
    hops = chain(f"{LAND}?clickid={PLAIN}", f"track.partner.example/t?clickid={PLAIN}")
    found = travel(town(hops), LINK, keep=("btag",))
    assert (found.cause, found.evidence["param.btag"]) == ("link.param_lost", "renamed")
    assert found.blame == "go.ours.example"


def test_a_macro_that_a_hop_fills_in_is_no_loss_and_one_that_nobody_fills_is(town, travel):
    link = "go.ours.example/out?btag={clickid}"
    filled = travel(town(chain(f"{LAND}?btag=77", "track.partner.example/t?btag=77")), link, keep=("btag",))
    assert (filled.state, filled.evidence["param.btag"]) == (State.OK, "filled")
    literal = travel(
        town(chain(f"{LAND}?btag=%7Bclickid%7D", "track.partner.example/t?btag={clickid}")), link, keep=("btag",)
    )
    assert (literal.cause, literal.evidence["param.btag"]) == ("link.param_lost", "macro")
    assert "is given the macro {clickid} unreplaced" in literal.detail


def test_a_parameter_may_stand_in_the_path(town, travel):
    table = {
        "go.ours.example/btag/Ab3/x": to("http://www.partner.example:PORT/land?btag=Ab3"),
        "www.partner.example/land": GOOD,
    }
    assert travel(town(table), "go.ours.example/btag/Ab3/x", keep=("btag",)).evidence["param.btag"] == "present"


def test_every_kept_parameter_is_told_and_the_lost_ones_named(town, travel):
    link = f"{LINK}&subid=7&promo=X"
    hops = chain(f"{LAND}?btag={PLAIN}", f"track.partner.example/t?btag={PLAIN}&subid=7&promo=X")
    found = travel(town(hops), link, keep=("btag", "subid", "promo"))
    assert [found.evidence[f"param.{name}"] for name in ("btag", "subid", "promo")] == ["present", "missing", "missing"]
    assert found.evidence["parameter"] == "subid, promo"
    assert "drops the parameter subid, promo" in found.detail


def test_a_value_whose_name_says_secret_is_shown_to_nobody(town, travel):
    table = {
        "go.ours.example/out": to("http://www.partner.example:PORT/land?token=hunter2"),
        "www.partner.example/land": GOOD,
    }
    found = travel(town(table), "go.ours.example/out?token=hunter2-and-more", keep=("token",))
    assert found.evidence["param.token"] == "truncated"
    assert "hunter2" not in repr(found)


def test_a_chain_that_broke_says_nothing_of_its_parameters(town, travel):
    table = {"go.ours.example/out": to("http://dead.example:9/land")}
    found = travel(town(table), LINK, keep=("btag",))
    assert found.cause == "tcp.refused"
    assert "param.btag" not in found.evidence


# ── pure ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

WORDS = st.text(string.ascii_letters + string.digits + "-_", min_size=4, max_size=24)


def fate(*urls, name="btag"):
    walk = Walk(tuple(Exchange(parse(url), status=200) for url in urls))
    (param,) = follow_params(walk, (name,))
    return param


@given(
    st.text(min_size=1, max_size=30).filter(lambda text: not set(text) & set("{}%[]#_$")), st.lists(WORDS, max_size=3)
)
def test_a_value_that_arrives_as_it_was_is_present_whatever_it_is(value, others):
    raw = quote(value, safe="", errors="ignore")
    extra = "".join(f"&x{number}={word}" for number, word in enumerate(others))
    assert fate(f"http://a.example/?btag={raw}", f"http://b.example/?y=1{extra}&btag={raw}").fate is Fate.PRESENT


@given(WORDS, st.data())
def test_every_proper_prefix_is_a_truncation(value, data):
    cut = data.draw(st.integers(1, len(value) - 1))
    found = fate(f"http://a.example/?btag={value}", f"http://b.example/?btag={value[:cut]}")
    assert (found.fate, found.survives) == (Fate.TRUNCATED, False)


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_foreign_text_breaks_the_account_of_a_chain(path, query, cookie):
    first = parse("http://a.example/?btag=Ab3-Click")
    last = parse(f"http://b.example/{quote(path, errors='replace')}?{quote(query, safe='&=%+', errors='replace')}")
    walk = Walk((Exchange(first, status=302), Exchange(last, status=200, headers=(("set-cookie", cookie),))))
    (found,) = follow_params(walk, ("btag",))
    assert found.name == "btag"
    assert all(text.isprintable() for text in found.evidence().values())


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://a.example/?btag=1&BTAG=2&btag=1", ("1", "2")),
        ("http://a.example/c;btag=9/x", ("9",)),
        ("http://a.example/btag=9/x", ("9",)),
        ("http://a.example/btag/", ()),
        ("http://a.example/?xbtag=1", ()),
    ],
)
def test_values_stand_in_the_query_or_else_in_the_path(url, found):
    assert values(parse(url), "btag") == found


@pytest.mark.parametrize(
    ("url", "marked"),
    [
        ("http://a.example/x", "http://a.example/x?subid=zz"),
        ("http://a.example/x?btag=1", "http://a.example/x?btag=1&subid=zz"),
        ("http://a.example/x?SubId=9&btag=%20#top", "http://a.example/x?subid=zz&btag=%20#top"),
        ("http://a.example/x?", "http://a.example/x?subid=zz"),
        ("http://a.example/x?subid=zz", "http://a.example/x?subid=zz"),
    ],
)
def test_the_mark_of_our_probes_takes_its_parameters_place_and_touches_nothing_else(url, marked):
    assert with_probe(url, "subid=zz") == marked
    assert with_probe(url, "") == url
