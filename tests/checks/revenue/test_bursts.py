from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from checks.revenue import bursts
from checks.revenue.bursts import Bursts, refined, sizes

CELL = np.array([0, 0, 1])


def flat(cell=CELL):
    return Bursts(cell, np.ones(40), np.ones(40))


def learned(clicks, counts, due, cell=CELL, rounds=6):
    own, shared = sizes(clicks, cell)
    effect = flat(cell)
    told = [(own[rows], shared[rows], counts[rows], due[rows]) for rows in (slice(0, 2), slice(2, None))]
    for _ in range(rounds):
        effect = refined(effect, lambda: told)
    return effect


def test_clicks_that_convert_alike_at_any_size_have_no_effect():
    draw = np.random.default_rng(1)
    clicks = draw.integers(0, 60, (3, 4000)).astype(float)
    counts = draw.binomial(clicks.astype(int), 0.1).astype(float)
    factor = learned(clicks, counts, clicks * 0.1).factor(clicks)
    assert np.average(np.abs(factor - 1), weights=clicks) < 0.05


def test_bursts_that_convert_less_earn_less():
    draw = np.random.default_rng(2)
    clicks = np.where(draw.random((3, 4000)) < 0.1, 40, 2).astype(float)
    counts = draw.binomial(clicks.astype(int), np.where(clicks > 2, 0.03, 0.2)).astype(float)
    due = clicks * counts.sum() / clicks.sum()
    effect = learned(clicks, counts, due)
    explained = due * effect.factor(clicks)
    for size in (2, 40):
        assert explained[clicks == size].sum() == pytest.approx(counts[clicks == size].sum(), rel=0.1)
    assert ((counts - explained) ** 2).sum() < 0.5 * ((counts - due) ** 2).sum()


def test_a_burst_larger_than_any_before_is_taken_for_the_largest_seen():
    clicks = np.where(np.arange(6000).reshape(3, 2000) % 10 == 0, 40.0, 2.0)
    counts = np.where(clicks > 2, 1.0, 0.5)
    effect = learned(clicks, counts, clicks * counts.sum() / clicks.sum(), cell=np.arange(3))
    known, huge = (float(effect.factor(np.full((3, 1), size))[0, 0]) for size in (40.0, 50_000.0))
    assert known < 0.6
    assert huge == known


def test_a_flood_of_one_leaf_is_felt_by_its_whole_cell():
    own, shared = sizes(np.array([[100.0], [1.0], [1.0]]), CELL)
    assert own[1, 0] == own[2, 0] == 0
    assert shared[0, 0] == shared[1, 0] > shared[2, 0] == 0


@given(arrays(np.float64, (3, 5), elements=st.floats(-3, 1e9)))
def test_factors_are_finite_positive_and_one_where_nothing_was_clicked(clicks):
    effect = Bursts(CELL, np.linspace(1.5, 0.2, 40), np.linspace(1.2, 0.5, 40))
    factor = effect.factor(clicks)
    assert np.isfinite(factor).all()
    assert (factor > 0).all()
    assert (factor[clicks <= 0] == 1).all()


def test_before_anything_is_learned_every_click_is_worth_the_same(world):
    from checks.revenue.book import RevenueBook

    calm = world(days=1)
    book = RevenueBook()
    book.add(calm.facts())
    book.cube.advance(calm.at(24))
    assert (bursts.none(book.cube).factor(np.full((book.cube.leaves, 2), 7.0)) == 1).all()
