"""Parsers look through the vantages of their country."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from checks.hub.lookouts import Lookouts
from checks.parsers import pull
from checks.parsers.spec import parse_spec
from data.config.settings import NetworkSettings, Vantage
from data.model.state import State
from data.model.target import Target, TargetKind
from tests.street.pki import Authority

NOW = datetime(2026, 11, 17, 12, tzinfo=UTC)
SPEC = parse_spec('[parser]\nname = "x"\nitems = "li"\n[parser.fields.title]\ncss = "b"\n')


def target(name="p", geo="DE", url="http://s.example/"):
    return Target(f"parser:{name}", TargetKind.PARSER, "aurora", name, url, geo=geo, timeout_s=5.0)


class Company:
    def __init__(self, *vantages):
        self.settings = SimpleNamespace(vantages=vantages, network=NetworkSettings(), home=None)
        self.lookouts = Lookouts(lambda: self.settings)

    def ways(self, *given, **named):
        return [name for name, _ in self.lookouts.ways(*given, **named)]


@pytest.fixture
async def company():
    made = Company(
        Vantage("DE", "http://127.0.0.1:1"), Vantage("de", "http://127.0.0.1:2"), Vantage("AT", "http://127.0.0.1:3"),
        Vantage("PL", "socks4a://127.0.0.1:4"),
    )  # fmt: skip
    yield made
    await made.lookouts.close()


async def test_a_parser_looks_from_its_country_always_through_the_same_vantage_first(company):
    assert company.ways(target(geo="AT")) == ["AT"]
    assert sorted(company.ways(target())) == ["DE", "DE-2"]
    assert {company.ways(target())[0] for _ in range(5)} == {company.ways(target())[0]}
    assert {company.ways(target(f"p{n}"))[0] for n in range(20)} == {"DE", "DE-2"}


async def test_a_sick_vantage_is_asked_last(company):
    for sick in ("DE", "DE-2"):
        assert company.ways(target(), sick={sick})[-1] == sick


async def test_where_no_proxy_stands_it_looks_from_here(company):
    assert company.ways(target(geo="")) == []
    assert company.ways(target(geo="SE")) == []
    assert company.ways(target(geo="PL")) == []


async def test_connections_are_kept_until_the_proxy_is_another(company):
    ((_, first),) = company.lookouts.ways(target(geo="AT"))
    assert company.lookouts.ways(target("q", "AT"))[0][1] is first
    company.settings.vantages = (Vantage("AT", "http://127.0.0.1:5"),)
    assert company.lookouts.ways(target(geo="AT"))[0][1] is not first


async def look(proxy_port, url="http://s.example/"):
    company = Company(Vantage("DE", f"http://127.0.0.1:{proxy_port}"))
    ((name, client),) = company.lookouts.ways(target())
    outcome = await pull.run(target(url=url), SPEC, client, None, NOW, vantage=name)
    await company.lookouts.close()
    return pull.seen_from(outcome, name).observation


@pytest.fixture
async def proxy():
    """`proxy(answer)` gives the port of one that says `answer` to everything, and what it was asked."""
    servers, asked = [], []

    async def start(answer):
        async def connected(reader, writer):
            asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode())
            writer.write(answer)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        servers.append(server)
        return server.sockets[0].getsockname()[1], asked

    yield start
    for server in servers:
        server.close()


PAGE = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html><body><ul><li><b>one</b><li><b>two</b></ul>"


async def test_the_page_comes_through_the_proxy_which_is_named(proxy):
    port, asked = await proxy(PAGE)
    seen = await look(port)
    assert asked == ["GET http://s.example/ HTTP/1.1"]
    assert (seen.state, seen.value, seen.region, seen.evidence["vantage"]) == (State.OK, 2.0, "DE", "DE")


@pytest.mark.parametrize("url", ["http://s.example/", "https://s.example/"])
@pytest.mark.parametrize(
    "answer",
    [None, b"HTTP/1.1 407 Proxy Authentication Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"],
    ids=["refuses", "wants a login"],
)
async def test_a_vantage_that_fails_by_itself_is_no_word_about_the_page(proxy, answer, url):
    port = (await proxy(answer))[0] if answer else 1
    seen = await look(port, url)
    assert (seen.state, seen.cause) == (State.UNKNOWN, "local.network")
    assert seen.evidence["vantage_down"].startswith("DE: ")


async def test_what_the_host_says_through_it_is_a_word_about_the_page(proxy):
    port, _ = await proxy(b"HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    seen = await look(port)
    assert (seen.state, seen.cause, seen.region) == (State.FAILING, "page.blocked", "DE")


@pytest.fixture
async def tunnel(tmp_path):
    """Port of a proxy that opens every tunnel; the page's server at its end signed its certificate itself."""
    shown = Authority(tmp_path).context(("s.example",), chain="self")

    async def connected(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with suppress(OSError):
            await writer.start_tls(shown)
        writer.close()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_certificate_shown_at_the_end_of_the_tunnel_is_a_word_about_the_page(tunnel):
    seen = await look(tunnel, "https://s.example/")
    assert (seen.state, seen.cause, seen.region) == (State.FAILING, "tls.self_signed", "DE")


async def test_a_socks_proxy_is_looked_through(company):
    asked = []

    async def serve(reader, writer):
        await reader.readexactly(3)
        writer.write(b"\x05\x00")
        *_, length = await reader.readexactly(5)
        asked.append((await reader.readexactly(length)).decode())
        await reader.readexactly(2)
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        company.settings.vantages = (Vantage("RO", f"socks5h://127.0.0.1:{server.sockets[0].getsockname()[1]}"),)
        ((_, client),) = company.lookouts.ways(target(geo="RO"))
        assert (await client.get("http://s.example/")).text == "hi"
    assert asked == ["s.example"]
