"""Probe processes, really killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from checks.engine.pool import ProbePool
from data.config.settings import EdgeSignature, NetworkSettings, Settings
from data.model.ids import TargetId, TeamId
from data.model.state import State
from data.model.target import Check, Expect, TargetKind

PAGE = b"<title>Casino</title><p>" + b"An honest review. " * 40
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n" % len(PAGE) + PAGE


@dataclass
class Web:
    """Answers every request once `open_gate` is set; counts what is in flight."""

    port: int = 0
    now: int = 0
    most: int = 0
    seen: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def has_seen(self, count):
        async with asyncio.timeout(20), self.asked:
            await self.asked.wait_for(lambda: self.seen >= count)

    async def serve(self, reader, writer):
        try:
            if b" /robots.txt " in await reader.readuntil(b"\r\n\r\n"):  # asked once, beside the checks
                writer.write(b"HTTP/1.1 404 no\r\ncontent-length: 0\r\n\r\n")
                return
            async with self.asked:
                self.seen += 1
                self.asked.notify_all()
            self.now += 1
            self.most = max(self.most, self.now)
            await self.gate.wait()
            await asyncio.sleep(0.01)
            self.now -= 1
            writer.write(ANSWER)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            self.now -= 1
        finally:
            writer.close()


@asynccontextmanager
async def website(*, open_gate=True):
    web = Web()
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0)
    web.port = server.sockets[0].getsockname()[1]
    if open_gate:
        web.gate.set()
    yield web
    web.gate.set()
    server.close()


@dataclass
class Inbox:
    batches: list = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, worker, seq, observations):
        async with self.arrived:
            self.batches.append((worker, seq, observations))
            self.arrived.notify_all()

    @property
    def observations(self):
        return [observation for _, _, observations in self.batches for observation in observations]

    async def holds(self, count):
        async with asyncio.timeout(40), self.arrived:
            await self.arrived.wait_for(lambda: len(self.observations) >= count)


def check(number, url, timeout_s=5.0):
    return Check(TargetId(f"site:{number}"), TeamId("aurora"), TargetKind.SITE, url, timeout_s, Expect())


@asynccontextmanager
async def running(tmp_path, count=1, *, silence_s=10.0, on_batch=None, **network):
    inbox = Inbox()
    settings = Settings(tmp_path, network=NetworkSettings(**network))
    pool = ProbePool(settings, count, on_batch or inbox, silence_s=silence_s)
    await pool.start()
    try:
        yield pool, inbox
    finally:
        await pool.stop()


async def test_every_check_is_answered_once_in_numbered_batches(tmp_path):
    async with website() as web, running(tmp_path, 2) as (pool, inbox):
        await pool.submit([check(n, f"http://127.0.0.{1 + n % 9}:{web.port}/{n}") for n in range(60)])
        await inbox.holds(60)
        assert pool.in_flight == 0
        assert sorted(o.target for o in inbox.observations) == sorted(f"site:{n}" for n in range(60))
        assert {o.state for o in inbox.observations} <= {State.OK, State.FAILING}
        for worker in {worker for worker, _, _ in inbox.batches}:
            numbers = [seq for name, seq, _ in inbox.batches if name == worker]
            assert numbers == list(range(1, len(numbers) + 1))


async def test_a_probe_killed_in_flight_loses_nothing(tmp_path):
    async with website(open_gate=False) as web, running(tmp_path, per_host=50) as (pool, inbox):
        await pool.submit([check(n, f"http://127.0.0.1:{web.port}/{n}") for n in range(20)])
        await web.has_seen(20)
        os.kill(pool.pids[0], signal.SIGKILL)
        web.gate.set()
        await inbox.holds(20)
        assert sorted(o.target for o in inbox.observations) == sorted(f"site:{n}" for n in range(20))
        assert {o.state for o in inbox.observations} == {State.OK}
        assert pool.restarts == 1


async def test_a_probe_that_hangs_is_killed_and_its_checks_go_to_the_next(tmp_path):
    async with website() as web, running(tmp_path, silence_s=3.0) as (pool, inbox):
        await pool.submit([check(0, f"http://127.0.0.1:{web.port}/")])
        await inbox.holds(1)
        stopped = pool.pids[0]
        os.kill(stopped, signal.SIGSTOP)
        await pool.submit([check(1, f"http://127.0.0.1:{web.port}/")])
        await inbox.holds(2)
        assert pool.pids[0] != stopped
        with pytest.raises(ProcessLookupError):
            os.kill(stopped, 0)


async def test_a_check_that_outlives_three_probes_is_stalled_and_unknown(tmp_path):
    async with website(open_gate=False) as web, running(tmp_path) as (pool, inbox):
        await pool.submit([check(0, f"http://127.0.0.1:{web.port}/", timeout_s=60.0)])
        for death in range(1, 4):
            await web.has_seen(death)
            os.kill(pool.pids[0], signal.SIGKILL)
        await inbox.holds(1)
        (found,) = inbox.observations
        assert (found.state, found.cause) == (State.UNKNOWN, "self.stalled")
        assert pool.in_flight == 0


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


async def test_canaries_wait_for_nobody(tmp_path):
    """A line of checks that hang must not keep us from learning that it is us."""
    async with website(open_gate=False) as stuck, website() as fine, running(tmp_path, in_flight=2) as (pool, inbox):
        await pool.submit([check(n, f"http://127.0.0.1:{stuck.port}/{n}", 30.0) for n in range(6)])
        await stuck.has_seen(2)
        canary = replace(check(0, f"http://127.0.0.1:{fine.port}/"), target=TargetId("canary:0"))
        await pool.submit([canary])
        await inbox.holds(1)
        assert inbox.observations[0].target == "canary:0"
        stuck.gate.set()
        await inbox.holds(7)


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


async def test_a_stalled_listener_changes_no_verdict_and_kills_no_probe(tmp_path):
    inbox, release = Inbox(), asyncio.Event()

    async def slow(worker, seq, observations):
        await release.wait()
        await inbox(worker, seq, observations)

    async with website() as web, running(tmp_path, silence_s=2.0, on_batch=slow) as (pool, _):
        await pool.submit([check(n, f"http://127.0.0.1:{web.port}/{n}") for n in range(30)])
        await asyncio.sleep(4.0)  # real: twice as long as a silent probe would live
        release.set()
        await inbox.holds(30)
        assert {o.state for o in inbox.observations} == {State.OK}
        assert pool.restarts == 0


async def test_a_raising_listener_does_not_end_the_probes(tmp_path):
    inbox = Inbox()

    async def raising(worker, seq, observations):
        await inbox(worker, seq, observations)
        raise RuntimeError("listener broke")

    async with website() as web, running(tmp_path, on_batch=raising) as (pool, _):
        await pool.submit([check(0, f"http://127.0.0.1:{web.port}/")])
        await inbox.holds(1)
        await pool.submit([check(1, f"http://127.0.0.1:{web.port}/")])
        await inbox.holds(2)


async def test_new_settings_hold_for_the_checks_after_them(tmp_path):
    async with website() as web, running(tmp_path, user_agent="first") as (pool, inbox):
        await pool.submit([check(0, f"http://127.0.0.1:{web.port}/")])
        await inbox.holds(1)
        pool.reconfigure(Settings(tmp_path, network=NetworkSettings(resolver="127.0.0.1:9")))
        await pool.submit([check(1, f"http://no.example:{web.port}/")])
        await inbox.holds(2)
        assert inbox.observations[1].cause == "dns.refused"


async def test_two_thousand_checks_at_once_are_all_answered_whatever_is_configured_meanwhile(tmp_path):
    caps = {"per_host": 60, "in_flight": 60}
    async with website() as web, running(tmp_path, 2, **caps) as (pool, inbox):
        await pool.submit([check(n, f"http://127.0.0.1:{web.port}/{n}", 30.0) for n in range(1000)])
        await web.has_seen(20)
        pool.reconfigure(Settings(tmp_path, network=NetworkSettings(**caps, user_agent="second")))
        await pool.submit([check(n, f"http://127.0.0.{2 + n % 7}:1/{n}") for n in range(1000, 2000)])
        await inbox.holds(2000)
        assert sorted(o.target for o in inbox.observations) == sorted(f"site:{n}" for n in range(2000))
        assert not [o for o in inbox.observations if o.cause == "self.stalled"]
        assert (pool.in_flight, pool.restarts) == (0, 0)


LOSES_ONE = """
from checks.engine import probe
whole = probe.Probe._carry_out
async def losing(self, check):
    if check.target != "site:1":
        await whole(self, check)
