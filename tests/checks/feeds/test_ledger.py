"""Figures of closed days that moved: which, by how much, and what to call it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds.ledger import gone, restatements
from checks.feeds.preset import load
from data.config.settings import Feed
from data.model.delivery import RestatedAs
from data.model.fact import PartnerStat

PRESET = load("smartico")
FEED = Feed("zef", "cedar", "P06", "smartico", "http://127.0.0.1")
NOW = datetime(2026, 11, 17, 21, tzinfo=UTC)
LAST_GOOD = NOW - timedelta(minutes=15)
DAY = date(2026, 11, 14)


def stat(day=DAY, payload="h1", dims=None, **measures):
    figures = {name: None if value is None else Decimal(str(value)) for name, value in measures.items()}
    return PartnerStat("zef", "cedar", "P06", day, dims or {"tracker": "a"}, figures, "BRL", NOW, payload=payload)


def moved(known, fresh, last_good=LAST_GOOD):
    return restatements(FEED, PRESET, None, known, fresh, last_good, NOW)


def kinds(found):
    return {(entry.measure, entry.kind) for entry in found}


def test_a_claw_back_is_told_with_what_was_what_is_and_from_which_bodies():
    days = [DAY - timedelta(days=back) for back in range(3)]
    was = [stat(day, ftd_count=104, ngr=19760) for day in days]
    now = [stat(day, "h2", ftd_count=95, ngr=17880) for day in days]
    found = moved(was, now)
    assert kinds(found) == {("ftd_count", RestatedAs.CLAW_BACK), ("ngr", RestatedAs.CLAW_BACK)}
    entry = next(entry for entry in found if entry.measure == "ngr" and entry.day == DAY)
    assert (entry.was, entry.now, entry.delta, entry.rows) == (Decimal(19760), Decimal(17880), Decimal(-1880), 1)
    assert (entry.payload_was, entry.payload_now, entry.age_days) == ("h1", "h2", 2)


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        ({"ngr": 1000}, {"ngr": 1040}, RestatedAs.LATE_DATA),
        ({"ngr": 1000}, {"ngr": 990}, RestatedAs.CORRECTION),
        ({"ngr": 1000}, {"ngr": 700}, RestatedAs.CLAW_BACK),
        ({"ngr": 1000}, {"ngr": 100000}, RestatedAs.UNIT_CHANGE),
        ({"ngr": 1000}, {"ngr": 10}, RestatedAs.UNIT_CHANGE),
        ({"ftd_count": 100}, {"ftd_count": 60}, RestatedAs.CLAW_BACK),
        ({"ftd_count": 10}, {"ftd_count": 9}, RestatedAs.CORRECTION),
    ],
)
def test_a_change_is_called_by_what_it_is(was, now, kind):
    assert kinds(moved([stat(**was)], [stat(**now)])) == {(next(iter(was)), kind)}


def test_what_falls_with_a_claw_back_is_part_of_it_and_what_rises_is_not():
    other = DAY - timedelta(days=1)
    was = [stat(ftd_count=35, ngr=6590, clicks=400), stat(other, ftd_count=35)]
    now = [stat(ftd_count=32, ngr=5960, clicks=401), stat(other, ftd_count=34)]
    found = {(entry.day, entry.measure): entry.kind for entry in moved(was, now)}
    assert found[DAY, "ftd_count"] is found[DAY, "ngr"] is RestatedAs.CLAW_BACK
    assert found[DAY, "clicks"] is not RestatedAs.CLAW_BACK
    assert found[other, "ftd_count"] is RestatedAs.CORRECTION


def test_a_figure_that_rises_on_an_old_day_is_a_correction():
    old = DAY - timedelta(days=20)
    assert kinds(moved([stat(old, ngr=1000)], [stat(old, ngr=1040)])) == {("ngr", RestatedAs.CORRECTION)}


def test_rows_that_are_no_longer_delivered_are_a_deletion_and_leave_a_tombstone():
    known = [stat(ngr=100), stat(dims={"tracker": "b"}, ngr=40)]
    fresh = (stat(payload="h2", ngr=100),)
    stones = gone(known, fresh, DAY, DAY)
    assert [(stone.dims, stone.measures, stone.payload) for stone in stones] == [({"tracker": "b"}, {}, "h2")]
    assert kinds(moved(known, (*fresh, *stones))) == {("ngr", RestatedAs.DELETION)}


def test_a_definition_changed_when_one_measure_moved_by_one_share_on_many_days_and_nothing_else_did():
    days = [DAY - timedelta(days=back) for back in range(6)]
    was = [stat(day, ngr=1000 + back, clicks=50) for back, day in enumerate(days)]
    now = [replace(one, measures={**one.measures, "ngr": one.measures["ngr"] * Decimal("0.9")}) for one in was]
    assert kinds(moved(was, now)) == {("ngr", RestatedAs.DEFINITION_CHANGE)}


def test_a_day_that_was_not_over_when_last_read_only_grows():
    today, yesterday = NOW.date(), NOW.date() - timedelta(days=1)
    at_midnight = datetime(2026, 11, 17, 0, 5, tzinfo=UTC)
    assert moved([stat(today, ngr=10)], [stat(today, ngr=30)]) == ()
    assert moved([stat(yesterday, ngr=10)], [stat(yesterday, ngr=30)], at_midnight) == ()
    assert kinds(moved([stat(yesterday, ngr=10)], [stat(yesterday, ngr=30)])) == {("ngr", RestatedAs.LATE_DATA)}


def test_nothing_is_restated_before_anything_was_read():
    assert moved([stat(ngr=10)], [stat(ngr=30)], None) == ()


def test_null_and_not_delivered_are_no_restatement():
    assert moved([stat(ngr=10)], [stat(ngr=None)]) == ()
    assert moved([stat(ngr=10)], [stat(clicks=4)]) == ()
    assert moved([stat(ngr=None)], [stat(ngr=10)]) == ()


FIGURES = st.dictionaries(
    st.sampled_from("abcdef"), st.decimals(min_value=-(10**6), max_value=10**6, places=2), min_size=1
)


@given(FIGURES, FIGURES)
def test_the_entries_of_a_day_account_for_its_whole_change(was, now):
    known = [stat(dims={"tracker": name}, ngr=value) for name, value in was.items()]
    fresh = tuple(stat(dims={"tracker": name}, payload="h2", ngr=value) for name, value in now.items())
    found = moved(known, (*fresh, *gone(known, fresh, DAY, DAY)))
    assert sum(entry.delta for entry in found) == sum(now.values()) - sum(was.values())


def test_a_report_in_which_every_row_has_a_currency_of_its_own_is_told_apart_in_no_time():
    was = [replace(stat(ngr=100), currency=f"x{n}") for n in range(12_000)]
    now = [replace(stat(payload="h2", ngr=90), currency=f"x{n}") for n in range(12_000)]
    began = time.process_time()
    assert {entry.kind for entry in moved(was, now)} == {RestatedAs.CLAW_BACK}
    assert time.process_time() - began < 10
