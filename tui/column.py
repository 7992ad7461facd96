"""Columns as data and the lines of a table made from them; pure, so that a pipe gets the same rows as a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tui.lines import Align, Line, Span, crop, fit, merged, width_of
from tui.look import Look

R = TypeVar("R")
GAP = 2
MARK_WIDTH = 3
"""Cells in front of the first column: ` ▸ ` on the selected row."""


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column: how wide, how aligned, and what it says of a row."""

    id: str
    title: str
    width: int
    cell: Callable[[R, Look, int], Line]
    """(row, look, width) -> spans; they are fitted to the width here."""
    align: Align = "left"
    grow: int = 0
    """Share of the spare width."""


Plan = list[tuple[Column[R], int]]


def layout(columns: Sequence[Column[R]], width: int, skip: int = 0) -> Plan[R]:
    """The first column and, after `skip` of the others, as many as fit, with their widths."""
    room = width - MARK_WIDTH - 1  # the last cell belongs to `›`
    first, rest = columns[0], columns[1 + skip :]
    plan = [(first, max(min(first.width, room), 0))]
    room -= plan[0][1]
    for column in rest:
        if room < column.width + GAP:
            break
        plan.append((column, column.width))
        room -= column.width + GAP
    shares = sum(column.grow for column, _ in plan)
    if not shares or room <= 0:
        return plan
    return [(column, size + room * column.grow // shares) for column, size in plan]


def head_line(plan: Plan[R], width: int, *, more_left: bool = False, more_right: bool = False) -> Line:
    """Titles over their columns, with `‹ ›` where columns are hidden."""
    titles = (" " * GAP).join(fit(column.title, size, column.align) for column, size in plan)
    text = f" {'‹' if more_left else ' '} {titles}"
    return ((fit(text, width - 1) + "›" if more_right else fit(text, width), "head"),)


def row_line(row: R, plan: Plan[R], look: Look, width: int, mark: Span = ("   ", "")) -> Line:
    """One row in exactly `width` cells."""
    spans: list[Span] = [mark]
    for at, (column, size) in enumerate(plan):
        spans += [(" " * GAP, "")] if at else []
        spans += fitted(column.cell(row, look, size), size, column.align)
    return crop(merged(spans), width)


def fitted(cell: Line, size: int, align: Align) -> Line:
    have = width_of(cell)
    if have > size:
        return crop(cell, size)
    pad: Line = ((" " * (size - have), ""),) if have < size else ()
    return (*pad, *cell) if align == "right" else (*cell, *pad)
