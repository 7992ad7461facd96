from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui import keys
from tui import overview_lines as over
from tui.lines import crop
from tui.screens.place import Place
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from data.model.snapshot import Snapshot
    from tui.lines import Line, Span


class LogScreen(Place):
    """The whole log of the snapshot, newest first, under what losswatch has to say of itself."""

    SCOPES: ClassVar[tuple[str, ...]] = ("overlay", "app")
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("overlay")

    def content(self) -> ComposeResult:
        yield Panel("log", id="lines", focusable=True)

    def start(self) -> None:
        self.focus_first()

    def focus_first(self) -> None:
        self.set_focus(self.query_one("#lines", Panel))

    def trail(self) -> list[Span]:
        return [("log", "where")]

    def apply(self, snapshot: Snapshot) -> None:
        self.query_one("#lines", Panel).paint(self._lines, note=f"{len(snapshot.log)} lines, newest first")
        super().apply(snapshot)

    def _lines(self, width: int, _height: int) -> list[Line]:
        snapshot = self.losswatch.snapshot
        own = [crop(((" ", ""), *line), width) for line in over.calm_lines(snapshot)]
        return [*self.losswatch.showing.own_lines(width), *own, *over.log_lines(snapshot, width, len(snapshot.log))]

    def action_dismiss_none(self) -> None:
        self.losswatch.go_back()
