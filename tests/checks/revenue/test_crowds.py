from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from checks.revenue import crowds
from checks.revenue.crowds import SHARES

ONE = np.ones((1, 1))
EVENTS = st.integers(0, 40).map(float)
DUE = st.floats(0.01, 40)


def evidence(seen, due, crowd=1000.0, size=1e3, usual=1.0, around=(0.0, 0.0)):
    """Nats that something is missing in one part and hour; `around` is what the rest of its cell saw and was due."""
    figures = (np.full((1, 1), float(figure)) for figure in (seen, due, seen + around[0], due + around[1], crowd))
    table = crowds.table(crowds.moods(*figures), ONE)
    return float(crowds.missing_nats(table, ONE * usual, ONE * size)[0, 0])


def test_silence_of_independent_visitors_weighs_nearly_as_many_nats_as_events_were_due():
    assert evidence(0, 7) == pytest.approx(6.8, abs=0.1)


def test_silence_of_a_crowd_weighs_by_the_logarithm():
    assert evidence(0, 7, crowd=0.7) == pytest.approx(0.7 * np.log(1 + 7 / 0.7), abs=0.2)


def test_siblings_that_sell_tell_a_mood_from_a_failure():
    alone, beside = evidence(0, 3, crowd=0.7), evidence(0, 3, crowd=0.7, around=(12, 9))
    silent = evidence(0, 3, crowd=0.7, around=(0, 9))
    assert silent < alone < beside
    assert beside > 2.5


def test_a_holiday_and_a_wandering_level_excuse_what_they_explain():
    assert evidence(50, 100) > 8
    assert evidence(50, 100, usual=0.55) < 1
    assert evidence(50, 100, size=5) < 3


@given(EVENTS, DUE, st.floats(0.1, 1000), st.floats(2, 1e3), st.floats(0.1, 1))
def test_evidence_is_never_negative_and_needs_a_shortfall(seen, due, crowd, size, usual):
    nats = evidence(seen, due, crowd, size, usual)
    assert nats >= 0
    assert seen < due * usual or nats == 0


@given(
    arrays(np.float64, (2, 3), elements=EVENTS),
    arrays(np.float64, (2, 3), elements=DUE),
    arrays(np.float64, (2, 3), elements=st.floats(0, 40)),
    st.floats(0.1, 1000),
    st.floats(2, 1e3),
    st.floats(0.1, 1),
)
def test_no_evidence_goes_beyond_what_it_could_reach(seen, due, more, crowd, size, usual):
    moods = crowds.moods(seen, due, seen + more, due + more[::-1], np.full(seen.shape, crowd))
    spans, ones = np.ones((3, 1)), np.ones((2, 1))
    nats = crowds.missing_nats(crowds.table(moods, spans), ones * usual, ones * size)
    reach = crowds.reach(crowds.bounds(moods, spans), ones * usual, ones * size)
    assert (nats <= np.maximum(reach, 0.0)).all()


def test_what_can_be_reached_is_close_to_what_is():
    figures = (np.full((1, 1), figure) for figure in (10.0, 40.0, 10.0, 40.0, 20.0))
    moods = crowds.moods(*figures)
    nats, most = (
        crowds.missing_nats(crowds.table(moods, ONE), ONE, ONE * 1e3),
        crowds.reach(crowds.bounds(moods, ONE), ONE, ONE * 1e3),
    )
    assert 5 < nats[0, 0] <= most[0, 0] < 1.25 * nats[0, 0]


@given(arrays(np.float64, (3, 5), elements=st.integers(0, 9).map(float)))
def test_hours_add_up(seen):
    moods = crowds.moods(seen, seen + 1, seen, seen + 1, np.full(seen.shape, 2.0))
    hours = crowds.table(moods, np.eye(5))
    assert hours.shape == (3, 5, len(SHARES))
    assert np.allclose(crowds.table(moods, np.ones((5, 1)))[:, 0], hours.sum(1), atol=1e-4)


@pytest.mark.parametrize(("shape", "low", "high"), [(0.7, 0.4, 1.1), (4.0, 2.5, 7.0), (1e6, 40.0, 1e3)])
def test_the_shape_of_crowds_is_learned_by_size(shape, low, high):
    draw, due = np.random.default_rng(5), np.full((60, 300), 4.0)
    seen = draw.poisson(due * draw.gamma(shape, 1 / shape, due.shape)).astype(float)
    classes = np.full(due.shape, 9)
    learned = crowds.learned(seen, due, classes)
    assert low <= learned[9] <= high
    assert low <= learned[30] <= high, "sizes never met are like all others"


def test_without_history_visitors_are_independent():
    assert (crowds.learned(np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3), np.int64)) == 1000).all()


def test_absurd_counts_are_survived():
    seen = np.array([[-3.0, 1e9, np.nan]])
    assert np.isfinite(crowds.learned(np.nan_to_num(seen), np.ones((1, 3)), np.zeros((1, 3), np.int64))).all()


def test_leaves_of_a_cell_share_what_its_silence_weighs():
    due, cell = np.array([[3.0], [1.0], [2.0]]), np.array([0, 0, 1])
    weight = crowds.silence_nats(due, cell, np.full(due.shape, 0.7))
    assert weight[:2].sum() == pytest.approx(0.7 * np.log(1 + 4 / 0.7))
    assert weight[0] == pytest.approx(3 * weight[1])
    assert crowds.silence_nats(due, cell, np.full(due.shape, 1e9)) == pytest.approx(due)


def test_parts_that_have_moods_of_their_own_are_trusted_less():
    draw, due = np.random.default_rng(8), np.full((30, 400), 3.0)
    cell = draw.gamma(1.0, 1.0, due.shape)
    found = []
    for own in (1.0, 1e6):
        seen, rest = (draw.poisson(due * cell * draw.gamma(own, 1 / own, due.shape)).astype(float) for _ in range(2))
        found.append(crowds.own_shape(seen, due, seen + rest, due * 2, np.ones(due.shape)))
    assert found[0] < 2
    assert found[1] > 10 * found[0]
    figures = (np.full((1, 1), figure) for figure in (0.0, 3.0, 12.0, 12.0, 1.0))
    sure, unsure = (
        crowds.table(crowds.moods(*numbers, own), ONE).max()
        for numbers, own in zip([tuple(figures)] * 2, (np.inf, 0.7), strict=True)
    )
    assert unsure < 0.6 * sure
