from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds.clockhours import by_activity, hour_shift, latest_shift
from checks.feeds.contract import profile

from .conftest import CALM

CURVE = np.array([4, 3, 2, 2, 2, 2, 3, 5, 7, 9, 10, 10, 11, 11, 11, 11, 12, 13, 16, 18, 20, 19, 15, 9])


def day(seed, n=500, shift=0, correlation=0.001):
    draw = np.random.default_rng(seed)
    shares = draw.dirichlet(np.roll(CURVE, shift) / CURVE.sum() * (1 / correlation - 1))
    return tuple(int(count) for count in draw.multinomial(n, shares))


def fortnight(seed, n=500):
    return [day(seed * 100 + k, n) for k in range(14)]


@CALM
@given(st.integers(0, 40), st.integers(3, 20))
def test_a_shift_of_three_hours_or_more_is_found_and_measured_within_an_hour(seed, shift):
    found = hour_shift(fortnight(seed), [day(seed + 7, 900, shift), day(seed + 8, 900, shift)])
    assert found
    assert min(abs((found.hours - shift) % 24), abs((shift - found.hours) % 24)) <= 1


@CALM
@given(st.integers(0, 40), st.sampled_from([60, 300, 2_000]))
def test_the_same_hours_drawn_anew_are_no_shift(seed, n):
    assert hour_shift(fortnight(seed, n), [day(seed + 7, n)]) is None


@CALM
@given(st.integers(0, 40), st.permutations(range(14)))
def test_the_order_of_the_payloads_before_does_not_matter(seed, order):
    before = fortnight(seed)
    now = day(seed + 7, 500, 3)
    one, other = hour_shift(before, [now]), hour_shift([before[place] for place in order], [now])
    assert one.words == other.words
    assert one.odds == pytest.approx(other.odds)


def test_two_hours_are_named_with_what_fits_nearly_as_well():
    found = hour_shift(fortnight(1), [day(9, 500, 2)])
    assert found
    assert 2 in {found.hours, *found.also}
    assert "+2 h" in found.words


@pytest.mark.parametrize("hour", [2, 3, 4, 20])
def test_a_campaign_at_a_new_hour_is_no_time_zone(hour):
    busy = list(day(9))
    busy[hour] += 400
    busy[(hour + 1) % 24] += 200
    assert hour_shift(fortnight(1), [busy]) is None


@pytest.mark.parametrize("until", [4, 8, 10, 14, 19, 22])
@pytest.mark.parametrize("n", [300, 3_000])
def test_a_day_that_is_not_over_yet_is_no_time_zone(until, n):
    assert hour_shift(fortnight(1), [(*day(9, n)[:until], *[0] * (24 - until))]) is None
    assert hour_shift(fortnight(1), [(*[0] * until, *day(9, n)[until:])]) is None


def test_a_flat_clock_says_nothing():
    flat = [tuple([20] * 24) for _ in range(14)]
    assert hour_shift(flat, [flat[0]]) is None


def test_few_events_say_nothing():
    assert hour_shift([day(k, 10) for k in range(14)], [day(9, 20, 8)]) is None
    assert hour_shift([], [day(9, 500, 8)]) is None
    assert hour_shift(fortnight(1), []) is None


def test_accounts_whose_days_scatter_widely_need_more_evidence():
    wild = [day(k, 500, correlation=0.05) for k in range(14)]
    shifts = [hour_shift(wild, [day(k, 500, 2, correlation=0.05)]) for k in range(50, 80)]
    assert sum(found is not None for found in shifts) < 15


def test_what_one_day_cannot_prove_two_days_can():
    alone, together = 0, 0
    for seed in range(20):
        before = [(hours, {f"d{k}": 1}) for k, hours in enumerate(fortnight(seed, 250))]
        first, second = (day(9_000 + seed, 250, 2), {"x": 1}), (day(9_500 + seed, 250, 2), {"y": 1})
        alone += latest_shift(before, second) is not None
        together += latest_shift([*before, first], second) is not None
    assert together > alone


def test_a_day_that_was_read_twice_is_no_second_witness():
    before = [(hours, {f"d{k}": 1}) for k, hours in enumerate(fortnight(3, 250))]
    half = (day(9_003, 60, 2), {"x": 1})
    assert latest_shift(before, half) is None
    assert latest_shift([*before, half, half], half) is None


def hourly(shift=0, days=3):
    return [
        {"dt": f"2026-11-{d:02}T{h:02}:00:00Z", "row": 24 * d + h, "clicks": int(CURVE[(h - shift) % 24]) * 9, "ftd": 1}
        for d in range(1, days + 1)
        for h in range(24)
    ]


def test_rows_of_one_hour_each_are_weighed_by_what_they_count():
    found = by_activity(hourly(), "dt")
    assert found == tuple(int(count) * 27 for count in CURVE)
    assert hour_shift([found] * 5, [by_activity(hourly(3), "dt")]).hours == 3


def test_a_profile_of_rows_of_one_hour_each_has_the_activity_of_the_hours():
    found = profile(hourly(), payload="x", at=datetime(2026, 11, 4, tzinfo=UTC)).paths["dt"]
    assert found.hours == tuple(int(count) * 27 for count in CURVE)


def test_a_day_that_has_only_begun_weighs_its_hours_no_more():
    assert by_activity(hourly(days=4)[:-16], "dt") == by_activity(hourly(days=3), "dt")


@pytest.mark.parametrize(
    "records",
    [
        [{"dt": "2026-11-01T10:17:00Z", "clicks": 5}] * 48,
        [{"dt": "2026-11-01", "clicks": 5}] * 48,
        [{"dt": f"2026-11-{1 + k % 28:02}T{k % 24:02}:00:00Z", "clicks": 5} for k in range(60)],
        [{"dt": f"2026-13-01T{h:02}:00:00Z", "clicks": 5} for h in range(24)],
        [{"dt": None, "clicks": 5}] * 48,
        [{"dt": f"2026-11-01T{h:02}:00:00Z", "clicks": -1} for h in range(24)],
        [{"dt": f"2026-11-01T{h:02}:00:00Z", "clicks": None} for h in range(24)],
        [{"dt": f"2026-11-01T{h:02}:00:00Z", "row": h} for h in range(24)],
        [],
    ],
)
def test_records_that_are_not_of_one_hour_each_have_no_activity(records):
    assert by_activity(records, "dt") == ()
