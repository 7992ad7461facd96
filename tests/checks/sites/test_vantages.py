"""Several vantages of a country, through real proxies of every kind that fail in every way."""

from __future__ import annotations

import pytest

from data.config.settings import Vantage
from data.model.state import State
from data.model.target import TargetKind
from tests.street.proxies import ProxyServer, gateway

LOGIN = ("losswatch", "p4ss:word")


@pytest.fixture
def proxies():
    """proxies(source, ways, ..): a running `ProxyServer`."""
    running = []

    def start(*args, **kwargs):
        running.append(ProxyServer(*args, **kwargs))
        return running[-1]

    yield start
    for proxy in running:
        proxy.close()


GERMAN, SECOND, AUSTRIAN = "127.0.1.1", "127.0.1.2", "127.0.1.9"
CANARY = "canary.example"


@pytest.fixture
def shop(serve, http, page):
    """shop(blocked=(sources..), answer=..): a site that shows itself to everybody else; counts who came."""

    def start(blocked=(), answer=None, context=None):
        came = []

        def behave(connection, _request):
            source = connection.getpeername()[0]
            came.append(source)
            connection.sendall((answer or http("no", "451 Legal")) if source in blocked else http(page))

        server = serve(behave, context)
        server.came = came
        return server

    return start


@pytest.fixture
def look(probe, names, serve, http, page):
    """look(server, *(country, proxy url)..): a check of shop.example from DE, with a canary that is fine."""
    healthy = serve(http(page))

    def run(server, *vantages, geo="DE", canary=True, **kwargs):
        canaries = (f"http://{CANARY}:{healthy.port}/",) if canary else ()
        return probe(
            server.url(host="shop.example"),
            geo=geo,
            vantages=tuple(Vantage(country, url) for country, url in vantages),
            canaries=canaries,
            **{"resolver": names.address, **kwargs},
        )

    return run


# ── every kind of proxy carries a check ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("login", [None, LOGIN], ids=["open", "login"])
@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h", "socks4a"])
def test_every_kind_of_proxy_carries_a_check_with_its_login(look, proxies, shop, pki, scheme, login, secure):
    if scheme == "socks4a" and login:
        pytest.skip("SOCKS4 knows no password")
    site, proxy = shop(context=pki.context() if secure else None), proxies(GERMAN, login=login)
    url = proxy.url(scheme, login and f"{login[0]}:p4ss%3Aword")
    found = look(site, ("DE", url), ca_file=pki.ca_file)
    assert (found.state, found.region, site.came) == (State.OK, "DE", [GERMAN]), found.detail
    assert proxy.asked == (["127.0.0.1"] if scheme == "socks5" else ["shop.example"])


def test_a_vantage_may_stand_at_an_ipv6_address(look, proxies, shop):
    try:
        proxy = proxies(GERMAN, host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    for scheme in ("http", "socks5h"):
        assert look(shop(), ("DE", proxy.url(scheme))).state is State.OK


def test_the_name_of_a_proxy_is_resolved_by_our_resolver(look, proxies, shop):
    for scheme in ("http", "socks5", "socks5h"):
        url = f"{scheme}://exit.vantage.example:{proxies(GERMAN).port}"
        assert look(shop(), ("DE", url)).state is State.OK, scheme


# ── a vantage that does not work is our fault ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(
    ("scheme", "ways", "login", "words"),
    [
        ("http", {}, LOGIN, "asks for a login"),
        ("socks5h", {}, LOGIN, "refuses us"),
        ("http", {"*": "close"}, None, "DE"),
        ("http", {"*": 502}, None, "DE"),
        ("http", {"*": 403}, None, "DE"),
        ("http", {"*": b"SSH-2.0-nonsense\r\n"}, None, "DE"),
        ("socks5h", {"*": "close"}, None, "DE"),
        ("socks5h", {"*": 1}, None, "DE"),
        ("socks4a", {"*": 1}, None, "DE"),
        ("socks5h", {"*": 4}, None, "DE"),
        ("http", {"*": "silent"}, None, "DE"),
        ("socks5h", {"*": "silent"}, None, "DE"),
    ],
)
def test_a_vantage_that_fails_for_every_host_is_down_and_no_verdict(
    look, proxies, shop, pki, scheme, ways, login, words, secure
):
    site, proxy = shop(context=pki.context() if secure else None), proxies(GERMAN, ways, login)
    found = look(
        site, ("DE", proxy.url(scheme)), ca_file=pki.ca_file, timeout_s=0.6 if ways == {"*": "silent"} else 5.0,
    )  # fmt: skip
    assert (found.state, found.cause) == (State.UNKNOWN, "local.network"), (found.cause, found.detail)
    assert "the vantage DE is down" in found.detail
    assert words in found.detail
    assert found.evidence["control"].startswith("200 ok")


