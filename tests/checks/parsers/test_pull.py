from __future__ import annotations

import asyncio
import gzip
from dataclasses import replace

import httpx
import pytest
import zstandard

from checks.parsers import pull
from checks.parsers.extract import extract
from checks.parsers.page import MAX_BYTES, read_page
from checks.parsers.spec import parse_spec
from data.model.ids import TargetId, TeamId
from data.model.state import State
from data.model.target import Target, TargetKind

OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\n"


def answer(body, head=OK):
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


@pytest.fixture
async def serve():
    """`serve(handler)` gives the base URL of a real server; the handler gets (path, writer)."""
    servers = []

    async def start(handler):
        async def connected(reader, writer):
            request = await reader.readuntil(b"\r\n\r\n")
            try:
                await handler(request.split()[1].decode(), writer)
                await writer.drain()
            except ConnectionError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()


@pytest.fixture
async def client():
    async with httpx.AsyncClient(trust_env=False) as ready:
        yield ready


def target(url, timeout_s=10.0):
    return Target(
        TargetId("parser:serp"), TargetKind.PARSER, TeamId("aurora"), "serp", url=url, timeout_s=timeout_s, geo="SE"
    )


def always(raw):
    async def handler(_path, writer):
        writer.write(raw)

    return handler


async def test_a_good_page_is_judged_remembered_and_kept(serve, client, spec, search_page, at):
    body = search_page(10)
    base = await serve(always(answer(body)))
    outcome = await pull.run(target(f"{base}/search?q=casino&token=hidden1"), spec, client, None, at)
    observation, run = outcome.observation, outcome.run
    assert (observation.state, observation.cause, observation.value) == (State.OK, "", 10.0)
    assert (observation.started_at, run.at, run.items, run.verdict, run.geo, run.bytes) == (
        at,
        at,
        10,
        "ok",
        "SE",
        len(body),
    )
    assert [field.n for field in run.fields] == [10, 10, 10]
    assert zstandard.ZstdDecompressor().decompress(outcome.page) == body
    assert "hidden1" not in run.url + repr(observation)
    again = await pull.run(target(base), spec, client, outcome.memory, at)
    assert again.observation.detail == "10 items, usually 10"


async def test_empty_titles_are_told_from_the_memory_of_good_runs(serve, client, spec, search_page, at):
    bodies = [search_page(10 + n % 3) for n in range(5)] + [search_page(32, title="")]

    async def handler(path, writer):
        writer.write(answer(bodies[int(path[1:])]))

    base = await serve(handler)
    memory = None
    for number in range(6):
        outcome = await pull.run(target(f"{base}/{number}"), spec, client, memory, at)
        kept, memory = memory, outcome.memory
    assert outcome.observation.cause == "parser.field_dead"
    assert "title empty on 32 of 32 items, usually 11 of 11" in outcome.observation.detail
    assert memory == kept


async def test_a_repair_is_proposed_from_the_last_good_run_of_the_same_url(
    serve, client, spec, search_page, redesign, at
):
    bodies = iter([search_page(10)] * 3 + [search_page(10, item=redesign)])

    async def handler(_path, writer):
        writer.write(answer(next(bodies)))

    base = await serve(handler)
    memory = None
    for _ in range(4):
        outcome = await pull.run(target(base), spec, client, memory, at)
        memory = outcome.memory
    assert outcome.observation.cause == "parser.selector_dead"
    assert outcome.observation.evidence["repair"].startswith("items: section.card (10 values, verified); title: ")


async def test_the_charset_of_the_header_is_used(serve, client, spec, search_page, at):
    body = (
        search_page(4, title="Казино номер {n} и его правила")
        .decode()
        .replace("<meta charset=utf-8>", "")
        .encode("cp1251")
    )
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=windows-1251\r\nconnection: close\r\n"
    outcome = await pull.run(target(await serve(always(answer(body, head)))), spec, client, None, at)
    assert "Казино номер 0 и его правила" in outcome.memory.decode()
    assert outcome.observation.evidence["charset"] == "cp1251"


async def test_redirects_are_followed_and_shown(serve, client, spec, search_page, at):
    async def handler(path, writer):
        moved = b"HTTP/1.1 302 Found\r\nlocation: /there?key=hidden1\r\ncontent-length: 0\r\n\r\n"
        writer.write(moved if path == "/" else answer(search_page(4)))

    outcome = await pull.run(target(await serve(handler)), spec, client, None, at)
    assert [hop.status for hop in outcome.observation.hops] == [302, 200]
    assert "hidden1" not in repr(outcome.observation)


async def test_a_redirect_to_a_captcha_is_a_block(serve, client, spec, at):
    async def handler(path, writer):
        moved = b"HTTP/1.1 302 Found\r\nlocation: /sorry/index?x=1\r\ncontent-length: 0\r\n\r\n"
        writer.write(moved if path == "/" else answer(b"<p>Are you a robot?</p>" * 5))

    outcome = await pull.run(target(await serve(handler)), spec, client, None, at)
    assert outcome.observation.cause == "page.blocked"


