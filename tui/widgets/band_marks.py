"""What happened, above a series: names over poles that stand on a line of arrows."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from data.text import cells
from tui.lines import Line, Span, fit_to, merged, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.model.revenue_view import Mark
    from tui.widgets.band_series import Frame

_ROLE = {"alarm": "bad", "incident": "bad", "deploy": ""}
_RANK = ("alarm", "incident", "deploy")
_LONGEST = 28
_MOST_NAMES = 2
_GAP = 2

Cells = list[tuple[str, str]]


def over(marks: Sequence[Mark], drawn: Frame, room: int, cursor: int | None = None) -> list[Line]:
    """At most `room` lines: up to two of names, then one of arrows; names that find no place are read at the cursor."""
    shown = [one for one in marks if _touches(one, drawn)]
    if not shown or room < 1:
        return []
    shown.sort(key=lambda one: (_RANK.index(one.kind) if one.kind in _RANK else len(_RANK), one.at))
    arrows: Cells = [(" ", "")] * drawn.width
    for one in reversed(shown):  # what matters most is drawn last, over the rest
        _arrow(one, drawn, arrows, chosen=cursor is not None and drawn.bucket_of(one.at) == cursor)
    names = _names(shown, drawn, min(_MOST_NAMES, room - 1))
    used = [line for line in names if any(char != " " for char, _ in line)]
    return [merged(line) for line in (*used, arrows)]


def _touches(one: Mark, drawn: Frame) -> bool:
    """Whether any of it lies in the window."""
    first, last = drawn.buckets[0].at, drawn.buckets[-1].until
    return one.at < last and (one.until or one.at) >= first


def _start(one: Mark, drawn: Frame) -> int:
    return drawn.edges[drawn.bucket_of(one.at)]


def _arrow(one: Mark, drawn: Frame, arrows: Cells, *, chosen: bool) -> None:
    role = _ROLE.get(one.kind, "dim")
    start = _start(one, drawn)
    if one.until is not None:
        for column in range(start + 1, min(drawn.edge(one.until), drawn.width)):
            arrows[column] = ("─", "dim")
    if one.at >= drawn.buckets[0].at:
        arrows[start] = ("▼", "focus" if chosen else role)


class _Names:
    """Lines of names, and which of their cells are taken, blanks within names included."""

    def __init__(self, levels: int, width: int) -> None:
        self.lines: list[Cells] = [[(" ", "")] * width for _ in range(levels)]
        self._taken: list[set[int]] = [set() for _ in range(levels)]

    def is_free(self, level: int, start: int, end: int) -> bool:
        return self._taken[level].isdisjoint(range(start, end))

    def write(self, level: int, start: int, some: Sequence[Span]) -> None:
        self.lines[level][start : start + len(some)] = some
        self._taken[level].update(range(start, start + len(some)))


def _names(marks: Sequence[Mark], drawn: Frame, levels: int) -> list[Cells]:
    """As many names as find a place, whether one begins with the lowest line or with the highest."""
    best: tuple[int, list[Cells]] = -1, []
    for order in (range(levels - 1, -1, -1), range(levels)):
        names = _Names(levels, drawn.width)
        placed = sum(_name(one, drawn, names, order) for one in marks)
        if placed > best[0]:
            best = placed, names.lines
    return best[1]


def _name(one: Mark, drawn: Frame, names: _Names, levels: Sequence[int]) -> bool:
    """Write the name beside its arrow where it is free, right or left of it, with a pole down to the arrow."""
    text = fit_to(safe(one.text[:200]), min(_LONGEST, drawn.width))
    length = cells(text)
    pole = _start(one, drawn)
    for level, wanted in itertools.product(levels, (pole, pole - length + 1)):
        start = max(min(wanted, drawn.width - length), 0)
        below = range(level + 1, len(levels))
        clear = all(names.is_free(lower, pole, pole + 1) for lower in below)
        if clear and names.is_free(level, start - _GAP, start + length + _GAP):
            names.write(level, start, _spread(text, _ROLE.get(one.kind, "dim"), length))
            for lower in below:
                names.write(lower, pole, [("│", "dim")])
            return True
    return False


def _spread(text: str, role: str, length: int) -> list[Span]:
    """One entry a cell; a wide character takes two, the second empty; one without width stands with its neighbour."""
    out: list[Span] = []
    for char in text:
        if out and not cells(char):
            out[-1] = (out[-1][0] + char, role)
            continue
        out.append((char, role))
        out += [("", role)] * (cells(char) - 1)
    return out[:length] + [(" ", role)] * (length - len(out))
