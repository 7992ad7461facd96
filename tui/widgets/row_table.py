from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from textual.message import Message

from tui import keys
from tui.column import Column, Plan, head_line, layout, row_line
from tui.widgets.panel import WAITING, Panel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.binding import BindingType

    from tui.lines import Line, Span
    from tui.look import Look

R = TypeVar("R")

PREFETCH = 60
"""Rows asked for above and below what is shown."""
PAGE = 200


class RowTable(Panel, Generic[R]):
    """Rows by key: the cursor stays on its row when rows move, the first column stays when columns scroll.

    Rows may be a window of a longer list that the hub sorts; what is not here yet is drawn as `…` and asked for by
    `Wanted`, while the cursor moves on.
    """

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("table")

    class Opened(Message):
        """The selected row was entered."""

        def __init__(self, table: RowTable[Any], key: str) -> None:
            super().__init__()
            self.table, self.key = table, key

    class Moved(Message):
        """Another row is selected."""

        def __init__(self, table: RowTable[Any], key: str | None) -> None:
            super().__init__()
            self.table, self.key = table, key

    class Wanted(Message):
        """Rows that are shown, or soon will be, are missing."""

        def __init__(self, table: RowTable[Any], offset: int, limit: int) -> None:
            super().__init__()
            self.table, self.offset, self.limit = table, offset, limit

    def __init__(
        self, columns: Sequence[Column[R]], key_of: Callable[[R], str], title: str = "", *, id: str | None = None,  # noqa: A002  # Textual's own name
        head: bool = True, always_mark: bool = False, empty: str = WAITING,
    ) -> None:  # fmt: skip
        super().__init__(title, id=id, focusable=True)
        self.columns = tuple(columns)
        self.key_of = key_of
        self.head = head
        self.empty = empty
        self.foot: Callable[[int, int], Line] | None = None
        """(width, rows shown) -> last line of the table, e.g. what is not shown."""
        self.always_mark = always_mark
        """Mark the selected row also while something else has the focus; a table without shows its first rows then."""
        self.cursor = 0
        self.top_row = 0
        self.first_column = 0
        self.total = 0
        self.version = 0
        self._rows: dict[int, R] = {}
        self._key: str | None = None
        self._asked: tuple[int, int, int] | None = None

    # What is shown

    @property
    def selected_key(self) -> str | None:
        return self._key

    @property
    def selected(self) -> R | None:
        return self._rows.get(self.cursor)

    def present(self, rows: Sequence[R], *, total: int | None = None, offset: int = 0, version: int = 0) -> None:
        """Show `rows`, which start at `offset` of `total`. The selection follows its key; a gone one leaves its place."""
        if version != self.version:
            self._rows = {}
        self.version = version
        self._asked = None
        fresh = dict(enumerate(rows, offset))
        self._rows = fresh if total is None else {**self._rows, **fresh}
        self.total = len(rows) if total is None else total
        self._follow()
        self.redraw()

    def forget(self) -> None:
        """Another filter or order: nothing loaded is valid any more, the cursor goes to the top."""
        self._rows, self._key, self._asked = {}, None, None
        self.cursor = self.top_row = 0

    def rearrange(self, columns: Sequence[Column[R]]) -> None:
        """Other columns; rows and cursor stay."""
        self.columns = tuple(columns)
        self.first_column = 0
        self.redraw()

    def select(self, key: str) -> None:
        """Put the cursor on the row with `key` when it is loaded."""
        self._key = key
        self._follow()
        self.redraw()

    def neighbour(self, step: int) -> str | None:
        """Key of the row `step` away from the cursor, moving there; None at the ends or where nothing is loaded."""
        row = self._rows.get(self.cursor + step)
        if row is None:
            return None
        self._go(self.cursor + step)
        return self.key_of(row)

    def _follow(self) -> None:
        if not self.always_mark and not (self.is_attached and self.screen.focused is self):
            self.cursor = 0  # a cursor nobody sees must not hold the first rows, the worst, out of sight
            self._note_key()
            return
        at = next((index for index, row in self._rows.items() if self.key_of(row) == self._key), None)
        moved = self.cursor if at is None else at
        self.cursor = max(min(moved, self.total - 1), 0)
        self._note_key()

    def _note_key(self) -> None:
        row = self._rows.get(self.cursor)
        key = None if row is None else self.key_of(row)
        if key is None and self.total:
            self._key = None  # not loaded yet; the old key would pull the cursor back once rows come
            return
        if key != self._key:
            self._key = key
            if self.is_mounted:
                self.post_message(self.Moved(self, key))

    # Drawing

    @property
    def rows_shown(self) -> int:
        return max(self.body_height - self.head - (self.foot is not None), 0)

    def body(self, width: int, height: int) -> Sequence[Line]:
        shown = self.rows_shown
        self.top_row = max(min(self.top_row, self.cursor, self.total - shown), self.cursor - shown + 1, 0)
        plan = layout(self.columns, width, self.first_column)
        look = self.losswatch.look()
        lines: list[Line] = [self._head(plan, width)] if self.head and self.total else []
        if not self.total:
            lines.append((("   " + self.empty, "dim"),))
        visible = range(self.top_row, min(self.top_row + shown, self.total))
        lines += [self._line(index, plan, look, width) for index in visible]
        if self.foot is not None:
            lines += [()] * (height - 1 - len(lines))
            lines.append(self.foot(width, shown))
        self._want(shown)
        return lines

    def _head(self, plan: Plan[R], width: int) -> Line:
        hidden = self.first_column + len(plan) < len(self.columns)
        return head_line(plan, width, more_left=self.first_column > 0, more_right=hidden)

    def _line(self, index: int, plan: Plan[R], look: Look, width: int) -> Line:
        row = self._rows.get(index)
        here = index == self.cursor and (self.has_focus or self.always_mark)
        mark: Span = (" ▸ ", "focus") if here else ("   ", "")
        if row is None:
            return (mark, ("…", "dim"))
        line = row_line(row, plan, look, width, mark)
        if not (here and self.has_focus):
            return line
        return tuple((text, f"{role}+cursor") for text, role in line)

    def _want(self, shown: int) -> None:
        wanted = range(max(self.top_row - PREFETCH // 2, 0), min(self.top_row + shown + PREFETCH, self.total))
        visible = range(self.top_row, min(self.top_row + shown, self.total))
        if all(index in self._rows for index in visible):
            return
        first = next((index for index in wanted if index not in self._rows), wanted.start)
        asked = (first, max(min(PAGE, self.total - first), 1), self.version)
        if asked != self._asked:
            self._asked = asked
            self.post_message(self.Wanted(self, asked[0], asked[1]))

    # Moving

    def _go(self, to: int) -> None:
        before = self.cursor
        self.cursor = max(min(to, self.total - 1), 0)
        if self.cursor != before:
            self._note_key()
        self.redraw()

    def scroll_lines(self, by: int) -> None:
        self._go(self.cursor + by)

    def action_top(self) -> None:
        self._go(0)

    def action_bottom(self) -> None:
        self._go(self.total - 1)

    def action_page_down(self) -> None:
        self._go(self.cursor + max(self.rows_shown // 2, 1))

    def action_page_up(self) -> None:
        self._go(self.cursor - max(self.rows_shown // 2, 1))

    def action_columns_right(self) -> None:
        fitting = len(layout(self.columns, self.size.width, self.first_column))
        if self.first_column + fitting < len(self.columns):
            self.first_column += 1
            self.redraw()

    def action_columns_left(self) -> None:
        self.first_column = max(self.first_column - 1, 0)
        self.redraw()

    def action_open(self) -> None:
        if self._key is not None and self.selected is not None:
            self.post_message(self.Opened(self, self._key))

    def on_click(self, event: events.Click) -> None:
        index = self.top_row + event.y - (1 if self.title else 0) - self.head
        if 0 <= index < self.total and event.y > 0:
            self._go(index)
            if event.chain > 1:
                self.action_open()
