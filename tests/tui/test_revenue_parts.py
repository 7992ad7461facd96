from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from data.model.money import cents
from tests.tui import corvane_revenue
from tests.tui.corvane_revenue import HOUR
from tests.tui.fake import Serving, dashboard, said
from tests.tui.screen import WIDE, line_of, news, settle
from tests.tui.slices import BLIND, FINE, HIDDEN, HOSTILE, LOOK, SILENT, WAITING, WHOLE, YOUNG, opened
from tui.lines import plain, width_of
from tui.screens import revenue_parts as parts
from tui.screens.revenue import RevenueScreen
from tui.screens.revenue_funnel import funnel


async def test_a_part_is_opened_under_the_slice_it_is_of_and_escape_goes_back():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("3", "enter")
        await settle(pilot)
        assert app.screen.target == "slice:partner=P05,offer=welcome,geo=DE"
        assert "Revenue › P05 › DE › welcome" in line_of(app, "header")
        await pilot.press("3", "enter")
        await settle(pilot)
        assert "Revenue › P05 › DE › welcome › aurora-001" in line_of(app, "header")
        await pilot.press("escape", "escape")
        await settle(pilot)
        assert app.screen.target == SILENT
        assert app.screen.table.selected.value == "welcome"
        await pilot.press("escape")
        assert not isinstance(app.screen, RevenueScreen)


async def test_brackets_walk_the_parts_of_the_slice_above():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("3", "enter")
        await settle(pilot)
        await pilot.press("]")
        await settle(pilot)
        assert "P05 › DE › slots" in line_of(app, "header")


async def test_parts_are_shown_by_one_dimension_after_the_other():
    app = dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        seen = []
        for _ in range(4):
            await pilot.press("d")
            seen.append((app.screen.dimension, app.screen.table.total))
        assert seen == [("offer", 3), ("site", 3), ("team", 2), ("all", 8)]
        app.open_target(FINE)
        await settle(pilot)
        await pilot.press("d")
        assert "There is one way to divide this slice" in said(app)


async def test_names_of_parts_and_a_selected_part_stay_while_their_figures_move():
    service = Serving(WHOLE)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("3", "j", "j")
        moved = tuple(replace(one, seen=1.0, lost=cents(3)) for one in reversed(corvane_revenue.PARTS))
        await news(pilot, app, replace(WHOLE, revenue=replace(corvane_revenue.SILENT, parts=moved)))
        assert app.screen.table.selected.value == "live"


# Parts as data


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("detail", [WHOLE, HIDDEN, WAITING, BLIND, YOUNG, HOSTILE, replace(WHOLE, revenue=None)])
def test_no_line_is_wider_than_its_place(detail, width):
    drawn = [*parts.worth(detail, LOOK, width), *parts.evidence(detail, LOOK, width, 20), *parts.reports(detail, LOOK, width, 20), *funnel(detail, LOOK, width, 20)]  # fmt: skip
    assert max(map(width_of, drawn)) <= width


def test_a_reason_that_stays_is_said_once_and_a_long_one_is_cut():
    lines = [plain(line) for line in parts.evidence(WHOLE, LOOK, 80, 40)]
    assert sum("lent" in line for line in lines) == 1
    long = replace(corvane_revenue.EVIDENCE[0], why="word " * 200)
    told = parts.evidence(replace(WHOLE, revenue=replace(corvane_revenue.SILENT, evidence=(long,))), LOOK, 80, 40)
    assert len(told) == 2 + 1 + 3
    assert plain(told[-1]).strip() == "…"


def test_worthless_ftd_are_told_against_what_is_usual():
    row = replace(corvane_revenue.EVIDENCE[0], channel="value", seen=6, expected=0.2, window_h=48)
    assert parts.said(row) == "6 FTD that pay nothing, 0.2 usual in 48 h"
    assert parts.said(replace(row, channel="ftd", window_h=0)) == "6 of 0.2 FTD"
    assert parts.said(row, 36) == "6 unpaid FTD, 0.2 usual in 48 h"


def test_a_step_without_a_count_is_not_taken_for_zero():
    steps = (replace(corvane_revenue.FUNNEL.steps[0], seen=None), *corvane_revenue.FUNNEL.steps[1:])
    view = replace(corvane_revenue.SILENT, funnel=replace(corvane_revenue.FUNNEL, steps=steps))
    line = plain(funnel(replace(WHOLE, revenue=view), LOOK, 80, 20)[1])
    assert "own clicks" in line
    assert line.count("—") == 2
    assert "0%" not in line


def test_slowest_report_says_how_far_all_of_them_reach():
    one = corvane_revenue.REPORTS[0]
    late = replace(one, partner="P04", covered=HOUR - timedelta(hours=30), waiting=True)
    assert parts.reach((), LOOK) == ""
    assert parts.reach((one,), LOOK) == "reported until 11:00Z, usually 1.2 h later"
    assert parts.reach((one, late), LOOK) == "reported until 16 Nov 05:00Z, waiting for P04"
    assert parts.reach((one, replace(late, covered=None)), LOOK) == "nothing reported yet, waiting for P04"
