from __future__ import annotations

import json
import math
import statistics
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds.contract import KEEP, MAX_PATHS, Contract, Profiling, profile

from .conftest import CALM

AT = datetime(2026, 11, 1, tzinfo=UTC)
scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=12)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
records = st.lists(st.dictionaries(st.text(max_size=6), values, max_size=5), max_size=8)
profiles = st.builds(
    lambda rows, day, name: profile(rows, payload=name, at=AT + timedelta(days=day)),
    records,
    st.integers(0, 40),
    st.sampled_from("abc"),
)


def distinct(found):
    """One profile a payload: the same payload always has the same profile."""
    return Contract(tuple({(item.at, item.payload): item for item in found}.values()))


contracts = st.lists(profiles, max_size=6).map(lambda found: Contract().union(distinct(found)))


@CALM
@given(contracts)
def test_a_union_with_itself_or_with_nothing_changes_nothing(one):
    assert one.union(one) == one
    assert one.union(Contract()) == one


@CALM
@given(st.lists(profiles, max_size=8))
def test_a_union_does_not_depend_on_order_or_grouping(found):
    parts = [Contract((item,)) for item in distinct(found).profiles]
    forward, backward = Contract(), Contract()
    for part in parts:
        forward = forward.union(part)
    for part in reversed(parts):
        backward = part.union(backward)
    assert forward == backward


@CALM
@given(contracts)
def test_a_contract_survives_json(one):
    assert Contract.from_json(one.to_json()) == one


def test_a_contract_keeps_the_newest_fourteen_payloads():
    whole = Contract()
    for day in range(20):
        whole = whole.learn(profile([{"a": day}], payload=str(day), at=AT + timedelta(days=day)))
    assert [item.payload for item in whole.profiles] == [str(day) for day in range(20 - KEEP, 20)]


def test_null_empty_zero_and_absent_are_four_facts():
    found = profile([{"a": None}, {"a": ""}, {"a": 0}, {}], payload="x", at=AT).paths["a"]
    assert (found.nulls, found.empties, found.zeros, found.n, found.parents) == (1, 1, 1, 3, 4)


def test_presence_is_counted_against_the_object_above():
    rows = [{"deal": {"cpa": 1}}, {"deal": {}}, {"deal": None}]
    found = profile(rows, payload="x", at=AT).paths
    assert found["deal.cpa"].presence == 0.5
    assert found["deal"].presence == 1


def test_keys_that_are_data_do_not_become_paths():
    rows = [{"days": {f"2026-11-{day:02}": {"clicks": day} for day in range(1, 29)}}]
    assert set(profile(rows, payload="x", at=AT).paths) == {"days", "days.{}", "days.{}.clicks"}


def test_numeric_strings_have_a_size_and_a_fraction_share():
    found = profile([{"a": "110.50"}, {"a": "90"}, {"a": 1000}], payload="x", at=AT).paths["a"]
    assert (found.numbers, found.fractions, found.low, found.high) == (3, 1, 90, 1000)
    assert found.log_median == pytest.approx(2.0434, abs=1e-3)


def test_hours_are_counted_as_written_in_either_clock():
    rows = [
        "2026-11-17T09:30:00+02:00",
        "2026-11-17 09:00",
        "10/14/2025 11:59:59 PM",
        "10/14/2025 12:05 am",
        "",
        "x 9:00",
    ]
    found = profile([{"a": text} for text in rows], payload="x", at=AT).paths["a"]
    assert {hour: count for hour, count in enumerate(found.hours) if count} == {0: 1, 9: 2, 23: 1}
    assert profile([{"a": "2026-11-17"}], payload="x", at=AT).paths["a"].hours == ()


def test_a_contract_remembered_before_hours_were_counted_is_still_read():
    old = Contract((profile([{"a": "2026-11-17T09:30:00Z"}], payload="x", at=AT),))
    plain = json.loads(old.to_json())
    del plain["profiles"][0]["paths"]["a"]["hours"]
    assert Contract.from_json(json.dumps(plain).encode()).profiles[0].paths["a"].hours == ()


def test_only_small_sets_of_words_are_remembered():
    few = profile([{"a": word} for word in "abcabc"], payload="x", at=AT).paths["a"]
    many = profile([{"a": f"w{n}"} for n in range(13)], payload="x", at=AT).paths["a"]
    assert few.values == ("a", "b", "c")
    assert many.values is None


