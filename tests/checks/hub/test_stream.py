from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from checks.hub.stream import Stream
from data.model.codec import from_json
from data.model.principal import EVERYTHING, MoneyRight, Principal, Scope
from data.model.snapshot import Hello, Snapshot, StreamLine

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ADMIN = Principal("root", 0, "admin", EVERYTHING)
JUNIOR = Principal("eve", 7, "junior", Scope(frozenset(), MoneyRight.NONE))


class House:
    """A version that a test moves and the snapshots made of it."""

    def __init__(self):
        self.version, self.made = 5, []

    def snapshot(self, scope):
        self.made.append(scope)
        return Snapshot(self.version, NOON, company="all" if scope.teams is None else "some")

    def hello(self, who):
        return Hello(1, "0", "Street", who.name, who.role, (), "none", "EUR", 1, NOON)


@pytest.fixture
async def street():
    house = House()
    stream = Stream(lambda: house.version, house.snapshot, house.hello, pace_s=0.01, heartbeat_s=0.2)
    task = asyncio.create_task(stream.run())
    yield house, stream
    task.cancel()


async def take(lines, count):
    found = []
    async with asyncio.timeout(30):
        async for raw in lines:
            found.append(from_json(raw, StreamLine))
            if len(found) == count:
                return found
    return found


async def test_a_reader_is_greeted_and_shown_the_present(street):
    _, stream = street
    hello, snapshot = await take(stream.lines(ADMIN, -1), 2)
    assert (hello.kind, hello.hello.principal) == ("hello", "root")
    assert (snapshot.kind, snapshot.snapshot.version) == ("snapshot", 5)


async def test_a_reader_that_knows_the_present_is_not_shown_it_again(street):
    _, stream = street
    assert [line.kind for line in await take(stream.lines(ADMIN, 5), 2)] == ["hello", "heartbeat"]


async def test_only_the_newest_of_many_changes_is_sent(street):
    house, stream = street
    lines = stream.lines(ADMIN, -1)
    await take(lines, 2)
    house.version = 9
    change = (await take(lines, 1))[0]
    while change.kind == "heartbeat":  # on a machine that holds us up
        change = (await take(lines, 1))[0]
    assert change.snapshot.version == 9


async def test_nothing_new_is_a_heartbeat(street):
    _, stream = street
    assert [line.kind for line in await take(stream.lines(ADMIN, -1), 3)][2] == "heartbeat"


async def test_readers_of_one_scope_share_a_snapshot_and_other_scopes_get_their_own(street):
    house, stream = street
    pair = await asyncio.gather(take(stream.lines(ADMIN, -1), 2), take(stream.lines(ADMIN, -1), 2))
    other = await take(stream.lines(JUNIOR, -1), 2)
    assert [lines[1].snapshot.company for lines in (*pair, other)] == ["all", "all", "some"]
    assert house.made.count(EVERYTHING) == 1


async def test_a_stream_that_closes_says_goodbye(street):
    _, stream = street
    lines = stream.lines(ADMIN, -1)
    await take(lines, 2)
    await stream.close()
    assert [line.kind for line in await take(lines, 2)][-1] == "bye"
    assert stream.readers == 0