probe.Probe._carry_out = losing
probe.asyncio.run(probe.main())
"""


async def test_a_check_that_its_living_probe_never_answers_is_stalled_and_unknown(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys\nif sys.orig_argv[1:2] == ['-m']:\n    exec({LOSES_ONE!r})\n    raise SystemExit"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    async with website(open_gate=False) as web, running(tmp_path) as (pool, inbox):
        await pool.submit([check(0, f"http://127.0.0.1:{web.port}/"), check(1, f"http://127.0.0.1:{web.port}/")])
        await web.has_seen(1)
        assert pool.in_flight == 2
        web.gate.set()
        await inbox.holds(2)
        seen = {o.target: (o.state, o.cause) for o in inbox.observations}
        assert seen == {"site:0": (State.OK, ""), "site:1": (State.UNKNOWN, "self.stalled")}
        assert (pool.in_flight, pool.restarts) == (0, 0)


@pytest.mark.parametrize("network", [{"resolver": "nowhere"}, {"ca_file": "no-such.pem"}])
async def test_settings_that_cannot_work_make_every_check_unknown_and_say_why(tmp_path, network):
    async with running(tmp_path, **network) as (pool, inbox):
        await pool.submit([check(0, "http://127.0.0.1:1/")])
        await inbox.holds(1)
        (found,) = inbox.observations
        assert (found.state, found.cause, pool.restarts) == (State.UNKNOWN, "self.stalled", 0)
        assert "network settings" in found.detail


async def test_stopping_ends_every_process_and_hands_over_what_is_done(tmp_path):
    async with website() as web, running(tmp_path, 2) as (pool, inbox):
        await pool.submit([check(n, f"http://127.0.0.1:{web.port}/{n}") for n in range(8)])
        await inbox.holds(8)
        pids = pool.pids
        await pool.stop()
        assert len(pids) == 2
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


async def test_urls_that_are_none_are_answered_like_all_others(tmp_path):
    async with running(tmp_path) as (pool, inbox):
        await pool.submit([check(n, url) for n, url in enumerate(["", "http://[", "garbage", "http://a b/"])])
        await inbox.holds(4)
        assert {o.cause for o in inbox.observations} == {"config.url"}


def test_a_probe_ends_when_the_hub_is_gone():
    child = subprocess.Popen(
        [sys.executable, "-m", "checks.engine.probe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    child.stdin.close()
    assert child.wait(timeout=20) == 0
    child.stdout.close()
