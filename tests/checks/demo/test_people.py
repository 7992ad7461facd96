"""What people of the company do about their feeds, over a socket as a hub's."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from checks.demo.http import HttpProtocol, Response
from checks.demo.people import People
from checks.engine.clock import ScaledClock
from data.secrets import open_secrets

DAY = datetime(2026, 11, 17, 6, tzinfo=UTC)


class Hub:
    """Answers on the company's socket."""

    def __init__(self):
        self.asked, self.cause, self.evidence = [], "", False

    def answer(self, request):
        self.asked.append((request.path, json.loads(request.body or b"{}")))
        if request.path.startswith("/v1/target/"):
            return Response(200, json.dumps({"row": {"cause": self.cause}}).encode(), "application/json")
        if request.path.endswith("/evidence"):
            return Response(200, b"PK", "application/zip") if self.evidence else Response(400, b"{}")
        return Response(200, b'{"ok":true,"message":""}', "application/json")


@asynccontextmanager
async def listening(company):
    hub = Hub()
    loop = asyncio.get_running_loop()
    company.home.socket.parent.mkdir(parents=True, exist_ok=True)
    server = await loop.create_unix_server(lambda: HttpProtocol(hub.answer), str(company.home.socket))
    try:
        yield hub
    finally:
        server.close()


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a file and a dict say nothing
            await asyncio.sleep(0.01)


def working(company, speed):
    """The company's people from 06:00 on, and their work as a task."""
    people = People(company, ScaledClock(DAY, datetime.now(UTC), speed), DAY)
    return people, asyncio.create_task(people.work())


@pytest.fixture
async def company(open_demo):
    open_secrets(open_demo.company.home, create=True).set("ambervolt-token", "old")
    return open_demo.company


async def test_people_map_renew_and_pack_once_the_hub_has_raised_it(company):
    async with listening(company) as hub:
        people, work = working(company, 100_000.0)
        await until(lambda: people.begun.keys() == {"F7"})
        hub.cause = "feed.scale"
        await until(lambda: "F4" in people.begun)
        assert "F15" not in people.begun
        hub.evidence = True
        await asyncio.wait_for(work, 30)
    commands = [asked for asked in hub.asked if asked[0].startswith("/v1/commands/")]
    assert ("/v1/commands/feed_map", {"target": "feed:p06-zefirion", "options": {"unit": "minor"}}) in commands
    assert ("/v1/commands/recheck", {"target": "feed:p10-ambervolt"}) in commands
    assert len(commands) == 2
    token = company.town.apis["P10"].secret
    assert token == open_secrets(company.home).get("ambervolt-token") != "old"
    assert (company.home.state / "demo" / "p05-drakkenspin-evidence.zip").read_bytes() == b"PK"


async def test_people_wait_for_a_hub_that_is_not_there_yet(company):
    people, work = working(company, 100_000.0)
    await until(lambda: people.clock.now() > DAY.replace(hour=23))
    assert not people.begun
    async with listening(company) as hub:
        hub.cause, hub.evidence = "feed.scale", True
        await asyncio.wait_for(work, 30)
    assert people.begun.keys() == {"F4", "F7", "F15"}
