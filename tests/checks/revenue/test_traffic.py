"""Own clicks as a channel of their own: a site that lost its visitors, holidays, junk."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from checks.revenue.book import Explained, RevenueBook
from data.config.calendar import Calendar
from data.model.calendar import CalendarEvent, EventKind
from tests.checks.revenue.conftest import World

DAY = 24
NOON = 30 * DAY + 12


def book_of(world, calendar=None):
    book = RevenueBook()
    if calendar is not None:
        book.follow(calendar)
    book.add(world.facts())
    book.add_receipts(world.receipts())
    return book


def watch(book, world, since, until, step=2):
    """The last word of each alarm about clicks."""
    said = {}
    for hour in range(since, until, step):
        said |= {one.id: one for one in book.tick(world.at(hour), with_slices=False).alarms if one.channel == "clicks"}
    return said


def event(world, day, kind=EventKind.HOLIDAY, geo="NO", days=1):
    return CalendarEvent(world.at(day * DAY), world.at((day + days) * DAY), kind, "of old", geo)


@pytest.fixture(scope="module")
def calm():
    return World(days=33, seed=40, sites=5)


def test_a_site_that_loses_its_visitors_is_found_within_hours_and_no_partner_is_blamed():
    world = World(days=32, seed=41, sites=5)
    world.scale(NOON, world.hours, clicks=0.0, events=0.0, site="cedar-003")
    (alarm,) = watch(book_of(world), world, NOON - 12, NOON + 12).values()
    assert (alarm.slice, alarm.cause, alarm.team) == ({"site": "cedar-003"}, "revenue.traffic", "cedar")
    assert alarm.detected_at <= world.at(NOON + 8)
    assert abs(alarm.start - world.at(NOON)) <= timedelta(hours=1)
    assert alarm.loss.lost_lo <= alarm.loss.lost <= alarm.loss.lost_hi
    assert alarm.loss.lost > 0


def test_it_closes_after_a_day_of_usual_clicks_with_its_id_and_its_end():
    world = World(days=33, seed=42, sites=5)
    world.scale(NOON, NOON + 12, clicks=0.0, events=0.0, site="cedar-001")
    (alarm,) = watch(book_of(world), world, NOON, NOON + 44).values()
    assert alarm.status == "closed"
    assert abs(alarm.end - world.at(NOON + 12)) <= timedelta(hours=2)


def test_clicks_that_turn_up_after_all_withdraw_it():
    world = World(days=32, seed=43, sites=5)
    cells = np.ix_(world.inside(site="baltic-002"), np.arange(NOON, NOON + 10))
    kept, world.clicks[cells] = world.clicks[cells].copy(), 0
    book = book_of(world)
    (found,) = watch(book, world, NOON, NOON + 12).values()
    late = World(days=32, seed=43, sites=5)
    late.clicks[:] = 0
    late.clicks[cells] = kept
    for figures in (late.regs, late.ftd, late.revenue):
        figures[:] = 0
    rows = late.facts()
    book.add(rows.with_columns(seen_at=world.at(NOON + 13)))
    said = watch(book, world, NOON + 14, NOON + 16)
    assert said[found.id].status == "withdrawn"
    assert said[found.id].loss.lost == 0


def test_usual_weeks_are_silent(calm):
    assert watch(book_of(calm), calm, 30 * DAY, 33 * DAY, step=6) == {}


@pytest.mark.parametrize("where", [{"geo": "NO"}, {}])
def test_a_holiday_nobody_wrote_down_is_silent(where):
    world = World(days=32, seed=44, sites=5)
    world.scale(30 * DAY, 31 * DAY, clicks=0.6, events=0.6, **where)
    assert watch(book_of(world), world, 30 * DAY, 31 * DAY + 6, step=3) == {}


def test_what_a_failing_site_explains_is_not_told_again():
    world = World(days=32, seed=45, sites=5)
    world.scale(NOON, world.hours, clicks=0.0, events=0.0, site="cedar-003")
    book = book_of(world)
    book.explain([Explained(({"site": "cedar-003"},), world.at(NOON), world.at(NOON + 20))])
    assert watch(book, world, NOON, NOON + 12) == {}


def test_junk_clicks_are_a_note_with_their_site_and_never_an_alarm():
    world = World(days=32, seed=46, sites=5)
    world.scale(NOON, NOON + 4, clicks=8, site="aurora-002", geo="DE")
    book = book_of(world)
    assert book.tick(world.at(NOON - 1)).junk == ()
    tick = book.tick(world.at(NOON + 4))
    (note,) = tick.junk
    assert (note.slice, note.team) == ({"site": "aurora-002", "geo": "DE"}, "aurora")
    assert note.clicks > 5 * note.usual
    assert tick.alarms == ()


def test_a_rush_of_people_who_register_is_no_junk():
    world = World(days=32, seed=47, sites=5)
    cells = np.ix_(world.inside(site="aurora-002"), np.arange(NOON, NOON + 4))
    for figures in (world.clicks, world.regs, world.ftd, world.revenue):
        figures[cells] *= 8
    assert book_of(world).tick(world.at(NOON + 4)).junk == ()


def test_what_holidays_do_is_learned_from_those_that_were_and_believed_of_the_next():
    world = World(days=34, seed=48, sites=5)
    for day in (10, 17, 25):
        world.scale(day * DAY, (day + 1) * DAY, clicks=0.5, events=0.5, geo="NO")
    calendar = Calendar(tuple(event(world, day) for day in (10, 17, 25, 32)), with_holidays=False)
    learned, unaware = book_of(world, calendar), book_of(world)
    for book in (learned, unaware):
        book.tick(world.at(31 * DAY))
    holiday, usual = ({"geo": geo} for geo in ("NO", "DE"))
    noon = world.at(32 * DAY + 12)
    share = learned.expected_per_hour(holiday, noon) / unaware.expected_per_hour(holiday, noon)
    assert 0.45 <= share <= 0.7
    assert learned.expected_per_hour(usual, noon) == unaware.expected_per_hour(usual, noon)
    (line,) = (one for one in learned._effects if one.geo == "NO")
    assert (line.kind, line.days) == (EventKind.HOLIDAY, 3)


def test_an_event_of_a_kind_that_never_was_only_widens_the_interval():
    world = World(days=34, seed=49, sites=5)
    calendar = Calendar((event(world, 32, EventKind.PROMOTION, ""),), with_holidays=False)
    aware, unaware = book_of(world, calendar), book_of(world)
    for hour in (32 * DAY, 32 * DAY + 12):
        for book in (aware, unaware):
            book.tick(world.at(hour))
    losses = [
        book.loss({"partner": "P07"}, world.at(32 * DAY), world.at(32 * DAY + 12), basis="calendar")
        for book in (aware, unaware)
    ]
    assert losses[0].lost == pytest.approx(losses[1].lost)
    widths = [float(one.lost_hi - one.lost_lo) for one in losses]
    assert widths[0] > 1.15 * widths[1] > 0


def test_what_happens_every_week_is_in_the_usual_week_already():
    world = World(days=34, seed=50, sites=5)
    calendar = Calendar(
        tuple(event(world, day, EventKind.SPORT, "") for day in (4, 11, 18, 25, 32)), with_holidays=False
    )
    aware, unaware = book_of(world, calendar), book_of(world)
    for book in (aware, unaware):
        book.tick(world.at(31 * DAY))
    noon = world.at(32 * DAY + 12)
    assert aware.expected_per_hour({}, noon) == pytest.approx(unaware.expected_per_hour({}, noon), rel=1e-6)


def test_a_book_that_remembers_goes_on_with_the_same_alarm_about_clicks():
    world = World(days=32, seed=41, sites=5)
    world.scale(NOON, world.hours, clicks=0.0, events=0.0, site="cedar-003")
    calendar = Calendar((event(world, 10),))
    straight, first, second = (book_of(world, calendar) for _ in range(3))
    for hour in range(NOON - 2, NOON + 9):
        straight.tick(world.at(hour))
        first.tick(world.at(hour))
    assert second.remember(first.memory()) == ""
    for hour in range(NOON + 9, NOON + 12):
        told = [book.tick(world.at(hour)) for book in (straight, second)]
        assert told[0].alarms == told[1].alarms
    assert any(alarm.channel == "clicks" for alarm in told[0].alarms)
