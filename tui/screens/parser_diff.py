"""A page's structure before and after, as a person reads it: side by side, or one below the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING

from tui.lines import Line, crop
from tui.widgets.panel import WAITING, Panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.model.parser_view import DiffLine

SPLIT_WIDTH = 98
"""Cells from which two sides are legible."""
NO_CHANGE = -1
_SIGN = {"-": ("− ", "bad"), "+": ("+ ", ""), " ": ("  ", "dim")}


@dataclass(frozen=True, slots=True)
class Picture:
    """Lines, and at which of them each change begins."""

    lines: tuple[Line, ...]
    changes: tuple[int, ...]


def unified(diff: Sequence[DiffLine], width: int, chosen: int = NO_CHANGE) -> Picture:
    """What went and what came one below the other, each with the number of its own side."""
    lines: list[Line] = []
    changes: list[int] = []
    for changed, group in groupby(diff, lambda line: line.kind != " "):
        first = len(lines)
        changes += [first] if changed else []
        for line in group:
            marked = changed and len(lines) == first and len(changes) - 1 == chosen
            number = line.was_no if line.now_no is None else line.now_no
            lines.append(crop(_side(line, number, marked=marked), width))
    return Picture(tuple(lines), tuple(changes))


def split(diff: Sequence[DiffLine], width: int, chosen: int = NO_CHANGE) -> Picture:
    """The last good page on the left, the failing one on the right; what went stands beside what came."""
    half = (width - 2) // 2
    lines: list[Line] = []
    changes: list[int] = []
    for changed, group in groupby(diff, lambda line: line.kind != " "):
        members = list(group)
        first = len(lines)
        changes += [first] if changed else []
        left = [line for line in members if line.kind != "+"]
        right = [line for line in members if line.kind != "-"]
        for was, now in zip_longest(left, right):
            marked = changed and len(lines) == first and len(changes) - 1 == chosen
            before = _side(was, was.was_no, marked=marked) if was else ()
            after = _side(now, now.now_no, marked=False) if now else ()
            lines.append((*crop(before, half), ("  ", ""), *crop(after, half)))
    return Picture(tuple(lines), tuple(changes))


def _side(line: DiffLine, number: int | None, *, marked: bool) -> Line:
    sign, role = _SIGN.get(line.kind, _SIGN[" "])
    return (
        (" ▸" if marked else "  ", "focus"),
        (f"{'' if number is None else number:>3} ", "dim"),
        (sign, role),
        (line.text, role),
    )


class DiffPanel(Panel):
    """The diff under its rule; two sides where there is room, unless a person turned that round."""

    def __init__(self, title: str, *, id: str) -> None:  # noqa: A002  # Textual's own name
        super().__init__(title, id=id, focusable=True)
        self.diff: tuple[DiffLine, ...] = ()
        self.turned = False
        self.change = NO_CHANGE
        self.heads = ("last good", "now")
        self.empty = WAITING

    def present(self, diff: tuple[DiffLine, ...], heads: tuple[str, str], empty: str) -> None:
        """Show `diff`; the chosen change stays chosen while there are as many."""
        if diff != self.diff:
            self.change = NO_CHANGE
        self.diff, self.heads, self.empty = diff, heads, empty
        self.redraw()

    def redraw(self) -> None:
        self.note = self._said()
        super().redraw()

    def _said(self) -> str:
        """What stands at the end of the rule: which change of how many, and the times where no head says them."""
        if not self.diff:
            return ""
        width = self.size.width
        times = "" if self.is_split(width) else " → ".join(self.heads)
        count = len(self._picture(width).changes)
        chosen = "" if self.change == NO_CHANGE else f"change {self.change + 1} of {count}"
        return ", ".join(filter(None, (times, chosen))) or f"{count} change{'' if count == 1 else 's'}"

    def is_split(self, width: int) -> bool:
        return (width >= SPLIT_WIDTH) != self.turned

    def lines_needed(self, width: int) -> int:
        """Lines below the rule that show all of it."""
        sides = self.is_split(width)
        return len(self._picture(width).lines) + (1 if sides else 0)

    def _picture(self, width: int) -> Picture:
        draw = split if self.is_split(width) else unified
        return draw(self.diff, width, self.change)

    def body(self, width: int, height: int) -> Sequence[Line]:  # noqa: ARG002  # a panel scrolls what is more
        if not self.diff:
            return [((f" {self.empty}", "dim"),)]
        picture = self._picture(width)
        if not self.is_split(width):
            return picture.lines
        half = (width - 2) // 2
        was, now = self.heads
        head: Line = (*crop(((f"        {was}", "head"),), half), ("  ", ""), (f"        {now}", "head"))
        return [crop(head, width), *picture.lines]

    def turn(self) -> bool:
        """Two sides instead of one below the other, or back; whether it is two sides now."""
        self.turned = not self.turned
        self.redraw()
        return self.is_split(self.size.width)

    def step(self, by: int) -> None:
        """Choose the next or previous change, round the end, and bring it into sight."""
        width = self.size.width
        starts = self._picture(width).changes
        if not starts:
            return
        first = 0 if by > 0 else len(starts) - 1
        self.change = first if self.change == NO_CHANGE else (self.change + by) % len(starts)
        at = starts[self.change] + (1 if self.is_split(width) else 0)
        if not self.first_line <= at < self.first_line + self.body_height - 1:
            self.first_line = max(at - 2, 0)
        self.redraw()
