from __future__ import annotations

import subprocess
import sys

import pytest
from rich.cells import cell_len

from tests.tui import corvane
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


def test_whoever_may_not_see_money_sees_severities_and_no_zeros():
    text = render(corvane.HIDDEN, 120)
    assert "€" not in text
    assert "SEV1" in text


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
