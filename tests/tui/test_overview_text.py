from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from rich.cells import cell_len

from data.model.incident import IncidentState
from data.model.snapshot import IncidentCount
from data.model.state import State
from tests.tui import corvane
from tui.overview_lines import panes, panes_height
from tui.overview_text import render


@pytest.mark.parametrize("width", [20, 60, 80, 120, 200])
@pytest.mark.parametrize("name", ["BURNING", "HEALTHY", "EMPTY", "HIDDEN", "SICK", "HOSTILE"])
def test_no_line_is_wider_than_asked_and_none_can_move_a_cursor(name, width):
    text = render(getattr(corvane, name), width)
    assert all(cell_len(line) <= max(width, 40) for line in text.splitlines())
    assert "\x1b" not in text
    assert text.endswith("\n")


def test_the_worst_is_named_with_its_cost():
    text = render(corvane.BURNING, 120)
    for fact in (
        "Corvane Media",
        "465 failing",
        "losing €473/h",
        "today −€1,284",
        "412",
        "Halyard Edge",
        "€413",
        "unseen",
    ):
        assert fact in text


def test_incidents_that_are_only_counted_are_said_to_be_there():
    many = replace(corvane.BURNING, beyond=IncidentCount(open=4_800, acknowledged=1_200, sev1=2))
    shown = len(corvane.BURNING.incidents)
    text = render(many, 120)
    assert f"{shown} of {4_800 + shown:,} open" in text
    acked = 1_200 + sum(one.state is IncidentState.ACKNOWLEDGED for one in corvane.BURNING.incidents)
    assert f"{acked:,} acked" in text
    calm = replace(many, incidents=(), loss_per_hour=None, lost_today=None)
    assert "2 severe: SEV1" in render(calm, 120)


def test_whoever_may_not_see_money_sees_severities_and_no_zeros():
    text = render(corvane.HIDDEN, 120)
    assert "€" not in text
    assert "SEV1" in text


@pytest.mark.parametrize(
    ("body", "incidents", "rows", "height"),
    [
        (38, 0, 12, 22),
        (38, 5, 12, 18),
        (38, 6, 12, 14),
        (38, 40, 12, 12),
        (38, 0, 3, 12),
        (28, 0, 12, 12),
        (60, 3, 12, 28),
    ],
)
def test_the_panes_take_the_rows_that_incidents_leave(body, incidents, rows, height):
    assert panes_height(body, incidents, rows) == height


def test_partners_that_have_not_reported_stand_below_those_in_band():
    states = [State.UNKNOWN, State.FAILING, State.UNKNOWN, State.OK, State.DEGRADED]
    rows = tuple(replace(corvane.SLICES[0], name=str(at), state=state) for at, state in enumerate(states))
    view = panes(replace(corvane.BURNING, slices=replace(corvane.BURNING.slices, rows=rows)))[3]
    assert [row.name for row in view.rows] == ["1", "4", "3", "0", "2"]


def test_an_empty_company_says_the_next_command():
    assert "losswatch init" in render(corvane.EMPTY, 80)


def test_ascii_is_ascii_and_writes_the_currency_out():
    text = render(corvane.BURNING, 120, True)
    assert text.isascii()
    assert "EUR 473/h" in text


def test_missing_secrets_and_bad_health_are_said():
    assert "ambervolt-token" in render(corvane.SICK, 120)


def test_plain_text_needs_no_terminal_library():
    code = "import sys, tui.overview_text; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
