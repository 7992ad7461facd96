from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.parsers.outside import ENOUGH, judge, lateness, verdict_word
from data.model.fact import FieldYield, ParserRun
from data.model.state import State

T0 = datetime(2026, 11, 17, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def run(items=30, *, at=T0, url="https://s.example/?q=x", geo="DE", verdict="ok", error="", **fills):
    fields = tuple(FieldYield(name, round(fill * items), fill) for name, fill in fills.items())
    return ParserRun("prices", "aurora", at, url, geo, items, verdict, fields, error=error)


def past(count, items=30, **fills):
    return [run(items, at=T0 - n * QUARTER, **fills) for n in range(1, count + 1)]


def told(verdict):
    return verdict.state, verdict.cause


def test_below_five_runs_nothing_is_said():
    verdict = judge(run(0, price=0.0), past(ENOUGH - 1, price=1.0))
    assert told(verdict) == (State.UNKNOWN, "")
    assert verdict.detail == "0 items; 4 of 5 runs seen that say what is usual"
    assert verdict_word(verdict) == "new"


def test_no_items_where_there_always_were_some():
    verdict = judge(run(0, price=0.0), past(40, price=0.99))
    assert told(verdict) == (State.FAILING, "parser.selector_dead")
    assert verdict.detail.startswith("0 items, never in 40 runs before, usually 30")


def test_no_items_where_that_happens_is_fine():
    history = [*past(40), run(0, at=T0 - timedelta(days=1))]
    assert told(judge(run(0), history)) == (State.OK, "")


@pytest.mark.parametrize("items", [1, 8, 120, 4000])
def test_a_count_alone_is_information(items):
    assert told(judge(run(items, price=1.0), past(40, price=1.0))) == (State.OK, "")


@pytest.mark.parametrize(
    ("fill", "items", "cause"),
    [
        (0.0, 30, "parser.field_dead"),
        (0.5, 30, "parser.partial"),
        (0.78, 300, "parser.partial"),
        (0.85, 300, ""),
        (0.5, 2, ""),
        (0.0, 2, "parser.field_dead"),
    ],
)
def test_a_field_that_falls_by_twenty_points_and_not_by_chance(fill, items, cause):
    verdict = judge(run(items, price=fill, title=1.0), past(40, price=0.99, title=1.0))
    assert verdict.cause == cause
    assert {one.name: one.state for one in verdict.fields}["title"] == "ok"


def test_a_field_that_was_as_empty_before_is_usual():
    history = [*past(20, rating=0.7), *[run(at=T0 - timedelta(days=n), rating=0.3) for n in range(1, 4)]]
    assert told(judge(run(rating=0.35), history)) == (State.OK, "")


def test_runs_are_compared_with_those_of_their_hour_of_day():
    """At night few have a price: the day's fill is no measure of it."""
    nights = [run(at=T0.replace(hour=2) - timedelta(days=n), price=0.4) for n in range(1, 8)]
    days = [run(at=T0 - timedelta(days=n), price=1.0) for n in range(1, 30)]
    assert judge(run(at=T0.replace(hour=2), price=0.4), [*nights, *days]).state is State.OK
    assert judge(run(price=0.3), [*nights, *days]).cause == "parser.partial"


def test_bad_runs_never_become_the_usual():
    broken = [replace(one, verdict="parser.field_dead") for one in past(50, price=0.0)]
    good = [run(at=T0 - timedelta(days=n), price=1.0) for n in range(1, 10)]
    assert judge(run(price=0.0), [*broken, *good]).cause == "parser.field_dead"


def test_each_country_has_its_own_history():
    assert told(judge(run(0, geo="BR"), past(40))) == (State.UNKNOWN, "")


def test_zero_items_of_a_new_page_say_nothing_of_the_parser():
    assert told(judge(run(0, url="https://s.example/?q=new"), past(40))) == (State.UNKNOWN, "")


@pytest.mark.parametrize(
    ("items", "error", "cause"),
    [
        (0, "HTTP 403 on 41 of 41 pages", "page.blocked"),
        (0, "captcha at www.s.example", "page.blocked"),
        (0, "redirected to a consent page", "page.consent"),
        (0, "Timed out after 30 s", "tcp.timeout"),
        (0, "KeyError: 'price'", "parser.late"),
        (12, "closespider_timeout", "parser.partial"),
        (31, "3 errors in the log", ""),
    ],
)
def test_an_error_counts_when_the_run_has_less_than_ever(items, error, cause):
    assert judge(run(items, error=error), past(40)).cause == cause


def test_an_error_is_told_from_the_first_run_on():
    assert judge(run(0, error="captcha"), []).cause == "page.blocked"


@pytest.mark.parametrize(
    ("minutes", "cause"),
    [(0, None), (22, None), (22.5, None), (23, "parser.late"), (600, "parser.late")],
)
def test_a_run_is_late_after_one_and_a_half_intervals(minutes, cause):
    verdict = lateness(T0, 900.0, T0 + timedelta(minutes=minutes))
    assert (verdict.cause if verdict else None) == cause


def test_a_parser_that_never_ran_is_unknown_and_not_late():
    assert told(lateness(None, 900.0, T0)) == (State.UNKNOWN, "")


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.floats(0, 1)), max_size=30),
    st.integers(0, 100_000),
    st.floats(0, 1),
    st.text(max_size=20),
)
def test_every_history_gives_a_verdict(before, items, fill, error):
    history = [run(count, at=T0 - n * QUARTER, price=share) for n, (count, share) in enumerate(before, 1)]
    verdict = judge(run(items, price=fill, error=error), history)
    assert verdict.detail
    assert (verdict.state is State.FAILING) == bool(verdict.cause)
