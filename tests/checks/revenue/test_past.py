from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from checks.revenue.past import some_of, spells


@given(st.integers(0, 900), st.integers(0, 900), st.integers(1, 60))
def test_spells_follow_one_another_from_the_first_hour_to_the_last_and_the_newest_are_whole(since, more, length_h):
    found = spells(since, since + more, length_h)
    assert (found[0][0], found[-1][1]) == (since, since + more)
    assert all(one[1] == next_[0] for one, next_ in pairwise(found))
    assert all(last - first == length_h for first, last in found[1:])
    assert found[0][1] - found[0][0] <= length_h


@given(st.integers(0, 2_000))
def test_rows_are_taken_each_once_and_in_order(rows):
    taken = [row for some in some_of(rows) for row in range(rows)[some]]
    assert taken == list(range(rows))
