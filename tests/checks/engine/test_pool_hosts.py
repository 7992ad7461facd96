"""What probe processes know of hosts: caps, silence that one asks for, requests counted, whose clock is off."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from checks.engine.pool import ProbePool
from data.config.settings import EdgeSignature, NetworkSettings, Settings
from data.model.ids import TargetId
from data.model.state import State
from tests.checks.engine.webs import Inbox, Web, check, running, website


async def test_the_cap_per_host_holds(tmp_path):
    async with website() as web, running(tmp_path, per_host=3) as (pool, inbox):
        await pool.submit([check(n, f"http://127.0.0.1:{web.port}/{n}") for n in range(40)])
        await inbox.holds(40)
        assert web.most <= 3


async def test_the_cap_in_all_holds(tmp_path):
    async with website() as web, running(tmp_path, per_host=50, in_flight=5) as (pool, inbox):
        await pool.submit([check(n, f"http://127.0.0.1:{web.port}/{n}") for n in range(40)])
        await inbox.holds(40)
        assert web.most <= 5


class Edge(Web):
    """A website behind an edge provider; `silence` makes it answer 429 with that `Retry-After`."""

    silence = ""

    async def serve(self, reader, writer):
        head = b"HTTP/1.1 200 OK\r\nx-halyard-ray: 77\r\n"
        if self.silence:
            head = b"HTTP/1.1 429 Too Many\r\nretry-after: %b\r\n" % self.silence.encode()
        await super().serve(reader, Rewriting(writer, head))


@dataclass
class Rewriting:
    """A writer whose answers begin with another head."""

    writer: asyncio.StreamWriter
    head: bytes

    def write(self, answer):
        self.writer.write(answer.replace(b"HTTP/1.1 200 OK\r\n", self.head))

    async def drain(self):
        await self.writer.drain()

    def close(self):
        self.writer.close()


@asynccontextmanager
async def edge():
    web = Edge()
    web.gate.set()
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0)
    web.port = server.sockets[0].getsockname()[1]
    yield web
    server.close()


async def test_the_cap_per_edge_holds_over_its_hosts_once_it_is_known(tmp_path):
    inbox = Inbox()
    network = NetworkSettings(per_host=10, per_edge=2)
    settings = Settings(tmp_path, network=network, edges=(EdgeSignature("Halyard Edge", "x-halyard-ray"),))
    async with edge() as web:
        server = await asyncio.start_server(web.serve, "127.0.0.2", web.port)
        pool = ProbePool(settings, 1, inbox)
        await pool.start()
        hosts = [f"http://127.0.0.{1 + n % 2}:{web.port}/" for n in range(40)]
        await pool.submit([check(n, url) for n, url in enumerate(hosts[:2])])
        await inbox.holds(2)
        web.most = 0
        await pool.submit([check(n, url) for n, url in enumerate(hosts)])
        await inbox.holds(42)
        await pool.stop()
        server.close()
        assert inbox.observations[-1].hops[0].edge == "Halyard Edge"
        assert web.most <= 2


async def test_what_waits_for_a_host_that_asks_for_silence_comes_back_unasked(tmp_path):
    inbox, back, counts, all_back = Inbox(), [], Counter(), asyncio.Event()
    pool = ProbePool(
        Settings(tmp_path, network=NetworkSettings(per_host=1)),
        1,
        inbox,
        on_requests=counts.update,
        on_returned=lambda checks: back.extend(checks) or (len(back) >= 4 and all_back.set()),
    )
    async with edge() as web:
        web.silence = "30"
        await pool.start()
        await pool.submit([check(n, f"http://127.0.0.1:{web.port}/{n}") for n in range(5)])
        async with asyncio.timeout(20):
            await all_back.wait()
            await inbox.holds(1)
        [told] = inbox.observations
        assert (told.state, told.cause, told.evidence["retry_after"]) == (State.UNKNOWN, "http.rate_limited", "30")
        assert web.seen == 1
        assert pool.in_flight == 0
        await pool.stop()
    assert sorted(one.target for one in back) == sorted({f"site:{n}" for n in range(5)} - {told.target})
    assert counts == {f"127.0.0.1:{web.port}": 1}


async def test_every_request_of_a_chain_is_counted_by_its_host(tmp_path):
    counts = Counter()
    inbox = Inbox()
    async with website() as web:

        async def away(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 302 F\r\nlocation: http://127.0.0.2:%d/\r\ncontent-length: 0\r\n\r\n" % web.port)
            await writer.drain()
            writer.close()

        first = await asyncio.start_server(away, "127.0.0.1", 0)
        second = await asyncio.start_server(web.serve, "127.0.0.2", web.port)
        port = first.sockets[0].getsockname()[1]
        pool = ProbePool(Settings(tmp_path), 1, inbox, on_requests=counts.update)
        await pool.start()
        links = [replace(check(n, f"http://127.0.0.1:{port}/"), target=TargetId(f"link:{n}")) for n in range(3)]
        await pool.submit(links)
        await inbox.holds(3)
        await pool.stop()
        first.close()
        second.close()
    assert counts == {f"127.0.0.1:{port}": 3, f"127.0.0.2:{web.port}": 3}


async def test_a_canary_tells_how_far_our_clock_is_off(tmp_path):
    async with website() as web, running(tmp_path) as (pool, inbox):
        for number, head in enumerate([b"", b"date: Mon, 05 Jan 2026 00:00:00 GMT\r\n"]):

            async def serve(reader, writer, head=head):
                await web.serve(reader, Rewriting(writer, b"HTTP/1.1 200 OK\r\n" + head))

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            await pool.submit([replace(check(0, url), target=TargetId("canary:0"))])
            await inbox.holds(1 + number)
            server.close()
        without, dated = inbox.observations
        assert "skew_s" not in without.evidence
        assert float(dated.evidence["skew_s"]) > 86_400
