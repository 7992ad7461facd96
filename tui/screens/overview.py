from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Container, Grid
from textual.css.scalar import Scalar

from data.model.target import TargetKind
from tui import keys
from tui import overview_lines as over
from tui.families import FAMILIES
from tui.lines import Line, crop
from tui.screens.place import NARROW, Place
from tui.widgets.panel import WAITING, Panel
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

    from data.model.incident import Incident
    from data.model.snapshot import Snapshot, TargetRow

PREVIEW_PAUSE_S = 0.12
"""The preview follows the cursor this long after the last key, so that a held key stays cheap on a slow line."""
_KINDS = (TargetKind.SITE, TargetKind.PARSER, TargetKind.FEED, TargetKind.SLICE)


def _nothing(snapshot: Snapshot) -> str:
    """What stands where incidents would."""
    if not snapshot.version:
        return WAITING
    return over.NEXT_COMMAND if over.is_empty(snapshot) else "No open incident."


class OverviewScreen(Place):
    """Four panes, the incidents by money lost per hour, and what to do about the selected one."""

    SCOPES: ClassVar[tuple[str, ...]] = ("table", "overview", "app")
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("overview")

    def __init__(self) -> None:
        super().__init__()
        self._preview_due: Timer | None = None

    def content(self) -> ComposeResult:
        with Container(id="body"):
            with Grid(id="panes"):
                for number, kind in enumerate(_KINDS, 1):
                    yield self._pane_table(number, kind)
            yield Panel(id="summary")
            incidents: RowTable[Incident] = RowTable(
                over.INCIDENT_COLUMNS, lambda row: str(row.id), "5 Incidents", id="incidents", always_mark=True,
            )  # fmt: skip
            yield incidents
            yield Panel("selected", id="preview")
            yield Panel("log", id="log")

    def _pane_table(self, number: int, kind: TargetKind) -> RowTable[TargetRow]:
        return RowTable(
            FAMILIES[kind].pane, lambda row: row.target, "…", id=f"pane{number}", head=False, empty="nothing watched"
        )

    def start(self) -> None:
        self.focus_first()

    def focus_first(self) -> None:
        self.set_focus(self.incidents)

    @property
    def incidents(self) -> RowTable[Incident]:
        return self.query_one("#incidents", RowTable)

    def pane(self, number: int) -> RowTable[TargetRow]:
        return self.query_one(f"#pane{number}", RowTable)

    def settle(self, size: str) -> None:
        narrow = size != "wide"  # on a huge screen the incidents stand in a narrow column of their own
        self.incidents.columns = over.INCIDENT_COLUMNS_NARROW if narrow else over.INCIDENT_COLUMNS
        if self._ready:
            self.apply(self.losswatch.snapshot)

    def apply(self, snapshot: Snapshot) -> None:
        look = self.losswatch.look()
        short = self.app.size.width < 80
        self.incidents.note = over.incidents_note(snapshot, look, short=short)
        self.incidents.empty = _nothing(snapshot)
        self.incidents.present(snapshot.incidents)
        views = over.panes(snapshot)
        self._share_rows(views, len(snapshot.incidents))
        for view in views:
            self._show_pane(view)
        self.query_one("#summary", Panel).paint(lambda width, _height: self._summary(width))
        self._show_preview()
        self.query_one("#log", Panel).paint(self._log)
        super().apply(snapshot)

    def _share_rows(self, views: Sequence[over.PaneView], incidents: int) -> None:
        """Rows that the incidents do not need go to the four panes."""
        styles = self.query_one("#panes").styles
        if self.size_name != "wide":
            styles.clear_rule("height")
            return
        height = over.panes_height(self.app.size.height - 2, incidents, max(len(view.rows) for view in views))
        if styles.height != Scalar.from_number(height):
            styles.height = height  # measured

    def _show_pane(self, view: over.PaneView) -> None:
        table = self.pane(view.number)
        table.title, table.note = f"{view.number} {view.title}", over.pane_note(view)
        table.foot = lambda width, shown: over.pane_foot(view, shown, width)
        table.present(view.rows)

    def _summary(self, width: int) -> list[Line]:
        return [over.summary(view, self.losswatch.look(), width) for view in over.panes(self.losswatch.snapshot)]

    def _log(self, width: int, height: int) -> list[Line]:
        snapshot = self.losswatch.snapshot
        own = [crop(((" ", ""), *line), width) for line in over.calm_lines(snapshot)]
        lines = [*self.losswatch.showing.own_lines(width), *own, *over.log_lines(snapshot, width, height)]
        return lines[:height]

    def _show_preview(self) -> None:
        incident = self.incidents.selected
        title = over.incident_title(incident)
        self.query_one("#preview", Panel).paint(
            lambda width, _height: over.preview(incident, self.losswatch.look(), width), title=title
        )

    def header_line(self, width: int) -> Line:
        app = self.losswatch
        return over.header(app.snapshot, app.look(), app.showing.freshness(), width)

    # Messages

    def on_row_table_moved(self, message: RowTable.Moved) -> None:
        if message.table is self.incidents:
            if self._preview_due is not None:
                self._preview_due.stop()
            self._preview_due = self.set_timer(PREVIEW_PAUSE_S, self._show_preview)

    def on_row_table_opened(self, message: RowTable.Opened) -> None:
        if message.table is self.incidents:
            self.losswatch.open_incident(int(message.key))
        else:
            self.losswatch.open_target(message.key, message.table)

    # Actions

    def action_pane(self, number: int) -> None:
        """Focus a pane; the same key again opens its whole list."""
        if number == 5:
            self.set_focus(self.incidents)
            return
        table = self.pane(number)
        if self.focused is table or self.size_name in NARROW:
            self.losswatch.open_list(_KINDS[number - 1])
        else:
            self.set_focus(table)

    def action_zoom(self) -> None:
        for number, kind in enumerate(_KINDS, 1):
            if self.focused is self.pane(number):
                self.losswatch.open_list(kind)
                return
        self.losswatch.say("The incidents are whole already: 1-4 choose a pane, then +")

    def action_links(self) -> None:
        self.losswatch.open_list(TargetKind.LINK)

    def action_acknowledge(self) -> None:
        incident = self.incidents.selected
        if incident is None:
            self.losswatch.say("No incident is selected, so there is nothing to acknowledge")
        else:
            self.losswatch.give("acknowledge", incident=incident.id)

    def selected_target(self) -> str | None:
        focused = self.focused
        if isinstance(focused, RowTable) and focused is not self.incidents:
            return focused.selected_key
        return None

    def copyable(self) -> tuple[str, str] | None:
        if self.selected_target():
            return super().copyable()
        incident = self.incidents.selected
        if incident is None:
            return None
        lines = over.preview(incident, self.losswatch.look(), 200)
        return over.text_of([((over.incident_title(incident), ""),), *lines]), f"summary of #{incident.id}"

    def command_line(self) -> str | None:
        incident = self.incidents.selected
        return None if incident is None else f"losswatch incidents show {incident.id}"
