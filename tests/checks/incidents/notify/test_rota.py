"""Who is on call: turns, layers, overrides, hand-overs on nights when the clocks change, and whose night it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.incidents.notify.rota import changed_at, changes_at, on_call, quiet_until
from data.config.notifying import Layer, Override, Person, Rota

MONDAY = date(2026, 1, 5)
WEEKLY = Layer(("ana", "ben", "cid"), MONDAY, time(9))
DAILY = Layer(("ana", "ben"), MONDAY, time(9), 1)
NIGHTS = Layer(("nox",), MONDAY, time(0), hours=(time(18), time(8)))
WEEKENDS = Layer(("sam",), MONDAY, time(0), weekdays=(5, 6))
FRIDAY_NIGHT = Layer(("fri",), MONDAY, time(0), hours=(time(22), time(6)), weekdays=(4,))
SWAP = Override("lea", datetime(2026, 1, 6, tzinfo=UTC), datetime(2026, 1, 7, tzinfo=UTC), "swap")
LATER = Override("dan", datetime(2026, 1, 6, 12, tzinfo=UTC), datetime(2026, 1, 6, 13, tzinfo=UTC))


def rota(*layers, zone="Europe/Berlin", overrides=()):
    return Rota("devs", zone, layers, tuple(overrides))


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("made", "now", "person"),
    [
        (rota(WEEKLY), "2026-01-05T07:59:59", None),
        (rota(WEEKLY), "2026-01-05T08:00:00", "ana"),
        (rota(WEEKLY), "2026-01-12T07:59:59", "ana"),
        (rota(WEEKLY), "2026-01-12T08:00:00", "ben"),
        (rota(WEEKLY), "2026-01-26T08:00:00", "ana"),
        # in summer 09:00 in Berlin is an hour earlier
        (rota(WEEKLY), "2026-07-06T06:59:59", "ben"),
        (rota(WEEKLY), "2026-07-06T07:00:00", "cid"),
        (rota(DAILY), "2026-01-06T07:00:00", "ana"),
        (rota(DAILY), "2026-01-06T08:00:00", "ben"),
        # a hand-over at 02:30 on the night without one, and on the night with two
        (rota(Layer(("ana", "ben"), date(2026, 3, 28), time(2, 30), 1)), "2026-03-29T01:29:59", "ana"),
        (rota(Layer(("ana", "ben"), date(2026, 3, 28), time(2, 30), 1)), "2026-03-29T01:30:00", "ben"),
        (rota(Layer(("ana", "ben"), date(2026, 10, 24), time(2, 30), 1)), "2026-10-25T00:29:59", "ana"),
        (rota(Layer(("ana", "ben"), date(2026, 10, 24), time(2, 30), 1)), "2026-10-25T01:30:00", "ben"),
        # the last layer that has somebody wins
        (rota(WEEKLY, NIGHTS), "2026-01-06T12:00:00", "ana"),
        (rota(WEEKLY, NIGHTS), "2026-01-06T17:00:00", "nox"),
        (rota(WEEKLY, NIGHTS), "2026-01-07T06:59:59", "nox"),
        (rota(WEEKLY, NIGHTS), "2026-01-07T07:00:00", "ana"),
        (rota(WEEKLY, WEEKENDS), "2026-01-09T22:59:59", "ana"),
        (rota(WEEKLY, WEEKENDS), "2026-01-09T23:00:00", "sam"),
        # a night belongs to the day on which it began
        (rota(FRIDAY_NIGHT), "2026-01-09T21:00:00", "fri"),
        (rota(FRIDAY_NIGHT), "2026-01-10T04:59:59", "fri"),
        (rota(FRIDAY_NIGHT), "2026-01-10T05:00:00", None),
        (rota(FRIDAY_NIGHT), "2026-01-09T04:00:00", None),
        (rota(WEEKLY, overrides=[SWAP]), "2026-01-05T23:59:59", "ana"),
        (rota(WEEKLY, overrides=[SWAP]), "2026-01-06T00:00:00", "lea"),
        (rota(WEEKLY, overrides=[SWAP, LATER]), "2026-01-06T12:30:00", "dan"),
        (rota(WEEKLY, overrides=[SWAP, LATER]), "2026-01-06T13:00:00", "lea"),
        (rota(WEEKLY, zone="Asia/Tokyo"), "2026-01-05T00:00:00", "ana"),
        (rota(WEEKLY, zone="America/New_York"), "2026-01-05T13:59:59", None),
    ],
)
def test_who_is_on_call(made, now, person):
    found = on_call(made, utc(now))
    assert (found.person if found else None) == person


def test_why_somebody_is_on_call_is_told():
    assert on_call(rota(WEEKLY, NIGHTS, overrides=[SWAP]), utc("2026-01-06T12:00:00")).why == "override: swap"
    assert on_call(rota(WEEKLY, NIGHTS), utc("2026-01-06T20:00:00")).why == "layer 2"


@pytest.mark.parametrize(
    ("made", "now", "since", "until"),
    [
        (rota(WEEKLY), "2026-01-14T12:00:00", "2026-01-12T08:00:00", "2026-01-19T08:00:00"),
        (rota(DAILY), "2026-01-14T12:00:00", "2026-01-14T08:00:00", "2026-01-15T08:00:00"),
        (rota(WEEKLY, NIGHTS), "2026-01-14T20:00:00", "2026-01-14T17:00:00", "2026-01-15T07:00:00"),
        (rota(WEEKLY, overrides=[SWAP]), "2026-01-06T12:00:00", "2026-01-06T00:00:00", "2026-01-07T00:00:00"),
        (rota(Layer(("ana", "ben"), MONDAY, days=60)), "2026-03-10T12:00:00", "2026-03-06T08:00:00", "2026-05-05T07:00:00"),
        # one alone has no hand-over
        (rota(Layer(("ana",), MONDAY)), "2026-03-10T12:00:00", None, None),
    ],
)  # fmt: skip
def test_since_when_and_until_when(made, now, since, until):
    assert changed_at(made, utc(now)) == (utc(since) if since else None)
    assert changes_at(made, utc(now)) == (utc(until) if until else None)


zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"])
moments = st.integers(0, 1_000_000).map(lambda minutes: datetime(2026, 1, 20, tzinfo=UTC) + timedelta(minutes=minutes))


@given(zones, moments, st.integers(1, 40), st.integers(1, 5), st.times())
def test_somebody_is_always_on_call_and_the_turn_is_what_the_calendar_says(zone, now, days, many, at):
    people = tuple(f"p{number}" for number in range(many))
    made = Rota("r", zone, (Layer(people, MONDAY, at.replace(second=0, microsecond=0), days),))
    found = on_call(made, now)
    local = now.astimezone(ZoneInfo(zone))
    calendar = (local.date() - MONDAY).days // days
    assert found.person in {people[calendar % many], people[(calendar - 1) % many]}


@given(zones, moments, st.integers(1, 20), st.times())
def test_between_two_hand_overs_it_is_one_person(zone, now, days, at):
    made = Rota("r", zone, (Layer(("a", "b", "c"), MONDAY, at.replace(second=0, microsecond=0), days),))
    since, until = changed_at(made, now), changes_at(made, now)
    assert since <= now < until
    middle = since + (until - since) / 2
    assert {on_call(made, one).person for one in (since, middle, until - timedelta(seconds=1))} == {
        on_call(made, now).person
    }
    assert on_call(made, until).person != on_call(made, now).person
    assert abs((until - since) - timedelta(days=days)) <= timedelta(hours=1)


NIGHT = Person("ana", ("x",), "Europe/Malta", quiet=(time(22), time(7)))


@pytest.mark.parametrize(
    ("person", "now", "until"),
    [
        (NIGHT, "2026-01-05T20:59:59", None),
        (NIGHT, "2026-01-05T21:00:00", "2026-01-06T06:00:00"),
        (NIGHT, "2026-01-06T05:59:59", "2026-01-06T06:00:00"),
        (NIGHT, "2026-01-06T06:00:00", None),
        # the same wall clock in summer
        (NIGHT, "2026-07-05T20:00:00", "2026-07-06T05:00:00"),
        # the night in which the clocks change is an hour shorter
        (NIGHT, "2026-03-28T21:00:00", "2026-03-29T05:00:00"),
        (Person("bea", ("x",), "UTC", quiet=(time(13), time(14))), "2026-01-05T13:30:00", "2026-01-05T14:00:00"),
        (Person("bea", ("x",), "Asia/Tokyo", quiet=(time(22), time(7))), "2026-01-05T13:30:00", "2026-01-05T22:00:00"),
        (Person("cid", ("x",)), "2026-01-05T03:00:00", None),
    ],
)
def test_a_night_is_the_person_s_own(person, now, until):
    assert quiet_until(person, utc(now)) == (utc(until) if until else None)
