"""What a server, its name or its wire can do wrong: one real server each, one cause each."""

from __future__ import annotations

import gzip
import socket
import struct
import time
import zlib

import brotli
import pytest
import zstandard

from data.model.state import State


def test_a_refused_port_is_tcp_refused_and_names_the_host(site):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = site(f"http://127.0.0.1:{closed.getsockname()[1]}/")
    assert (found.state, found.cause, found.blame) == (State.FAILING, "tcp.refused", "127.0.0.1")
    assert found.hops[0].ip == "127.0.0.1"
    assert found.hops[0].cause == "tcp.refused"


def test_a_server_that_closes_without_a_word_is_an_empty_reply(site, serve):
    assert site(serve(lambda _c, _r: None).url()).cause == "proto.empty_reply"


def test_a_reset_connection_is_tcp_reset(site, serve):
    def reset(connection, _request):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert site(serve(reset).url()).cause == "tcp.reset"


@pytest.mark.parametrize(
    "raw", [b"SSH-2.0-OpenSSH_9.2\r\n", b"<html>no status line</html>", b"HTTP/1.1 banana\r\n\r\n"]
)
def test_an_answer_that_is_not_http_is_malformed(site, serve, raw):
    assert site(serve(raw).url()).cause == "proto.malformed"


def test_a_silent_server_ends_at_the_deadline_as_no_first_byte(site, serve):
    began = time.monotonic()
    found = site(serve(lambda c, _r: c.recv(1)).url(), timeout_s=0.4)
    assert (found.state, found.cause) == (State.FAILING, "slow.ttfb")
    assert time.monotonic() - began < 8.0, "the server holds on for 10 s"


def test_a_dripping_server_ends_at_the_deadline(site, serve):
    def drip(connection, _request):
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b".")
            time.sleep(0.1)

    found = site(serve(drip).url(), timeout_s=0.6)
    assert (found.state, found.cause) == (State.FAILING, "slow.total")
    assert found.total_ms < 5_000, "the whole body would take 10 s"


def test_the_deadline_covers_the_whole_chain_and_not_each_hop(link, serve, http):
    def slow_hop(connection, request):
        time.sleep(0.25)
        step = int(request.path.strip("/") or 0)
        connection.sendall(http(status="302 Found", location=f"/{step + 1}"))

    found = link(serve(slow_hop).url("/0"), timeout_s=0.6)
    assert found.state is State.FAILING
    assert found.cause.startswith("slow.")
    assert len(found.hops) <= 4


def test_a_short_answer_is_truncated(site, serve, http, page):
    assert site(serve(http(page, content_length=len(page) + 100)).url()).cause == "proto.truncated"


def test_a_chunked_answer_without_its_end_is_truncated(site, serve):
    raw = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"
    assert site(serve(raw).url()).cause == "proto.truncated"


def test_two_different_lengths_are_malformed(site, serve):
    raw = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 50\r\n\r\nhello" + b"." * 45
    assert site(serve(raw).url()).cause == "proto.malformed"


def _brotli(text):
    return brotli.compress(text)


ENCODINGS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_offered_encoding_is_understood(site, serve, http, page, name):
    found = site(serve(http(ENCODINGS[name](page.encode()), content_encoding=name)).url(), text=("honest review",))
    assert (found.state, found.cause) == (State.OK, "")


def test_a_bare_deflate_stream_is_understood_as_browsers_do(site, serve, http, page):
    bare = zlib.compressobj(wbits=-15)
    body = bare.compress(page.encode()) + bare.flush()
    assert site(serve(http(body, content_encoding="deflate")).url()).state is State.OK


@pytest.mark.parametrize("name", ENCODINGS)
def test_an_encoded_stream_that_ends_early_is_truncated(site, serve, http, page, name):
    body = ENCODINGS[name](page.encode())[:-6]
    assert site(serve(http(body, content_encoding=name)).url()).cause in {"proto.truncated", "proto.decode"}


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_bomb_is_oversize_and_is_never_unpacked(site, serve, http, name):
    body = ENCODINGS[name](b"\0" * 80_000_000)
    assert site(serve(http(body, content_encoding=name)).url(), max_body=200_000).cause == "proto.oversize"


