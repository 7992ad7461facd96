"""Certificates that are wrong in exactly one way."""

from __future__ import annotations

import socket
import time

import pytest

from checks.sites.certificate import Certificate, read_chain
from data.model.state import State


@pytest.fixture
def shop(serve, http, page, names):
    """shop(context): (URL of shop.example over TLS, resolver)."""

    def start(context):
        return serve(http(page), context).url(host="shop.example"), names.address

    return start


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ({"start": -60, "end": -5}, "tls.expired"),
        ({"start": 5, "end": 60}, "tls.not_yet_valid"),
        ({"chain": "self"}, "tls.self_signed"),
        ({"names": ("other.example",)}, "tls.hostname"),
        ({"chain": "foreign"}, "tls.untrusted"),
        ({"chain": "leaf"}, "tls.incomplete_chain"),
    ],
)
def test_each_broken_certificate_has_its_own_cause_and_its_dates(site, shop, pki, wrong, cause):
    url, resolver = shop(pki.context(**wrong))
    found = site(url, ca_file=pki.ca_file, resolver=resolver)
    assert (found.state, found.cause, found.blame) == (State.FAILING, cause, "shop.example")
    assert found.hops[0].cert_days_left is not None, "the dates are known although the handshake was refused"
    assert found.hops[0].status == 0


def test_a_good_chain_is_ok_with_its_days_left(site, shop, pki):
    url, resolver = shop(pki.context(end=90))
    found = site(url, ca_file=pki.ca_file, resolver=resolver)
    assert (found.state, found.cause) == (State.OK, "")
    assert found.hops[0].cert_days_left == pytest.approx(90, abs=0.1)
    assert found.timing.tls_ms is not None
    assert found.evidence["issuer"] == "Test Intermediate"


def test_without_the_extra_authority_the_same_chain_is_not_trusted(site, shop, pki):
    url, resolver = shop(pki.context())
    assert site(url, resolver=resolver).cause in {"tls.untrusted", "tls.incomplete_chain"}


def test_a_certificate_that_ends_soon_is_degraded(site, shop, pki):
    url, resolver = shop(pki.context(end=3))
    found = site(url, ca_file=pki.ca_file, resolver=resolver)
    assert (found.state, found.cause) == (State.DEGRADED, "tls.expiring")


@pytest.mark.parametrize(
    ("name", "host", "covered"),
    [
        ("shop.example", "shop.example", True),
        ("*.example", "shop.example", True),
        ("*.example", "a.shop.example", False),
        ("*.example", "example", False),
        ("shop.example", "xshop.example", False),
        ("127.0.0.1", "127.0.0.1", True),
    ],
)
def test_names_cover_hosts_as_rfc_6125_says(name, host, covered):
    chain = read_chain(
        (
            (
                ("Subject", "CN = x"),
                ("Issuer", "CN = y"),
                ("X509v3 Subject Alternative Name", f"DNS:{name}"),
                ("Start date", "Nov 21 12:20:40 2025 GMT"),
                ("Expire date", "Jan 11 12:20:40 2027 GMT"),
            ),
        )
    )
    assert isinstance(chain, Certificate)
    assert chain.covers(host) is covered


def test_a_plain_server_on_a_tls_port_breaks_the_handshake(site, serve, names):
    port = serve(b"HTTP/1.1 400 Bad Request\r\n\r\n", reads=False).port
    found = site(f"https://shop.example:{port}/", resolver=names.address)
    assert found.cause in {"tls.protocol", "tcp.reset"}


def test_a_handshake_that_never_ends_is_a_tls_timeout(site, serve, names):
    port = serve(lambda _c, _r: time.sleep(3), reads=False).port
    found = site(f"https://shop.example:{port}/", resolver=names.address, timeout_s=0.5)
    assert (found.state, found.cause) == (State.FAILING, "tls.timeout")


def test_a_server_that_wants_our_certificate_says_so(site, shop, pki):
    url, resolver = shop(pki.context(client_auth=True))
    assert site(url, ca_file=pki.ca_file, resolver=resolver).cause == "tls.client_cert"


def test_a_full_backlog_is_a_connect_timeout(site):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        fill = [socket.socket() for _ in range(4)]
        for knock in fill:
            knock.setblocking(False)
            knock.connect_ex(deaf.getsockname())
        found = site(f"http://127.0.0.1:{deaf.getsockname()[1]}/", timeout_s=0.5)
        for knock in fill:
            knock.close()
    assert (found.state, found.cause) == (State.FAILING, "tcp.timeout")