def test_a_large_payload_is_counted_on_every_record_and_repeatably():
    rows = [{"a": n, "b": None if n == 40_001 else "x", "c": f"{n}.5" if n % 2 else "n/a"} for n in range(50_000)]
    one, two = (profile(iter(rows), payload="x", at=AT) for _ in range(2))
    assert one == two
    assert (one.records, one.paths["a"].n, one.paths["b"].nulls) == (50_000, 50_000, 1)
    assert (one.paths["a"].low, one.paths["a"].high, one.paths["a"].zeros) == (0, 49_999, 1)


def test_classes_of_an_endless_column_are_estimated_from_a_part_drawn_by_lot():
    rows = [{"a": f"{n}.5" if n % 10 else f"#{n}"} for n in range(49_999)]
    found = profile(rows, payload="x", at=AT).paths["a"]
    assert found.formats["decimal"] == pytest.approx(0.9 * found.n, rel=0.03)
    assert found == profile(iter(rows), payload="x", at=AT).paths["a"]
    assert sum(found.formats.values()) == pytest.approx(found.n, abs=1)
    assert found.numbers == found.fractions == found.formats["decimal"]
    assert found.log_median == pytest.approx(math.log10(25_000), abs=0.02)


@CALM
@given(st.lists(st.integers(-50, 50) | st.sampled_from(["3.5", "0", "x", ""]), min_size=1, max_size=40), st.randoms())
def test_neither_order_nor_chunks_change_a_profile(found, dice):
    rows = [{"a": value} for value in found]
    whole = profile(rows, payload="x", at=AT)
    dice.shuffle(rows)
    parts = Profiling()
    for row in rows:
        parts.add([row])
    assert parts.profile(payload="x", at=AT) == whole


@CALM
@given(st.lists(st.integers(1, 10**6) | st.integers(1, 10**6).map(str), min_size=1, max_size=60))
def test_the_median_size_is_that_of_numbers_and_of_numbers_written_as_text_together(found):
    seen = profile([{"a": value} for value in found], payload="x", at=AT).paths["a"]
    assert seen.log_median == pytest.approx(math.log10(statistics.median(map(int, found))))


def test_duplicates_are_counted_over_all_records():
    rows = [{"day": f"d{n % 29_999}", "site": n % 2} for n in range(30_000)]
    assert profile(rows, payload="x", at=AT, key=("day",)).duplicates == 2
    assert profile(rows, payload="x", at=AT, key=("day", "site")).duplicates == 0


def test_values_beyond_the_paths_that_are_kept_are_counted():
    wide = [{f"k{n}": n for n in range(MAX_PATHS + 5)} for _ in range(2)]
    found = profile(wide, payload="x", at=AT)
    assert (len(found.paths), found.beyond) == (MAX_PATHS, 10)


def test_a_number_without_a_size_is_counted():
    found = profile([{"a": 10**400}, {"a": 1}], payload="x", at=AT).paths["a"]
    assert (found.huge, found.numbers, found.n) == (1, 1, 2)


def test_names_with_escape_codes_are_harmless():
    found = profile([{"\x1b[2Jname\u202e": "x"}], payload="x", at=AT)
    assert not any("\x1b" in path or "\u202e" in path for path in found.paths)


def test_hostile_numbers_profile_without_a_traceback():
    rows = [{"a": 10**400}, {"a": float("inf")}, {"a": 5e-324}, {"a": "9" * 400}, {"a": "1e999"}]
    found = profile(rows, payload="x", at=AT).paths["a"]
    assert found.n == 5


def test_breadth_and_depth_are_bounded():
    deep: dict[str, object] = {}
    here = deep
    for _ in range(200):
        here["a"] = {}
        here = here["a"]
    assert len(profile([deep], payload="x", at=AT).paths) <= 12
    wide = [{f"k{row}_{n}": n for n in range(100)} for row in range(100)]
    assert len(profile(wide, payload="x", at=AT).paths) <= 4_000


def test_calendar_days_are_counted_as_written_while_they_are_few():
    rows = [{"a": "05/11/2026", "b": "2026-11-05T08:00:00Z"}, {"a": "05/11/2026 10:00", "b": "2026-11-06T08:00:00Z"}]
    found = profile(rows, payload="x", at=AT).paths
    assert found["a"].days == {"05/11/2026": 2}
    assert found["b"].days == {"2026-11-05": 1, "2026-11-06": 1}
    many = [{"a": (AT + timedelta(days=n)).isoformat()} for n in range(101)]
    assert profile(many, payload="x", at=AT).paths["a"].days == {}
