from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds.canonical import canonical, pivot_columns, summed
from checks.feeds.preset import parse

from .conftest import CALM

BASE = """
platform = "X"
timezone = "Europe/Berlin"
[rows]
format = "json"
{rows}
[fields]
clicks = {{ from = "clicks" }}
ngr = {{ from = "ngr", type = "money" }}
{fields}
"""


def preset(rows="", fields=""):
    return parse(BASE.format(rows=rows, fields=fields), "x")


def row(record, rows="", fields=""):
    (found,) = canonical([{"date": "2026-11-17", **record}], preset(rows, fields))
    return found


@pytest.mark.parametrize(
    ("text", "decimal", "figure"),
    [
        ("1234.5", ".", "1234.5"), ("1,234.50", ".", "1234.5"), ("€ 12.00", ".", "12"), ("12.00 EUR", ".", "12"), ("(12.00)", ".", "-12"),
        ("-1,234,567.8", ".", "-1234567.8"), ("1 234.5", ".", "1234.5"), ("1.234,50", ",", "1234.5"), ("0,5", ",", "0.5"),
        ("−3,25", ",", "-3.25"), ("1\u202f234,5", ",", "1234.5"), ("1'234.5", ".", "1234.5"),
        ("1,234", ".", None), ("1.234", ",", None), ("12,34.5", ".", None), ("1,5", ".", None), ("12abc", ".", None), ("NaN", ".", None),
        ("1e400", ".", None), ("", ".", None), ("-", ".", None), ("1_000", ".", None), ("12%", ".", None),
    ],
)  # fmt: skip
def test_money_as_people_write_it_is_read_only_where_it_can_mean_one_thing(text, decimal, figure):
    found = row({"ngr": text}, f'decimal = "{decimal}"')
    assert found.measures["ngr"] == (None if figure is None else Decimal(figure))
    assert found.unread == (("ngr",) if figure is None and text else ())


def test_a_count_with_groups_has_no_fraction_to_be_mistaken_for():
    assert row({"clicks": "1,234"}).measures["clicks"] == 1234


@CALM
@given(st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=2), st.sampled_from(".,"))
def test_what_is_written_in_groups_reads_as_it_was(figure, decimal):
    text = f"{figure:,.2f}"
    text = text if decimal == "." else text.replace(",", "x").replace(".", ",").replace("x", ".")
    assert row({"ngr": text}, f'decimal = "{decimal}"').measures["ngr"] == figure


def test_a_result_and_its_adjustments_are_one_figure():
    fields = 'commission_cpa = { from = "cpa.Result", plus = ["cpa.Adjustment"], type = "money" }'
    assert row({"cpa": {"Result": 100, "Adjustment": "-20.5"}}, fields=fields).measures["commission_cpa"] == Decimal(
        "79.5"
    )
    assert row({"cpa": {"Result": 100, "Adjustment": None}}, fields=fields).measures["commission_cpa"] == 100
    assert row({"cpa": {"Result": None}}, fields=fields).measures["commission_cpa"] is None
    assert "commission_cpa" not in row({}, fields=fields).measures
    broken = row({"cpa": {"Result": 100, "Adjustment": "oops"}}, fields=fields)
    assert (broken.measures["commission_cpa"], broken.unread) == (None, ("cpa.Adjustment",))


def test_zero_null_and_not_delivered_are_three_facts_unless_the_platform_leaves_out_zeros():
    fields = 'ftd_count = { from = "ftd" }\nqftd_count = { from = "qftd", missing = "zero" }'
    measures = row({"clicks": 0, "ngr": None, "qftd": None}, fields=fields).measures
    assert measures == {"clicks": 0, "ngr": None, "qftd_count": None}
    assert row({}, fields=fields).measures == {"qftd_count": 0}


@pytest.mark.parametrize(
    ("record", "rows", "day", "hour"),
    [
        ({"date": "2026-11-17T23:30:00Z"}, 'hour = "date"', date(2026, 11, 18), "00"),
        ({"date": "2026-11-17T00:00:00Z"}, 'hour = "date"', date(2026, 11, 17), "01"),
        ({"date": "2026-11-17 13:00"}, 'hour = "date"', date(2026, 11, 17), "13"),
        ({"date": "2026-11-17", "h": 7}, 'hour = "h"', date(2026, 11, 17), "07"),
        ({"date": "2026-11-17", "h": "13:00"}, 'hour = "h"', date(2026, 11, 17), "13"),
        ({"date": "2026-11-17", "h": 24}, 'hour = "h"', date(2026, 11, 17), None),
        ({"date": 1_795_042_800}, 'hour = "date"\nday_format = "unix"', date(2026, 11, 19), "00"),
        ({"date": "17.11.2026"}, 'day_format = "%d.%m.%Y"', date(2026, 11, 17), None),
        ({"date": "31/02/2026"}, 'day_format = "%d/%m/%Y"', None, None),
        ({"date": "2026-11-17T00:00:00Z"}, "", date(2026, 11, 17), None),
    ],
)
def test_days_and_hours_are_the_partners(record, rows, day, hour):
    found = row(record, rows)
    assert (found.day, found.dims.get("hour")) == (day, hour)


def test_rows_of_totals_are_no_rows():
    records = [{"date": "2026-11-17", "clicks": 1}, {"date": "Grand Total", "clicks": 9}, {"date": "", "clicks": 9}]
    found = canonical(records, preset('skip = "^$|total"'))
    assert [one.measures["clicks"] for one in found] == [1]
    assert summed({"clicks": "9"}, preset())["clicks"] == 9


def test_columns_of_a_row_become_fields_by_their_type():
    rows = [
        {"columns": [{"column_type": "offer", "id": "5", "label": "Zefirion"}, {"column_type": "country", "id": "DE", "label": ""}], "n": 1},
        {"columns": None}, "junk",
    ]  # fmt: skip
    assert pivot_columns(rows) == [{"n": 1, "columns.offer": "Zefirion", "columns.country": "DE"}, {}]
