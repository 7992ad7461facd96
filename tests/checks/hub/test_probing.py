from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.engine.clock import FakeClock
from checks.hub.board import Board
from checks.hub.canaries import HELD_S
from checks.hub.probing import FIRST_LOOK_S, UNCONFIRMED_S, Probing
from data.config.settings import NetworkSettings, Settings
from data.model.cause import cause
from data.model.ids import TargetId, TeamId
from data.model.observation import Hop, Observation
from data.model.state import State
from data.model.target import Target, TargetKind

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
CANARIES = ("http://a.example/", "http://b.example/", "http://c.example/")


@pytest.fixture
def house(tmp_path):
    taken = []

    async def take(observations):
        taken.extend(observations)

    settings = Settings(tmp_path, network=NetworkSettings(canaries=CANARIES))
    return Probing(settings, Board(), FakeClock(NOON), 1, take), taken


def site(probing, name, interval_s=3600.0):
    target = Target(
        TargetId(f"site:{name}"), TargetKind.SITE, TeamId("a"), name, "http://x.example/", interval_s=interval_s
    )
    probing.board.put_target(target)
    return target


def seen(target_id, state=State.OK, because="", status=200):
    why = cause(because) if because else ""
    return Observation(
        TargetId(target_id), TeamId("a"), TargetKind.SITE, NOON, state, why, hops=(Hop("u", status=status),)
    )


def test_a_few_new_sites_are_looked_at_at_once_and_many_without_a_herd(house):
    probing, _ = house
    first = site(probing, "kiel")
    probing.start(first)
    assert probing.queue.next_at() <= NOON + timedelta(seconds=1)
    many = [site(probing, f"s{number}") for number in range(2000)]
    for target in many:
        probing.start(target)
    early = probing.queue.due(NOON + timedelta(seconds=2), 5000)
    assert 50 < len(early) < 500
    assert len(probing.queue.due(NOON + timedelta(seconds=FIRST_LOOK_S), 5000)) + len(early) >= 2001


async def test_canaries_decide_about_the_network_and_are_nobodys_observations(house):
    probing, taken = house
    dead = [seen(f"canary:{number}", State.FAILING, "tcp.timeout", status=0) for number in range(3)]
    await probing._on_batch("probe", 1, [*dead, seen("site:kiel")])
    assert not probing.network_ok
    assert [one.target for one in taken] == ["site:kiel"]
    assert probing.rewrite(seen("site:kiel", State.FAILING, "tcp.timeout")).state is State.UNKNOWN
    assert probing.rewrite(seen("site:kiel", State.FAILING, "http.5xx")).state is State.FAILING


def test_fewer_canaries_after_a_reload_leave_no_check_behind(house, tmp_path):
    probing, _ = house
    probing.reconfigure(Settings(tmp_path, network=NetworkSettings(canaries=CANARIES[:1])))
    assert [key for key in ("canary:0", "canary:1", "canary:2") if key in probing.queue] == ["canary:0"]


def test_a_target_that_is_gone_is_not_checked_and_forgotten(house):
    probing, _ = house
    probing.queue.put("site:gone", 60.0, NOON)
    assert probing._check(TargetId("site:gone"), NOON) is None
    assert "site:gone" not in probing.queue


# ── not us? ──────────────────────────────────────────────────────────────────────────────────────────────────────


def said(*words, at=NOON):
    """Results of the canaries asked at `at`: true is an answer, a text the cause of none."""
    return [
        replace(
            seen(f"canary:{number}", *((State.FAILING, word, 0) if isinstance(word, str) else ())), started_at=at
        )
        for number, word in enumerate(words)
    ]  # fmt: skip


def failing(probing, name, because="tcp.timeout", fails=1):
    """A target that failed before, as often as told, and its next failure."""
    target = site(probing, name)
    probing.start(target)
    known = probing.board.states[target.id]
    probing.board.put_state(replace(known, state=State.OK, fails=fails, last_at=NOON, first_fail_at=NOON))
    return seen(target.id, State.FAILING, because, status=0)


async def test_a_failure_that_would_be_confirmed_waits_until_canaries_asked_after_it_vouch_for_us(house):
    probing, taken = house
    await probing._on_batch("probe", 1, said(True, True, True))
    probing.clock.advance(5)
    await probing._on_batch("probe", 2, [failing(probing, "kiel")])
    assert taken == []
    await probing._on_batch("probe", 3, said(True, True, True, at=probing.clock.now() - timedelta(seconds=1)))
    assert taken == [], "what was asked before says nothing about after"
    await probing._on_batch("probe", 4, said(True, "tcp.timeout", True, at=probing.clock.now()))
    assert [(one.target, one.state) for one in taken] == [("site:kiel", State.FAILING)]