STATUSES = {
    "401 Unauthorized": ("http.auth", "failing"), "403 Forbidden": ("page.blocked", "failing"),
    "404 Not Found": ("http.4xx", "failing"), "410 Gone": ("http.gone", "failing"),
    "429 Too Many": ("http.rate_limited", "unknown"), "451 Legal": ("http.legal_block", "failing"),
    "500 Oops": ("http.5xx", "failing"), "503 Busy\r\nretry-after: 60": ("http.maintenance", "failing"),
    "403 Forbidden\r\ncf-mitigated: challenge": ("edge.challenge", "unknown"), "304 Not Modified": ("redirect.no_location", "failing"),
}  # fmt: skip


@pytest.mark.parametrize(("status", "told"), STATUSES.items(), ids=STATUSES.keys())
async def test_a_status_is_told_by_its_cause(serve, client, spec, at, status, told):
    raw = answer(b"<p>no</p>", f"HTTP/1.1 {status}\r\nconnection: close\r\n".encode())
    outcome = await pull.run(target(await serve(always(raw))), spec, client, b"kept", at)
    assert (outcome.observation.cause, outcome.observation.state) == told
    assert outcome.memory == b"kept"
    assert [field.state for field in outcome.run.fields] == ["dead"] * 3


async def test_a_dripping_server_ends_at_the_deadline(serve, client, spec, at):
    async def handler(_path, writer):
        writer.write(OK + b"\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    outcome = await pull.run(target(await serve(handler), timeout_s=0.3), spec, client, None, at)
    assert (outcome.observation.cause, outcome.observation.state) == ("slow.total", State.FAILING)


async def test_an_endless_body_ends_at_the_cap(serve, client, spec, at):
    sent = 0

    async def handler(_path, writer):
        nonlocal sent
        writer.write(OK + b"\r\n")
        while sent < 40 * MAX_BYTES:
            writer.write(b"<p>x" * 65536)
            sent += 4 * 65536
            await writer.drain()

    outcome = await pull.run(target(await serve(handler)), spec, client, None, at)
    assert outcome.observation.cause == "proto.oversize"
    assert sent < 40 * MAX_BYTES


async def test_a_bomb_is_capped_after_decoding(serve, client, spec, at):
    bomb = gzip.compress(b"<p>x" * (MAX_BYTES // 2))
    head = OK + b"content-encoding: gzip\r\n"
    outcome = await pull.run(target(await serve(always(answer(bomb, head)))), spec, client, None, at)
    assert outcome.observation.cause == "proto.oversize"


TRANSPORT = {
    "no answer at all": (b"", "proto.empty_reply"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "proto.malformed"),
    "cut short": (OK + b"content-length: 1000\r\n\r\n<p>", "proto.truncated"),
    "broken encoding": (answer(b"not gzip", OK + b"content-encoding: gzip\r\n"), "proto.decode"),
}


@pytest.mark.parametrize(("raw", "cause"), TRANSPORT.values(), ids=TRANSPORT.keys())
async def test_a_broken_answer_is_told_by_its_cause(serve, client, spec, at, raw, cause):
    outcome = await pull.run(target(await serve(always(raw))), spec, client, None, at)
    assert (outcome.observation.cause, outcome.observation.state) == (cause, State.FAILING)


async def test_a_closed_port_is_refused(serve, client, spec, at):
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    outcome = await pull.run(target(f"http://127.0.0.1:{port}/"), spec, client, None, at)
    assert (outcome.observation.cause, outcome.observation.blame) == ("tcp.refused", "127.0.0.1")


@pytest.mark.parametrize("url", ["", "ftp://a.example/", "http://", "http://[x", "not a url"])
async def test_a_url_that_cannot_be_fetched_is_data(client, spec, at, url):
    outcome = await pull.run(target(url), spec, client, None, at)
    assert (outcome.observation.cause, outcome.observation.state) == ("config.url", State.UNKNOWN)


RANKED = parse_spec(
    '[parser]\nname = "serp"\nitems = "li"\n[parser.fields.url]\ncss = "a"\nattr = "href"\ntype = "url"\n'
    '[parser.fields.place]\ncss = "i"\ntype = "position"\n'
)


@pytest.mark.parametrize(
    ("places", "positions"),
    [
        (("11", "12", "13"), (11, 12, 13)),
        (("1.", "#2", "3"), (1, 2, 3)),
        (("", "2", "3"), (1, 2, 3)),
        (("one", "two", "three"), (1, 2, 3)),
        (("0", "-4", "99999999"), (1, 2, 3)),
    ],
    ids=["a second page", "with marks", "one is missing", "in words", "out of bounds"],
)
def test_a_result_stands_where_the_page_says_or_else_where_it_is_on_it(places, positions):
    items = "".join(f"<li><a href='https://s{n}.example/'>x</a><i>{place}</i>" for n, place in enumerate(places))
    page = read_page(f"<html><body><ul>{items}</ul>".encode(), url="https://e.example/")
    ranked = pull.ranked_of(extract(RANKED, page))
    assert ranked == tuple((position, f"https://s{n}.example/") for n, position in enumerate(positions))


async def test_a_run_names_its_query_and_the_hosts_behind_links_of_the_engine(serve, client, spec, search_page, at):
    body = search_page(10).replace(b"href='https://site3.example/", b"href='/url?q=https://site3.example/")
    base = await serve(always(answer(body)))
    asked = replace(target(base), query="casino")
    outcome = await pull.run(asked, spec, client, None, at)
    assert outcome.run.query == "casino"
    assert outcome.run.hosts == tuple(f"site{n}.example" for n in range(10))
    assert [position for position, _ in outcome.ranked] == list(range(1, 11))
