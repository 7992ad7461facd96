from __future__ import annotations

import asyncio
from shlex import quote
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.containers import Horizontal, Vertical

from data.errors import LosswatchError
from data.model.state import State
from data.model.target import TargetKind, name_of
from tui import keys
from tui.export import csv_table, save
from tui.families import FAMILIES
from tui.lines import fit_to, plain, safe
from tui.screens import parts
from tui.screens import revenue_parts as shown
from tui.screens.arranged import ArrangedScreen
from tui.screens.place import NARROW
from tui.screens.revenue_funnel import period
from tui.widgets.ask import Question
from tui.widgets.band_series import Series
from tui.widgets.band_view import BandView
from tui.widgets.panel import Panel
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from data.model.revenue_view import PartRow
    from data.model.snapshot import TargetDetail, TargetRow
    from tui.lines import Line, Span

WINDOWS = ("24h", "6h", "7d", "28d")
_LEGEND = "░ expected  █ actual  ▒ lost"
_LEGEND_WIDTH = 70
"""Cells from which there is room for the legend."""
_REST_OF_HEADER, _LEAST_VALUE = 58, 4
"""Cells of the first line that are not for names, and fewest of one name."""
_EVERY = "all"
_ORDER = ("partner", "offer", "geo", "site", "team")
_CHART_SHARE = 0.46
"""Share of a roomy terminal that the series takes."""