async def test_a_failure_that_our_own_dead_network_made_is_unknown_and_looked_at_anew_when_we_are_back(house):
    probing, taken = house
    await probing._on_batch("probe", 1, said(True, True, True))
    probing.queue.due(NOON + timedelta(hours=1), 99)
    probing.clock.advance(3600)
    await probing._on_batch("probe", 2, [failing(probing, "kiel")])
    await probing._on_batch("probe", 3, said("tcp.timeout", "tcp.timeout", at=probing.clock.now()))
    assert [(one.state, one.cause) for one in taken] == [(State.UNKNOWN, "local.network")]
    assert not probing.network_ok
    assert "our own network is down" in probing.problems[0]
    probing.clock.advance(60)
    await probing._on_batch("probe", 4, said(True, True, True, at=probing.clock.now()))
    assert (probing.network_ok, probing.problems) == (True, [])
    probing.clock.advance(1)
    assert "site:kiel" in probing.queue.due(probing.clock.now(), 99)


async def test_nobody_waits_for_canaries_where_nothing_hangs_on_them(house):
    probing, taken = house
    await probing._on_batch("probe", 1, said(True, True, True))
    first = failing(probing, "first", fails=0)
    known = failing(probing, "known")
    probing.board.put_state(replace(probing.board.states[known.target], state=State.FAILING))
    answered = failing(probing, "answered", "http.5xx")
    await probing._on_batch("probe", 2, [first, known, answered, seen("site:fine")])
    assert [one.target for one in taken] == ["site:first", "site:known", "site:answered", "site:fine"]


async def test_canaries_that_never_speak_again_hold_nothing_for_ever(house):
    probing, _ = house
    await probing._on_batch("probe", 1, said(True, True, True))
    probing.clock.advance(5)
    await probing._on_batch("probe", 2, [failing(probing, "kiel")])
    assert probing.canaries.released(asyncio.get_running_loop().time() + HELD_S - 1) == []
    [one] = probing.canaries.released(asyncio.get_running_loop().time() + HELD_S + 1)
    assert (one.state, one.cause) == (State.UNKNOWN, "local.network")


async def test_a_burst_of_new_failures_asks_the_canaries_at_once(house):
    probing, _ = house
    probing.canaries.tick(0.0)
    await probing._on_batch("probe", 1, said(True, True, True))
    for key in probing.queue.due(NOON, 99):
        probing.queue.done(key, NOON)
    probing.clock.advance(1)
    await probing._on_batch("probe", 2, [failing(probing, f"s{number}", fails=0) for number in range(12)])
    asked = probing.queue.due(probing.clock.now(), 99)
    assert {key for key in asked if key.startswith("canary:")} == {"canary:0", "canary:1", "canary:2"}


async def test_while_our_clock_is_wrong_certificates_are_unknown_and_the_header_says_so(house):
    probing, _ = house
    words = [replace(one, evidence={"skew_s": "7203.1"}) for one in said(True, True, True)]
    await probing._on_batch("probe", 1, words)
    expired = probing.rewrite(seen("site:kiel", State.FAILING, "tls.expired"))
    assert (expired.state, expired.cause) == (State.UNKNOWN, "local.clock")
    assert probing.problems == ["our own clock is 2h ahead: certificates are not judged"]


async def test_when_only_the_second_resolver_answers_the_header_says_so(house):
    probing, _ = house
    site(probing, "kiel")
    seconded = replace(seen("site:kiel"), evidence={"resolver": "the first resolver failed"})
    await probing._on_batch("probe", 1, [seconded] * 30)
    assert "second" in probing.problems[0]
    await probing._on_batch("probe", 2, [seen("site:kiel")] * 50)
    assert probing.problems == []


# ── budgets and silence ──────────────────────────────────────────────────────────────────────────────────────────


def due(probing, now_s):
    return [check.target for check in probing.ready(now_s) if check.target.startswith("site:")]


@pytest.fixture
def paced(tmp_path):
    async def take(_observations):
        return None

    return Probing(Settings(tmp_path, network=NetworkSettings(per_host_minute=60)), Board(), FakeClock(NOON), 1, take)


