from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks.demo.partners import BY_ID as PARTNER
from checks.demo.reporting import report_at
from checks.demo.script import EVENTS, Script
from data.model.cause import CAUSES

DAY = datetime(2026, 11, 17, 6, tzinfo=UTC)
SCRIPT = Script(DAY)


def at(hour, minute=0):
    return DAY.replace(hour=hour, minute=minute)


@pytest.mark.parametrize(
    ("event", "before", "during", "after"),
    [
        ("F1", at(6, 9), at(6, 10), at(9, 40)),
        ("F2", at(7, 39), at(7, 40), at(9, 10)),
        ("F9", at(15, 4), at(15, 5), at(17, 0)),
        ("F10", at(15, 59), at(16, 0), at(18, 0)),
        ("F11", at(16, 44), at(16, 45), at(22, 30)),
        ("F13", at(18, 19), at(18, 20), at(19, 50)),
        ("F14", at(19, 9), at(19, 10), at(20, 40)),
        ("F3", at(8, 29), at(8, 30), at(11, 0)),
        ("F4", at(9, 14), at(9, 15), at(10, 5)),
        ("F5", at(11, 19), at(14, 29), at(14, 30)),
        ("F6", at(11, 59), at(12, 0), at(14, 0)),
        ("F7", at(13, 9), at(13, 10), at(13, 40)),
        ("F12", at(17, 29), at(17, 30), at(18, 50)),
    ],
)
def test_a_failure_is_on_from_its_start_until_its_end(event, before, during, after):
    assert [SCRIPT.active(event, when) for when in (before, during, after)] == [False, True, False]


def test_a_failure_happens_once_and_not_on_the_next_day():
    assert not any(event.active(DAY, event.began(DAY) + timedelta(days=1)) for event in EVENTS)


def test_every_failure_expects_causes_that_exist_and_every_decoy_none():
    for event in EVENTS:
        assert bool(event.expected_causes) == (event.kind == "failure")
        assert set(event.expected_causes) <= CAUSES.keys()


@pytest.mark.parametrize(
    ("partner", "hour", "expected"),
    [
        ("P01", at(7), at(8, 20)),
        ("P02", at(7), at(11)),
        ("P05", at(7), at(6) + timedelta(days=1)),
        ("P05", at(6) - timedelta(hours=8), at(6)),
        ("P05", at(6) - timedelta(hours=7), at(6) + timedelta(days=1)),
        ("P04", at(6) - timedelta(hours=7), at(11)),
        ("P04", at(6) - timedelta(hours=31), at(6) - timedelta(days=1)),
        ("P04", at(12), at(6) + timedelta(days=1)),
        ("P10", at(10), at(12)),
        ("P10", at(11, 30), at(13, 40)),
        ("P10", at(12), at(14)),
    ],
)
def test_a_report_arrives_after_its_lag_unless_the_script_holds_it_back(partner, hour, expected):
    assert report_at(PARTNER[partner], hour, SCRIPT) == expected
