from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from checks.feeds.kept import Kept

from .conftest import CALM


def through(kept, records):
    assert list(kept.through(iter(records))) == records
    return kept.records


def test_a_small_payload_is_kept_whole_and_in_order():
    rows = [{"id": n} for n in range(20)]
    assert through(Kept(("id",), most=10), rows) == rows


@CALM
@given(st.permutations(range(200)))
def test_two_large_payloads_keep_the_same_records_wherever_they_stand(order):
    one = through(Kept(("id",), most=20), [{"id": n} for n in range(200)])
    two = through(Kept(("id",), most=20), [{"id": n} for n in order])
    small, large = sorted((frozenset(row["id"] for row in rows) for rows in (one, two)), key=len)
    assert 20 <= len(small) <= len(large) <= 40
    assert len(small & large) >= 20


def test_without_a_key_the_field_that_differs_in_each_record_decides():
    rows = [{"brand": "x", "row_id": n, "n": n} for n in range(200)]
    kept = Kept(most=20)
    through(kept, rows)
    assert kept.key == ("row_id",)


def test_where_no_field_differs_the_first_records_are_kept():
    kept = Kept(most=20)
    assert through(kept, [{"a": 1}] * 200) == [{"a": 1}] * 20