@pytest.mark.parametrize("name", ["gzip", "br", "zstd", "rot13"])
def test_a_body_that_is_not_what_it_says_is_a_decode_failure(site, serve, http, page, name):
    assert site(serve(http(page, content_encoding=name)).url()).cause == "proto.decode"


def test_a_body_at_the_limit_is_fine_and_one_byte_more_is_oversize(site, serve, http, page):
    url = serve(http(page)).url()
    assert site(url, max_body=len(page)).state is State.OK
    assert site(url, max_body=len(page) - 1).cause == "proto.oversize"


def test_headers_without_end_are_oversize(site, serve):
    def shout(connection, _request):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            connection.sendall(b"x-%d: %s\r\n" % (number, b"y" * 500))

    assert site(serve(shout).url()).cause == "proto.oversize"


def test_early_hints_and_continue_are_not_the_answer(site, serve, http, page):
    raw = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n" + http(page)
    found = site(serve(raw).url())
    assert (found.state, found.hops[0].status) == (State.OK, 200)


@pytest.mark.parametrize(
    ("behaviour", "state", "cause"),
    [
        ("NXDOMAIN", State.FAILING, "dns.nxdomain"),
        ("SERVFAIL", State.UNKNOWN, "dns.servfail"),
        ("REFUSED", State.UNKNOWN, "dns.refused"),
        ([], State.FAILING, "dns.nodata"),
        ("silent", State.UNKNOWN, "dns.timeout"),
    ],
)
def test_every_way_a_lookup_fails_has_its_own_cause(site, name_server, behaviour, state, cause):
    server = name_server({"gone.example": behaviour})
    found = site("http://gone.example/", resolver=server.address, timeout_s=1.0)
    assert (found.state, found.cause, found.blame) == (state, cause, "gone.example")


def test_a_resolver_that_is_not_there_is_refused_and_unknown(site):
    found = site("http://gone.example/", resolver="127.0.0.1:9", timeout_s=1.0)
    assert (found.state, found.cause) == (State.UNKNOWN, "dns.refused")


def test_a_lookup_failure_that_a_second_resolver_confirms_is_a_failure(probe, name_server):
    first, second = name_server({"a.example": "SERVFAIL"}), name_server({"a.example": "SERVFAIL"})
    found = probe("http://a.example/", resolver=first.address, second=second.address)
    assert (found.state, found.cause) == (State.FAILING, "dns.servfail")


def test_a_lookup_failure_that_a_second_resolver_does_not_know_is_no_failure_at_all(
    probe, name_server, serve, http, page
):
    first, second = name_server({"a.example": "SERVFAIL"}), name_server({"a.example": ["127.0.0.1"]})
    port = serve(http(page)).port
    assert probe(f"http://a.example:{port}/", resolver=first.address, second=second.address).state is State.OK


@pytest.mark.parametrize("behaviour", ["truncated", "cname:other.example"])
def test_truncated_answers_and_aliases_lead_to_the_address(site, name_server, serve, http, page, behaviour):
    server = name_server({"shop.example": behaviour, "other.example": ["127.0.0.1"]})
    found = site(f"http://shop.example:{serve(http(page)).port}/", resolver=server.address)
    assert (found.state, found.hops[0].ip) == (State.OK, "127.0.0.1")


def test_a_forged_or_broken_datagram_is_as_if_it_never_came(site, name_server):
    server = name_server({"shop.example": "garbage"})
    assert site("http://shop.example/", resolver=server.address, timeout_s=0.5).cause in {"dns.timeout", "dns.servfail"}


def test_localhost_needs_no_name_server(site, serve, http, page):
    assert site(serve(http(page)).url(host="localhost"), resolver="127.0.0.1:9").state is State.OK


def test_a_proxy_in_the_environment_is_not_used(site, serve, http, page, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert site(serve(http(page)).url()).state is State.OK
