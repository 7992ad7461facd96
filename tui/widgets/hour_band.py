"""Counts by hour of day as lines: what is usual at that hour shaded, the last 24 hours as a level. Neither is bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.format import tick
from tui.lines import Line, Span, merged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.model.parser_view import HourCount

_LEVEL = ("▄", "")
_HOURS = 24
_WIDEST = 4


def hour_band(hours: Sequence[HourCount], width: int, height: int, now_hour: int) -> list[Line]:
    """`height` lines: the count on the left, the hours of one day from 00 to 23 below, this hour marked."""
    known = {one.hour: one for one in hours}
    top = max((max(one.hi, one.now or 0.0) for one in hours), default=0.0) or 1.0
    gutter = len(tick(top, "items")) + 3
    wide = min((width - gutter) // _HOURS, _WIDEST)
    if height < 3 or wide < 1:
        return []
    rows = height - 2
    lines: list[Line] = []
    for row in range(rows):
        label = tick(round(top), "items") if row == 0 else ""
        cells = (_cell(known.get(hour), (rows - 1 - row) * 8, top, rows * 8) for hour in range(_HOURS))
        axis = f"{label:>{gutter - 2}} {'┤' if label else '│'}"
        lines.append(((axis, "dim"), *merged((char * wide, role) for char, role in cells)))
    marks = "".join(("┬" if hour % 6 == 0 else "─") + "─" * (wide - 1) for hour in range(_HOURS))
    return [*lines, ((f"{'0':>{gutter - 2}} ┼{marks}", "dim"),), _names(gutter, wide, now_hour)]


def _cell(one: HourCount | None, floor: int, top: float, eighths: int) -> Span:
    """One cell whose lower edge is `floor`, in eighths of a cell above the axis."""
    if one is None:
        return ("·", "dim") if floor == 0 else (" ", "")
    lo, usual, hi = (round(value / top * eighths) for value in (one.lo, one.usual, one.hi))
    level = None if one.now is None else min(max(round(one.now / top * eighths), 1), eighths)
    if level is not None and floor < level <= floor + 8:
        return _LEVEL
    inside = one.runs > 0 and (lo <= floor + 4 <= hi or floor < usual <= floor + 8)
    return ("░", "band") if inside else (" ", "")


def _names(gutter: int, wide: int, now_hour: int) -> Line:
    """`00    06    12` with the present hour in its place; its neighbours give way."""
    text = " " * gutter
    for hour in range(0, _HOURS, 6):
        if abs(hour - now_hour) * wide >= 6 or hour == now_hour:
            text = text.ljust(gutter + hour * wide) + f"{hour:02d}"
    at = gutter + now_hour * wide
    return (text[:at].ljust(at), "dim"), ("▴now ", "focus"), (text[at + 5 :], "dim")
