"""Lines of text with roles: what every part of the screen is made of, before any colour and any terminal.

A `Line` is a tuple of `(text, role)` spans; roles are the names in `tui.theme.styles`. Text is never markup. Everything
here counts terminal cells, not characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len, set_cell_size

from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Span = tuple[str, str]
Line = tuple[Span, ...]
Align = Literal["left", "right"]

EMPTY: Line = ()
LONGEST = 4096
"""Cells beyond which no text is looked at: wider than any terminal."""

_GLYPHS = {
    "✖": "x", "▲": "!", "●": "*", "·": ".", "░": ":", "▸": ">", "▼": "v", "▴": "^", "─": "-", "│": "|", "┤": "|",
    "┼": "+", "┬": "+", "╌": "-", "▁": "_", "▂": ".", "▃": "-", "▄": "-", "▅": "=", "▆": "=", "▇": "#", "█": "#",
    "▒": "%", "—": "-", "−": "-", "–": "-", "…": "~", "›": ">", "‹": "<", "⏎": "^", "≈": "~", "×": "x", "↓": "v",
    "↑": "^", "←": "<", "→": ">", "±": "+", "└": "`", "├": "|", "╭": "+", "╰": "+", "•": "*", "␛": "?", "◆": "@",
    "▌": "|", "≥": ">", "≤": "<", "“": '"', "”": '"', "’": "'", "€": "E",
}  # fmt: skip
_ASCII = str.maketrans(_GLYPHS)


def safe(text: str) -> str:
    """Text as a terminal may have it; what the hub stored is clean already, this is the last gate."""
    return text if text.isprintable() else clean_text(text, LONGEST)


def to_ascii(text: str) -> str:
    """The same number of cells in ASCII; what has no counterpart becomes `?`."""
    if text.isascii():
        return text
    return "".join(char if char.isascii() else "?" * max(cell_len(char), 0) for char in text.translate(_ASCII))


def width_of(line: Line) -> int:
    return sum(cell_len(safe(text)) for text, _ in line)


def plain(line: Line) -> str:
    return "".join(text for text, _ in line)


def fit(text: str, width: int, align: Align = "left") -> str:
    """Exactly `width` cells: padded, or cut with `…`."""
    text = safe(text[:LONGEST])
    have = cell_len(text)
    if have > width:
        return "" if width <= 0 else set_cell_size(text, width - 1) + "…"
    pad = " " * (width - have)
    return pad + text if align == "right" else text + pad


def crop(line: Line, width: int) -> Line:
    """Exactly `width` cells of a line: padded on the right, or cut with `…`."""
    kept: list[Span] = []
    room = width
    for given, role in line:
        text = safe(given[:LONGEST])
        have = cell_len(text)
        if have > room:
            kept.append((fit(text, room), role))
            return tuple(kept)
        if text:
            kept.append((text, role))
        room -= have
    return (*kept, (" " * room, "")) if room else tuple(kept)


def spread(left: Line, right: Line, width: int, minimum_gap: int = 1) -> Line:
    """`left` and `right` at the two ends; the left gives way."""
    room = width - width_of(right)
    if room < minimum_gap:
        return crop(left, width)
    return (*crop(left, room - minimum_gap), (" " * minimum_gap, ""), *right)


def rule(title: str, note: str, width: int, *, focused: bool = False) -> Line:
    """A titled rule: `─ 1 Sites ──────── 1 down ─`."""
    role = "focus" if focused else "rule"
    left = fit_to(f"─ {safe(title)} ", width) if title else ""
    right = f" {safe(note)} ─" if note else ""
    dashes = width - cell_len(left) - cell_len(right)
    if dashes < 0:
        return ((fit(left + "─" * width, width), role),)
    return ((left, "focus" if focused else "title"), ("─" * dashes, role), (right[:-1], "dim"), (right[-1:], role))


def fit_to(text: str, width: int) -> str:
    """At most `width` cells."""
    return text if cell_len(text) <= width else fit(text, width)


def wrap(text: str, width: int, role: str = "", indent: str = "") -> list[Line]:
    """Words over as many lines as needed, later ones indented; words wider than a line are cut into pieces."""
    room = max(width, 2)
    indent = indent if cell_len(indent) < room // 2 else ""
    done: list[str] = []
    current = ""
    for word in _pieces(safe(text[:LONGEST]), room - cell_len(indent)):
        joined = f"{current} {word}" if current.strip() else current + word
        if cell_len(joined) > room:
            done.append(current)
            joined = indent + word
        current = joined
    return [((line, role),) for line in [*done, current]]


def _pieces(text: str, width: int) -> Iterator[str]:
    """The words of `text`, none wider than `width` cells."""
    for word in text.split():
        piece = ""
        for char in word:
            if cell_len(piece + char) > width:
                yield piece
                piece = ""
            piece += char
        yield piece


def merged(spans: Iterable[Span]) -> Line:
    """The same cells with neighbours of one role joined: fewer escape codes on the wire."""
    out: list[Span] = []
    for text, role in spans:
        if out and out[-1][1] == role:
            out[-1] = (out[-1][0] + text, role)
        elif text:
            out.append((text, role))
    return tuple(out)


def inked(line: Line) -> Line:
    """The same picture with blanks in the role of their neighbour: a role costs forty bytes on the wire, a blank one.

    Only for roles that differ in how letters look, not in what is behind them.
    """
    out: list[Span] = []
    for text, role in line:
        if out and (out[-1][1] == role or text.isspace()):
            out[-1] = (out[-1][0] + text, out[-1][1])
        elif out and out[-1][0].isspace():
            out[-1] = (out[-1][0] + text, role)
        elif text:
            out.append((text, role))
    return tuple(out)


def changed_cells(old: Line, new: Line, width: int) -> tuple[int, int] | None:
    """First cell and number of cells that differ between two drawn lines, or None when they are equal."""
    if old == new:
        return None
    before, after = _cells(old), _cells(new)
    shorter = min(len(before), len(after))
    head = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    tail = 0
    while tail < shorter - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    start = sum(size for _, _, size in after[:head])
    end = max(sum(size for _, _, size in row[: len(row) - tail]) for row in (before, after))
    same_end = sum(c[2] for c in before) == sum(c[2] for c in after)
    return start, (min(end, width) if same_end else width) - start


def _cells(line: Line) -> list[tuple[str, str, int]]:
    return [(char, role, cell_len(char)) for text, role in line for char in text]
