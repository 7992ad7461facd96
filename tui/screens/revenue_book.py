"""Places that are a few lines over one table of slices: those under suspicion, and all alarms there were."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import work

from data.errors import LosswatchError
from data.model.revenue_view import Watched
from data.text import cells
from tui import format as fmt
from tui import keys
from tui.column import Column
from tui.export import csv_table, save
from tui.lines import Line, wrap
from tui.screens.detail import DetailScreen
from tui.screens.parts import Part
from tui.screens.revenue_parts import unit_of
from tui.widgets.panel import Panel
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from data.model.ids import TargetId
    from tui.lines import Span
    from tui.look import Look

D = TypeVar("D")
R = TypeVar("R")
_REST = 12
"""Lines that are not for what stands above the table: its first rows, the first line and the last."""


class BookScreen(DetailScreen[D], Generic[D, R]):
    """Some lines over a table whose rows are slices: `enter` opens one."""

    SCOPES: ClassVar[tuple[str, ...]] = ("table", "book", "app")
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("book")
    NAME: ClassVar[str] = ""
    """Where we are, and what an exported file is called."""
    OPTION: ClassVar[str] = ""
    """Of `losswatch revenue`, for the same in a shell."""
    ROWS: ClassVar[str] = ""
    """What the rows are."""
    EMPTY: ClassVar[str] = ""

    def columns(self, *, money: bool) -> tuple[Column[R], ...]:
        """Columns of the table, those of money only for who may see any."""
        raise NotImplementedError

    def rows(self, detail: D) -> Sequence[R]:
        raise NotImplementedError

    def key_of(self, row: R) -> str:
        raise NotImplementedError

    def target_of(self, row: R) -> TargetId:
        """The slice a row is about."""
        raise NotImplementedError

    def cells_of(self, row: R, *, money: bool) -> dict[str, object]:
        """A row of the exported file by its heads."""
        raise NotImplementedError

    # Layout

    def content(self) -> ComposeResult:
        yield Panel(id="tabs")
        yield Panel(self.parts[0].title, id="part1", focusable=bool(self.parts[0].title))
        rows: RowTable[R] = RowTable(self.columns(money=True), self.key_of, self.ROWS, id="rows", always_mark=True)
        yield rows

    @property
    def table(self) -> RowTable[R]:
        return self.query_one("#rows", RowTable)

    def settle(self, size: str) -> None:  # noqa: ARG002  # the same at every size
        if not self.query("#rows"):
            return
        self.query_one("#tabs").display = False
        panel = self.query_one("#part1", Panel)
        room = max(self.app.size.height - _REST, 1)
        panel.styles.height = min(self._lines_needed() + (1 if panel.title else 0), room)  # measured

    def _lines_needed(self) -> int:
        if self.detail is None:
            return 1
        return len(self.parts[0].lines(self.detail, self.losswatch.look(), self.app.size.width, 0))

    def focus_first(self) -> None:
        self.set_focus(self.table)

    def tab_titles(self) -> list[str]:
        return []

    def trail(self) -> list[Span]:
        spans: list[Span] = [("Revenue › ", "dim"), (self.NAME, "where")]
        return spans if self.detail is not None else [*spans, (f"   {self.problem}", "warn")]

    def command_line(self) -> str | None:
        return f"losswatch revenue --{self.OPTION}"

    # Rows

    def arrived(self, detail: D) -> None:
        rows, columns = self.rows(detail), self.columns(money=self.losswatch.look().money)
        if [one.id for one in columns] != [one.id for one in self.table.columns]:
            self.table.rearrange(columns)
        self.table.empty = self.EMPTY
        self.table.present(rows)

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        row = self.table.selected
        if row is not None:
            target = self.target_of(row)
            self.losswatch.open_target(target, message.table if message.key == target else None)

    def selected_target(self) -> str | None:
        row = self.table.selected
        return None if row is None else self.target_of(row)

    def action_export(self) -> None:
        rows = self.rows(self.detail) if self.detail is not None else ()
        if not rows:
            self.losswatch.say("Nothing here that could be exported")
            return
        table = [self.cells_of(row, money=self.losswatch.look().money) for row in rows]
        self._write(csv_table(list(table[0]), (row.values() for row in table)), len(rows))

    @work(group="export", exclusive=True, exit_on_error=False)
    async def _write(self, content: str, count: int) -> None:
        try:
            path = await asyncio.to_thread(save, content, self.NAME.lower(), self.losswatch.now())
        except LosswatchError as problem:
            self.losswatch.say(str(problem), warn=True)
        else:
            self.losswatch.say(f"{count:,} rows written to {path}")


def slice_name(target: TargetId) -> str:
    """`P05 DE` for `slice:partner=P05,geo=DE`."""
    pairs = (part.partition("=") for part in target.partition(":")[2].split(",") if part)
    return " ".join(value or dim for dim, _, value in pairs) or "everything"


# Slices under suspicion


def _seen(one: Watched, room: int) -> str:
    """`2 FTD, 11.4 expected`, in short words where they must fit."""
    between = "usual" if one.channel == "value" else "expected"
    figures = f", {fmt.events(one.expected)} {between}"
    words = f"{fmt.events(one.seen)} {unit_of(one.channel)}{figures}"
    return words if cells(words) <= room else f"{fmt.events(one.seen)} {unit_of(one.channel, short=True)}{figures}"


def _cost(one: Watched, look: Look) -> Line:
    return ((fmt.NONE if one.per_hour is None else f"{look.amount(one.per_hour)}/h", "dim" if one.per_hour is None else ""),)  # fmt: skip


_COLUMNS: tuple[Column[Watched], ...] = (
    Column("slice", "slice", 20, lambda one, _l, _w: ((" ".join(one.slice.values()) or "everything", "strong"),), grow=2),
    Column("seen", "seen", 23, lambda one, _l, width: ((_seen(one, width), ""),), grow=2),
    Column("odds", "odds to 1", 14, lambda one, _l, _w: ((fmt.odds(one.nats).removesuffix(" to 1"), ""),), "right"),
    Column("cost", "would cost", 10, lambda one, look, _w: _cost(one, look), "right"),
    Column("since", "since", 5, lambda one, look, _w: ((look.since(one.since), "dim"),), "right"),
    Column("nats", "nats", 5, lambda one, _l, _w: ((f"{one.nats:.1f}", "dim"),), "right"),
)  # fmt: skip


def _watched(detail: tuple[Watched, ...], _look: Look, width: int, _height: int) -> list[Line]:
    if not detail:
        words = "No slice is under suspicion: none has evidence between the watch line and an alarm."
    else:
        count = len({one.target for one in detail})
        some = "1 slice has" if count == 1 else f"{count} slices have"
        words = (
            f"{some} too much evidence of a failure to forget and too little to call anybody. More hours will decide."
        )
    return [((" ", ""), *line) for line in wrap(words, width - 2, "dim")]


class WatchScreen(BookScreen[tuple[Watched, ...], Watched]):
    """Slices whose evidence lies between the watch line and an alarm, the strongest first."""

    NAME: ClassVar[str] = "Watched"
    OPTION: ClassVar[str] = "watchlist"
    ROWS: ClassVar[str] = "under suspicion"
    EMPTY: ClassVar[str] = "nothing is watched"

    def __init__(self) -> None:
        super().__init__((Part("", _watched, "top", 0),))

    async def fetch(self) -> tuple[Watched, ...]:
        return await self.losswatch.service.watchlist()

    def columns(self, *, money: bool) -> tuple[Column[Watched], ...]:
        return tuple(column for column in _COLUMNS if money or column.id != "cost")

    def rows(self, detail: tuple[Watched, ...]) -> Sequence[Watched]:
        """One a slice: what speaks loudest of it."""
        loudest: dict[TargetId, Watched] = {}
        for one in detail:
            loudest.setdefault(one.target, one)
        return tuple(loudest.values())

    def key_of(self, row: Watched) -> str:
        return row.target

    def target_of(self, row: Watched) -> TargetId:
        return row.target

    def cells_of(self, row: Watched, *, money: bool) -> dict[str, object]:
        cost = {"cost_per_hour": row.per_hour} if money else {}
        names = ("channel", "nats", "seen", "expected", "since")
        return {"slice": " ".join(row.slice.values()), **{name: getattr(row, name) for name in names}, **cost}
