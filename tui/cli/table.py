from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.lines import fit, safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tui.cli.paper import Paper
    from tui.lines import Align

GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a printed table. When a line is too wide the column with the highest `yields` shrinks first."""

    title: str
    align: Align = "left"
    least: int = 4
    """Cells below which it never shrinks."""
    yields: int = 0
    """0 never shrinks."""


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    role: str = ""


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], paper: Paper) -> Iterator[str]:
    """A header and the rows, aligned by terminal cells and cut to the terminal's width; uncut in a pipe."""
    texts = [[safe(cell.text) or "—" for cell in row] for row in rows]
    widths = [
        max([cell_len(column.title), *(cell_len(row[index]) for row in texts)]) for index, column in enumerate(columns)
    ]
    if paper.width is not None:
        widths = _narrowed(columns, widths, paper.width)
    titles = [fit(column.title, width, column.align) for column, width in zip(columns, widths, strict=True)]
    yield paper.ink((" " * GAP).join(titles).rstrip(), "dim")
    for row, shown in zip(rows, texts, strict=True):
        cells = [
            paper.ink(fit(text, width, column.align), cell.role)
            for column, width, cell, text in zip(columns, widths, row, shown, strict=True)
        ]
        yield (" " * GAP).join(cells).rstrip()


def _narrowed(columns: Sequence[Column], widths: list[int], room: int) -> list[int]:
    """Take from the columns that yield most until the line fits or nothing yields any more."""
    kept = list(widths)
    for index in sorted(range(len(columns)), key=lambda at: -columns[at].yields):
        excess = sum(kept) + GAP * (len(kept) - 1) - room
        if excess <= 0 or not columns[index].yields:
            break
        kept[index] = max(kept[index] - excess, min(kept[index], columns[index].least))
    return kept
