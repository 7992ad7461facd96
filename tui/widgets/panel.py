from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui import keys
from tui.lines import EMPTY, Line, changed_cells, crop, inked, rule, safe, to_ascii

if TYPE_CHECKING:
    from textual import events
    from textual.binding import BindingType

    from tui.app import LosswatchApp

WAITING = "waiting for the hub …"
Painter = Callable[[int, int], Sequence[Line]]
"""(width, height) -> lines; called on every tick and resize, so it must be cheap and must not wait."""


class Panel(Widget):
    """Lines under a titled rule. Redrawing sends only the cells that changed; equal lines cost nothing."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("panel")
    DEFAULT_CSS = "Panel { height: 1fr; width: 1fr; }"
    ALLOW_SELECT = False

    def __init__(self, title: str = "", *, id: str | None = None, focusable: bool = False) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self.title = title
        self.note = ""
        self.can_focus = focusable
        self.first_line = 0
        self._painter: Painter = lambda _width, _height: ()
        self._drawn: list[Line] = []
        self._base = Style()

    @property
    def losswatch(self) -> LosswatchApp:
        return cast("LosswatchApp", self.app)

    @property
    def body_height(self) -> int:
        return max(self.size.height - (1 if self.title else 0), 0)

    def paint(self, painter: Painter, *, note: str | None = None, title: str | None = None) -> None:
        """Draw with `painter` from now on."""
        self._painter = painter
        self.note = self.note if note is None else note
        self.title = self.title if title is None else title
        self.redraw()

    def body(self, width: int, height: int) -> Sequence[Line]:
        """The lines below the rule; more than `height` of them can be scrolled."""
        return self._painter(width, height)

    def redraw(self) -> None:
        """Compose again and refresh the cells that differ."""
        width, height = self.size
        if not width or not height:
            return
        lines = [rule(self.title, self.note, width, focused=self.has_focus)] if self.title else []
        body = list(self.body(width, self.body_height))
        self.first_line = max(min(self.first_line, len(body) - self.body_height), 0)
        lines += body[self.first_line : self.first_line + self.body_height]
        drawn = [crop(line, width) for line in lines[:height]]
        drawn += [crop(EMPTY, width)] * (height - len(drawn))
        self._replace(drawn, width)

    def _replace(self, drawn: list[Line], width: int) -> None:
        before, self._drawn = self._drawn, drawn
        if len(before) != len(drawn):
            self.refresh()
            return
        regions = []
        for y, (old, new) in enumerate(zip(before, drawn, strict=True)):
            if (span := changed_cells(old, new, width)) is not None:
                regions.append(Region(span[0], y, span[1], 1))
        if regions:
            self.refresh(*regions)

    def render_lines(self, crop: Region) -> list[Strip]:
        self._base = self.rich_style  # walks up all ancestors: once a paint, not once a line
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        app = self.losswatch
        line = self._drawn[y] if y < len(self._drawn) else EMPTY
        text_of = to_ascii if app.ascii_only else safe
        base = self._base
        segments = [Segment(text_of(text), base + app.role_style(role)) for text, role in inked(line)]
        return Strip(segments).simplify().adjust_cell_length(self.size.width, base)

    def on_resize(self, _event: events.Resize) -> None:
        self._drawn = []
        self.redraw()

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    def scroll_lines(self, by: int) -> None:
        self.first_line = max(self.first_line + by, 0)
        self.redraw()

    def action_down(self) -> None:
        self.scroll_lines(1)

    def action_up(self) -> None:
        self.scroll_lines(-1)

    def action_top(self) -> None:
        self.scroll_lines(-self.first_line)

    def action_bottom(self) -> None:
        self.scroll_lines(10_000)

    def on_mouse_scroll_down(self) -> None:
        self.scroll_lines(3)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_lines(-3)
