from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from data.text import cells
from tui.lines import Line, crop, plain, wrap
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from textual.app import ComposeResult

MOST_CANDIDATES = 8
MOST_LINES = 12
ANSWER_CELLS = 20
"""At least so much of the line is left for the answer; what is longer is asked above it."""


def agreed(said: str) -> bool:
    """Whether a person said yes, in full or by its letter."""
    return said.strip().lower() in {"y", "yes"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that could be meant: what to type for it and what it is."""

    text: str
    words: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked on the bottom line, and what happens with the answer."""

    prompt: str
    submit: Callable[[str], None]
    change: Callable[[str], None] = field(default=lambda _text: None)
    cancel: Callable[[], None] = field(default=lambda: None)
    start: str = ""
    lines: tuple[str, ...] = ()
    """What stands above the question: what a yes would mean, at most 12 lines."""


class AskClosed(Message):
    """The bottom line is free again."""


class Ask(Vertical):
    """The bottom line while something is asked: a filter, a place to go, a note, a confirmation.

    It takes the focus at once, so keys typed ahead are not lost, and gives it back to where it was.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel", id="ask.cancel"),
        Binding("tab", "complete", "complete", id="ask.complete", priority=True),
        Binding("down", "choose(1)", "next", id="ask.down"),
        Binding("up", "choose(-1)", "previous", id="ask.up"),
    ]

    def __init__(self) -> None:
        super().__init__(id="ask")
        self.display = False
        self._question: Question | None = None
        self._candidates: tuple[Candidate, ...] = ()
        self._chosen = -1

    def compose(self) -> ComposeResult:
        yield Panel(id="candidates")
        with Horizontal(id="asked"):
            yield Panel(id="prompt")
            field_ = Input(id="answer", compact=True, select_on_focus=False)
            field_.cursor_blink = False
            yield field_

    @property
    def answer(self) -> Input:
        return self.query_one("#answer", Input)

    def open(self, question: Question) -> None:
        """Ask; whatever is typed from this moment on belongs to the answer."""
        self._question = question
        self.display = True
        room = max(self.app.size.width - ANSWER_CELLS, ANSWER_CELLS)
        *above, last = [plain(line) for line in wrap(question.prompt, room)]
        prompt = self.query_one("#prompt", Panel)
        prompt.styles.width = cells(last) + 2  # measured
        prompt.paint(lambda width, _height: [crop(((f" {last} ", "focus"),), width)])
        with self.prevent(Input.Changed):
            self.answer.value = question.start
            self.answer.cursor_position = len(question.start)
        self.offer(())
        if lines := (*question.lines[: MOST_LINES - len(above)], *above):
            self._tell(lines)
        self.screen.set_focus(self.answer)

    def _tell(self, lines: Sequence[str]) -> None:
        """Show what is asked about; there is nothing to choose from."""
        panel = self.query_one("#candidates", Panel)
        panel.display = True
        panel.styles.height = len(lines)  # measured
        panel.paint(lambda width, _height: [crop(((f" {line}", ""),), width) for line in lines])

    def offer(self, candidates: Sequence[Candidate]) -> None:
        """Show what could be meant."""
        self._candidates = tuple(candidates[:MOST_CANDIDATES])
        self._chosen = -1
        panel = self.query_one("#candidates", Panel)
        panel.display = bool(self._candidates)
        panel.styles.height = len(self._candidates)  # measured
        panel.paint(self._paint)

    def _paint(self, width: int, _height: int) -> list[Line]:
        return [
            crop(
                ((" ▸ " if at == self._chosen else "   ", "focus"), (f"{one.text:<28} ", "strong"), (one.words, "dim")),
                width,
            )
            for at, one in enumerate(self._candidates)
        ]

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._question is not None:
            self._question.change(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        question, answer = self._question, event.value
        if self._chosen >= 0:
            answer = self._candidates[self._chosen].text
        self._leave()
        if question is not None:
            question.submit(answer)

    def action_cancel(self) -> None:
        question = self._question
        self._leave()
        if question is not None:
            question.cancel()

    def action_complete(self) -> None:
        if self._candidates:
            self.answer.value = self._candidates[max(self._chosen, 0)].text
            self.answer.cursor_position = len(self.answer.value)

    def action_choose(self, step: int) -> None:
        if self._candidates:
            self._chosen = (self._chosen + step) % len(self._candidates)
            self.query_one("#candidates", Panel).redraw()

    def _leave(self) -> None:
        self._question = None
        self.display = False
        self.screen.set_focus(None)
        self.post_message(AskClosed())
