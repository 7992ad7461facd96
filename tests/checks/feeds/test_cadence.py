from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from checks.feeds.adapt import adapt
from checks.feeds.backfill import begin, ended, following, resumed, stored
from checks.feeds.cadence import Band, bands, due, first_in_s, noted
from checks.feeds.memory import Memory
from checks.feeds.preset import load
from data.errors import ConfigError, UsageError
from data.model.backfill import BackfillState

from .conftest import NOW, feed

MINUTE = timedelta(minutes=1)


def day_of_pulls(given, start=NOW, minutes=24 * 60, read_at=None):
    """Days read by each pull of a day at a quarter of an hour."""
    wanted, read_at, counted = bands(given, load("affilka")), read_at or {}, Counter()
    for n in range(0, minutes, 15):
        now = start + n * MINUTE
        days = due(wanted, read_at, now)
        read_at = noted(wanted, read_at, days, now)
        counted[days] += 1
    return counted, read_at


def test_the_newest_days_are_read_each_time_a_week_hourly_and_the_rest_daily():
    counted, read_at = day_of_pulls(feed(), minutes=2 * 24 * 60)
    assert counted == {3: 145, 8: 46, 45: 1}
    assert set(read_at) == {3, 8, 45}


def test_a_new_account_is_first_judged_by_its_newest_days():
    assert due(bands(feed(), load("affilka")), {}, NOW) == 3


def test_after_a_pause_all_that_became_due_is_one_pull():
    _, read_at = day_of_pulls(feed(), minutes=60)
    assert due(bands(feed(), load("affilka")), read_at, NOW + timedelta(days=3)) == 45


def test_what_was_read_is_remembered_through_the_store():
    memory = Memory(read_at={3: NOW, 45: NOW - timedelta(hours=5)})
    assert Memory.from_bytes(memory.to_bytes()).read_at == memory.read_at


@pytest.mark.parametrize(("ago_s", "wait_s"), [(0, 900), (600, 300), (900, 0), (90_000, 0), (-60, 900)])
def test_after_a_restart_nothing_is_read_before_its_interval_is_over(ago_s, wait_s):
    assert first_in_s(feed(), {3: NOW - timedelta(seconds=ago_s)}, NOW) == wait_s
    assert first_in_s(feed(), {}, NOW) == 0


def test_an_account_says_how_far_back_and_how_often():
    preset = load("affilka")
    assert [band.days for band in bands(feed(options={"reread": "never"}), preset)] == [3]
    hour = timedelta(hours=6)
    assert bands(feed(days=2, options={"reread": "30d:6h"}), preset)[1:] == (Band(30, hour),)
    assert [band.days for band in bands(feed(days=10), preset)] == [10, 45], "a week is read anyway"
    assert [band.days for band in bands(feed(interval_s=7200.0), preset)] == [3, 45], "hourly is oftener than the feed"


@pytest.mark.parametrize("text", ["soon", "99d:1h", "8d:0h", "8d", "8d:1h,45d:1d", "0d:1h"])
def test_words_that_are_no_cadence_say_what_is_allowed(text):
    with pytest.raises(ConfigError, match="8d:1h 45d:1d"):
        adapt(load("affilka"), {"reread": text})


def test_a_backfill_walks_through_all_days_once_from_the_newest():
    preset = adapt(load("affilka"), {"max_days": "10"})
    one = begin(feed(), preset, date(2026, 9, 1), date(2026, 11, 1), "anna", NOW)
    assert one.windows == 7
    days = []
    while window := following(one, preset):
        days += [window[0] + timedelta(n) for n in range((window[1] - window[0]).days + 1)][::-1]
        one = stored(one, window, 5, held=False, now=NOW)
    assert days == [date(2026, 11, 1) - timedelta(n) for n in range(62)]
    assert (one.state, one.done, one.rows, one.share) == (BackfillState.DONE, 7, 35, 1.0)


def test_one_that_ended_early_goes_on_where_it_was_if_the_same_days_are_asked_for():
    preset = load("affilka")
    one = begin(feed(), preset, date(2026, 9, 1), date(2026, 11, 1), "anna", NOW)
    half = ended(stored(one, following(one, preset), 9, held=True, now=NOW), BackfillState.FAILED, "x\x1b[2J", NOW)
    assert (half.held, "\x1b" in half.detail) == (1, False)
    assert resumed(half, one.first, one.last)
    assert not resumed(half, one.first, date(2026, 10, 1))
    assert not resumed(ended(half, BackfillState.DONE, "", NOW), one.first, one.last)


def test_days_to_come_cannot_be_read():
    preset = adapt(load("affilka"), {})
    with pytest.raises(UsageError, match="newest day p01 may be asked for is 2026-11-17"):
        begin(feed(), preset, NOW.date(), NOW.date() + timedelta(days=1), "anna", NOW)
