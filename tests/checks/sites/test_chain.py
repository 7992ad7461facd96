"""Redirect chains: where they go, where they end, who broke them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.sites.url import BadUrl, Url, follow, parse
from data.model.state import State
from tests.checks.sites.conftest import to


def test_a_chain_is_followed_and_every_hop_recorded(link, routes, http, page):
    server = routes({"/go": to("/hop?x=1"), "/hop": to("land"), "/land": http(page)})
    found = link(server.url("/go"))
    assert found.state is State.OK
    assert [hop.status for hop in found.hops] == [302, 302, 200]
    assert found.hops[0].location == "/hop?x=1"
    assert found.timing.total_ms is not None
    assert found.timing.total_ms >= max(hop.ms for hop in found.hops)


def test_a_loop_is_found_at_its_first_repeat(link, routes):
    found = link(routes({"/a": to("/b"), "/b": to("/a")}).url("/a"))
    assert (found.state, found.cause, len(found.hops)) == (State.FAILING, "redirect.loop", 2)


def test_a_gate_that_sets_a_cookie_and_comes_back_is_no_loop(link, routes, http, page):
    def gate(request):
        if "seen=1" in request.headers.get("cookie", ""):
            return http(page)
        return b"HTTP/1.1 302 Found\r\nlocation: /gate\r\nset-cookie: seen=1\r\ncontent-length: 0\r\n\r\n"

    found = link(routes({"/gate": gate}).url("/gate"))
    assert (found.state, len(found.hops)) == (State.OK, 2)


def test_cookies_do_not_outlive_their_chain(link, routes, http, page):
    server = routes({"/": http(page, set_cookie="who=me")})
    link(server.url())
    link(server.url())
    assert all("cookie" not in request.headers for request in server.requests)


def test_more_than_ten_redirects_are_too_many_and_ten_are_not(link, serve, http, page):
    def count(connection, request):
        step = int(request.path.strip("/"))
        connection.sendall(http(page) if step == 0 else to(f"/{step - 1}"))

    server = serve(count)
    assert link(server.url("/10")).state is State.OK
    found = link(server.url("/11"))
    assert (found.cause, len(found.hops)) == ("redirect.too_many", 11)


@pytest.mark.parametrize(
    ("location", "cause"),
    [
        ("", "redirect.no_location"),
        ("http://", "redirect.bad_location"),
        ("https:///nowhere", "redirect.bad_location"),
        ("http://a b.example/", "redirect.bad_location"),
        ("http://h:99999/", "redirect.bad_location"),
        ("market://details?id=x", "redirect.non_http"),
        ("intent://x#Intent;end", "redirect.non_http"),
        ("javascript:alert(1)", "redirect.non_http"),
    ],
)
def test_a_redirect_to_nowhere_says_what_is_wrong_with_it(link, routes, location, cause):
    found = link(routes({"/go": to(location)}).url("/go"))
    assert (found.state, found.cause) == (State.FAILING, cause)
    assert found.hops[-1].cause == cause


def test_a_redirect_without_location_header_has_no_target(link, serve):
    assert link(serve(b"HTTP/1.1 301 Moved\r\ncontent-length: 0\r\n\r\n").url()).cause == "redirect.no_location"


def test_an_endless_redirect_body_is_not_read(link, serve, routes, http, page):
    target = routes({"/": http(page)}).url()

    def endless(connection, _request):
        connection.sendall(f"HTTP/1.1 302 Found\r\nlocation: {target}\r\n\r\n".encode())
        while True:
            connection.sendall(b"x" * 65536)

    assert link(serve(endless).url()).state is State.OK


def test_the_failing_hop_is_to_blame_and_its_cause_is_the_chains(link, serve, names):
    first = serve(to("http://dead.example:9/land"))
    found = link(first.url(host="go.example"), resolver=names.address)
    assert (found.cause, found.blame) == ("tcp.refused", "dead.example")
    assert [hop.cause for hop in found.hops] == ["", "tcp.refused"]


@pytest.mark.parametrize(
    "html",
    [
        '<meta http-equiv="refresh" content="0;url=/land">',
        "<META HTTP-EQUIV=Refresh CONTENT='1; URL=/land'>",
        "<script>window.location.href = '/land';</script>",
        '<script>location.replace("/land")</script>',
        '<script>location = "\\/land";</script>',
        "<noscript><meta http-equiv=refresh content='0;url=/land'></noscript>",
        '<script>location.href = "brandapp://open"; setTimeout(function () { location.href = "/land" }, 500)</script>',
    ],
)
def test_a_client_side_redirect_is_followed_and_degrades(link, routes, http, page, html):
    found = link(routes({"/go": http(f"<html><head>{html}</head></html>"), "/land": http(page)}).url("/go"))
    assert (found.state, found.cause, len(found.hops)) == (State.DEGRADED, "redirect.client_side", 2)


def test_a_refresh_header_is_followed_as_browsers_do(link, routes, http, page):
    found = link(routes({"/go": http("", refresh="0; url=/land"), "/land": http(page)}).url("/go"))
    assert (found.state, found.cause, len(found.hops)) == (State.DEGRADED, "redirect.client_side", 2)


def test_only_the_hop_that_a_page_led_to_is_marked_as_client_side(link, routes, http, page):
    jump = '<meta http-equiv="refresh" content="0;url=/land">'
    found = link(routes({"/go": to("/jump"), "/jump": http(jump), "/land": http(page)}).url("/go"))
    assert [hop.client_side for hop in found.hops] == [False, False, True]


@pytest.mark.parametrize("worse", ["404 Not Found", "500 Oops"])
def test_a_client_side_redirect_is_told_only_where_nothing_worse_is(link, routes, http, page, worse):
    jump = '<meta http-equiv="refresh" content="0;url=/land">'
    found = link(routes({"/go": http(jump), "/land": http(page, status=worse)}).url("/go"))
    assert (found.state, found.cause[:4]) == (State.FAILING, "http")


@pytest.mark.parametrize(
    "head",
    [
        "<!-- <meta http-equiv=refresh content='0;url=/land'> -->",
        "<noscript><meta http-equiv=refresh content='0;url=/land'></noscript>",
        "<meta http-equiv=refresh content='soon'>",
        "<meta http-equiv=refresh>",
    ],
)
def test_a_refresh_that_no_browser_with_scripts_obeys_is_none(site, routes, http, page, head):
    found = site(routes({"/": http(page.replace("<head>", f"<head>{head}"))}).url())
    assert (found.state, len(found.hops)) == (State.OK, 1)


def test_a_page_that_only_opens_an_app_is_a_dead_end(link, routes, http):
    found = link(routes({"/go": http('<script>location.href = "brandapp://open"</script>')}).url("/go"))
    assert (found.state, found.cause) == (State.FAILING, "redirect.non_http")


def test_every_hop_records_its_certificate_with_the_earliest_end(link, serve, pki, names, page, http):
    last = serve(lambda connection, _request: connection.sendall(http(page)), pki.context(("land.example",), end=40))
    first = serve(
        lambda connection, _request: connection.sendall(to(last.url(host="land.example"))),
        pki.context(("go.example",), end=80),
    )
    found = link(first.url(host="go.example"), resolver=names.address, ca_file=pki.ca_file)
    assert found.state is State.OK
    assert [hop.issuer for hop in found.hops] == ["Test Intermediate"] * 2
    assert [round((hop.cert_ends - found.started_at).days, -1) for hop in found.hops] == [80, 40]
    assert [round(hop.cert_days_left) for hop in found.hops] == [80, 40]


def test_a_script_on_a_real_page_is_not_a_redirect(site, routes, http, page):
    body = page + "<script>function out(){ location.href = '/out'; }</script>"
    found = site(routes({"/": http(body)}).url())
    assert (found.state, len(found.hops)) == (State.OK, 1)


def test_a_slow_refresh_is_a_page_that_reloads_itself(site, routes, http, page):
    body = page.replace("<head>", '<head><meta http-equiv="refresh" content="300;url=/again">')
    assert len(site(routes({"/": http(body)}).url()).hops) == 1


def test_an_accepted_redirect_status_ends_the_walk(site, routes):
    found = site(routes({"/": to("/elsewhere")}).url(), status=(302,))
    assert (found.state, len(found.hops)) == (State.OK, 1)


class TestTarget:
    def test_a_kept_parameter_that_arrives_is_fine(self, link, routes, http, page):
        server = routes({"/go": to("/land?btag=a%20b&x=1"), "/land": http(page)})
        assert link(server.url("/go?btag=a%20b"), keep=("btag",)).state is State.OK

    @pytest.mark.parametrize("landing", ["/land", "/land?btag=", "/land?btag=ABC", "/land?clickid=abc"])
    def test_a_parameter_that_is_dropped_or_changed_is_lost(self, link, routes, http, page, landing):
        server = routes({"/go": to("/track?btag=abc"), "/track": to(landing), "/land": http(page)})
        found = link(server.url("/go?btag=abc"), keep=("btag",))
        assert (found.state, found.cause) == (State.FAILING, "link.param_lost")
        assert [hop.cause for hop in found.hops] == ["", "link.param_lost", ""], "the hop that dropped it is marked"

    def test_a_parameter_that_was_never_there_is_a_mistake_of_ours(self, link, routes, http, page):
        found = link(routes({"/go": http(page)}).url("/go"), keep=("btag",))
        assert (found.state, found.cause) == (State.UNKNOWN, "config.url")

    @pytest.mark.parametrize(
        ("host", "fine"),
        [
            ("brand.example", True),
            ("www.brand.example", True),
            ("example", True),
            ("other.example", False),
            ("rand.example", False),
        ],
    )
    def test_the_final_host_must_be_the_expected_one_or_below_it(self, link, routes, http, page, names, host, fine):
        server = routes({"/": http(page)})
        found = link(server.url(host="brand.example"), final_host=host, resolver=names.address)
        assert found.cause == ("" if fine else "link.wrong_target")

    def test_a_deep_link_that_lands_on_home_says_so(self, link, routes, http, page):
        server = routes({"/go": to("/"), "/": http(page)})
        assert link(server.url("/go"), final_path="/offer/42").cause == "link.to_home"

    def test_another_page_than_the_deep_link_is_a_wrong_target(self, link, routes, http, page):
        server = routes({"/go": to("/other"), "/other": http(page)})
        assert link(server.url("/go"), final_path="/offer/42").cause == "link.wrong_target"


@pytest.mark.parametrize(
    "text",
    ["", "http://", "garbage", "javascript:alert(1)", "ftp://a/", "http://a b/", "http://u:p@h/", "http://h:99999/", "http://h:0/",
     "http://h:x/", "http://..", "http://-a.example/", "http://[::1/", "http://1.2.3.4.5/", "http://300.1.1.1/", "//h/", "http:/h",
     "http://\x1b[31m/", "http://a\u202eb.example/", "http://" + "a" * 64 + ".example/", "http://a..b/", "http://%41/"],
)  # fmt: skip
def test_what_is_no_url_is_data_and_never_a_traceback(site, text):
    found = site(text)
    assert (found.state, found.cause) == (State.UNKNOWN, "config.url")
    assert found.detail
    assert found.hops == ()


def test_an_internationalised_name_is_asked_for_in_its_ascii_form(site, name_server):
    server = name_server({})
    assert site("http://münchen.example/", resolver=server.address).cause == "dns.nxdomain"
    assert server.asked[0][0] == "xn--mnchen-3ya.example"


@given(st.text(max_size=60))
def test_no_text_makes_the_url_reader_raise(text):
    assert isinstance(parse(text), Url | BadUrl)
    assert isinstance(parse(f"http://{text}"), Url | BadUrl)


@given(st.text(max_size=60))
def test_no_location_makes_the_follower_raise_and_what_it_gives_can_be_asked_for(location):
    base = parse("http://a.example/x/y?z")
    assert isinstance(base, Url)
    target = follow(base, location.encode("utf-8", "replace").decode("latin-1"))
    if isinstance(target, Url):
        assert target.text.isascii()
        assert not any(char.isspace() for char in target.text)
        assert parse(target.text) == target
