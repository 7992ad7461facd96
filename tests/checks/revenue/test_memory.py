from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from checks.revenue import memory
from checks.revenue.book import _LEARNED, RevenueBook
from checks.revenue.cube import CubeMemory
from checks.revenue.watch import Case
from data.model.money import Loss

DAY = 24
FIRST, LAST = 28 * DAY + 20, 31 * DAY
"""Ticks of the world below: a refit lies between them, an alarm that ends, and one that goes on."""


@pytest.fixture(scope="module")
def troubled(make_world):
    """P07 silent for ten hours, P01 for good, late data of P02, and a row nobody can believe."""
    world = make_world(days=31, seed=3)
    start = 29 * DAY + 2
    world.thin(start, start + 10, 0.0, partner="P07")
    world.thin(start + 20, world.hours, 0.0, partner="P01")
    world.lag[np.ix_(world.inside(partner="P02"), np.arange(start, start + 4))] = 9
    world.clicks[3, start - 12] = 900_000
    return world, world.facts(), world.receipts()


@pytest.fixture(scope="module")
def straight(troubled):
    """What every tick says in one go."""
    world, facts, receipts = troubled
    book = RevenueBook()
    book.add(facts)
    book.add_receipts(receipts)
    ticks = {hour: book.tick(world.at(hour)) for hour in range(FIRST, LAST + 1)}
    assert len({alarm.id for tick in ticks.values() for alarm in tick.alarms}) >= 2
    assert any(tick.held for tick in ticks.values())
    return {hour: told(tick) for hour, tick in ticks.items()}


def told(tick):
    """A tick in few bytes: a difference of one bit shows."""
    return [*tick.alarms, tick.held, tick.waiting, hash(repr(tick))]


def seen_by(frame, world, hour):
    return frame.filter(pl.col("seen_at") <= world.at(hour))


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stops=st.lists(st.integers(FIRST, LAST - 1), min_size=1, max_size=3, unique=True).map(sorted),
    pieces=st.integers(1, 40),
    draw=st.randoms(use_true_random=False),
)
def test_a_book_that_is_stopped_and_taken_up_again_says_what_it_would_have_said(
    troubled, straight, stops, pieces, draw
):
    """Stopped after any ticks, its facts added again in other batches, in any order of the batches."""
    world, facts, receipts = troubled
    book, since = RevenueBook(), FIRST
    for stop in [*stops, LAST]:
        batches = [piece for number in range(pieces) if (piece := facts[number::pieces]).height]
        draw.shuffle(batches)
        for piece in batches:
            book.add(piece)
        book.add_receipts(receipts.sample(fraction=1.0, shuffle=True, seed=1))
        for hour in range(since, stop + 1):
            assert told(book.tick(world.at(hour))) == straight[hour], hour
        kept, book, since = book.memory(), RevenueBook(), stop + 1
        assert book.remember(kept) == ""
        assert book.memory() == kept


def test_facts_that_came_while_nobody_was_there_are_new(troubled, straight):
    """The later life gets only what its store holds: everything visible by then, and what comes afterwards."""
    world, facts, receipts = troubled
    stop = FIRST + 14
    book = RevenueBook()
    book.add(seen_by(facts, world, stop))
    book.add_receipts(seen_by(receipts, world, stop))
    for hour in range(FIRST, stop + 1):
        book.tick(world.at(hour))
    later = RevenueBook()
    later.remember(book.memory())
    later.add(seen_by(facts, world, stop + 20))
    later.add_receipts(seen_by(receipts, world, stop + 20))
    for hour in range(stop + 1, stop + 21):
        assert told(later.tick(world.at(hour))) == straight[hour]


def test_an_hour_of_a_leaf_with_clicks_takes_less_than_five_bytes(troubled):
    """And one without takes none: a thousand leaves, a third of whose hours have clicks, are about a megabyte."""
    world, facts, receipts = troubled
    book = RevenueBook()
    book.add(facts)
    book.add_receipts(receipts)
    book.tick(world.at(LAST))
    clicked = np.count_nonzero(book.cube.measure("clicks", book.cube.base, book.cube.top))
    assert clicked > 40_000
    assert len(book.memory()) / clicked < 5


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda kept: b"", "no memory of this version"),
        (lambda kept: b"PAR1" + kept, "no memory of this version"),
        (lambda kept: kept[:-1], "damaged"),
        (lambda kept: kept[:400] + bytes([kept[400] ^ 1]) + kept[401:], "damaged"),
        (lambda kept: memory.dumps({"model": 3}), "of another book"),
        (lambda kept: memory.dumps({}), "of another book"),
    ],
)
def test_a_memory_that_is_damaged_or_foreign_leaves_the_book_new_and_says_so(world, spoil, words):
    calm = world(days=9)
    book = RevenueBook()
    book.add(calm.facts())
    book.tick(calm.at(9 * DAY))
    fresh = RevenueBook()
    said = fresh.remember(spoil(book.memory()))
    assert words in said
    fresh.add(calm.facts())
    assert fresh.tick(calm.at(9 * DAY)) == book.tick(calm.at(9 * DAY))


def test_a_memory_of_another_version_of_a_record_is_refused(monkeypatch):
    kept = memory.dumps({"case": Case(1, "ftd", {}, 1, 2, 3)})
    assert isinstance(memory.loads(kept)["case"], Case)
    monkeypatch.setattr(memory, "fields", lambda record: dataclasses.fields(record)[1:])
    with pytest.raises(memory.Forgotten, match="Case has other fields now"):
        memory.loads(kept)


def test_records_of_other_packages_are_not_made(monkeypatch):
    monkeypatch.setattr(memory, "_HOMES", ())
    with pytest.raises(memory.Forgotten, match="it holds"):
        memory.loads(memory.dumps({"loss": Loss()}))


@given(
    arrays.arrays(
        st.sampled_from([np.float64, np.float32, np.int64, np.int32, np.bool_]),
        arrays.array_shapes(min_dims=0, min_side=0),
    )
)
def test_every_array_comes_back_bit_for_bit(array):
    back = memory.loads(memory.dumps({"one": array}))["one"]
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_what_is_no_array_comes_back_as_it_was():
    parts = {
        "numbers": [1, -2, 3.5, float("inf"), True, None],
        "named": {3: ("a", {"b": 1}), "c": {1, 2}},
        "time": datetime(2026, 11, 17, 6, tzinfo=UTC),
        "money": Loss(lost=Decimal("12.34"), currency="EUR"),
    }
    assert memory.loads(memory.dumps(parts)) == parts


def test_what_has_no_form_is_refused_at_once():
    with pytest.raises(TypeError, match="is not kept"):
        memory.dumps({"book": RevenueBook()})


def test_everything_a_book_knows_is_kept_or_told_again():
    """A new attribute must be put in one of the two."""
    told_again = {
        "_dates",
        "cube",
        "lattice",
        "currency",
        "_given_line",
        "calm_days",
        "second_hand",
        "_epc",
        "_explained",
        "_priors",
    }
    assert set(vars(RevenueBook())) <= told_again | set(_LEARNED)
    follows = {"keep_h", "most_leaves", "top", "known_us", "masked", "odd", "_numbers", "_leaf_of", "_values", "_facts"}
    follows |= {"_receipts", "_partner", "_folds"}
    kept = {part.name for part in dataclasses.fields(CubeMemory)}
    assert set(vars(RevenueBook().cube)) - {"_codes"} == (kept | follows) - {
        "width", "codes", "frozen", "frozen_at", "limits", "refused"
    }  # fmt: skip
