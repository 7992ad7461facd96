from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from checks.feeds import preset as presets
from checks.feeds.halted import Halted, Progress
from checks.feeds.pacing import Closed, Gate, Gates
from checks.feeds.pull import Accounts, Pulled, pull
from checks.feeds.tokens import account_key
from data.model.fact import Payload
from data.model.ids import TeamId

from .conftest import NOW, feed, serving


class Wall:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def __call__(self):
        return self.now

    async def sleep(self, wait_s):
        self.slept.append(round(wait_s, 3))
        self.now += wait_s

    def gate(self, speed=1.0):
        return Gate(speed, monotonic=self, sleep=self.sleep)


async def test_the_pause_between_two_calls_counts_from_the_end_of_the_first():
    wall = Wall()
    gate = wall.gate()
    async with gate.turn(2.0):
        wall.now += 5.0
    wall.now += 0.5
    async with gate.turn(2.0):
        pass
    assert wall.slept == [1.5]


async def test_a_pause_is_shorter_where_the_engines_clock_runs_faster():
    wall = Wall()
    gate = wall.gate(speed=10.0)
    for _ in range(2):
        async with gate.turn(2.0):
            pass
    assert wall.slept == [0.2]


async def test_a_short_rest_is_waited_for_and_a_long_one_is_said():
    wall = Wall()
    gate = wall.gate()
    gate.rest(30.0)
    async with gate.turn(2.0):
        pass
    assert wall.slept == [30.0]
    gate.rest(600.0)
    gate.rest(5.0)
    with pytest.raises(Closed) as closed:
        async with gate.turn(2.0):
            pass
    assert closed.value.wait_s == pytest.approx(600.0)


async def test_a_pause_longer_than_a_minute_is_waited_for_when_it_is_the_accounts_own():
    wall = Wall()
    gate = wall.gate()
    for _ in range(2):
        async with gate.turn(90.0):
            pass
    assert wall.slept == [90.0]


async def test_a_call_that_raises_gives_its_turn_back():
    gate = Wall().gate()
    with pytest.raises(ValueError, match="x"):
        async with gate.turn(0.0):
            raise ValueError("x")
    async with asyncio.timeout(1), gate.turn(0.0):
        pass


class Platform:
    """Counts how many calls are under way at once."""

    def __init__(self, answer=lambda n: JSONResponse([])):
        self.answer, self.calls, self.at_once, self.most = answer, 0, 0, 0
        self.app = Starlette(routes=[Route("/{path:path}", self.handle)])

    async def handle(self, request):
        self.calls += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0.02)
        self.at_once -= 1
        return self.answer(self.calls)


async def test_two_feeds_of_one_account_never_ask_at_once_and_two_accounts_do():
    platform, accounts = Platform(), Accounts()
    async with serving(platform.app) as url, httpx.AsyncClient(trust_env=False) as client:

        async def all_of(*secrets):
            given = [(feed(url, "json", name=f"f{n}"), secret) for n, secret in enumerate(secrets)]
            calls = [pull(one, presets.load("json"), secret, client, NOW, accounts=accounts) for one, secret in given]
            return await asyncio.gather(*calls)

        await all_of("same-secret", "same-secret", "same-secret")
        assert (platform.calls, platform.most) == (3, 1)
        await all_of("one-secret", "other-secret")
        assert platform.most == 2


@pytest.mark.parametrize(
    ("answer", "until"),
    [
        (Response(status_code=291), 60),
        (Response(status_code=429, headers={"retry-after": "600"}), 600),
        (Response(status_code=503, headers={"retry-after": "120"}), 120),
    ],
)
async def test_an_account_that_asked_for_patience_is_not_called_again_before(answer, until):
    platform, accounts = Platform(lambda n: answer), Accounts()
    async with serving(platform.app) as url, httpx.AsyncClient(trust_env=False) as client:
        one = feed(url, "smartico")
        got = await pull(one, presets.load("smartico"), "s3cret-token", client, NOW, accounts=accounts)
        assert got.problem.retry_at == NOW + timedelta(seconds=until)
        if until > 60:
            again = await pull(one, presets.load("smartico"), "s3cret-token", client, NOW, accounts=accounts)
            assert (again.problem.cause, platform.calls) == ("feed.throttled", 1)
            assert again.problem.words.startswith("the platform wants no call before 09:")


@pytest.mark.parametrize(
    ("reset", "wait_s"), [("300", 300), (str(int(NOW.timestamp()) + 300), 300), ("", 60), ("x", 60)]
)
async def test_a_rate_limit_with_no_call_left_is_a_rest(reset, wait_s):
    wall, accounts = Wall(), Accounts(gates=Gates())
    headers = {"x-ratelimit-remaining": "0", **({"x-ratelimit-reset": reset} if reset else {})}
    platform = Platform(lambda n: JSONResponse([], headers=headers))
    async with serving(platform.app) as url, httpx.AsyncClient(trust_env=False) as client:
        one = feed(url, "json")
        accounts.gates._gates[account_key(one, "s3cret-token")] = gate = wall.gate()
        got = await pull(one, presets.load("json"), "s3cret-token", client, NOW, accounts=accounts)
        assert got.problem is None
        assert gate._free_at - wall.now == pytest.approx(wait_s, abs=1)


async def test_a_token_is_not_asked_for_either_while_the_platform_wants_no_call():
    platform, accounts = Platform(), Accounts()
    async with serving(platform.app) as url, httpx.AsyncClient(trust_env=False) as client:
        one = feed(url, "myaffiliates")
        accounts.gates.of(account_key(one, "client:s3cret-key")).rest(600.0)
        got = await pull(one, presets.load("myaffiliates"), "client:s3cret-key", client, NOW, accounts=accounts)
    assert (got.problem.cause, platform.calls) == ("feed.throttled", 0)
    assert (got.problem.retry_at - NOW).total_seconds() == pytest.approx(600, abs=2)


def test_pulls_that_broke_off_give_way_before_they_fill_the_memory():
    halted, body = Halted(), Payload("h", "p01", TeamId("aurora"), NOW, "", b"")
    pulled = Pulled("x", NOW.date(), NOW.date(), (body,))
    for work in ("a", "b", "c"):
        halted.keep(work, Progress(pulled, NOW, bytes=30 * 1024 * 1024))
    assert [work for work in ("a", "b", "c") if halted.take(work, NOW)] == ["b", "c"]
