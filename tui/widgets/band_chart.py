"""A band chart as lines: what was expected as a shaded band, what happened as filled columns, what is missing marked."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.format import short_clock, tick
from tui.lines import EMPTY, Line, Span, fit, merged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.model.snapshot import BandPoint

EIGHTHS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the chart; heights are in eighths of a cell from the axis."""

    actual: int | None
    lo: int
    hi: int


def band_chart(points: Sequence[BandPoint], width: int, height: int, unit: str, symbol: str = "€") -> list[Line]:
    """`height` lines: a value axis on the left, a time axis below that ends at the newest bucket.

    `unit` is `ms` (more is bad), `money` or a plain word (less is bad).
    """
    if height < 3 or width < 20 or not points:
        return [(("no history yet", "dim"),)] if height > 0 else []
    rows = height - 2
    top = nice(max(max(p.hi, p.actual or 0.0) for p in points))
    gutter = max(len(tick(top, unit, symbol)), len(tick(top / 2, unit, symbol))) + 2
    kept = _resampled(points, width - gutter)
    columns = [_column(point, top, rows * 8) for point in kept]
    lines = []
    for row in range(rows):
        label = _label(row, rows, top, unit, symbol)
        floor = (rows - 1 - row) * 8
        axis = f"{label:>{gutter - 2}} {'┤' if label else '│'}"
        cells = (_cell(column, floor, more_is_bad=unit == "ms") for column in columns)
        lines.append(((axis, "dim"), *merged(cells)))
    return [*lines, *_time_axis(kept, gutter, tick(0, unit, symbol))]


def nice(value: float) -> float:
    """The next of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= value * 0.999)


def _resampled(points: Sequence[BandPoint], width: int) -> list[BandPoint]:
    """`width` points over the whole span; of neighbours sharing a column the one farthest outside its band is kept."""
    count = len(points)
    edges = [at * count // width for at in range(width + 1)]
    pairs = itertools.pairwise(edges)
    return [max(points[start : max(end, start + 1)], key=_surprise) for start, end in pairs]


def _surprise(point: BandPoint) -> float:
    if point.actual is None:
        return -1.0
    return max(point.lo - point.actual, point.actual - point.hi, 0.0)


def _column(point: BandPoint, top: float, eighths: int) -> Column:
    def scaled(value: float) -> int:
        return max(min(round(value / top * eighths), eighths), 0)

    actual = None if point.actual is None else scaled(point.actual)
    if actual == 0 and point.actual:
        actual = 1
    return Column(actual, scaled(point.lo), scaled(point.hi))


def _cell(column: Column, floor: int, *, more_is_bad: bool) -> Span:
    """One cell whose lower edge is `floor`; the actual column is drawn over the band, the loss between them."""
    middle = floor + 4
    actual = column.actual
    short = actual is not None and actual < column.lo
    if actual is not None and actual > floor:
        over = more_is_bad and actual > column.hi and middle > column.hi
        return EIGHTHS[min(actual - floor, 8)], "warn" if over else "actual"
    if short and middle < column.lo and not more_is_bad:
        return "▒", "loss"
    if column.hi > column.lo and column.lo <= middle <= column.hi:
        return "░", "band"
    return " ", ""


def _label(row: int, rows: int, top: float, unit: str, symbol: str) -> str:
    if row == 0:
        return tick(top, unit, symbol)
    return tick(top / 2, unit, symbol) if rows >= 4 and row == rows // 2 else ""


def _time_axis(points: Sequence[BandPoint], gutter: int, zero: str) -> list[Line]:
    width = len(points)
    step = 12
    marks = "".join("┬" if at % step == 0 else "─" for at in range(width - 1)) + "┤"
    times = ""
    for at in range(0, width - 5, step):
        if len(times) <= at < width - 10:
            times = fit(times, at) + short_clock(points[at].at)
    line = fit(times, width - 3) + "now" if width >= 3 else ""
    axis: Line = ((f"{zero:>{gutter - 2}} ┼", "dim"), (marks, "dim"))
    return [axis, ((" " * gutter, ""), (line, "dim")) if line else EMPTY]
