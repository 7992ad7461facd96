"""Probe processes, really killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from data.config.settings import NetworkSettings, Settings
from data.model.ids import TargetId
from data.model.state import State
from tests.checks.engine.webs import Inbox, check, running, website


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


async def test_a_stalled_listener_changes_no_verdict_and_kills_no_probe(tmp_path):
    inbox, release = Inbox(), asyncio.Event()

    async def slow(worker, seq, observations):
        await release.wait()
        await inbox(worker, seq, observations)

    async with website() as web, running(tmp_path, silence_s=4.0, on_batch=slow) as (pool, _):
        await pool.submit([check(n, f"http://127.0.0.1:{web.port}/{n}") for n in range(30)])
        await asyncio.sleep(7.0)  # real: longer than a silent probe would live
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
