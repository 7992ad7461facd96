from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui import keys
from tui.lines import Line, crop
from tui.screens.place import Place
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from tui.lines import Span

_NOTES = (
    "",
    " States     ✖ failing   ▲ degraded   ╌ unknown: no evidence either way   ● ok   ░ paused",
    " Strips     █ failing   ▅ degraded   ▂ ok   ╌ unknown   ░ paused   · no data; newest on the right",
    " Filter     words are ANDed: halyard geo=DE state!=ok !aurora team=cedar partner=P02 cause=tls",
    " Copying    inside tmux the tmux buffer is used; over SSH the terminal must allow OSC 52",
)


class HelpScreen(Place):
    """Every key, those of the screen underneath first; made from the same table as the bindings."""

    SCOPES: ClassVar[tuple[str, ...]] = ("overlay", "app")
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("overlay")

    def __init__(self, scopes: tuple[str, ...]) -> None:
        super().__init__()
        self.first_scopes = scopes

    def content(self) -> ComposeResult:
        yield Panel("what every key does", id="keys", focusable=True)

    def start(self) -> None:
        self.query_one("#keys", Panel).paint(lambda width, _height: self.lines(width))
        self.focus_first()

    def focus_first(self) -> None:
        self.set_focus(self.query_one("#keys", Panel))

    def trail(self) -> list[Span]:
        return [("help", "where")]

    def lines(self, width: int) -> list[Line]:
        scopes = [*self.first_scopes, *(scope for scope in keys.SCOPES if scope not in self.first_scopes)]
        lines: list[Line] = []
        for scope in scopes:
            lines += [((f" {keys.SCOPES[scope]}", "strong"),)]
            lines += [
                crop(((f"   {key.written:<8}", "focus"), (f"{key.label:<14}", ""), (key.tooltip, "dim")), width)
                for key in keys.of(scope)
            ]
        return [*lines, *(crop(((note, "dim"),), width) for note in _NOTES)]

    def action_dismiss_none(self) -> None:
        self.losswatch.go_back()