class RevenueScreen(ArrangedScreen):
    """One slice of the revenue: its series, what speaks for a failure, the step that moved, and its parts."""

    SCOPES: ClassVar[tuple[str, ...]] = ("revenue", "target", "app")
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("revenue")
    TABS: ClassVar[Mapping[int, tuple[int, ...]]] = {
        1: (shown.SERIES,),
        2: (shown.EVIDENCE,),
        3: (shown.PARTS, shown.REPORTS, shown.INCIDENTS),
        4: (shown.FUNNEL,),
    }

    def __init__(self, target: str, siblings: RowTable[TargetRow] | None = None) -> None:
        super().__init__(target, siblings, shown.OF_SLICE)
        self.window = WINDOWS[0]
        self.dimension = _EVERY
        self._money: bool | None = None
        """Whether the table of parts has columns of money."""

    async def fetch(self) -> TargetDetail:
        return await self.losswatch.service.slice(self.target, self.window)

    # Layout

    def content(self) -> ComposeResult:
        yield Panel(id="worth")
        yield Panel(id="tabs")
        yield BandView(self.numbered(shown.SERIES), id=f"part{shown.SERIES}")
        with Horizontal(id="sides"):
            with Vertical(id="left"):
                yield from map(self.panel_of, (shown.EVIDENCE, shown.FUNNEL))
            with Vertical(id="right"):
                yield RowTable(
                    shown.WITH_MONEY, shown.key_of_part, self.numbered(shown.PARTS), id=f"part{shown.PARTS}", always_mark=True
                )  # fmt: skip
                yield from map(self.panel_of, (shown.REPORTS, shown.INCIDENTS, shown.FLIPS))

    @property
    def chart(self) -> BandView:
        return self.query_one(f"#part{shown.SERIES}", BandView)

    @property
    def table(self) -> RowTable[PartRow]:
        return self.query_one(f"#part{shown.PARTS}", RowTable)

    def start(self) -> None:
        self.query_one("#worth", Panel).paint(self._worth)
        super().start()

    def _worth(self, width: int, _height: int) -> list[Line]:
        return [] if self.detail is None else shown.worth(self.detail, self.losswatch.look(), width)

    def settle(self, size: str) -> None:
        """All parts where there is room; where there is not, those of the chosen number."""
        if not self.query(f"#part{len(self.parts)}"):
            return
        narrow = size in NARROW
        visible = self._there(set(self.TABS[self.tab]) if narrow else set(range(1, len(self.parts) + 1)), narrow=narrow)
        if size == "wide":
            visible -= {shown.FLIPS}
        self.reveal(visible, narrow=narrow)
        self.query_one("#worth").display = size != "tiny"
        left = visible & {shown.EVIDENCE, shown.FUNNEL}
        right = visible & {shown.PARTS, shown.REPORTS, shown.INCIDENTS, shown.FLIPS}
        self.query_one("#left").display, self.query_one("#right").display = bool(left), bool(right)
        self.query_one("#sides").display = bool(left or right)
        self._measure(narrow=narrow)

    def _there(self, numbers: set[int], *, narrow: bool) -> set[int]:
        """Parts that have something to show; those with a number of their own say so where they have not."""
        detail, view = self.detail, self.detail.revenue if self.detail is not None else None
        gone = set() if detail is not None and (detail.incidents or detail.notes) else {shown.INCIDENTS}
        if view is None or not view.reports:
            gone |= {shown.REPORTS}
        return numbers - gone if not narrow or numbers - gone else numbers

    def _measure(self, *, narrow: bool) -> None:
        height = self.app.size.height
        heights: dict[int, int | str] = {
            shown.SERIES: "1fr" if narrow else max(round(height * _CHART_SHARE), 12),
            shown.PARTS: "1fr",
            shown.EVIDENCE: "1fr",
            shown.FLIPS: 6,
        }
        if narrow:
            self.measure({**heights, shown.FUNNEL: "1fr"}, shown.REPORTS, shown.INCIDENTS)
        else:
            self.measure(heights, shown.FUNNEL, shown.REPORTS, shown.INCIDENTS)

    def _note_window(self) -> None:
        words = _chosen(WINDOWS, self.window)
        roomy = self.chart.series.points and self.app.size.width >= _LEGEND_WIDTH
        self.chart.note = f"{words} ── {_LEGEND}" if roomy else words

    # What is shown

    def missing(self) -> None:
        super().missing()
        self.chart.empty = self.problem

    def arrived(self, detail: TargetDetail) -> None:
        look, view = self.losswatch.look(), detail.revenue
        if self._money != look.money:
            self._money = look.money
            self.table.rearrange(shown.WITH_MONEY if look.money else shown.WITHOUT_MONEY)
        self._series(detail)
        steps = view.funnel if view is not None else None
        self.query_one(f"#part{shown.FUNNEL}", Panel).note = period(steps) if steps is not None else ""
        found = view.parts if view is not None else ()
        dims = [_EVERY, *dict.fromkeys(one.dim for one in found)]
        self.dimension = self.dimension if self.dimension in dims else _EVERY
        self.table.note = f"d {_chosen(dims, self.dimension)}" if len(dims) > 2 else ""
        self.table.empty = self._no_parts(detail)
        some = tuple(one for one in found if self.dimension in {_EVERY, one.dim})
        self.table.present(some)

    def _series(self, detail: TargetDetail) -> None:
        look, view, points = self.losswatch.look(), detail.revenue, detail.band
        reports = view.reports if view is not None else ()
        covered = None if any(one.covered is None for one in reports) else min((one.covered for one in reports if one.covered), default=None)  # fmt: skip
        self.chart.empty = self._no_series(detail)
        unit = "share" if detail.band_unit == "share" else "money"
        series = Series(
            points, view.marks if view is not None else (), _spans(detail), covered, shown.reach(reports, look),
            any(one.waiting for one in reports), unit, look.symbol,
        )  # fmt: skip
        self.chart.series = series
        self._note_window()
        self.chart.present(series, lambda bucket, width: shown.reading(bucket, detail, self.losswatch.look(), width))

    def _no_parts(self, detail: TargetDetail) -> str:
        view = detail.revenue
        if view is not None and len(view.slice) == len(_ORDER):
            return "every dimension is fixed: this is the smallest part"
        return "no part has enough to say anything"

    def _no_series(self, detail: TargetDetail) -> str:
        """Why there is nothing to draw."""
        if not self.losswatch.look().money and not detail.band:
            return "money is hidden for your role"
        return detail.row.detail or "too little history: nothing can be expected yet"

    def trail(self) -> list[Span]:
        values = self.path() or [name_of(self.target) or "everything"]
        room = max((self.app.size.width - _REST_OF_HEADER) // len(values) - len(" › "), _LEAST_VALUE)
        *above, here = [fit_to(safe(value), room) for value in values]
        way = "".join(f"{value} › " for value in above)
        spans: list[Span] = [(f"{FAMILIES[TargetKind.SLICE].title} › {way}", "dim"), (here, "where"), ("   ", "")]
        if self.detail is None:
            return [*spans, (self.problem, "warn")]
        return [*spans, *parts.headline(self.detail, self.losswatch.look())]

    def path(self) -> list[str]:
        """The values that make this slice, in the order in which they were chosen."""
        fixed = self.fixed()
        stack = self.app.screen_stack
        at = stack.index(self) if self in stack else 0
        parent = stack[at - 1] if at else None
        before = parent.fixed() if isinstance(parent, RevenueScreen) else {}
        if isinstance(parent, RevenueScreen) and before.items() <= fixed.items():
            return [*parent.path(), *(value for dim, value in fixed.items() if dim not in before)]
        return list(fixed.values())

    def fixed(self) -> dict[str, str]:
        """Dimensions this slice fixes, as the hub says or as its id does."""
        view = self.detail.revenue if self.detail is not None else None
        if view is not None and view.slice:
            return {dim: view.slice[dim] for dim in sorted(view.slice, key=_rank)}
        pairs = (part.partition("=") for part in name_of(self.target).split(",") if "=" in part)
        return {dim: value for dim, _, value in pairs}

    # Actions

    def action_cursor(self, by: int) -> None:
        if not self.chart.display:
            self.action_panel(shown.SERIES)
        self.chart.move(by)

    def action_window(self) -> None:
        self.window = WINDOWS[(WINDOWS.index(self.window) + 1) % len(WINDOWS)]
        self.chart.chosen = None
        self._note_window()
        self.chart.redraw()
        self.refetch()

    def action_band(self) -> None:
        self.chart.band = not self.chart.band
        self.chart.redraw()

    def action_dimension(self) -> None:
        detail = self.detail
        found = detail.revenue.parts if detail is not None and detail.revenue is not None else ()
        dims = [_EVERY, *dict.fromkeys(one.dim for one in found)]
        if detail is None or len(dims) < 3:
            self.losswatch.say("There is one way to divide this slice" if found else "This slice has no parts")
            return
        self.dimension = dims[(dims.index(self.dimension) + 1) % len(dims)]
        self.arrived(detail)

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        self.losswatch.open_target(message.key, message.table)

    def action_note(self) -> None:
        number = self.detail.row.incident if self.detail is not None else None
        if number is None:
            self.losswatch.say("A note belongs to an incident, and this slice has none")
            return
        self.ask(Question(f"note on #{number}:", submit=lambda text: self._note(number, text)))

    def _note(self, number: int, text: str) -> None:
        if text.strip():
            self.losswatch.give("note", incident=number, text=text.strip())

    def action_export(self) -> None:
        detail = self.detail
        if detail is None or not (self.chart.series.points or self.table.total):
            self.losswatch.say("Nothing here that could be exported")
            return
        if self.focused is self.table and detail.revenue is not None:
            some = [one for one in detail.revenue.parts if self.dimension in {_EVERY, one.dim}]
            self._write(_parts_csv(some, money=self.losswatch.look().money), f"parts-{self._slug()}", len(some))
        else:
            points = self.chart.series.points
            rows = ([one.at, one.expected, one.lo, one.hi, one.actual] for one in points)
            head = ("at", "expected", "lo", "hi", "actual")
            self._write(csv_table(head, rows), f"{self._slug()}-{self.window}", len(points))

    def _slug(self) -> str:
        """The slice in a file's name."""
        words = "-".join(self.path()) or name_of(self.target)
        return "".join(char if char.isascii() and char.isalnum() else "-" for char in words)[:60].strip("-") or "slice"

    @work(group="export", exclusive=True, exit_on_error=False)
    async def _write(self, content: str, name: str, count: int) -> None:
        try:
            path = await asyncio.to_thread(save, content, name, self.losswatch.now())
        except LosswatchError as problem:
            self.losswatch.say(str(problem), warn=True)
        else:
            self.losswatch.say(f"{count:,} rows written to {path}")

    def copyable(self) -> tuple[str, str] | None:
        """What one would tell a colleague: the slice, what is seen and what it costs."""
        if self.detail is None:
            return " ".join(self.path()) or name_of(self.target), "name"
        lines = shown.worth(self.detail, self.losswatch.look(), 240)
        told = "\n".join(" ".join(plain(line).split()) for line in lines)
        return f"{' '.join(self.path())}: {' '.join(plain(tuple(self.trail()[2:])).split())}\n{told}", "summary"

    def command_line(self) -> str | None:
        """The slice for the shell; why, as it was known then, where the cursor was moved to earlier hours."""
        where = ",".join(f"{dim}={value}" for dim, value in self.fixed().items())
        if not where:
            return "losswatch revenue"
        bucket = self.chart.bucket if self.chart.chosen is not None else None
        if bucket is None:
            return f"losswatch revenue {quote(where)}"
        return f"losswatch revenue why {quote(where)} --at {bucket.until:%Y-%m-%dT%H:%MZ}"


def _rank(dim: str) -> int:
    return _ORDER.index(dim) if dim in _ORDER else len(_ORDER)


def _chosen(words: tuple[str, ...] | list[str], one: str) -> str:
    """`24h [6h] 7d 28d`."""
    return " ".join(f"[{word}]" if word == one else word for word in words)


def _spans(detail: TargetDetail) -> tuple[tuple[datetime, datetime | None], ...]:
    """From when to when alarms hold: as marked, else since the slice fails."""
    view, row = detail.revenue, detail.row
    marked = tuple((one.at, one.until) for one in view.marks if one.kind == "alarm") if view is not None else ()
    if marked or row.state is not State.FAILING or row.since is None:
        return marked
    return ((row.since, None),)


def _parts_csv(rows: list[PartRow], *, money: bool) -> str:
    head = ("dim", "value", "share", "nats") + (("seen", "expected", "lost") if money else ())
    return csv_table(head, ([getattr(row, name) for name in head] for row in rows))
