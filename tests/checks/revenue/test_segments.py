from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.revenue import segments


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_segments_are_summed_to_the_last_digit_as_numpy_does(sizes, columns, seed):
    draw = np.random.default_rng(seed)
    figures, order = draw.normal(size=(20, columns)), draw.integers(0, 20, sum(sizes))
    starts = np.cumsum(sizes, dtype=np.int64) - np.array(sizes, np.int64)
    whole = np.add.reduceat(figures[order], starts, axis=0) if sizes else np.zeros((0, columns))
    assert np.array_equal(segments.sums(figures, order, starts), whole)


def test_many_long_segments_are_summed_some_at_a_time(monkeypatch):
    monkeypatch.setattr(segments, "_AT_ONCE", 50)
    figures, order = np.arange(60.0).reshape(30, 2), np.tile(np.arange(30), 4)
    starts = np.array([0, 9, 30, 31, 90])
    assert np.array_equal(segments.sums(figures, order, starts), np.add.reduceat(figures[order], starts, axis=0))


@pytest.mark.parametrize("kind", [np.int32, np.float32, np.float64])
def test_figures_keep_their_kind(kind):
    assert segments.sums(np.ones((3, 1), kind), np.arange(3), np.array([0, 1])).dtype == kind


@pytest.mark.parametrize("shape", [(20,), (20, 3), (20, 2, 4), (20, 0)])
def test_figures_of_any_shape_are_summed_row_by_row(shape):
    figures, order = np.random.default_rng(3).normal(size=shape), np.arange(20)
    starts = np.array([0, 1, 4, 15])
    whole = np.add.reduceat(figures[order], starts, axis=0)
    assert np.array_equal(segments.sums_of_any(figures, order, starts), whole)
    none = segments.sums_of_any(figures, order[:0], starts[:0])
    assert none.shape == (0, *shape[1:])