def test_what_is_dead_from_here_too_fails_whatever_the_vantage(look, proxies, serve, http):
    found = look(serve(http("x", "500 Oops")), ("DE", proxies(GERMAN, {"*": 502}).url()))
    assert (found.state, found.cause) == (State.FAILING, "http.5xx")
    assert (found.region, found.hops[0].status) == ("local", 500)


# ── one country, two vantages ────────────────────────────────────────────────────────────────────────────────────


def pair(proxies, first=None, second=None):
    """Two vantages in DE; which one carries a target first follows from its name, so both may be either."""
    return ("DE", proxies(GERMAN, first).url()), ("DE", proxies(SECOND, second).url())


def test_a_block_that_both_vantages_of_a_country_see_is_geo_blocked(look, proxies, shop):
    found = look(shop({GERMAN, SECOND}), *pair(proxies))
    assert (found.state, found.cause) == (State.FAILING, "geo.blocked")
    assert found.evidence["control"].startswith("200 ok")
    assert found.evidence["second"].startswith("451 http.legal_block")
    assert {found.region, found.evidence["second"].split()[-1]} == {"DE", "DE-2"}


def test_a_block_that_the_second_vantage_does_not_see_is_the_first_ones_problem(look, proxies, shop):
    verdicts = [look(shop({blocked}), *pair(proxies)) for blocked in (GERMAN, SECOND)]
    unlucky = [found for found in verdicts if found.state is not State.OK]
    assert len(unlucky) == 1, "the target goes through one of the two first"
    assert (unlucky[0].state, unlucky[0].cause) == (State.UNKNOWN, "local.network")
    assert "refuses only DE" in unlucky[0].detail
    assert "is let in" in unlucky[0].detail


@pytest.mark.parametrize("broken", [{"*": 502}, {"*": "close"}])
def test_where_one_vantage_is_broken_the_second_ones_word_counts(look, proxies, shop, broken):
    for vantages in (pair(proxies, broken, None), pair(proxies, None, broken)):
        found = look(shop(), *vantages)
        assert found.state is State.OK
        assert found.region in {"DE", "DE-2"}


def test_one_named_vantage_carries_it_and_no_other(probe, proxies, shop, names):
    site = shop()
    vantages = tuple(Vantage("DE", proxies(source).url(), name) for source, name in ((GERMAN, "B"), (SECOND, "F")))
    for name, source in (("F", SECOND), ("B", GERMAN)):
        found = probe(site.url(host="shop.example"), vantages=vantages, vantage=name, resolver=names.address)
        assert (found.region, site.came[-1]) == (name, source)


# ── blocks of every kind ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", ["451 Legal", "403 Forbidden"])
def test_a_refusal_that_only_the_country_sees_is_geo_blocked(look, proxies, shop, http, status):
    found = look(shop({GERMAN}, http("no", status)), ("DE", proxies(GERMAN).url("socks5h")))
    assert (found.state, found.cause) == (State.FAILING, "geo.blocked")
    assert (
        found.detail
        == f"shop.example:{found.hops[0].url.split(':')[2][:-1]} answers {status[:3]} in DE, and is fine from here"
    )


@pytest.mark.parametrize(
    ("scheme", "way"),
    [
        ("http", "reset"),
        ("socks5h", "reset"),
        ("http", "hang"),
        ("http", 502),
        ("http", 504),
        ("socks5h", 4),
        ("socks5h", 5),
    ],
)
def test_a_cut_that_only_one_host_suffers_through_a_working_vantage_is_geo_blocked(
    look, proxies, shop, pki, scheme, way
):
    site, proxy = shop(context=pki.context()), proxies(GERMAN, {"shop.example": way})
    found = look(
        site, ("DE", proxy.url(scheme)), ca_file=pki.ca_file, timeout_s=0.7 if way == "hang" else 5.0,
    )  # fmt: skip
    assert (found.state, found.cause) == (State.FAILING, "geo.blocked"), (found.cause, found.detail)
    assert CANARY in proxy.asked
    assert found.evidence["seen"]


