"""The calendar: what its files may say, what is told of their mistakes, and whose holidays are known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.config.calendar import Calendar, calendar_changes, read_calendar
from data.config.problems import ConfigErrors, Problems
from data.config.watch import stamps
from data.model.calendar import CalendarEvent, EventKind
from tests.data.config.conftest import BASE

HEAD = "start,end,kind,name,geo,partner\n"
ICS = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{}END:VCALENDAR\r\n"
EVENT = "BEGIN:VEVENT\r\nSUMMARY:{}\r\n{}END:VEVENT\r\n"


def at(day, hour=0, minute=0, month=11):
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def read(tmp_path):
    """Events of a text, and what is wrong with it, one sentence a line."""

    def events(text, name="calendar.csv"):
        path, problems = tmp_path / name, Problems()
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        found = read_calendar(path, "Europe/Malta", ("P01", "P02"), problems)
        try:
            problems.raise_any()
        except ConfigErrors as errors:
            return found, [line.removeprefix(f"{tmp_path}/") for line in str(errors).splitlines()]
        return found, []

    return events


def ics(*events):
    return ICS.format("".join(events))


def test_a_day_lasts_from_midnight_to_midnight_where_it_is_held(read):
    (one,), complaints = read(f"{HEAD}2026-11-17,,holiday,Harvest,NO,\n")
    assert not complaints
    assert one == CalendarEvent(at(16, 23), at(17, 23), EventKind.HOLIDAY, "Harvest", "NO")


def test_the_last_day_of_several_is_part_of_the_event(read):
    (one,), _ = read(f"{HEAD}2026-11-17,2026-11-19,promotion,Reload,,P01\n")
    assert (one.start, one.end, one.partner) == (at(16, 23), at(19, 23), "P01")


@pytest.mark.parametrize(
    ("cells", "start", "end"),
    [
        ("2026-11-17T20:45,,sport,Derby,NO,", at(17, 19, 45), at(17, 22, 45)),
        ("2026-11-17T20:45,2026-11-17T23:00,sport,Derby,JP,", at(17, 11, 45), at(17, 14)),
        ("2026-11-17T20:45Z,2026-11-17 22:00Z,sport,Derby,JP,", at(17, 20, 45), at(17, 22)),
        ("2026-11-17T20:45-03:00,,sport,Derby,,", at(17, 23, 45), at(18, 2, 45)),
        ("2026-10-25,,sport,The day of 25 hours,DE,", at(24, 22, month=10), at(25, 23, month=10)),
    ],
)
def test_times_are_those_of_the_country_unless_they_say_whose(read, cells, start, end):
    (one,), complaints = read(f"{HEAD}{cells}\n")
    assert (one.start, one.end, complaints) == (start, end, [])


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("2026-11-17,,sprot,Derby,,", "2: kind is not known (got 'sprot'; allowed: holiday, promotion, sport; did you mean 'sport'?)"),
        ("17.11.2026,,sport,Derby,,", "2: start is no day and no time (got '17.11.2026'; allowed: a day such as 2026-11-17"),
        (",,sport,Derby,,", "2: start is empty"),
        ("2026-11-17,2026-11-16,sport,Derby,,", "2: end is not after the start (got '2026-11-16')"),
        ("2026-11-17T20:00,2026-11-17T19:00,sport,Derby,,", "2: end is not after the start"),
        ("2026-01-01,2026-12-31,sport,Season,,", "2: is too long to be one event (got '365 days'; allowed: up to 93)"),
        ("2026-11-17,,sport,,,", "2: name is empty"),
        ("2026-11-17,,sport,Derby,Germany,", "2: geo is no country (got 'Germany'"),
        ("2026-11-17,,sport,Derby,,P03", "2: partner is not known (got 'P03'; allowed: P01, P02; did you mean 'P02'?)"),
        ("1815-06-18,,sport,Derby,,", "2: start is far away (got '1815-06-18'; allowed: 1971 to 2099)"),
        ("2026-11-17,sport,Derby", "2: row has 3 cells, the header 6"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_what_is_allowed(read, cells, words):
    found, complaints = read(f"{HEAD}{cells}\n")
    assert found == ()
    assert complaints[0].startswith(f"calendar.csv:{words}")


def test_every_mistake_of_a_file_is_told_at_once(read):
    _, complaints = read(f"{HEAD}x,y,z,,Mars,P9\n2026-11-17,,sport,Good,,\nagain,,sport,Derby,,\n")
    assert len(complaints) == 7
    assert complaints[-1].startswith("calendar.csv:4:")


def test_an_unknown_column_is_told_with_the_nearest_known_one(read):
    _, complaints = read("start,kind,name,country\n2026-11-17,sport,Derby,DE\n")
    assert "unknown column (got 'country'" in complaints[0]


def test_a_name_from_outside_cannot_reach_the_terminal_with_its_escapes(read):
    (one,), _ = read(f"{HEAD}2026-11-17,,sport,\x1b[2JDer\u202eby,,\n")
    assert "\x1b" not in one.name
    assert "\u202e" not in one.name


def test_an_exported_calendar_says_what_when_where_and_whose(read):
    text = ics(
        EVENT.format("Derby", "DTSTART:20261117T194500Z\r\nDTEND:20261117T220000Z\r\nCATEGORIES:Sport,PL\r\n"),
        EVENT.format("Reload", "DTSTART;VALUE=DATE:20261118\r\nDTEND;VALUE=DATE:20261120\r\nCATEGORIES:promotion,P01\r\n"),
        EVENT.format("Friendly", "DTSTART;TZID=Europe/Oslo:20261119T180000\r\nDURATION:PT2H\r\n"),
        EVENT.format("Off", "DTSTART:20261119T180000Z\r\nSTATUS:CANCELLED\r\n"),
    )  # fmt: skip
    found, complaints = read(text, "fixtures.ics")
    assert complaints == []
    assert found == (
        CalendarEvent(at(17, 19, 45), at(17, 22), EventKind.SPORT, "Derby", "PL"),
        CalendarEvent(at(17, 23), at(19, 23), EventKind.PROMOTION, "Reload", "", "P01"),
        CalendarEvent(at(19, 17), at(19, 19), EventKind.SPORT, "Friendly"),
    )


def test_an_event_that_repeats_takes_place_as_often_as_its_rule_says(read):
    weekly = "DTSTART:20261103T190000Z\r\nRRULE:FREQ=WEEKLY;UNTIL=20261124\r\nEXDATE:20261117T190000Z\r\n"
    found, complaints = read(ics(EVENT.format("League", weekly)), "fixtures.ics")
    assert [one.start for one in found] == [at(3, 19), at(10, 19), at(24, 19)]
    assert complaints == []


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2;COUNT=9"]
)
def test_a_rule_without_end_is_followed_for_so_many_times(read, rule):
    found, _ = read(ics(EVENT.format("Forever", f"DTSTART:20261103T190000Z\r\nRRULE:{rule}\r\n")), "f.ics")
    assert len(found) in {0, 400}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ics(EVENT.format("", "DTSTART:20261117T194500Z\r\n")), "f.ics:4: event has no SUMMARY"),
        (ics(EVENT.format("Derby", "")), "f.ics:4: event has no start"),
        (ics(EVENT.format("Derby", "DTSTART:20261117T19\r\n")), "f.ics:4: event "),
        (ics(EVENT.format("Derby", "DTSTART;VALUE=DATE:20261117\r\nDTEND:20261118T100000Z\r\n")), "f.ics:4: event starts with a day"),
        (ics(EVENT.format("Derby", "DTSTART:20261117T194500Z\r\nRRULE:FREQ=SECONDLY\r\n")), "f.ics:4: event repeats in a way that is not read"),
        (ics(EVENT.format("Derby", "DTSTART:20261117T194500Z\r\nRRULE:FREQ=WEEKLY;COUNT=x\r\n")), "f.ics:4: event cannot be read"),
        (ics(EVENT.format("Derby", "DTSTART:20261117T194500Z\r\nCATEGORIES:DE,PL\r\n")), "f.ics:4: event names several countries"),
        ("start,end\n", "f.ics: is no calendar"),
        ("", "f.ics: is no calendar"),
        (b"\xff\xfeB", "f.ics:1: is UTF-16"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_an_exported_calendar_is_told_with_its_line(read, text, words):
    found, complaints = read(text, "f.ics")
    assert found == ()
    assert complaints[0].startswith(words)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(["BEGIN:VEVENT", "END:VEVENT", "BEGIN:VCALENDAR", "END:VCALENDAR", "DTSTART:20261117", "RRULE:FREQ=DAILY", "SUMMARY:x", "DURATION:-P9W", "DTEND:99991231", "EXDATE:1", "CATEGORIES:,", "DTSTART;TZID=No/Where:20261117T100000"])
        | st.text(max_size=30)
    )
)  # fmt: skip
def test_no_file_is_bad_enough_to_raise_anything_but_problems(read, lines):
    read("\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR"]), "f.ics")
    read("\n".join([HEAD.strip(), *lines]))


def test_public_holidays_are_known_for_each_country_and_those_of_a_part_where_they_are_asked_for():
    day = at(17, month=8)  # Civic Holiday is the first Monday of August, in Ontario as a day off by custom only
    year = (day - timedelta(days=229), day + timedelta(days=136))
    plain, with_ontario = Calendar(), Calendar(regions=("CA-ON",))
    names = {one.name for one in with_ontario.events(*year, "CA")}
    assert "Family Day" in names
    assert "Family Day" not in {one.name for one in plain.events(*year, "CA")}
    assert "Family Day" in {one.name for one in plain.events(*year, "CA-ON")}
    assert "Family Day" not in {one.name for one in with_ontario.events(*year, "CA-QC")}


def test_a_holiday_is_a_day_of_the_countrys_own_clock():
    (one,) = (one for one in Calendar().events(at(1, month=5), at(2, month=5), "NO") if one.name == "Labor Day")
    assert (one.start, one.end) == (at(30, 22, month=4), at(1, 22, month=5))


@pytest.mark.parametrize("geo", ["XX", "", "ZZ-9", "germany", "\x00\x00"])
def test_a_geo_that_is_no_country_has_no_public_holidays(geo):
    assert Calendar().events(at(1), at(30), geo) == ()


def test_an_event_concerns_its_own_country_its_parts_and_everybody_when_it_names_none():
    dated = tuple(
        CalendarEvent(at(17), at(18), EventKind.SPORT, geo or "all", geo) for geo in ("", "CA", "CA-ON", "UK")
    )
    calendar = Calendar(dated, with_holidays=False)
    assert [one.name for one in calendar.events(at(1), at(30), "CA")] == ["CA", "CA-ON", "all"]
    assert [one.name for one in calendar.events(at(1), at(30), "CA-ON")] == ["CA", "CA-ON", "all"]
    assert [one.name for one in calendar.events(at(1), at(30), "CA-QC")] == ["CA", "all"]
    assert [one.name for one in calendar.events(at(1), at(30), "GB")] == ["UK", "all"]
    assert calendar.events(at(18), at(30), "CA") == ()


def test_an_own_holiday_replaces_the_public_one_of_that_day():
    own = CalendarEvent(at(30, 22, month=4), at(1, 22, month=5), EventKind.HOLIDAY, "Ours", "NO")
    assert [one.name for one in Calendar((own,)).events(at(1, month=5), at(1, 12, month=5), "NO")] == ["Ours"]


def test_the_company_names_its_calendar_and_a_change_is_shown_by_what_is_new_and_gone(company):
    company.toml(f'[company]\ncalendar = "calendar.csv"\nregions = ["CA-ON"]\n{BASE}')
    path = company.home.config / "calendar.csv"
    path.write_text(f"{HEAD}2026-11-17,,sport,Derby,,P01\n")
    before = company.load()
    assert [one.name for one in before.calendar.dated] == ["Derby"]
    assert str(path) in {name for name, _, _ in stamps(company.home, before)}
    path.write_text(f"{HEAD}2026-11-18,,sport,Final,,\n2026-11-19,,promotion,Reload,,\n")
    lines = calendar_changes(before.calendar, company.load().calendar)
    assert lines == (
        "+ calendar new: 1 sport, 1 promotion (Final 11-18, Reload 11-19)",
        "− calendar gone: 1 sport (Derby 11-17)",
    )


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('calendar = "none.csv"', "none.csv: cannot be read: no such file or directory"),
        ('calendar = "../.."', "cannot be read|is a directory"),
        ("calendar = 7", "losswatch.toml:2: company.calendar is a number"),
        ('regions = ["CA-ZZ"]', "losswatch.toml:2: company.regions is no part of CA whose holidays are known (got 'CA-ZZ')"),
        ('holidays = "no"', "losswatch.toml:2: company.holidays is a text"),
        ('chance_alarm = "1h"', "losswatch.toml:2: company.chance_alarm is too short"),
    ],
)  # fmt: skip
def test_a_calendar_that_cannot_be_used_is_told(company, table, words):
    company.toml(f"[company]\n{table}\n{BASE}")
    told = company.complaints()[0]
    assert any(word in told for word in words.split("|")), told
