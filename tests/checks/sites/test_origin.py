"""Edge, not origin: the site's own server is asked past the edge that fails."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from checks.sites.origin import place_of
from data.model.observation import ORIGIN_FINE
from data.model.state import State


def edge_says(http, status, body="", **headers):
    return http(body or "<center>cloudflare</center>", status, server="cloudflare", cf_ray="7d1-FRA", **headers)


@pytest.fixture
def shop(serve, probe, names, pki, http):
    """shop(edge's answer, origin's answer or None, secure=.., ..): shop.example behind an edge, its origin elsewhere."""

    def run(edge, origin, *, context=None, origin_context=None, **kwargs):
        front = serve(edge, context)
        if origin is None:
            with socket.socket() as closed:
                closed.bind(("127.0.0.1", 0))
                place, back = f"127.0.0.1:{closed.getsockname()[1]}", None
        else:
            back = serve(origin, origin_context)
            place = f"origin.hosting.example:{back.port}"
        options = {"resolver": names.address, "ca_file": pki.ca_file, "origin": place, **kwargs}
        return probe(front.url("/de/?a=1", host="shop.example"), **options), back

    return run


@pytest.mark.parametrize(
    ("status", "name"),
    [("522 Timed out", "edge.origin_unreachable"), ("520 Unknown", "edge.error"), ("503 Busy", "http.5xx")],
)
def test_an_edge_that_fails_before_a_healthy_origin_is_to_blame_alone(shop, http, page, status, name):
    body = "upstream" if name == "http.5xx" else ""
    found, origin = shop(edge_says(http, status, body), http(page))
    assert (found.state, found.cause, found.blame) == (State.FAILING, name, "shop.example")
    assert found.evidence["origin"] == "answers 200 directly"
    assert found.evidence["origin_state"] == ORIGIN_FINE
    assert found.detail.endswith("; the origin answers 200 directly: edge, not origin")
    request = origin.requests[0]
    assert (request.path, request.headers["host"].partition(":")[0]) == ("/de/?a=1", "shop.example")


def test_an_edge_whose_origin_is_dead_is_only_the_messenger(shop, http):
    found, _ = shop(edge_says(http, "520 Unknown"), None)
    assert (found.state, found.cause, found.blame) == (State.FAILING, "edge.origin_unreachable", "127.0.0.1")
    assert found.evidence["origin"].startswith("does not answer: ")
    assert found.evidence["origin_state"] != ORIGIN_FINE
    assert found.evidence["edge"] == "Cloudflare"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("500 Oops", "answers 500 directly (http.5xx)"),
        ("200 OK", "answers 200 directly (content.empty)"),
    ],
)
def test_an_origin_that_earns_nothing_either_is_to_blame(shop, http, answer, words):
    found, _ = shop(edge_says(http, "520 Unknown"), http("", answer))
    assert (found.cause, found.blame) == ("edge.origin_unreachable", "origin.hosting.example")
    assert found.evidence["origin"] == words


def test_a_redirect_is_an_answer_of_an_origin(shop, http):
    found, _ = shop(edge_says(http, "520 Unknown"), http("", "301 Moved", location="https://shop.example/de/"))
    assert found.evidence["origin"] == "answers 301 directly"


def test_an_edge_that_does_not_answer_at_all_is_told_from_its_origin_too(probe, serve, names, http, page):
    origin = serve(http(page))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://shop.example:{closed.getsockname()[1]}/"
        found = probe(url, resolver=names.address, origin=f"127.0.0.1:{origin.port}")
    assert (found.state, found.cause) == (State.FAILING, "tcp.refused")
    assert found.evidence["origin"] == "answers 200 directly"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "answers 200 directly"),
        ({"chain": "foreign"}, "answers 200 directly with a certificate of a private authority"),
        ({"chain": "self"}, "answers 200 directly with a certificate of its own"),
        ({"start": -60, "end": -5}, "answers 200 directly with an expired certificate"),
    ],
)
def test_an_origin_may_have_a_certificate_of_any_authority_for_the_host(shop, pki, http, page, wrong, words):
    found, _ = shop(
        edge_says(http, "520 Unknown"), http(page), context=pki.context(), origin_context=pki.context(**wrong)
    )
    assert found.evidence["origin"] == words
    assert "edge, not origin" in found.detail


def test_a_certificate_for_another_host_is_no_origin_of_this_one(shop, pki, http, page):
    context = pki.context(("other.example",))
    found, _ = shop(edge_says(http, "520 Unknown"), http(page), context=pki.context(), origin_context=context)
    assert found.evidence["origin"].startswith("does not answer: ")
    assert found.blame == "origin.hosting.example"


def test_the_check_after_an_origins_is_as_strict_as_ever(probe, serve, names, pki, http, page):
    """One handle carries both: what was open for the origin must be closed again."""
    loose = serve(http(page), pki.context(chain="foreign"))
    edge = serve(edge_says(http, "520 Unknown"), pki.context())
    for _ in range(2):
        probe(
            edge.url(host="shop.example"), resolver=names.address, ca_file=pki.ca_file, origin=f"127.0.0.1:{loose.port}"
        )
    found = probe(loose.url(host="shop.example"), resolver=names.address, ca_file=pki.ca_file, origin="127.0.0.1:1")
    assert found.cause == "tls.untrusted"


@pytest.mark.parametrize("status", ["404 Gone", "200 OK"])
def test_what_the_edge_did_not_do_is_not_asked_of_the_origin(shop, http, page, status):
    found, origin = shop(http(page, status), http(page))
    assert "origin" not in found.evidence
    assert not origin.requests


def test_a_failure_on_another_domain_is_not_asked_of_the_origin(shop, serve, http, page):
    far = serve(edge_says(http, "520 Unknown"))
    found, origin = shop(http("", "302 Found", location=far.url(host="brand.example")), http(page))
    assert found.cause == "edge.error"
    assert not origin.requests


def test_a_check_by_hand_asks_the_origin_in_the_time_that_is_left(site, serve, names, http, page):
    origin, edge = serve(http(page)), serve(edge_says(http, "520 Unknown"))
    found = site(edge.url(host="shop.example"), resolver=names.address, origin=f"127.0.0.1:{origin.port}")
    assert found.evidence["origin"] == "answers 200 directly"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("h.example", ("h.example", 443)),
        ("h.example:8443", ("h.example", 8443)),
        ("192.0.2.1:80", ("192.0.2.1", 80)),
        ("[2001:db8::1]:8443", ("2001:db8::1", 8443)),
        ("[2001:db8::1]", ("2001:db8::1", 443)),
        ("2001:db8::1", ("2001:db8::1", 443)),
    ],
)
def test_an_origin_is_named_by_host_or_address_with_or_without_a_port(text, place):
    assert place_of(text, 443) == place


def test_the_command_takes_an_origin_and_refuses_what_is_none(serve, http, page):
    edge, origin = serve(edge_says(http, "520 Unknown")), serve(http(page))
    done = losswatch(edge.url(), "--origin", f"127.0.0.1:{origin.port}")
    assert "edge, not origin" in done.stdout, done.stderr
    assert done.returncode == 2
    assert losswatch(edge.url(), "--origin", "no host:x").returncode == 64


def losswatch(*words):
    command = [sys.executable, "-m", "tui.cli.main", "check", "site", *words, "--json"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
