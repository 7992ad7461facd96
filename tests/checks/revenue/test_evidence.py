from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from checks.revenue.evidence import WINDOWS_H, drop_nats, excess_nats, hourly_gain, last_run, measure_spread, worst_run
from checks.revenue.scan import Hours, windows_of

COUNTS = st.floats(0, 500)


def nats(observed, expected, size=1e6, cluster=1.0):
    return float(drop_nats(*(np.array([float(figure)]) for figure in (observed, expected, size)), cluster)[0])


def test_silence_weighs_as_many_nats_as_events_were_due():
    assert nats(0, 6.9) == pytest.approx(6.9, rel=1e-3)


def test_half_of_64_events_weigh_about_ten_nats():
    assert 9 < nats(32, 64) < 11


@given(COUNTS, st.floats(0.1, 500), st.floats(1, 1e4))
def test_evidence_is_never_negative_and_needs_a_shortfall(observed, expected, size):
    weight = nats(observed, expected, size)
    assert weight >= -1e-9
    assert observed < expected or weight == 0


@given(st.floats(1, 500), st.floats(1, 100), st.floats(101, 1e4))
def test_little_history_says_less(expected, little, much):
    assert nats(0, expected, little) <= nats(0, expected, much) + 1e-9


@given(st.floats(0, 400), st.floats(1, 20))
def test_the_more_is_missing_the_more_it_weighs(observed, more):
    assert nats(observed, 500) >= nats(min(observed + more, 500), 500) - 1e-9


def test_clusters_count_once():
    assert nats(0, 20, cluster=2.0) == pytest.approx(nats(0, 10), rel=1e-3)


def test_too_many_is_evidence_only_above_the_mean():
    weights = excess_nats(np.array([0.0, 1.0, 6.0]), np.array([1.0, 1.0, 0.06]))
    assert weights[:2].tolist() == [0.0, 0.0]
    assert weights[2] > 15


@given(arrays(np.float64, st.integers(1, 60), elements=st.floats(-5, 5)))
def test_the_worst_run_has_the_largest_sum(gain):
    start, end = worst_run(gain)
    best = max(gain[low:high].sum() for low in range(len(gain)) for high in range(low, len(gain) + 1))
    assert 0 <= start <= end <= len(gain)
    assert gain[start:end].sum() == pytest.approx(max(best, 0.0), abs=1e-9)


@given(arrays(np.float64, st.integers(1, 12), elements=st.floats(-5, 5)))
def test_the_last_run_ends_with_the_last_hour_and_no_other_adds_up_to_more(gain):
    best = max(gain[start:].sum() for start in range(len(gain)))
    assert gain[last_run(gain) :].sum() == pytest.approx(best, abs=1e-9)


def test_a_silent_hour_speaks_for_silence_by_what_was_due():
    assert hourly_gain(np.array([0.0]), np.array([5.0]), 0.02)[0] == pytest.approx(4.9)


def test_levels_wander_as_far_as_neither_chance_nor_crowds_explain():
    draw, due = np.random.default_rng(1), np.full((40, 140), 80.0)
    family = np.repeat([0, 1], 20)
    level = np.where(family == 1, 1.0, 0.0)[:, None] * (draw.gamma(25, 1 / 25, due.shape) - 1.0) + 1.0
    spread = measure_spread(draw.poisson(due * level).astype(float), due, due, family)
    assert spread.size_days[:20].min() > 300
    assert 10 < np.median(spread.size_days[20:]) < 40


def test_little_history_says_less_about_a_level():
    due = np.ones((2, 30)) * [[10.0], [0.1]]
    much, little = measure_spread(due, due, due, np.zeros(2, np.int64)).size_days
    assert little < 5
    assert much > 200


@given(arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 130)), elements=st.floats(0, 9)))
def test_windows_are_sums_of_the_newest_usable_hours(figures):
    usable = figures < 8
    parts = [figures * number for number in range(8)]
    crowd = np.ones(figures.shape)
    hours_of_parts = Hours(0, usable, *parts, np.ones((1, figures.shape[1])), crowd, crowd)
    sums = hours_of_parts.sums(windows_of(figures.shape[1]))
    for number, hours in enumerate(WINDOWS_H):
        newest = np.where(usable, figures, 0.0)[:, -hours:].sum(1)
        for part in range(8):
            assert np.allclose(sums[:, part, number], part * newest)
