from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds.daymonth import Order, day_month_swap, usual_order

from .conftest import CALM

FORMS = {Order.YMD: "%Y-%m-%d", Order.DMY: "%d/%m/%Y", Order.MDY: "%m/%d/%Y"}


def written(day, order, rows=40):
    return {day.strftime(FORMS[order]): rows}


def history(last, order, days=14):
    return [written(last - timedelta(days=days - 1 - back), order) for back in range(days)]


@CALM
@given(st.dates(date(2024, 2, 1), date(2030, 1, 1)), st.sampled_from(list(FORMS)))
def test_a_swapped_day_is_found_whenever_swapping_makes_another_date(day, order):
    before = history(day - timedelta(days=1), order)
    if order is Order.DMY:
        now = written(day, Order.MDY)
    elif order is Order.MDY:
        now = written(day, Order.DMY)
    else:
        now = {day.strftime("%Y-%d-%m"): 40}
    found = day_month_swap(before, now)
    same = day.day == day.month
    assert (found is None) == same
    if found:
        assert found.usual is order
        assert (found.out, found.n) == (40, 40)


@CALM
@given(st.dates(date(2024, 2, 1), date(2030, 1, 1)), st.sampled_from(list(FORMS)), st.integers(1, 9))
def test_the_next_days_are_no_swap(last, order, ahead):
    assert day_month_swap(history(last, order), written(last + timedelta(days=ahead), order)) is None


def test_only_dates_that_can_swap_do_so_in_a_report_of_a_month():
    month = [date(2026, 10, 1) + timedelta(days=n) for n in range(31)]
    before = [{day.strftime("%Y-%m-%d"): 4 for day in month}] * 3
    now = {day.strftime("%Y-%d-%m" if day.day <= 12 else "%Y-%m-%d"): 4 for day in month}
    found = day_month_swap(before, now)
    assert found
    assert 36 <= found.out <= 44
    assert found.n == 124


def test_days_of_long_ago_are_no_swap():
    before = history(date(2026, 11, 14), Order.YMD)
    for back in (30, 60, 200, 400):
        window = [date(2026, 11, 14) - timedelta(days=back + n) for n in range(7)]
        assert day_month_swap(before, {day.isoformat(): 5 for day in window}) is None


def test_a_single_slip_is_no_swap():
    now = {"2026-11-15": 60, "2026-12-11": 2}
    assert day_month_swap(history(date(2026, 11, 14), Order.YMD), now) is None


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["2026-11-05"], Order.YMD),
        (["05/11/2026", "13/11/2026"], Order.DMY),
        (["11/05/2026", "11/13/2026"], Order.MDY),
        (["05/11/2026", "06/11/2026", "07/11/2026"], Order.DMY),
        (["11/05/26", "11/06/26"], Order.MDY),
        (["11/11/2026"], None),
        (["2026-11-05", "05/11/2026"], None),
        (["nonsense"], None),
        ([], None),
    ],
)
def test_the_order_so_far_is_the_one_that_fits_and_spans_the_fewest_days(texts, order):
    assert usual_order([{text: 1} for text in texts]) is order


@CALM
@given(st.lists(st.dictionaries(st.text(max_size=12), st.integers(1, 9), max_size=4), max_size=4), st.dictionaries(st.text(max_size=12), st.integers(1, 9), max_size=4))  # fmt: skip
def test_texts_that_are_no_dates_are_no_swap(before, now):
    assert day_month_swap(before, now) is None