async def test_more_checks_than_a_host_may_get_become_rarer_in_turn_and_the_header_says_so(paced):
    for number in range(80):
        paced.start(site(paced, f"s{number}", interval_s=60.0))
    ran, now_s = [], asyncio.get_running_loop().time()
    for _ in range(400):
        now_s += 1.0
        paced.clock.advance(1)
        for target in due(paced, now_s):
            ran.append(target)
            paced._on_requests({"x.example": 1})
            await paced._on_batch("p", 1, [replace(seen(target), hops=(Hop("http://x.example/", status=200),))])
    assert len(ran) <= 401
    counts = Counter(ran)
    assert len(counts) == 80
    assert max(counts.values()) - min(counts.values()) <= 2, "everybody in turn"
    assert len(paced.line) <= 80
    assert paced.problems == ["x.example: 80 checks/min wanted, 60 allowed"]
    assert paced.late > 0


async def test_a_host_that_asks_for_silence_is_asked_by_nobody_until_then_and_nobody_is_late(paced):
    for number in range(3):
        paced.start(site(paced, f"s{number}", interval_s=10.0))
    base_s = asyncio.get_running_loop().time()
    paced.clock.advance(11)
    first = due(paced, base_s)[0]
    limited = replace(
        seen(first, State.UNKNOWN, "http.rate_limited", 429),
        hops=(Hop("http://x.example/", status=429),),
        evidence={"retry_after": "300"},
    )
    heard = paced._heard(limited, base_s)
    assert heard.evidence["quiet_until"] == f"{paced.clock.now() + timedelta(seconds=300):%Y-%m-%dT%H:%M:%SZ}"
    paced.queue.done(first, paced.clock.now())
    late = (paced.late, paced.queue.late)
    for second in range(1, 299):
        paced.clock.advance(1)
        assert due(paced, base_s + second) == []
    assert (paced.late, paced.queue.late) == late
    paced.clock.advance(3)
    assert len(due(paced, base_s + 301)) == 1


@pytest.mark.parametrize(("before", "silent_s"), [(State.OK, UNCONFIRMED_S), (State.FAILING, 900.0)])
async def test_a_failure_not_yet_confirmed_is_looked_at_again_soon_whatever_the_server_asks(paced, before, silent_s):
    target = site(paced, "kiel")
    paced.board.put_state(replace(paced.board.states[target.id], state=before))
    down = replace(
        seen(target.id, State.FAILING, "http.maintenance", 503),
        hops=(Hop("http://x.example/", status=503),),
        evidence={"retry_after": "900"},
    )
    paced._heard(down, 0.0)
    assert paced.line.budget.ready_at("x.example") == silent_s


async def test_what_comes_back_unasked_waits_for_the_silence_and_is_asked_then(paced):
    paced.start(site(paced, "kiel", interval_s=60.0))
    paced.clock.advance(61)
    base_s = asyncio.get_running_loop().time()
    [check] = paced.ready(base_s)
    paced.line.budget.silence("x.example", base_s + 50.0)
    paced._on_returned([check])
    assert due(paced, base_s + 49.0) == []
    assert due(paced, base_s + 51.0) == ["site:kiel"]


async def test_a_chain_waits_for_every_host_it_passed_last_time(paced):
    paced.start(site(paced, "kiel", interval_s=60.0))
    paced.clock.advance(61)
    [check] = paced.ready(0.0)
    way = (Hop("http://x.example/", status=302), Hop("https://p.example/landing", status=200))
    await paced._on_batch("p", 1, [replace(seen(check.target), hops=way)])
    paced.line.budget.silence("p.example", 500.0)
    paced.clock.advance(61)
    assert due(paced, 100.0) == []
    assert paced.line.waits_for_silence(check.target)
    paced.stop(check.target)
    assert due(paced, 501.0) == []


async def test_a_reload_with_another_budget_holds_at_once(paced, tmp_path):
    for number in range(5):
        paced.start(site(paced, f"s{number}", interval_s=10.0))
    paced.reconfigure(Settings(tmp_path, network=NetworkSettings(per_host_minute=0)))
    paced.clock.advance(11)
    assert len(due(paced, 1.0)) == 5


def test_a_check_carries_all_that_the_inventory_says(paced):
    target = replace(site(paced, "kiel"), origin="192.0.2.1:81", device="mobile", depth=1, geo="DE")
    paced.board.put_target(target)
    made = paced._check(target.id, NOON)
    assert (made.origin, made.device, made.depth, made.geo) == ("192.0.2.1:81", "mobile", 1, "DE")
