from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.revenue.book import RevenueBook
from checks.revenue.cube import hour_after, hour_of, moment_of
from checks.revenue.expectation import of_all

DAY = 24
MOMENTS = st.integers(-(10**15), 2 * 10**15).map(
    lambda us: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
)


@pytest.fixture
def cube(world):
    calm = world(days=9)
    book = RevenueBook()
    book.add(calm.facts())
    book.cube.advance(calm.at(9 * DAY))
    return book.cube


@given(MOMENTS)
def test_a_moment_lies_between_its_hour_and_the_one_after(moment):
    assert moment_of(hour_of(moment)) <= moment <= moment_of(hour_after(moment))
    assert hour_after(moment) - hour_of(moment) == (moment > moment_of(hour_of(moment)))


def test_an_hour_that_begins_is_its_own(cube):
    assert hour_of(moment_of(cube.top)) == hour_after(moment_of(cube.top)) == cube.top
    assert hour_after(moment_of(cube.top) + timedelta(microseconds=1)) == cube.top + 1


def test_leaves_of_one_team_are_its_own_and_of_several_nobodys(cube):
    mine, all_of_them = cube.select({"team": "baltic"}), np.arange(cube.leaves)
    assert {cube.names_of("team")[code] for code in cube.codes_of("team")[mine]} == {"baltic"}
    assert cube.team_of(np.flatnonzero(mine)) == "baltic"
    assert cube.team_of(all_of_them) == "*"


def test_hours_that_are_not_kept_are_cut_off(cube):
    assert cube.kept(cube.base - 500, cube.base + 3) == (cube.base, cube.base + 3)
    assert cube.kept(cube.base + 5, cube.base + 10**6) == (cube.base + 5, cube.base + cube.width)
    first, last = cube.kept(cube.base - 90, cube.base - 50)
    assert first == last


def test_leaves_that_came_after_a_fit_have_nothing_of_its_figures():
    figures = np.arange(6.0).reshape(3, 2) + 1
    assert of_all(figures, 5).tolist() == [[1, 2], [3, 4], [5, 6], [0, 0], [0, 0]]
