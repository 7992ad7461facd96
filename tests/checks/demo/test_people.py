"""What people of the company do about their feeds, over a socket as a hub's."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from checks.demo.http import HttpProtocol, Response
from checks.demo.people import People
from data.secrets import open_secrets

DAY = datetime(2026, 11, 17, 6, tzinfo=UTC)


class Hub:
    """Answers on the company's socket; `troubles` are causes of open incidents, plans of `refuses` cannot be used."""

    def __init__(self):
        self.asked, self.cause, self.evidence = [], "", False
        self.troubles, self.refuses, self.used = [], {"edge-hold"}, []

    def answer(self, request):
        self.asked.append((request.path, asked := json.loads(request.body or b"{}")))
        if request.path == "/v1/incidents":
            rows = [{"id": n, "cause": cause} for n, cause in enumerate(self.troubles, start=1)]
            return Response(200, json.dumps({"rows": rows}).encode(), "application/json")
        if request.path == "/v1/plans":
            plans = [{"id": name, "live": {"state": "applied"}} for name in self.used]
            return Response(200, json.dumps({"plans": plans}).encode(), "application/json")
        if request.path == "/v1/commands/plan_use":
            if asked["plan"] in self.refuses:
                return Response(400, b'{"error": "its standby fails"}', "application/json")
            self.used.append(asked["plan"])
        if request.path == "/v1/commands/plan_revert":
            self.used.remove(asked["plan"])
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


class Patient:
    """A clock that goes on to whoever wakes next, and only when everybody who is awake sleeps again or is done."""

    speed = 1.0

    def __init__(self, at):
        self.at, self.asleep, self.awake = at, {}, set()

    def now(self):
        return self.at

    async def sleep(self, seconds):
        me, wake = asyncio.current_task(), asyncio.get_running_loop().create_future()
        self.awake.discard(me)
        self.asleep[me] = self.at + timedelta(seconds=seconds), wake
        await wake

    async def run(self):
        while True:
            await asyncio.sleep(0)
            if not self.asleep or not all(task.done() for task in self.awake):
                continue
            self.at = max(self.at, min(end for end, _ in self.asleep.values()))
            self.awake = {task for task, (end, _) in self.asleep.items() if end <= self.at}
            for task in self.awake:
                self.asleep.pop(task)[1].set_result(None)


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a file and a dict say nothing
            await asyncio.sleep(0)


@asynccontextmanager
async def working(company, at=DAY):
    """The company's people from `at` on, and their work as a task."""
    people = People(company, Patient(at), DAY)
    work, clock = asyncio.create_task(people.work()), asyncio.create_task(people.clock.run())
    try:
        yield people, work
    finally:
        for task in (work, clock):
            task.cancel()
        await asyncio.gather(work, clock, return_exceptions=True)


@pytest.fixture
async def company(open_demo):
    open_secrets(open_demo.company.home, create=True).set("ambervolt-token", "old")
    return open_demo.company


async def test_people_map_renew_and_pack_once_the_hub_has_raised_it(company):
    async with listening(company) as hub, working(company) as (people, work):
        await until(lambda: people.begun.keys() == {"F7"})
        hub.cause = "feed.scale"
        await until(lambda: "F4" in people.begun)
        assert "F15" not in people.begun
        hub.evidence = True
        await asyncio.wait_for(work, 30)
    asked = commands(hub)
    assert ("feed_map", {"target": "feed:p06-zefirion", "options": {"unit": "minor"}}) in asked
    assert ("recheck", {"target": "feed:p10-ambervolt"}) in asked
    assert len(asked) == 2
    token = company.town.apis["P10"].secret
    assert token == open_secrets(company.home).get("ambervolt-token") != "old"
    assert (company.home.state / "demo" / "p05-drakkenspin-evidence.zip").read_bytes() == b"PK"


async def test_people_wait_for_a_hub_that_is_not_there_yet(company):
    async with working(company, DAY.replace(hour=20)) as (people, work):
        await until(lambda: people.clock.now() > DAY.replace(hour=22))
        assert not people.begun
        async with listening(company) as hub:
            hub.cause, hub.evidence = "feed.scale", True
            await asyncio.wait_for(work, 30)
    assert people.begun.keys() == {"F4", "F7", "F15"}


def commands(hub):
    return [(path.rpartition("/")[2], asked) for path, asked in hub.asked if path.startswith("/v1/commands/")]


async def test_a_plan_is_used_on_the_incident_it_is_for_and_taken_back_when_the_trouble_is_over(company):
    async with listening(company) as hub, working(company) as (people, _):
        hub.troubles = ["seo.noindex", "link.wrong_target"]
        await until(lambda: "F1" in people.begun)
        assert people.begun["F1"] == DAY.replace(minute=34)
        await until(lambda: ("plan_revert", {"plan": "p02-to-p01"}) in commands(hub))
        assert people.clock.now() == DAY.replace(hour=9, minute=50)
    swap = {"incident": 2, "plan": "p02-to-p01"}
    assert [asked for asked in commands(hub) if asked[1].get("incident")] == [
        ("acknowledge", {"incident": 2}),
        ("plan_use", swap),
    ]


async def test_a_plan_is_tried_again_until_its_trouble_was_noticed(company):
    async with listening(company) as hub, working(company) as (people, _):
        await until(lambda: people.clock.now() >= DAY.replace(hour=7))
        hub.troubles = ["link.wrong_target"]
        await until(lambda: "F1" in people.begun)
    assert DAY.replace(hour=7) <= people.begun["F1"] < DAY.replace(hour=9, minute=40)


async def test_a_plan_that_is_refused_leads_to_the_next(company):
    async with listening(company) as hub, working(company) as (people, _):
        hub.troubles = ["edge.error"]
        await until(lambda: "F5" in people.begun)
    used = [asked["plan"] for command, asked in commands(hub) if command == "plan_use"]
    assert used == ["edge-hold", "edge-reserve"]


async def test_what_somebody_else_has_switched_is_not_switched_again_but_taken_back(company):
    async with listening(company) as hub, working(company):
        hub.used = ["p02-to-p01"]
        await until(lambda: ("plan_revert", {"plan": "p02-to-p01"}) in commands(hub))
    assert "plan_use" not in [command for command, _ in commands(hub)]


async def test_nobody_uses_a_plan_when_its_trouble_is_over(company):
    async with listening(company) as hub:
        hub.cause, hub.evidence, hub.troubles = "feed.scale", True, ["link.wrong_target", "edge.error"]
        async with working(company, DAY.replace(hour=20)) as (people, work):
            await asyncio.wait_for(work, 30)
    assert "plan_use" not in [command for command, _ in commands(hub)]
    assert people.begun.keys() == {"F4", "F7", "F15"}
