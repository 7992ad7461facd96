from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.screen import Screen
from textual.widgets import Input

from tui import keys
from tui.lines import Line, crop, merged, spread, width_of
from tui.widgets.ask import Ask, AskClosed, Question
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult

    from data.model.snapshot import Snapshot
    from tui.app import LosswatchApp
    from tui.lines import Span

NARROW_COLUMNS, SHORT_ROWS = 100, 30
HUGE_COLUMNS, HUGE_ROWS = 160, 45
TINY_COLUMNS, TINY_ROWS = 60, 15
NARROW = frozenset(("compact", "tiny"))
"""Size classes that show one part at a time."""


def size_class(width: int, height: int) -> str:
    """`tiny`, `compact`, `wide` or `huge`; nothing is ever refused."""
    if width < TINY_COLUMNS or height < TINY_ROWS:
        return "tiny"
    if width < NARROW_COLUMNS or height < SHORT_ROWS:
        return "compact"
    return "huge" if width >= HUGE_COLUMNS and height >= HUGE_ROWS else "wide"


class Place(Screen[None]):
    """A whole screen: where we are on the first line, keys on the last, and the bottom line for questions."""

    SCOPES: ClassVar[tuple[str, ...]] = ("app",)
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self.made_by: Callable[[], Place] | None = None
        """How to make this place again, for `-`."""
        self._focus_before: str | None = None
        self._ready = False
        self._covered = False
        self._sized = (0, 0)

    @property
    def losswatch(self) -> LosswatchApp:
        return cast("LosswatchApp", self.app)

    def compose(self) -> ComposeResult:
        yield Panel(id="header")
        yield from self.content()
        yield Ask()
        yield Panel(id="footer")

    def content(self) -> ComposeResult:
        """Everything between the first line and the last."""
        yield from ()

    def on_mount(self) -> None:
        self._resized(self.app.size.width, self.app.size.height)
        self.query_one("#header", Panel).paint(lambda width, _height: [self.header_line(width)])
        self.query_one("#footer", Panel).paint(lambda width, _height: [self.key_line(width)])
        self._ready = True
        self.start()
        self.apply(self.losswatch.snapshot)

    def start(self) -> None:
        """Once the parts are there."""

    def apply(self, snapshot: Snapshot) -> None:  # noqa: ARG002  # what a newer snapshot means is up to the place
        """A newer snapshot is here."""
        self.tick()

    def tick(self) -> None:
        """Ages moved on; each part sends only what changed."""
        if self._ready:
            for panel in self.query(Panel):
                if panel.display:
                    panel.redraw()

    def refetch(self) -> None:
        """Ask the hub again for what this place shows."""

    def on_screen_suspend(self) -> None:
        self._covered = True

    def on_screen_resume(self) -> None:
        if self._ready and self._covered:
            self.apply(self.losswatch.snapshot)
        self._covered = False

    def on_resize(self, event: events.Resize) -> None:
        self._resized(event.size.width, event.size.height)

    def _resized(self, width: int, height: int) -> None:
        if (width, height) == self._sized:
            return
        self._sized = (width, height)
        size = size_class(width, height)
        for name in ("tiny", "compact", "wide", "huge"):
            self.set_class(name == size, f"-{name}")
        self.settle(size)

    @property
    def size_name(self) -> str:
        return size_class(self.app.size.width, self.app.size.height)

    def settle(self, size: str) -> None:
        """The size class may have changed."""

    # First and last line

    def trail(self) -> list[Span]:
        """Where we are, after the product's name, and what matters about it."""
        return []

    def header_line(self, width: int) -> Line:
        left = [(" losswatch › " if width >= NARROW_COLUMNS else " ", "dim"), *self.trail()]
        return spread(tuple(left), self.losswatch.showing.freshness(), width)

    def key_line(self, width: int) -> Line:
        """As many keys as fit; `?` always stands."""
        spans: list[Span] = []
        room = width - len(" ? help ")
        for face, label in keys.shown(*self.SCOPES):
            part: Line = ((f" {face}", "focus"), (f" {label} ", "dim"))
            if face == "?" or width_of(part) > room:
                continue
            spans += part
            room -= width_of(part)
        return crop(merged([*spans, (" ?", "focus"), (" help ", "dim")]), width)

    # Questions

    def ask(self, question: Question) -> None:
        """Ask on the bottom line; it covers the key line meanwhile."""
        focused = self.focused
        self._focus_before = (
            focused.id if focused is not None and not isinstance(focused, Input) else self._focus_before
        )
        self.query_one(Ask).open(question)

    def on_ask_closed(self, _message: AskClosed) -> None:
        back = self.query(f"#{self._focus_before}") if self._focus_before else None
        if back:
            self.set_focus(back.first())
        else:
            self.focus_first()

    def focus_first(self) -> None:
        """Give the focus to what this screen is mainly about."""

    @property
    def typing(self) -> bool:
        """Whether keys belong to an answer at the moment."""
        return isinstance(self.focused, Input)

    # What app-wide keys mean here

    def selected_target(self) -> str | None:
        """The target that `r` and `y` mean."""
        return None

    def copyable(self) -> tuple[str, str] | None:
        """(text, what it is) for `y`."""
        target = self.selected_target()
        return (target.partition(":")[2], "name") if target else None

    def command_line(self) -> str | None:
        """A shell command for `Y`."""
        return None

    def copyable_text(self) -> tuple[str, str] | None:
        """(text, what it is) for `Y`: a command, where a place has nothing better."""
        command = self.command_line()
        return (command, "command") if command else None

    def action_back(self) -> None:
        self.losswatch.go_back()
