from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from checks.parsers import memory as memories
from checks.parsers.extract import extract
from checks.parsers.page import read_page
from checks.parsers.spec import parse_spec


def test_memory_survives_its_bytes(spec, learned):
    raw = memories.dump(learned)
    assert memories.load(raw, spec) == learned
    assert memories.dump(memories.load(raw, spec)) == raw


@pytest.mark.parametrize("raw", [None, b"", b"{", b"\xff", b'{"spec":1}', b'{"spec":"x","version":99}', b"[]"])
def test_damaged_memory_is_no_memory(spec, raw):
    assert memories.load(raw, spec) == memories.fresh(spec)


def test_another_spec_keeps_the_layouts_and_forgets_the_yields(spec, learned):
    other = replace(spec, items="section.card")
    known = memories.load(memories.dump(learned), other)
    assert known.families == learned.families
    assert (known.pages, known.fields, known.spec) == (0, (), other.fingerprint)


def test_a_spec_that_comes_back_finds_what_was_known_under_it(spec, learned, search_page, redesign, at):
    repaired = replace(spec, items="section.card")
    known = memories.load(memories.dump(learned), repaired)
    for number in range(40):
        page = read_page(search_page(10, item=redesign), url="https://search.example/?q=0")
        known = memories.load(memories.dump(known), repaired)
        known = memories.learn(known, page, extract(repaired, page), at + timedelta(hours=number))
    back = memories.load(memories.dump(known), spec)
    assert (back.pages, back.fields, back.sights, back.last_good) == (
        learned.pages, learned.fields, learned.sights, learned.last_good,
    )  # fmt: skip
    assert back.families == known.families
    again = memories.load(memories.dump(back), repaired)
    assert (again.pages, again.usual_items(), len(again.earlier)) == (40, 10, 1)


def test_what_is_known_of_earlier_specs_is_bounded(spec, search_page, at):
    page = read_page(search_page(3))
    memory = memories.fresh(spec)
    for number in range(30):
        other = replace(spec, items=f"div.result:not(.x{number})")
        memory = memories.load(memories.dump(memory), other)
        for _ in range(12):
            memory = memories.learn(memory, page, extract(other, page), at)
    assert len(memory.earlier) == 5
    assert all(len(one.sights) == 10 and not one.families and not one.earlier for one in memory.earlier)
    assert memories.load(memories.dump(memory), spec).pages == 0


def test_a_spec_under_which_nothing_was_learned_leaves_nothing(spec, learned):
    known = memories.load(memories.dump(learned), replace(spec, items="b"))
    known = memories.load(memories.dump(known), replace(spec, items="i"))
    assert [one.spec for one in known.earlier] == [spec.fingerprint]


def test_usual_items_follow_the_hour_of_the_day(spec, search_page, at):
    memory = memories.fresh(spec)
    for day in range(4):
        for hours, count in ((0, 10), (12, 30)):
            page = read_page(search_page(count))
            memory = memories.learn(memory, page, extract(spec, page), at + timedelta(days=day, hours=hours))
    assert memory.usual_items(at.hour) == 10
    assert memory.usual_items(at.hour + 12) == 30
    assert memory.usual_items(3) == 20


def test_the_last_good_values_of_each_url_are_kept(spec, search_page, at):
    memory = memories.fresh(spec)
    for query in ("casino", "bonus", "casino"):
        page = read_page(search_page(2, query), url=f"https://search.example/?q={query}")
        memory = memories.learn(memory, page, extract(spec, page), at)
    assert len(memory.last_good) == 2
    assert memory.last_good[-1].values["title"] == (
        "Result 0 about casino and its rules",
        "Result 1 about casino and its rules",
    )


def test_memory_stays_small_however_long_it_learns(spec, search_page, at):
    memory = memories.fresh(spec)
    for number in range(120):
        page = read_page(search_page(20, f"q{number}"), url=f"https://search.example/?q={number}")
        memory = memories.learn(memory, page, extract(spec, page), at + timedelta(hours=number))
    assert memory.pages == 120
    assert len(memories.dump(memory)) < 40_000


def test_an_optional_spec_has_no_history_yet():
    spec = parse_spec('[parser]\nitems = "li"\n[parser.fields.a]\ncss = "b"\n')
    assert memories.fresh(spec).field("a").usual_fill == 0.0
    assert memories.fresh(spec).usual_overlap == 0.0


def test_values_for_each_visible_result_are_known_where_the_list_is_built_as_usual(spec, learned, search_page, at):
    assert learned.per_result("title") == (1.0,) * 5
    other = read_page(search_page(10).replace(b"class='link'", b"class='other'"))
    memory = memories.learn(learned, other, extract(spec, other), at)
    assert memory.usual_ways == learned.usual_ways
    assert memory.per_result("title") == (1.0,) * 5


def seen_in_turn(spec, search_page, at, rounds, names=(b"link", b"other")):
    """The memory of pages whose list is built in each of several ways in turn."""
    memory = memories.fresh(spec)
    for name in names * rounds:
        page = read_page(search_page(10).replace(b"class='link'", b"class='%b'" % name))
        memory = memories.learn(memory, page, extract(spec, page), at)
    return memory


def test_two_lists_built_differently_on_as_many_pages_are_both_usual(spec, search_page, at):
    memory = seen_in_turn(spec, search_page, at, rounds=3)
    first, second = memory.usual_ways
    assert memory.per_result("title", first) == memory.per_result("title", second) == (1.0,) * 3
    assert memory.per_result("title") == (1.0,) * 6


def test_a_list_built_differently_on_each_page_is_never_usual(spec, search_page, at):
    assert not seen_in_turn(spec, search_page, at, rounds=1).usual_ways
    assert not seen_in_turn(spec, search_page, at, 3, names=(b"a", b"b", b"c", b"d", b"e")).usual_ways
