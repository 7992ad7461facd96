from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from data.model.codec import to_json
from data.model.snapshot import PROTOCOL, Hello, ListPage, Snapshot, StateCount, StreamLine
from data.model.target import TargetKind
from tui import service
from tui.service import HubService, Lost, Query

NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
HELLO = Hello(PROTOCOL, "0.1.0", "Corvane Media", "maria", "senior", ("*",), "full", "EUR", 1, NOON)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(service, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(service, "LONGEST_PAUSE_S", 0.0)


async def test_a_hub_that_goes_away_is_said_once_and_found_again_when_it_returns(answers):
    stream = [
        to_json(StreamLine(1, "hello", hello=HELLO)) + b"\n",
        to_json(StreamLine(2, "snapshot", snapshot=Snapshot(5, NOON))) + b"\n",
    ]
    answers.stream("/v1/events", *stream)
    heard = []
    async with asyncio.timeout(10), aclosing(HubService(answers.socket).updates()) as updates:
        heard.append(await anext(updates))
        async with answers.listening():
            while not any(isinstance(one, Snapshot) for one in heard):
                heard.append(await anext(updates))
            heard.append(await anext(updates))
    assert isinstance(heard[0], Lost)
    assert "losswatch hub start" in heard[0].reason
    assert [type(one) for one in heard if not isinstance(one, Lost)] == [Hello, Snapshot]
    assert isinstance(heard[-1], Lost)


async def test_a_window_of_a_list_is_asked_for_with_its_filter_and_order(answers):
    path = "/v1/targets/site?filter=state%21%3Dok+geo%3DDE&sort=p95_ms&desc=1&offset=200&limit=50"
    answers.json(path, to_json(ListPage(1, 0, 200, (), StateCount())))
    async with answers.listening():
        page = await HubService(answers.socket).page(
            Query(TargetKind.SITE, "state!=ok geo=DE", "p95_ms", True, 200, 50)
        )
    assert page.offset == 200
