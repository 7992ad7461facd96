from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import work

from data.errors import LosswatchError
from data.model.snapshot import ListPage, StateCount, TargetRow
from data.model.target import TargetKind
from tui import keys
from tui.export import csv_of, save
from tui.families import FAMILIES
from tui.look import counts
from tui.screens.place import Place
from tui.service import Query
from tui.widgets.ask import Question
from tui.widgets.row_table import PREFETCH, RowTable

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from data.model.snapshot import Snapshot
    from tui.lines import Span

EXPORT_PAGE = 1_000
ASCENDING = {"name", "partner", "geo", "uptime", "since"}
"""Orders that start with the smallest: the first name, the lowest uptime, the oldest."""


class ListScreen(Place):
    """Every target of one family; the hub sorts and filters, this screen holds a window of it."""

    SCOPES: ClassVar[tuple[str, ...]] = ("table", "list", "app")
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("list")

    def __init__(self, kind: TargetKind, *, filter_text: str = "") -> None:
        super().__init__()
        self.family = FAMILIES[kind]
        self.filter_text = filter_text
        self.order = 0
        self.desc = True
        self.counts = StateCount()
        self.span = ""
        self.matching = 0
        self._loading = False
        self._again: tuple[int, int] | None = None
        self._seen_version = -1
        self._wish = 0

    def content(self) -> ComposeResult:
        table: RowTable[TargetRow] = RowTable(
            self.losswatch.columns.get(self.family.kind, self.family.columns),
            lambda row: row.target,
            self.family.title,
            id="rows",
            always_mark=True,
        )
        yield table

    @property
    def table(self) -> RowTable[TargetRow]:
        return self.query_one("#rows", RowTable)

    def start(self) -> None:
        self.focus_first()
        self._load(0, 200)

    def focus_first(self) -> None:
        self.set_focus(self.table)

    def apply(self, snapshot: Snapshot) -> None:
        if snapshot.version != self._seen_version and not self.losswatch.showing.paused:
            self._seen_version = snapshot.version
            self._load(max(self.table.top_row - PREFETCH, 0), self.table.rows_shown + 2 * PREFETCH)
        super().apply(snapshot)

    # Loading

    def refetch(self) -> None:
        self._load(max(self.table.top_row - PREFETCH, 0), self.table.rows_shown + 2 * PREFETCH)

    def _load(self, offset: int, limit: int) -> None:
        """One request at a time; what is asked for meanwhile is asked once more afterwards."""
        if self._loading:
            self._again = (offset, limit)
            return
        self._loading = True
        sort = self.family.orders[self.order][0]
        query = Query(self.family.kind, self.filter_text, sort, self.desc, offset, max(limit, 50))
        self._fetch(query, self._wish)

    @work(group="list", exit_on_error=False)
    async def _fetch(self, query: Query, wish: int) -> None:
        try:
            page = await self.losswatch.service.page(query)
        except LosswatchError as problem:
            self._arrived(None, wish, str(problem))
        else:
            self._arrived(page, wish, "")

    def _arrived(self, page: ListPage | None, wish: int, problem: str) -> None:
        self._loading = False
        if page is not None and wish == self._wish:
            self.counts, self.span, self.matching = page.counts, page.span, page.total
            self.table.empty = (
                f"nothing matches “{self.filter_text}”, esc clears it" if self.filter_text else "nothing here"
            )
            self.table.present(page.rows, total=page.total, offset=page.offset, version=page.version)
        elif problem:
            self.table.empty = problem
            self.table.redraw()
        self._describe()
        again, self._again = self._again, None
        if again is not None:
            self._load(*again)

    def on_row_table_wanted(self, message: RowTable.Wanted) -> None:
        self._load(message.offset, message.limit)

    def _change(self) -> None:
        """Another filter or order: start at the top."""
        self._wish += 1
        self.table.forget()
        self._load(0, 200)
        self._describe()

    def _describe(self) -> None:
        words = self.family.orders[self.order][1]
        arrow = "" if self.order == 0 and self.desc else (" ↓" if self.desc else " ↑")
        self.table.note = f"by {words}{arrow} ── {self.matching:,} of {self.counts.total:,}" + (
            f" ── strips {self.span}" if self.span else ""
        )
        self.tick()

    def trail(self) -> list[Span]:
        spans: list[Span] = [(self.family.title, "where"), (f"   {counts(self.counts)}", "dim")]
        if self.filter_text:
            spans += [("   filter: ", "dim"), (self.filter_text, "focus")]
        return spans

    # Actions

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        self.losswatch.open_target(message.key, message.table)

    def action_filter(self) -> None:
        before = self.filter_text
        self.ask(
            Question("filter:", submit=self._filter, change=self._filter, cancel=lambda: self._filter(""), start=before)
        )

    def _filter(self, text: str) -> None:
        if text.strip() != self.filter_text:
            self.filter_text = text.strip()
            self._change()

    def action_sort(self) -> None:
        self.order = (self.order + 1) % len(self.family.orders)
        self.desc = self.family.orders[self.order][0] not in ASCENDING
        self._change()

    def action_reverse(self) -> None:
        self.desc = not self.desc
        self._change()

    def action_columns(self) -> None:
        self.ask(Question("columns:", submit=self._columns, start=" ".join(column.id for column in self.table.columns)))

    def _columns(self, text: str) -> None:
        """The first column stays: it names the row."""
        first, *rest = self.family.columns
        known = {column.id: column for column in rest}
        wished = list(dict.fromkeys(word for word in text.replace(",", " ").split() if word != first.id))
        if unknown := [word for word in wished if word not in known]:
            self.losswatch.say(f"No column {unknown[0]} here; there are: {' '.join(known)}", warn=True)
            return
        chosen = (first, *(known[word] for word in wished)) if wished else self.family.columns
        self.losswatch.columns[self.family.kind] = chosen
        self.table.rearrange(chosen)

    def action_export(self) -> None:
        self.losswatch.say(f"Exporting {self.matching:,} rows …")
        sort = self.family.orders[self.order][0]
        self._export(Query(self.family.kind, self.filter_text, sort, self.desc, 0, EXPORT_PAGE))

    @work(group="export", exclusive=True, exit_on_error=False)
    async def _export(self, query: Query) -> None:
        rows: list[TargetRow] = []
        try:
            while True:
                page = await self.losswatch.service.page(replace(query, offset=len(rows)))
                rows += page.rows
                if not page.rows or len(rows) >= page.total:
                    break
            path = await asyncio.to_thread(
                save, csv_of(rows), self.family.title.lower().replace(" ", "-"), self.losswatch.now()
            )
        except LosswatchError as problem:
            self.losswatch.say(str(problem), warn=True)
        else:
            self.losswatch.say(f"{len(rows):,} rows written to {path}")

    def action_back(self) -> None:
        if self.filter_text:
            self._filter("")
        else:
            super().action_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "filter" and self.typing:
            return False  # a priority binding would take the slash out of the answer
        return super().check_action(action, parameters)

    def selected_target(self) -> str | None:
        return self.table.selected_key

    def command_line(self) -> str | None:
        row = self.table.selected
        plural = {"site": "sites", "link": "links", "parser": "parsers", "feed": "feeds", "slice": "revenue"}
        return None if row is None else f"losswatch {plural[self.family.kind.value]} --filter {row.name!r}"


def list_of(kind: TargetKind) -> ListScreen:
    """The list of one family; that of slices leads to more."""
    if kind is TargetKind.SLICE:
        from tui.screens.revenue_list import RevenueListScreen

        return RevenueListScreen()
    return ListScreen(kind)
