from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from checks.revenue import expectation, lattice, scan, sieve
from checks.revenue.book import RevenueBook
from checks.revenue.evidence import WINDOWS_H, Spread
from checks.revenue.scan import Usual

LENGTHS_H = np.array(WINDOWS_H, np.float64)
DAY = 24


@pytest.fixture
def seen(world):
    """A book's cube, model and lattice a day into the silence of one partner."""
    silent = world(days=30, seed=3)
    silent.thin(29 * DAY, silent.hours, 0.0, partner="P07")
    book = RevenueBook()
    book.add(silent.facts())
    book.add_receipts(silent.receipts())
    book.cube.advance(silent.at(30 * DAY))
    model = expectation.fit(book.cube, {})
    scan.freeze(book.cube, model, book.cube.top - expectation.FIT_H)
    return book.cube, model, lattice.build(book.cube)


def weighed(hours, slices, caution):
    return counted(hours, slices, caution).weighed(np.ones(len(slices), np.bool_))[1]


def counted(hours, slices, caution):
    spans, flat = scan.windows_of(hours.ftd.shape[1]), np.ones(len(LENGTHS_H))
    return sieve.counted(hours, spans, LENGTHS_H, caution, slices, lambda _sums, _lengths_h: (flat, flat))


@pytest.mark.parametrize("line", [1.0, 3.0, 8.0, 40.0])
def test_a_slice_left_out_of_the_scan_could_not_have_reached_the_line(seen, line):
    cube, model, slices = seen
    caution = scan.caution_of(cube, model, slices)
    hours = scan.hours_of(cube, model, cube.top - 120, cube.top)
    sums = weighed(hours, slices, caution)
    strongest = np.max([nats.max(1) for nats in sums.nats.values()], 0)
    found = counted(hours, slices, caution)
    kept = found.can_reach(np.full(len(slices), line))
    assert kept.any() == (strongest >= line).any()
    assert (strongest[~kept] < line).all()
    assert kept.sum() <= 2 * (strongest >= line).sum()
    few, some = found.weighed(kept)
    assert np.array_equal(few.sizes, slices.sizes[kept])
    for channel, nats in sums.nats.items():
        assert np.allclose(some.nats[channel], nats[kept], atol=1e-4)


def test_every_slice_is_held_against_its_own_line(seen):
    cube, model, slices = seen
    hours = scan.hours_of(cube, model, cube.top - 120, cube.top)
    found = counted(hours, slices, scan.caution_of(cube, model, slices))
    lines = np.full(len(slices), np.inf)
    lent = np.flatnonzero(found.can_reach(np.full(len(slices), 5.0)))[0]
    lines[lent] = 5.0
    assert np.flatnonzero(found.can_reach(lines)).tolist() == [lent]


def test_evidence_of_a_slice_read_alone_is_that_of_the_scan(seen):
    cube, model, slices = seen
    caution = scan.caution_of(cube, model, slices)
    hours = scan.hours_of(cube, model, cube.top - 120, cube.top)
    number = next(n for n in range(len(slices)) if slices.name(n, cube) == {"partner": "P07"})
    inside, alone = cube.select({"partner": "P07"}), caution.only(np.arange(len(slices)) == number)
    spans, flat = scan.windows_of(hours.ftd.shape[1]), np.ones(len(LENGTHS_H))
    sums = scan.weigh_alone(hours, inside, lattice.cells(cube), spans, flat, alone, LENGTHS_H)
    for channel, nats in weighed(hours, slices, caution).nats.items():
        assert np.allclose(sums.nats[channel][0], nats[number])
    assert sums.nats["ftd"].max() > 8


def test_a_failure_of_the_newest_days_does_not_excuse_itself(seen):
    cube, model, slices = seen
    before = scan.caution_of(cube, model, slices)
    low, _ = cube.columns(cube.top - 3 * DAY, cube.top)
    cube._values["ftd"][:, low:] = 0.0
    after = scan.caution_of(cube, model, slices)
    assert np.array_equal(after.ftd.size_days, before.ftd.size_days)


def test_days_wander_nearly_independently_and_hours_of_a_day_together():
    size = dict(zip(WINDOWS_H, Spread(np.array([30.0])).size(LENGTHS_H)[0].tolist(), strict=True))
    assert size[24] == 30.0
    assert size[6] == pytest.approx(15.0)
    assert 3.5 * size[24] < size[120] < 5 * size[24]
    assert list(size.values()) == sorted(size.values())


@given(arrays(np.float64, st.integers(1, 8), elements=st.floats(0.1, 400)))
def test_what_is_usual_lies_between_that_of_hours_and_of_days(lengths_h):
    share = Usual(0.8, 0.95).share(lengths_h)
    assert ((share >= 0.8) & (share <= 0.95)).all()


def test_a_skewed_company_is_not_on_holiday_every_day(world):
    calm = world(days=2)
    book = RevenueBook()
    book.add(calm.facts())
    book.cube.advance(calm.at(2 * DAY))
    due = np.full((book.cube.leaves, 1), 30.0)
    seen = due * 0.85
    assert scan.common_factor(seen, due, book.cube, np.array([0.85])) == pytest.approx(1.0, abs=0.02)
    assert scan.common_factor(seen * 0.5, due, book.cube, np.array([0.85])) == pytest.approx(0.5, abs=0.02)
