from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.cli.paper import Paper
from tui.cli.table import Cell, Column, table

PIPE = Paper(width=None, color=False, ascii_only=False)
COLUMNS = (Column("name", least=6, yields=2), Column("ms", "right"), Column("seen", least=6, yields=3))


def lines(rows, paper=PIPE, columns=COLUMNS):
    return list(table(columns, [[Cell(text) for text in row] for row in rows], paper))


def test_columns_are_as_wide_as_their_widest_cell_and_figures_stand_right():
    assert lines([("a", "9 ms", "x"), ("longer", "410 ms", "")]) == [
        "name        ms  seen",
        "a         9 ms  x",
        "longer  410 ms  —",
    ]


def test_wide_characters_count_as_the_cells_they_take():
    first, second = lines([("日本", "1", "x"), ("abcd", "1", "x")])[1:]
    assert cell_len(first) == cell_len(second)


def test_in_a_terminal_the_column_that_yields_most_is_cut_first():
    narrow = Paper(width=32, color=False, ascii_only=False)
    assert lines([("site-number-one", "410 ms", "503 in 41 ms at the edge")], narrow) == [
        "name                 ms  seen",
        "site-number-one  410 ms  503 in…",
    ]


def test_in_a_pipe_nothing_is_cut():
    assert "x" * 500 in "\n".join(lines([("x" * 500, "1", "y" * 500)]))


def test_an_escape_code_in_a_cell_never_gets_out():
    out = "\n".join(lines([("\x1b[31mred", "1", "\u202eevil\x07")]))
    assert not {"\x1b", "\u202e", "\x07"} & set(out)


def test_colour_surrounds_a_cell_and_changes_no_width():
    plain = list(table((Column("seen"),), [[Cell("DOWN", "bad")]], PIPE))
    inked = list(table((Column("seen"),), [[Cell("DOWN", "bad")]], Paper(None, color=True, ascii_only=False)))
    assert plain[1] == "DOWN"
    assert inked[1] == "\x1b[31mDOWN\x1b[0m"


@given(
    st.lists(st.tuples(st.text(max_size=60), st.text(max_size=8), st.text(max_size=90)), max_size=5),
    st.integers(40, 200),
)
def test_no_line_is_wider_than_the_terminal(rows, width):
    for line in lines(rows, Paper(width, color=False, ascii_only=False)):
        assert cell_len(line) <= width
