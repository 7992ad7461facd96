"""The revenue book live, in a hub that stops and starts again."""

from __future__ import annotations

import asyncio
import time

import pytest

from checks.hub import revenue_keeping
from checks.revenue.cube import hour_of
from data.errors import StoreDown
from data.model.fact import Baseline
from data.model.ids import TeamId
from data.model.principal import EVERYTHING
from data.store import alarms, baselines, expectations, findings
from tests.checks.hub.revenue_house import BEGAN, House, silent_world


@pytest.fixture(scope="module")
def world():
    return silent_world()


@pytest.fixture
def house(tmp_path, world, monkeypatch):
    made = House(tmp_path, world, monkeypatch)
    yield made
    made.close()


def said(house):
    return [
        (one.id, one.at, one.status, one.target, one.start, one.observed, round(one.expected, 6), round(one.nats, 6))
        for one in alarms.all_words(house.store, EVERYTHING, house.world.at(0))
    ]


def test_a_hub_that_died_between_two_looks_goes_on_as_if_it_had_not(house, tmp_path, world, monkeypatch):
    house.look(BEGAN + 7)
    (alarm,) = house.hub.revenue.alarmed.values()
    assert alarm.slice == {"partner": "P07"}
    house.started()
    assert list(house.hub.revenue.alarmed) == [alarm.id]
    house.look(BEGAN + 10)
    house.started()
    house.look(BEGAN + 12)
    (after,) = house.hub.revenue.alarmed.values()
    assert (after.id, after.detected_at) == (alarm.id, alarm.detected_at)
    assert len(findings.open_or_of(house.store, EVERYTHING, [])) == 1
    other = House(tmp_path / "whole", world, monkeypatch)
    try:
        other.look(BEGAN + 12)
        assert said(other) == said(house)
    finally:
        other.close()


def test_without_its_memory_a_hub_still_goes_on_with_the_same_alarm(house):
    house.look(BEGAN + 8)
    (alarm,) = house.hub.revenue.alarmed.values()
    broken = Baseline(revenue_keeping.MEMORY, TeamId(""), house.clock.at, b"no memory at all")
    house.store.write([broken]).result()
    house.started()
    house.look(BEGAN + 11)
    assert list(house.hub.revenue.alarmed) == [alarm.id]
    assert {one.id for one in alarms.all_words(house.store, EVERYTHING, house.world.at(0))} == {alarm.id}


def test_every_word_of_an_alarm_is_stored_with_the_memory_it_comes_from(house):
    house.look(BEGAN + 9)
    (alarm,) = house.hub.revenue.alarmed.values()
    words = alarms.words(house.store, EVERYTHING, alarm.id)
    assert [one.at for one in words] == sorted({one.at for one in words}, reverse=True)
    assert len(words) > 2
    assert baselines.latest(house.store, EVERYTHING, revenue_keeping.MEMORY).at == words[0].at
    assert words[0].loss == alarm.loss
    assert revenue_keeping.alarm_of(words[0]).target == alarm.target


def test_news_that_changes_nothing_writes_no_memory(house, world):
    def kept():
        return baselines.latest(house.store, EVERYTHING, revenue_keeping.MEMORY).at

    house.look(BEGAN)
    at = kept()
    for minutes in (12, 20):
        house.clock.at = world.at(BEGAN + minutes / 60)
        asyncio.run(house.hub.revenue.tick())
    assert kept() == at
    house.look(BEGAN + 1)
    assert kept() == house.clock.at > at


def test_what_was_foretold_of_each_hour_is_stored_and_not_twice_after_a_restart(house):
    house.look(BEGAN)
    assert hour_of(expectations.last_hour(house.store)) == hour_of(house.world.at(BEGAN - 1))
    house.started()
    house.look(BEGAN + 3)
    start, end = house.world.at(BEGAN - 4), house.world.at(BEGAN + 3)
    with house.store.cursor() as cursor:
        ((rows, distinct),) = cursor.execute(
            "SELECT count(*), count(DISTINCT (hour, partner, offer, geo, site, team)) FROM expectation"
        ).fetchall()
    assert rows == distinct > 0
    seen = expectations.seen_and_due(house.store, EVERYTHING, {}, start, end, house.clock.at)
    assert seen["foretold"].min() == 1.0


def test_what_the_store_cannot_take_is_foretold_with_the_next_look(house, monkeypatch):
    def refuse(_store, _frame):
        raise StoreDown("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(expectations, "append", refuse)
        house.look(BEGAN)
    assert expectations.last_hour(house.store) is None
    house.look(BEGAN + 1)
    assert hour_of(expectations.last_hour(house.store)) == hour_of(house.world.at(BEGAN))


def test_an_alarm_that_the_book_no_longer_knows_is_taken_back(house):
    house.look(BEGAN + 8)
    (alarm,) = house.hub.revenue.alarmed.values()
    house.hub.book._known.open.clear()
    house.hub.book.page_nats = 1e9
    house.look(BEGAN + 9)
    assert house.hub.revenue.alarmed == {}
    assert alarms.words(house.store, EVERYTHING, alarm.id)[0].status == "withdrawn"
    assert alarms.running(house.store, EVERYTHING) == []


def test_a_look_that_is_due_while_another_runs_is_left_out(house, monkeypatch):
    ticks, book = [], house.hub.book
    tick = book.tick
    monkeypatch.setattr(type(book), "tick", lambda _book, now: ticks.append(now) or tick(now))

    async def twice():
        await asyncio.gather(house.hub.revenue.look(), house.hub.revenue.look())

    asyncio.run(twice())
    assert ticks == [house.clock.at]


def test_nothing_is_judged_while_files_are_taken_unless_that_takes_hours(house):
    house.look(BEGAN)
    looked_at = house.hub.revenue.cadence.last
    house.hub.spool.busy = True
    house.look(BEGAN + 2)
    assert house.hub.revenue.cadence.last == looked_at
    house.look(BEGAN + 3)
    assert house.hub.revenue.cadence.last == house.clock.at


def test_facts_that_come_while_the_book_ticks_wait_for_nobody_and_count_at_the_next_look(house, world):
    late = world.facts().head(1)
    asked = []
    with house.hub.book.at_rest():
        began = time.monotonic()
        house.hub.revenue.hear(late)
        asked.append(time.monotonic() - began)
        assert house.hub.book.cube.leaves == 0
    house.look(BEGAN)
    assert house.hub.book.cube.leaves == len(world.leaves)
    assert asked[0] < 1


def test_a_look_that_takes_long_and_hours_without_one_are_told(house):
    revenue = house.hub.revenue
    assert revenue.problem == ""
    house.look(BEGAN)
    assert revenue.problem == ""
    house.clock.advance(3 * 3600)
    assert revenue.problem == f"revenue was last judged at {world_time(house, BEGAN)}"
    assert revenue.problem in house.hub.health().detail
    revenue._running_since = time.monotonic() - 400
    assert "takes 400 s already" in revenue.problem


def world_time(house, hour):
    return f"{house.world.at(hour + 0.05):%m-%d %H:%MZ}"


def test_rows_say_when_an_alarm_could_fire_and_the_rich_are_known(house):
    house.look(BEGAN + 8)
    rows = house.hub.board.slice_rows
    assert rows["slice:partner=P07"].fires_after_h is None
    assert 0 < rows["slice:partner=P06"].fires_after_h < 6
    assert rows["slice:partner=P06,geo=BR"].fires_after_h > rows["slice:partner=P06"].fires_after_h
    assert {"P06", "P07"} <= house.hub.revenue.cadence.rich
