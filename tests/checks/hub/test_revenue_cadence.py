"""When the revenue is looked at, on a clock that is moved by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.hub.cadence import Cadence

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def looked(minutes: float, **known: object) -> Cadence:
    return Cadence(last=at(minutes), **known)


def test_the_first_look_is_due_at_once():
    assert Cadence().due(NOON)


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        (3, 59, False),
        (3, 61, False),
        (3, 62, True),
        (61, 62, True),
        (62, 121, False),
        (-58, 1, False),
        (-59, 1, True),
        (-58, 2, True),
        (3, 600, True),
    ],
)
def test_every_hour_is_looked_at_once_two_minutes_after_its_end(last, now, due):
    assert looked(last).due(at(now)) is due


@pytest.mark.parametrize(
    ("news", "now", "due"),
    [
        ([10], 10.5, False),
        ([10], 11, True),
        ([4], 4.9, False),
        ([4], 5, False),
        ([4], 7, True),
        ([8 + part / 4 for part in range(20)], 12.9, False),
        ([8 + part / 4 for part in range(20)], 13, True),
    ],
    ids=[
        "news that may not be whole waits",
        "news that is a minute old is looked at",
        "not five minutes after the last look",
        "nor when it is younger than a minute then",
        "but from five minutes on",
        "a stream that never rests is not whole",
        "and is looked at after five minutes all the same",
    ],
)
def test_news_of_a_rich_partner_is_looked_at_within_minutes(news, now, due):
    cadence = looked(2, rich=frozenset({"P07"}))
    for minute in news:
        cadence.heard(["P01", "P07"], at(minute), report=False)
    assert cadence.due(at(now)) is due


def test_facts_of_partners_that_cannot_say_anything_for_hours_wait_for_the_hour():
    cadence = looked(2, rich=frozenset({"P07"}))
    cadence.heard(["P01"], at(10), report=False)
    assert not cadence.due(at(59))
    assert cadence.due(at(62))


def test_a_report_is_looked_at_when_it_counts_whoever_sends_it():
    cadence = looked(2)
    cadence.heard([], at(10), report=True)
    assert not cadence.due(at(14.9))
    assert cadence.due(at(15))


def test_reports_that_follow_each_other_are_looked_at_together_but_not_for_ever():
    cadence = looked(2)
    for minute in (10, 12, 14):
        cadence.heard([], at(minute), report=True)
    assert not cadence.due(at(18))
    assert cadence.due(at(19))
    cadence.heard([], at(19), report=True)
    assert cadence.due(at(20))


def test_a_report_that_does_not_count_yet_is_not_forgotten_by_the_look_of_the_hour():
    cadence = looked(2)
    cadence.heard([], at(61), report=True)
    assert cadence.due(at(62))
    cadence.begin(at(62))
    cadence.ended(at(62))
    assert not cadence.due(at(65))
    assert cadence.due(at(66))


def test_news_that_came_while_a_look_ran_is_not_forgotten():
    cadence = looked(2, rich=frozenset({"P07"}))
    cadence.heard(["P07"], at(10), report=False)
    cadence.begin(at(11))
    cadence.heard(["P07"], at(12), report=False)
    cadence.ended(at(11))
    assert not cadence.due(at(15))
    assert cadence.due(at(16))


def test_news_is_looked_at_once():
    cadence = looked(2, rich=frozenset({"P07"}))
    cadence.heard(["P07"], at(10), report=True)
    cadence.begin(at(15))
    cadence.ended(at(15))
    assert not cadence.due(at(50))


def test_two_hours_without_a_look_are_stale_and_none_at_all_is_not():
    assert not looked(0).is_stale(at(120))
    assert looked(0).is_stale(at(121))
    assert not Cadence().is_stale(at(9_999))
