from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical

from data.model.state import State
from tui import format as fmt
from tui import keys
from tui.lines import safe
from tui.screens import feed_parts as shown
from tui.screens.feed_decisions import FeedDecisions
from tui.screens.parser_diff import DiffPanel
from tui.screens.place import NARROW
from tui.widgets.panel import Panel
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from data.model.snapshot import ChangeRow, TargetDetail, TargetRow
    from tui.lines import Line

_CHANGE_ROWS, _ENTRIES, _LOWER = 7, 6, 10
"""Most changes and most entries of the ledger at once, and fewest lines that the lower row keeps."""


class FeedScreen(FeedDecisions):
    """One feed: what changed in its data, what is held back, what was restated, and what a person decides about it."""

    SCOPES: ClassVar[tuple[str, ...]] = ("feed", "target", "app")
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("feed")
    TABS: ClassVar[Mapping[int, tuple[int, ...]]] = {
        1: (shown.CHANGES, shown.DIFF),
        2: (shown.DELIVERIES, shown.POSTBACKS),
        3: (shown.LEDGER, shown.INCIDENTS),
        4: (shown.CONTRACT,),
    }
    DIFF: ClassVar[int] = shown.DIFF
    COMPARED: ClassVar[str] = "record"

    def __init__(self, target: str, siblings: RowTable[TargetRow] | None = None) -> None:
        super().__init__(target, siblings, shown.PARTS)
        self._arranged = (-1, False)
        """Rows of the last report, by which the shares of changes are told, and whether there is little room."""

    # Layout

    def content(self) -> ComposeResult:
        yield Panel(id="brief")
        yield Panel(id="tabs")
        yield RowTable(
            shown.change_columns(0, narrow=False), shown.key_of_change, f"{shown.CHANGES} changes", id=f"part{shown.CHANGES}", always_mark=True
        )  # fmt: skip
        yield Panel(id="chosen")
        yield DiffPanel(shown.PARTS[shown.DIFF - 1].title, id=f"part{shown.DIFF}")
        yield Panel(id="health")
        yield RowTable(
            shown.LEDGER_COLUMNS, shown.key_of_entry, f"{shown.LEDGER} restatements", id=f"part{shown.LEDGER}", always_mark=True
        )  # fmt: skip
        with Horizontal(id="sides"):
            with Vertical(id="left"):
                yield from map(self.panel_of, (shown.DELIVERIES, shown.POSTBACKS, shown.OBSERVED))
            with Vertical(id="right"):
                yield from map(self.panel_of, (shown.CONTRACT, shown.INCIDENTS, shown.EXPECTED))

    @property
    def changes(self) -> RowTable[ChangeRow]:
        return self.query_one(f"#part{shown.CHANGES}", RowTable)

    def start(self) -> None:
        self.query_one("#brief", Panel).paint(self._brief)
        self.query_one("#health", Panel).paint(self._health)
        self.query_one("#chosen", Panel).paint(
            lambda width, _height: shown.chosen(self.changes.selected, self.losswatch.look(), width)
        )
        super().start()

    def _brief(self, width: int, _height: int) -> list[Line]:
        return [] if self.detail is None else shown.summary(self.detail, self.losswatch.look(), width, self.tab)

    def _health(self, width: int, _height: int) -> list[Line]:
        return [] if self.detail is None else [shown.health(self.detail, width)]

    def settle(self, size: str) -> None:
        """All parts where there is room; where there is not, those of the chosen number."""
        if not self.query(f"#part{len(self.parts)}"):
            return
        narrow = size in NARROW
        visible = self._there(set(self.TABS[self.tab]) if narrow else self._roomy(size))
        self.reveal(visible, narrow=narrow)
        self.query_one("#brief").display = narrow
        self.query_one("#health").display = not narrow
        self.query_one("#chosen").display = narrow and shown.CHANGES in visible and bool(self.changes.total)
        left = visible & {shown.DELIVERIES, shown.POSTBACKS, shown.OBSERVED}
        right = visible & {shown.CONTRACT, shown.INCIDENTS, shown.EXPECTED}
        self.query_one("#left").display, self.query_one("#right").display = bool(left), bool(right)
        self.query_one("#sides").display = bool(left or right)
        self._arrange(size)
        self._measure(narrow=narrow)

    def _there(self, numbers: set[int]) -> set[int]:
        """Parts that have something to show; those with a number of their own say so where they have not."""
        view = self.view
        gone = set() if self.detail is not None and self.detail.diff else {shown.DIFF}
        gone |= set() if view is not None and (view.postbacks or view.reconciled) else {shown.POSTBACKS}
        gone |= set() if self.detail is not None and self.detail.incidents else {shown.INCIDENTS}
        return numbers - gone

    def _roomy(self, size: str) -> set[int]:
        """On the largest terminals everything; elsewhere what happened before gives way to what is wrong now."""
        every = set(range(1, len(self.parts) + 1))
        if size == "huge" or (self.detail is not None and not self.detail.diff and not self.changes.total):
            return every
        return every - {shown.OBSERVED, shown.EXPECTED, shown.INCIDENTS}

    def _arrange(self, size: str) -> None:
        """Columns for this width, and for as many rows as the last report had."""
        rows = int(self.detail.row.value or 0) if self.detail is not None else 0
        wanted = rows, size in NARROW
        if self._arranged != wanted:
            self.changes.rearrange(shown.change_columns(rows, narrow=size in NARROW))
            self._arranged = wanted

    def _measure(self, *, narrow: bool) -> None:
        """Heights: changes take what they need, the record what is left above the lower row."""
        width, height = self.app.size
        count, entries = self.changes.total, self.ledger.total
        table = 2 + min(count, _CHANGE_ROWS - 2 if narrow else _CHANGE_ROWS)
        ledger = 2 + min(entries, _ENTRIES)
        room = max(height - 3 - table - ledger - _LOWER, 4)
        view = self.view
        held = view is None or bool(view.deliveries) or not view.postbacks
        alone = narrow and not (self.detail is not None and self.detail.diff)
        heights: dict[int, int | str] = {
            shown.CHANGES: "1fr" if alone else table,
            shown.DIFF: "1fr" if narrow else min(self.diff.lines_needed(width) + 1, room),
            shown.DELIVERIES: "1fr" if held else self._needed(self.parts[shown.DELIVERIES - 1]) + 1,
            shown.POSTBACKS: "2fr",
            shown.OBSERVED: "1fr",
            shown.LEDGER: "1fr" if narrow else ledger,
            shown.CONTRACT: "1fr",
        }
        self.measure(heights, shown.INCIDENTS, shown.EXPECTED)

    def arrived(self, detail: TargetDetail) -> None:
        look = self.losswatch.look()
        opened = [one for one in detail.changes if one.closed_at is None]
        view = detail.feed
        since = (
            f"contract since {view.contract_since:%Y-%m-%d}"
            if view is not None and view.contract_since
            else "no contract yet"
        )
        breaking = sum(one.severity == "breaking" for one in opened)
        words = f"{len(opened)} open, {breaking} breaking" if opened else "none open"
        self.changes.note, self.changes.empty = f"{words} ── {since}", "the contract holds: nothing changed"
        self.changes.present(opened)
        was, now = (fmt.NONE if at is None else fmt.day_clock(at, look.now) for at in (detail.good_at, detail.bad_at))
        self.diff.present(detail.diff, (f"{was} contract ok", f"now {now}"), "no record to compare")
        entries = view.restatements if view is not None else ()
        unsigned = sum(not one.acknowledged_by for one in entries)
        self.ledger.note = f"{unsigned} of {len(entries)} open" if entries else ""
        self.ledger.empty = "no figure was changed after it had been reported"
        self.ledger.present(entries)

    def on_row_table_moved(self) -> None:
        self.query_one("#chosen", Panel).redraw()

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        if message.table is self.changes and self.detail is not None and self.detail.diff:
            self.set_focus(self.diff)

    # Looking

    def no_diff(self) -> str:
        if self.detail is not None and self.detail.row.state is State.OK:
            return "nothing changed, so there is no record to compare"
        return "no record to compare: it needs a good delivery and one that differs, both still kept"

    def command_line(self) -> str | None:
        return f"losswatch feeds show {quote(self.feed)}"

    def copyable_text(self) -> tuple[str, str] | None:
        """The message to the partner, where there is something to tell it."""
        message = self.view.message if self.view is not None else ""
        if not message:
            return super().copyable_text()
        return "\n".join(map(safe, message.splitlines())), "message to the partner"

    def copyable(self) -> tuple[str, str] | None:
        """The path of the selected change."""
        one = self.changes.selected
        return (safe(one.path), "path") if one is not None and one.path else (self.feed, "name")
