from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from checks.hub.keeping import Keeping
from data.errors import StoreFull
from data.model.ids import TargetId, TeamId
from data.model.incident import TimelineEntry
from data.model.observation import Observation, TargetState
from data.model.state import State
from data.model.target import TargetKind

AT = datetime(2026, 11, 17, 6, tzinfo=UTC)
KIEL = TargetState(TargetId("site:kiel"), TeamId("aurora"), TargetKind.SITE, State.OK)
SEEN = Observation(KIEL.target, KIEL.team, KIEL.kind, AT, State.OK)
STORY = [TimelineEntry(1, AT, "hub", "opened"), TimelineEntry(1, AT, "maria", "acknowledged")]


class Disk:
    """A store that takes rows while there is room."""

    def __init__(self):
        self.full, self.dropped, self.rows, self.hurried = False, 0, [], 0

    def hurry(self):
        self.hurried += 1

    def write(self, rows):
        if self.full:
            return failed(StoreFull("no room"))
        self.rows += rows
        stored = Future()
        stored.set_result(1)
        return stored


def failed(problem):
    refused = Future()
    refused.set_exception(problem)
    return refused


@pytest.fixture
def disk():
    return Disk()


async def test_what_somebody_waits_for_hurries_the_store(disk):
    keeping = Keeping(disk)
    await keeping.keep(STORY[:1])
    assert not disk.hurried
    assert await keeping.keep_at_once(STORY[1:])
    assert (disk.hurried, disk.rows) == (1, STORY)


async def test_what_somebody_did_is_answered_with_where_it_is_kept(disk):
    keeping = Keeping(disk)
    assert (await keeping.done(STORY[:1], "acknowledged")).message == "acknowledged"
    disk.full = True
    assert "acknowledged; it is kept in memory only" in (await keeping.done(STORY[1:], "acknowledged")).message
    assert (disk.hurried, list(keeping.owed.values())) == (2, STORY[1:])


async def test_what_is_stored_is_durable_and_nothing_waits(disk):
    keeping = Keeping(disk)
    assert await keeping.keep([SEEN, KIEL])
    assert (disk.rows, keeping.owed) == ([SEEN, KIEL], {})


async def test_on_a_full_disk_conclusions_wait_and_observations_are_counted(disk):
    keeping, disk.full = Keeping(disk), True
    assert not await keeping.keep([SEEN, KIEL, *STORY])
    assert (list(keeping.owed.values()), disk.dropped) == ([KIEL, *STORY], 1)
    await keeping.pay()
    assert len(keeping.owed) == 3
    disk.full = False
    await keeping.pay()
    assert (disk.rows, keeping.owed) == ([KIEL, *STORY], {})


async def test_a_newer_row_takes_the_place_of_the_one_that_waits_and_is_never_overwritten_by_it(disk):
    keeping, disk.full = Keeping(disk), True
    fallen, up = replace(KIEL, state=State.FAILING), replace(KIEL, oks=2)
    await keeping.keep([KIEL])
    await keeping.keep([fallen])
    assert list(keeping.owed.values()) == [fallen]
    disk.full = False
    await keeping.keep([up])
    await keeping.pay()
    assert (disk.rows, keeping.owed) == ([up], {})


async def test_the_memory_is_bounded_and_the_oldest_gives_way(disk, monkeypatch):
    monkeypatch.setattr("checks.hub.keeping.MOST", 1)
    keeping, disk.full = Keeping(disk), True
    await keeping.keep(STORY)
    assert list(keeping.owed.values()) == STORY[1:]


async def test_a_row_that_is_wrong_is_raised_and_never_waits(disk):
    keeping = Keeping(disk)
    disk.write = lambda _rows: failed(ValueError("a time without a zone"))
    with pytest.raises(ValueError, match="zone"):
        await keeping.keep([KIEL])
    assert keeping.owed == {}