@pytest.mark.parametrize("way", ["reset", 502])
def test_without_a_second_word_a_cut_of_one_vantage_proves_nothing(look, proxies, shop, pki, way):
    site, proxy = shop(context=pki.context()), proxies(GERMAN, {"shop.example": way})
    found = look(site, ("DE", proxy.url()), ca_file=pki.ca_file, canary=False)
    assert (found.state, found.cause) == (State.UNKNOWN, "local.network")
    assert "only the vantage DE fails to reach shop.example" in found.detail


def test_two_vantages_that_are_cut_off_agree(look, proxies, shop, pki):
    site = shop(context=pki.context())
    found = look(
        site, *pair(proxies, {"shop.example": "reset"}, {"shop.example": "reset"}), ca_file=pki.ca_file, canary=False
    )
    assert (found.state, found.cause) == (State.FAILING, "geo.blocked")


def test_a_gateway_error_that_the_proxy_signs_is_its_own(look, proxies, shop):
    signed = gateway(503, "x-squid-error: ERR_DNS_FAIL 0")
    found = look(shop(), ("DE", proxies(GERMAN, {"shop.example": signed}).url()), canary=False)
    assert (found.state, found.cause) == (State.UNKNOWN, "local.network")


def test_a_server_error_that_only_a_country_sees_stays_a_server_error(look, proxies, shop, http):
    found = look(shop({GERMAN}, http("x", "503 Busy")), ("DE", proxies(GERMAN).url()))
    assert (found.state, found.cause) == (State.FAILING, "http.5xx")
    assert found.evidence["control"].startswith("200 ok")


def test_what_is_blocked_everywhere_is_no_matter_of_the_country(look, proxies, shop):
    found = look(shop({GERMAN, "127.0.0.1"}), ("DE", proxies(GERMAN).url()))
    assert (found.state, found.cause) == (State.FAILING, "http.legal_block")


def test_another_country_is_asked_when_nobody_can_tell_from_here(look, proxies, shop, serve, http, page):
    def behave(connection, _request):
        source = connection.getpeername()[0]
        limited = http("slow down", "429 Too Many")
        connection.sendall({GERMAN: http("no", "451 Legal"), AUSTRIAN: http(page)}.get(source, limited))

    found = look(serve(behave), ("DE", proxies(GERMAN).url()), ("AT", proxies(AUSTRIAN).url()))
    assert (found.state, found.cause) == (State.FAILING, "geo.blocked")
    assert found.evidence["control"].endswith("from AT")


# ── no vantage in the country ────────────────────────────────────────────────────────────────────────────────────

LINK, SITE = TargetKind.LINK, TargetKind.SITE


@pytest.mark.parametrize(
    ("kind", "elsewhere", "state"),
    [(LINK, False, State.UNKNOWN), (LINK, True, State.UNKNOWN), (SITE, True, State.UNKNOWN), (SITE, False, State.OK)],
)
def test_what_is_fine_from_here_says_nothing_of_a_country_without_a_vantage(
    look, proxies, shop, kind, elsewhere, state
):
    vantages = [("AT", proxies(AUSTRIAN).url())] if elsewhere else []
    found = look(shop(), *vantages, kind=kind)
    assert found.state is state
    if state is State.UNKNOWN:
        assert (found.cause, found.detail, found.evidence["from_here"]) == ("local.network", "no vantage in DE", "ok")


@pytest.mark.parametrize(
    ("status", "state", "name"),
    [
        ("500 Oops", State.FAILING, "http.5xx"),
        ("404 Gone", State.FAILING, "http.4xx"),
        ("451 Legal", State.UNKNOWN, "local.network"),
        ("403 Forbidden", State.UNKNOWN, "local.network"),
    ],
)
def test_without_a_vantage_only_what_no_country_can_change_fails(look, serve, http, status, state, name):
    found = look(serve(http("x", status)), kind=LINK)
    assert (found.state, found.cause) == (state, name)


def test_a_name_that_does_not_exist_is_dead_without_any_vantage(look, shop, name_server):
    found = look(shop(), kind=LINK, resolver=name_server({}).address)
    assert (found.state, found.cause) == (State.FAILING, "dns.nxdomain")
