"""What a report says beyond what was told, laid on hours and slices: sums are exact, nothing is told twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.feeds.to_facts import (
    ANYWHERE,
    HOUR,
    MEASURES,
    PIECES,
    Clicks,
    Leaf,
    Place,
    Said,
    Stretch,
    counted,
    differences,
    facts,
    hours_between,
    parts_of,
    told,
)  # fmt: skip

BEGIN = datetime(2026, 11, 17, tzinfo=UTC)
HOURS = tuple(BEGIN + n * HOUR for n in range(24))
DE, FI = Leaf("casino", "DE", "s1"), Leaf("casino", "FI", "s2")
NOTHING = told(())


def stretch(fresh=HOURS, *, settled=False):
    return Stretch("2026-11-17", HOURS, dict.fromkeys(fresh, 1.0), settled=settled)


def said(place=ANYWHERE, **figures):
    return Said(place, {name: Decimal(str(figure)) for name, figure in figures.items()})


def kept(added, before=NOTHING):
    """What stands in the facts once `added` is."""
    found = {name: dict(cells) for name, cells in before.items()}
    for cell, figures in added.items():
        for name, figure in figures.items():
            found[name][cell] = found[name].get(cell, Decimal(0)) + figure
    return {name: {cell: figure for cell, figure in cells.items() if figure} for name, cells in found.items()}


def sums(known):
    return {name: sum(cells.values(), Decimal(0)) for name, cells in known.items()}


CLICKS = Clicks({(hour, leaf): 10 * (n + 1) for n, hour in enumerate(HOURS[:12]) for leaf in (DE, FI)})


def test_a_day_that_comes_at_once_follows_our_clicks_and_is_no_burst():
    whole = differences("p", [said(regs=1200, ftd=300, revenue=33000)], stretch(), NOTHING, NOTHING, CLICKS)
    known = kept(whole)
    assert sums(known) == {"clicks": 0, "regs": 1200, "ftd": 300, "revenue": 33000}
    by_hour = [sum(figure for cell, figure in known["regs"].items() if cell[0] == hour) for hour in HOURS]
    assert all(count > 0 for count in by_hour[1:12])
    assert not any(by_hour[12:]), "no click, no conversion"
    assert by_hour[11] > 4 * by_hour[1], "twelve times the clicks of the first hour"
    assert {cell[1] for cell in known["ftd"]} == {DE, FI}


def test_money_goes_where_the_conversions_went():
    known = kept(differences("p", [said(regs=20, ftd=5, revenue="550.01")], stretch(), NOTHING, NOTHING, CLICKS))
    assert known["revenue"].keys() == known["ftd"].keys()
    assert sum(known["revenue"].values()) == Decimal("550.01")
    for cell, count in known["ftd"].items():
        assert abs(known["revenue"][cell] / count - 110) < 1


def test_the_same_report_again_tells_nothing():
    report = [said(regs=40, ftd=9, revenue=990), said(Place(site="s2"), regs=7, ftd=1, revenue=110)]
    before = kept(differences("p", report, stretch(), NOTHING, NOTHING, CLICKS))
    assert differences("p", report, stretch(), before, NOTHING, CLICKS) == {}


def test_only_what_is_new_is_told_and_on_the_hours_since_the_last_reading():
    before = kept(differences("p", [said(regs=40, ftd=9, revenue=990)], stretch(HOURS[:6]), NOTHING, NOTHING, CLICKS))
    more = differences("p", [said(regs=52, ftd=11, revenue=1210)], stretch(HOURS[6:8]), before, NOTHING, CLICKS)
    assert {hour for hour, _ in more} <= set(HOURS[6:8])
    assert sums(kept(more)) == {"clicks": 0, "regs": 12, "ftd": 2, "revenue": 220}


def test_what_is_taken_back_comes_from_where_it_was_told_and_never_below_nothing():
    before = kept(differences("p", [said(regs=40, ftd=9, revenue=990)], stretch(), NOTHING, NOTHING, CLICKS))
    less = differences("p", [said(regs=31, ftd=4, revenue=440)], stretch(settled=True), before, NOTHING, CLICKS)
    after = kept(less, before)
    assert sums(after) == {"clicks": 0, "regs": 31, "ftd": 4, "revenue": 440}
    assert all(figure >= 0 for name in ("regs", "ftd") for figure in after[name].values())
    assert all(cell in before["regs"] or cell in before["revenue"] for cell in less)


def test_a_row_that_names_its_site_is_told_there_and_the_rest_goes_elsewhere():
    report = [said(Place(site="s1"), regs=30), said(regs=12)]
    known = kept(differences("p", report, stretch(), NOTHING, NOTHING, CLICKS))["regs"]
    assert sum(figure for cell, figure in known.items() if cell[1] == DE) == 30
    assert sum(figure for cell, figure in known.items() if cell[1] == FI) == 12


def test_where_we_have_no_click_the_report_says_where_and_hours_are_as_usual():
    shape = tuple(1.0 if hour in {9, 10} else 0.0 for hour in range(24))
    report = [said(Place("casino", "PT", None), clicks=500, regs=40)]
    known = kept(differences("p", report, stretch(), NOTHING, NOTHING, Clicks(by_hour=shape)))
    assert {cell[1] for cell in known["regs"]} == {Leaf("casino", "PT", "")}
    assert {cell[0].hour for cell in known["clicks"]} == {9, 10}


def test_what_is_no_longer_reported_anywhere_is_taken_back():
    before = kept(differences("p", [said(Place(site="s1"), regs=30, revenue=90)], stretch(), NOTHING, NOTHING, CLICKS))
    gone = differences(
        "p", [said(Place(site="s2"), regs=4, revenue=12)], stretch(settled=True), before, NOTHING, CLICKS
    )
    after = kept(gone, before)
    assert sums(after)["regs"] == 4
    assert {cell[1] for cell in after["regs"]} == {FI}


def test_a_measure_that_is_not_delivered_is_left_as_it_was_told():
    before = kept(differences("p", [said(regs=30, ftd=5)], stretch(), NOTHING, NOTHING, CLICKS))
    assert differences("p", [said(regs=30)], stretch(settled=True), before, NOTHING, CLICKS) == {}


def calls(regs=0, ftd=0):
    """What postbacks told, in the first two hours."""
    wanted = {HOURS[0]: {"regs": regs, "ftd": ftd}}
    return kept(counted("calls", wanted, Decimal(100), NOTHING, CLICKS))


@pytest.mark.parametrize(
    ("settled", "report", "stands"),
    [
        pytest.param(False, {"regs": 30, "ftd": 8}, (30, 8), id="a report that is ahead adds what calls lack"),
        pytest.param(
            False, {"regs": 10, "ftd": 2}, (20, 5), id="a report that is behind lowers nothing while the day runs"
        ),
        pytest.param(True, {"regs": 10, "ftd": 2}, (10, 2), id="once the day is settled the report has the last word"),
        pytest.param(True, {"regs": 20, "ftd": 5}, (20, 5), id="both say the same"),
    ],
)
def test_postbacks_that_came_first_are_counted_once(settled, report, stands):
    theirs = calls(20, 5)
    added = differences("p", [said(**report)], stretch(settled=settled), NOTHING, theirs, CLICKS)
    after = sums(kept(added, theirs))
    assert (after["regs"], after["ftd"]) == stands


def test_the_report_puts_the_worth_of_postbacks_right():
    theirs = calls(20, 5)
    assert sums(theirs)["revenue"] == 500
    added = differences("p", [said(regs=20, ftd=5, revenue=610)], stretch(settled=True), NOTHING, theirs, CLICKS)
    assert sums(kept(added, theirs))["revenue"] == 610


def test_calls_tell_only_what_was_not_told():
    before = kept(counted("calls", {HOURS[3]: {"regs": 4, "ftd": 1}}, Decimal(50), NOTHING, CLICKS))
    more = counted("calls", {HOURS[3]: {"regs": 5, "ftd": 1}, HOURS[4]: {"ftd": 2}}, Decimal(50), before, CLICKS)
    assert sums(kept(more)) == {"clicks": 0, "regs": 1, "ftd": 2, "revenue": 100}
    assert counted("calls", {HOURS[3]: {"regs": 4, "ftd": 1}}, Decimal(99), before, CLICKS) == {}


def test_money_without_conversions_is_laid_down_in_few_rows():
    many = Clicks({(hour, Leaf("", "", f"s{n}")): 1 for hour in HOURS for n in range(40)})
    known = kept(differences("p", [said(revenue="1000.03")], stretch(), NOTHING, NOTHING, many))["revenue"]
    assert len(known) <= PIECES
    assert sum(known.values()) == Decimal("1000.03")


def test_facts_are_rows_in_order_and_whole_numbers():
    added = differences("p", [said(regs=3, ftd=1, revenue=110)], stretch(), NOTHING, NOTHING, CLICKS)
    rows = facts(added, "aurora", "P01", "p", BEGIN + timedelta(days=1))
    assert [row.hour for row in rows] == sorted(row.hour for row in rows)
    assert sum(row.regs for row in rows) == 3
    assert {row.source for row in rows} == {"p"}


def test_an_hour_belongs_to_the_day_it_begins_in_whatever_the_zone():
    half = BEGIN + timedelta(minutes=30)
    assert hours_between(half, half + timedelta(hours=2)) == (BEGIN + HOUR, BEGIN + 2 * HOUR)
    assert parts_of(HOURS[:2], half, BEGIN + HOUR) == {BEGIN: 0.5}


figure = st.integers(0, 500)
report = st.lists(
    st.tuples(st.sampled_from([ANYWHERE, Place(site="s1"), Place(geo="FI"), Place("poker")]), figure, figure, st.integers(-500, 9000)),
    min_size=1, max_size=4, unique_by=lambda row: row[0],
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(report, st.booleans()), min_size=1, max_size=5))
def test_whatever_reports_say_one_after_the_other_the_facts_add_up_to_the_last(reports):
    known = NOTHING
    for rows, settled in reports:
        told_now = [said(place, regs=regs, ftd=ftd, revenue=money) for place, regs, ftd, money in rows]
        added = differences("p", told_now, stretch(settled=settled), known, NOTHING, CLICKS)
        assert added == differences("p", told_now, stretch(settled=settled), known, NOTHING, CLICKS)
        known = kept(added, known)
        total = sums(known)
        assert total["regs"] == sum(row[1] for row in rows)
        assert total["ftd"] == sum(row[2] for row in rows)
        assert total["revenue"] == sum(row[3] for row in rows)
        assert all(count >= 0 for name in ("regs", "ftd") for count in known[name].values())
    assert set(known) == set(MEASURES)
