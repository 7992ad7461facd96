from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.corvane import HOSTILE_NAMES
from tui.lines import changed_cells, crop, fit, inked, merged, plain, rule, safe, spread, to_ascii, width_of, wrap

ANY = st.one_of(st.text(max_size=60), st.sampled_from(HOSTILE_NAMES))
ROLE = st.sampled_from(["", "bad", "dim"])
LINE = st.lists(st.tuples(ANY, ROLE), max_size=4).map(tuple)


def harmless(text):
    return not {unicodedata.category(char) for char in text} & {"Cc", "Cf", "Cs"}


@given(ANY, st.integers(0, 50), st.sampled_from(["left", "right"]))
def test_a_fitted_text_takes_exactly_its_cells_and_nothing_that_moves_a_cursor(text, width, align):
    fitted = fit(text, width, align)
    assert cell_len(fitted) == width
    assert harmless(fitted)


@given(LINE, st.integers(0, 50))
def test_a_cropped_line_takes_exactly_its_cells(line, width):
    cropped = crop(line, width)
    assert width_of(cropped) == width
    assert harmless(plain(cropped))


@given(LINE, LINE, st.integers(10, 60))
def test_both_ends_share_one_width(left, right, width):
    assert width_of(spread(left, right, width)) == width


@given(ANY, ANY, st.integers(1, 60))
def test_a_rule_is_as_wide_as_its_panel(title, note, width):
    assert width_of(crop(rule(title, note, width), width)) == width
    assert width_of(rule("", "", width)) == width


@given(ANY, st.integers(0, 40))
def test_wrapping_loses_no_word_and_overflows_nowhere(text, width):
    lines = wrap(text, width)
    assert all(width_of(line) <= max(width, 2) for line in lines)
    assert "".join(plain(line) for line in lines).replace(" ", "") == safe(text).replace(" ", "")


@given(LINE)
def test_ink_changes_no_letter_and_no_letters_role(line):
    before = [(char, role) for text, role in line for char in text if not char.isspace()]
    assert [(char, role) for text, role in inked(line) for char in text if not char.isspace()] == before
    assert plain(inked(line)) == plain(line)


def test_blanks_cost_no_role_of_their_own():
    assert inked(((" ", ""), ("a", "bad"), ("  ", ""), ("b", "bad"))) == ((" a  b", "bad"),)


@given(ANY)
def test_ascii_mode_keeps_every_cell(text):
    shown = fit(text, 40)
    assert to_ascii(shown).isascii()
    assert len(to_ascii(shown)) == 40


@given(st.text("ab█娯", max_size=12), st.text("ab█娯", max_size=12))
def test_repainting_only_the_changed_cells_gives_the_new_line(old, new):
    width = 30
    before, after = crop(((old, ""),), width), crop(((new, ""),), width)
    span = changed_cells(before, after, width)
    if span is None:
        assert before == after
        return
    start, size = span
    assert 0 <= start < start + size <= width
    one, two = _by_cell(plain(before)), _by_cell(plain(after))
    assert one[:start] + two[start : start + size] + one[start + size :] == two


def _by_cell(text):
    return [(char, part) for char in text for part in range(cell_len(char))]


def test_an_equal_line_is_not_repainted():
    line = (("aurora-001", "bad"), (" 503", ""))
    assert changed_cells(line, line, 80) is None


def test_a_change_of_role_is_a_change():
    assert changed_cells((("abc", ""),), (("a", ""), ("b", "bad"), ("c", "")), 3) == (1, 1)


def test_neighbours_of_one_role_are_one_run():
    assert merged([("a", "x"), ("b", "x"), ("", "y"), ("c", "y")]) == (("ab", "x"), ("c", "y"))
