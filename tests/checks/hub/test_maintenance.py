"""Windows in which failures are expected: when they are open, whom they cover, and what an observation in one is worth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.hub.board import Board
from checks.hub.maintenance import Windows, covers, ends_at
from checks.incidents.lifecycle import advance
from data.config.settings import Maintenance
from data.model.cause import cause, state_of
from data.model.ids import PartnerId, TargetId, TeamId
from data.model.observation import Observation
from data.model.state import State
from data.model.target import Target, TargetKind

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)  # a Monday


def weekly(at, length_h, days=tuple(range(7)), zone="UTC"):
    return Maintenance("rack", team="a", weekdays=days, at=at, length_s=length_h * 3600.0, timezone=zone)


ONCE = Maintenance("rack", team="a", start=NOON, end=NOON + timedelta(hours=2))


@pytest.mark.parametrize(
    ("window", "now", "end"),
    [
        (ONCE, "2026-01-05T11:59:59", None),
        (ONCE, "2026-01-05T12:00:00", "2026-01-05T14:00:00"),
        (ONCE, "2026-01-05T14:00:00", None),
        (weekly("23:00", 2), "2026-01-05T22:59:59", None),
        (weekly("23:00", 2), "2026-01-06T00:30:00", "2026-01-06T01:00:00"),
        (weekly("23:00", 2, (0,)), "2026-01-06T00:30:00", "2026-01-06T01:00:00"),
        (weekly("23:00", 2, (1,)), "2026-01-06T00:30:00", None),
        (weekly("02:00", 30, (6,)), "2026-01-05T07:59:59", "2026-01-05T08:00:00"),
        (weekly("12:00", 168, (0,)), "2026-01-05T11:59:59", "2026-01-05T12:00:00"),
        (weekly("02:30", 1, zone="Europe/Berlin"), "2026-01-05T01:30:00", "2026-01-05T02:30:00"),
        (weekly("02:30", 1, zone="Europe/Berlin"), "2026-07-06T00:30:00", "2026-07-06T01:30:00"),
        # the night of 29 March has no 02:30 in Berlin, that of 25 October has two: the first one counts, once
        (weekly("02:30", 1, zone="Europe/Berlin"), "2026-03-29T01:30:00", "2026-03-29T02:30:00"),
        (weekly("02:30", 1, zone="Europe/Berlin"), "2026-10-25T00:30:00", "2026-10-25T01:30:00"),
        (weekly("02:30", 1, zone="Europe/Berlin"), "2026-10-25T01:30:00", None),
        (weekly("01:00", 4, zone="Europe/Berlin"), "2026-10-25T02:59:59", "2026-10-25T03:00:00"),
        (weekly("22:00", 4, (0,), "America/New_York"), "2026-01-06T03:00:00", "2026-01-06T07:00:00"),
        (Maintenance("rack", team="a"), "2026-01-05T12:00:00", None),
    ],
)
def test_a_window_is_open_from_its_beginning_until_its_end(window, now, end):
    told = ends_at(window, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert told == (datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None)


@given(
    st.integers(0, 365 * 86_400).map(lambda second: NOON + timedelta(seconds=second)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.integers(0, 23), st.integers(1, 167),
)  # fmt: skip
def test_a_weekly_window_is_open_for_its_length_exactly(now, zone, hour, length_h):
    window = weekly(f"{hour:02}:15", length_h, (now.astimezone(ZoneInfo(zone)).weekday(),), zone)
    end = ends_at(window, now)
    if end is None:
        return
    begin = end - timedelta(hours=length_h)
    assert begin <= now < end
    assert ends_at(window, begin) is not None
    assert ends_at(window, begin - timedelta(seconds=1)) is None or length_h >= 167


def target(name="kiel", kind=TargetKind.SITE, **fields):
    return Target(TargetId(f"{kind}:{name}"), kind, TeamId("a"), name, **fields)


@pytest.mark.parametrize(
    ("asked", "covered"),
    [
        ({"team": "a"}, True),
        ({"team": "b"}, False),
        ({"site": "kiel"}, True),
        ({"site": "oslo"}, False),
        ({"partner": "P01"}, False),
        ({"team": "a", "site": "oslo"}, False),
        ({"targets": ("site:kiel",)}, True),
        ({"targets": ("site:ki*",)}, True),
        ({"targets": ("link:*", "site:o*")}, False),
        ({"team": "b", "targets": ("site:kiel",)}, False),
        ({}, False),
    ],
)
def test_every_field_a_window_gives_must_match(asked, covered):
    assert covers(Maintenance("rack", **asked), target()) is covered


def test_a_window_of_a_site_or_partner_covers_its_links():
    link = target("l1", TargetKind.LINK, site="kiel", partner=PartnerId("P01"))
    assert covers(Maintenance("rack", site="kiel"), link)
    assert covers(Maintenance("rack", partner="P01"), link)


@pytest.fixture
def house():
    board = Board()
    board.put_target(target())
    return Windows(board, lambda: (ONCE,)), board


def seen(name, minutes, detail="seen"):
    why = cause(name) if name else ""
    at = NOON + timedelta(minutes=minutes)
    state = state_of(why) if name else State.OK
    return Observation(TargetId("site:kiel"), TeamId("a"), TargetKind.SITE, at, state, why, detail)


def live(house, *observations):
    """The life of the target; gives its states and whether a finding was opened or closed."""
    windows, board = house
    told = []
    for one in observations:
        step = advance(board.states[one.target], windows.rewrite(one), target=board.targets[one.target])
        board.put_state(step.state)
        told.append((step.state.state, bool(step.opened), bool(step.closed)))
    return told


def test_what_fails_in_a_window_is_paused_and_opens_nothing(house):
    told = live(house, seen("", -5), seen("http.5xx", 1), seen("http.5xx", 2), seen("http.5xx", 3))
    assert told[1:] == [(State.PAUSED, False, False)] * 3
    state = house[1].states[TargetId("site:kiel")]
    assert state.detail == "maintenance until 14:00Z: rack; seen: seen"
    assert state.evidence["seen"] == "http.5xx"


def test_good_news_stays_good_in_a_window(house):
    assert live(house, seen("http.5xx", 1), seen("", 2)) == [(State.PAUSED, False, False), (State.OK, False, False)]


def test_after_the_window_a_failure_opens_as_always(house):
    told = live(house, seen("http.5xx", 1), seen("http.5xx", 119), seen("http.5xx", 121), seen("http.5xx", 122))
    assert told == [
        (State.PAUSED, False, False), (State.PAUSED, False, False), (State.PAUSED, False, False), (State.FAILING, True, False),
    ]  # fmt: skip


def test_a_finding_that_was_open_before_stays_open_and_may_close(house):
    before = [seen("http.5xx", -2), seen("http.5xx", -1)]
    told = live(house, *before, seen("http.5xx", 1), *(seen("", minute) for minute in (2, 3, 4)))
    assert [opened for _, opened, _ in told] == [False, True, False, False, False, False]
    assert told[2][0] is State.FAILING
    assert told[-1] == (State.OK, False, True)


def test_a_degraded_target_gets_no_worse_in_a_window_and_keeps_its_finding(house):
    told = live(house, seen("tls.expiring", -2), seen("tls.expiring", -1), seen("http.5xx", 1), seen("http.5xx", 2))
    assert told[1:] == [(State.DEGRADED, True, False), (State.DEGRADED, False, False), (State.DEGRADED, False, False)]


def test_a_target_outside_of_the_window_is_as_it_is(house):
    windows, board = house
    board.put_target(Target(TargetId("site:oslo"), TargetKind.SITE, TeamId("b"), "oslo"))
    failing = Observation(TargetId("site:oslo"), TeamId("b"), TargetKind.SITE, NOON, State.FAILING, cause("http.5xx"))
    assert windows.rewrite(failing) is failing
    assert windows.count(NOON) == 1
    assert windows.count(NOON - timedelta(hours=1)) == 0


def test_the_longest_window_is_told_where_several_are_open():
    board = Board()
    board.put_target(target())
    longer = Maintenance("move", site="kiel", start=NOON, end=NOON + timedelta(days=1, hours=3))
    windows = Windows(board, lambda: (ONCE, longer))
    assert windows.note(target(), NOON) == "maintenance until 06 Jan 15:00Z: move: failures open nothing"
    assert windows.note(target(), NOON - timedelta(hours=1)) == ""
