"""Looking from another country through a real proxy, and what its word is worth."""

from __future__ import annotations

import select
import socket

import pytest

from data.config.settings import Vantage
from data.model.state import State


@pytest.fixture
def vantage(serve):
    """A proxy in DE that tells the server so: absolute form gets a header, CONNECT goes to `tunnel_to`."""

    def behave(connection, request):
        method, target, _ = request.line.split(" ")
        if method == "CONNECT":
            port = target.rpartition(":")[2]
            with socket.create_connection(("127.0.0.1", int(port)), 5) as onward:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                pump(connection, onward)
            return
        path = "/" + target.split("/", 3)[3]
        port = int(target.split("/")[2].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), 5) as onward:
            onward.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nx-country: DE\r\nconnection: close\r\n\r\n".encode())
            while piece := onward.recv(65536):
                connection.sendall(piece)

    server = serve(behave)
    return (Vantage("DE", f"http://127.0.0.1:{server.port}"),), server


def pump(left, right):
    while True:
        ready, _, _ = select.select([left, right], [], [], 5)
        for sock in ready:
            piece = sock.recv(65536)
            if not piece:
                return
            (right if sock is left else left).sendall(piece)
        if not ready:
            return


@pytest.fixture
def shop(serve, http, page):
    """Blocks Germany with 451."""

    def behave(connection, request):
        german = request.headers.get("x-country") == "DE"
        connection.sendall(http("no", status="451 Legal") if german else http(page))

    return serve(behave)


def test_a_block_that_only_the_vantage_sees_is_geo_blocked_with_both_walks_kept(probe, vantage, shop):
    found = probe(shop.url(), geo="DE", vantages=vantage[0])
    assert (found.state, found.cause, found.region) == (State.FAILING, "geo.blocked", "DE")
    assert found.hops[0].status == 451
    assert found.evidence["control"].startswith("200 ok")


def test_a_block_that_is_everywhere_stays_a_legal_block(probe, vantage, serve, http):
    found = probe(serve(http("no", status="451 Legal")).url(), geo="DE", vantages=vantage[0])
    assert (found.state, found.cause) == (State.FAILING, "http.legal_block")


def test_from_here_the_same_site_is_fine(probe, vantage, shop):
    assert probe(shop.url(), vantages=vantage[0]).state is State.OK


def test_names_are_resolved_in_the_country_and_not_here(probe, vantage, shop):
    found = probe(f"http://only-there.example:{shop.port}/", geo="de", vantages=vantage[0], resolver="127.0.0.1:9")
    assert found.hops[0].status == 451


def test_tls_goes_through_the_tunnel_and_its_certificate_is_seen(probe, vantage, serve, http, page, pki):
    url = serve(http(page), pki.context(start=-60, end=-5)).url(host="shop.example")
    found = probe(url, geo="DE", vantages=vantage[0], ca_file=pki.ca_file)
    assert (found.state, found.cause) == (State.FAILING, "tls.expired")
    assert vantage[1].requests[0].line.startswith("CONNECT shop.example:")


def test_a_country_without_a_vantage_is_unknown(probe, vantage, shop):
    found = probe(shop.url(), geo="AT", vantages=vantage[0])
    assert (found.state, found.cause, found.detail) == (State.UNKNOWN, "local.network", "no vantage in AT")


def test_without_any_vantage_the_check_goes_from_here(probe, shop):
    assert probe(shop.url(), geo="DE").state is State.OK


@pytest.mark.parametrize("secure", [False, True])
def test_a_broken_vantage_is_our_fault_and_not_the_sites(probe, serve, http, page, pki, names, secure):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        broken = (Vantage("DE", f"http://127.0.0.1:{closed.getsockname()[1]}"),)
        url = serve(http(page), pki.context() if secure else None).url(host="shop.example")
        found = probe(url, geo="DE", vantages=broken, resolver=names.address, ca_file=pki.ca_file)
    assert (found.state, found.cause) == (State.UNKNOWN, "local.network")


def test_a_tunnel_that_the_vantage_refuses_is_told_by_a_look_from_here(probe, serve, http, pki, names):
    proxy = serve(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"https://shop.example:{closed.getsockname()[1]}/"
        found = probe(
            url, geo="DE", vantages=(Vantage("DE", f"http://127.0.0.1:{proxy.port}"),), resolver=names.address
        )
    assert (found.state, found.cause) == (State.FAILING, "tcp.refused"), "it is dead from here too"
