"""A series against what was expected of it, as lines: band, actual and loss; what happened above, reports below.

Pure: `frame()` divides a window into buckets and columns, `draw()` makes lines of it.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from data.text import cells
from tui.format import short_clock, tick
from tui.lines import Line, Span, fit_to, merged
from tui.widgets.band_chart import EIGHTHS, nice
from tui.widgets.band_marks import over

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from data.model.revenue_view import Mark
    from data.model.snapshot import BandPoint

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GROUPS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 168)
"""How many points may share a bucket: parts of a day, days, weeks."""
_BY_DAY = timedelta(days=14)
"""Beyond this days are drawn whole: their nights would hide the weeks."""
_STEPS = (900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400, 172_800, 345_600, 604_800, 1_209_600)
"""Seconds between two labels of the time axis."""
_LABEL = 9
"""Fewest cells between two labels."""
_FOOT = 2
_FEWEST_ROWS = 3


@dataclass(frozen=True, slots=True)
class Bucket:
    """Some hours of a series as one thing to look at; figures are means per hour.

    The ends of the band are means of ends, which is wider than the interval of their mean. Where only some hours have
    been reported, all figures are of those.
    """

    at: datetime
    until: datetime
    expected: float
    lo: float
    hi: float
    actual: float | None
    lost: bool = False
    """An alarm holds some of it."""


@dataclass(frozen=True, slots=True)
class Series:
    """All that is drawn of one slice over one window; oldest first."""

    points: tuple[BandPoint, ...] = ()
    marks: tuple[Mark, ...] = ()
    spans: tuple[tuple[datetime, datetime | None], ...] = ()
    """From when to when money is being lost; `None` goes on."""
    covered: datetime | None = None
    """Up to when every report is here."""
    reported: str = ""
    """What is said of the reports, on the line below; empty draws none."""
    late: bool = False
    unit: str = "money"
    """money | share"""
    symbol: str = "€"


@dataclass(frozen=True, slots=True)
class Frame:
    """Where everything stands for one width."""

    gutter: int
    buckets: tuple[Bucket, ...]
    edges: tuple[int, ...]
    """Bucket `n` has the columns `edges[n] .. edges[n + 1] - 1`, counted from the axis."""

    @property
    def width(self) -> int:
        return self.edges[-1]

    def bucket_of(self, moment: datetime) -> int:
        """The bucket that holds `moment`, else the nearest one."""
        return max(bisect_right([one.at for one in self.buckets], moment) - 1, 0)

    def bucket_at(self, column: int) -> int:
        return min(max(bisect_right(self.edges, column) - 1, 0), len(self.buckets) - 1)

    def edge(self, moment: datetime) -> int:
        """The column where the bucket of `moment` begins; the whole width for a moment after the last."""
        past = not self.buckets or moment >= self.buckets[-1].until
        return self.width if past else self.edges[self.bucket_of(moment)]

    def middle(self, bucket: int) -> int:
        return (self.edges[bucket] + self.edges[bucket + 1] - 1) // 2


def frame(series: Series, width: int) -> Frame:
    """Buckets of equal length over the whole width, their borders at whole hours and days."""
    unit, symbol = series.unit, series.symbol
    top = nice(max((max(p.hi, p.actual or 0.0) for p in series.points), default=0.0))
    gutter = max(len(tick(top, unit, symbol)), len(tick(top / 2, unit, symbol)), len(symbol) + 3) + 2
    room = max(width - gutter, 1)
    buckets = tuple(_grouped(series, room))
    count = max(len(buckets), 1)
    return Frame(gutter, buckets, tuple(at * room // count for at in range(count + 1)))


def _grouped(series: Series, room: int) -> Iterable[Bucket]:
    points = series.points
    step = points[1].at - points[0].at if len(points) > 1 else timedelta(hours=1)
    step = max(step, timedelta(seconds=1))
    least = timedelta(days=1) / step if len(points) * step > _BY_DAY else 1
    size = next((size for size in _GROUPS if size >= least and len(points) <= size * (room - 1)), _GROUPS[-1])
    if size == 1:
        return [_bucket([one], one.at, one.at + step, series.spans) for one in points]
    length = size * step
    groups = itertools.groupby(points, key=lambda one: (one.at - _EPOCH) // length)
    return [_bucket(list(some), _EPOCH + number * length, _EPOCH + (number + 1) * length, series.spans) for number, some in groups]  # fmt: skip


def _bucket(
    points: Sequence[BandPoint], at: datetime, until: datetime, spans: Sequence[tuple[datetime, datetime | None]]
) -> Bucket:
    told = [one for one in points if one.actual is not None]
    used, count = told or points, len(told or points)
    return Bucket(
        at, until, sum(one.expected for one in used) / count, sum(one.lo for one in used) / count,
        sum(one.hi for one in used) / count, sum(one.actual or 0.0 for one in told) / count if told else None,
        any(start < until and (end is None or end > at) for start, end in spans),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Column:
    """One bucket in eighths of a cell above the axis."""

    actual: int | None
    expected: int
    lo: int
    hi: int
    lost: bool
    chosen: bool


def draw(
    series: Series, drawn: Frame, height: int, cursor: int | None = None, *, band: bool = True, pole: bool = True
) -> list[Line]:
    """`height` lines: what happened, the chart over a time axis that ends at the newest bucket, how far reports reach.

    Without a `pole` the cursor stands on the axis alone: a line through the chart costs 3 kB each time it moves.
    """
    foot = _FOOT + (1 if series.reported else 0)
    if not drawn.buckets or drawn.width < 10 or height < foot + 1:
        return [(("no history yet", "dim"),)] if height > 0 else []
    above = over(series.marks, drawn, height - foot - _FEWEST_ROWS, cursor if pole else None)
    rows = height - foot - len(above)
    top = nice(max(max(one.hi if band else one.expected, one.actual or 0.0) for one in drawn.buckets))
    columns = [_scaled(one, top, rows * 8, chosen=pole and at == cursor) for at, one in enumerate(drawn.buckets)]
    lines = [((" " * drawn.gutter, ""), *line) for line in above]
    lines += [_row(row, rows, top, series, drawn, columns, band=band) for row in range(rows)]
    lines += _time_axis(series, drawn, cursor)
    return lines + ([_reports(series, drawn)] if series.reported else [])


def _scaled(one: Bucket, top: float, eighths: int, *, chosen: bool) -> _Column:
    def scaled(value: float) -> int:
        return max(min(round(value / top * eighths), eighths), 0)

    actual = None if one.actual is None else scaled(one.actual)
    if actual == 0 and one.actual and one.actual > 0:
        actual = 1
    return _Column(actual, scaled(one.expected), scaled(one.lo), scaled(one.hi), one.lost, chosen)


def _row(row: int, rows: int, top: float, series: Series, drawn: Frame, columns: Sequence[_Column], *, band: bool) -> Line:  # fmt: skip
    label = tick(top, series.unit, series.symbol) if row == 0 else ""
    if rows >= 4 and row == rows // 2:
        label = tick(top / 2, series.unit, series.symbol)
    floor = (rows - 1 - row) * 8
    spans: list[Span] = [(f"{label:>{drawn.gutter - 2}} {'┤' if label else '│'}", "dim")]
    for at, column in enumerate(columns):
        left, right = drawn.edges[at], drawn.edges[at + 1]
        char, role = _cell(column, floor, band=band)
        if not column.chosen:
            spans.append((char * (right - left), role))
        elif role == "actual":
            spans.append((char * (right - left), "focus"))
        else:
            pole = drawn.middle(at) - left
            spans += [(char * pole, role), ("│", "focus"), (char * (right - left - pole - 1), role)]
    return tuple(merged(spans))


def _cell(column: _Column, floor: int, *, band: bool) -> Span:
    """One cell whose lower edge is `floor`: the actual column over the loss over the band."""
    middle, actual = floor + 4, column.actual
    missing = column.lost and actual is not None and actual < column.expected
    if actual is not None and actual > floor:
        thin = missing and actual <= floor + 2
        return ("▒", "loss") if thin and middle < column.expected else (EIGHTHS[min(actual - floor, 8)], "actual")
    if missing and (middle < column.expected or floor == 0):
        return "▒", "loss"
    around = column.lo <= middle <= column.hi or floor <= column.expected < floor + 8
    return ("░", "band") if band and column.hi > column.lo and around else (" ", "")


def _time_axis(series: Series, drawn: Frame, cursor: int | None) -> list[Line]:
    width = drawn.width
    marks = ["─"] * (width - 1) + ["┤"]
    names = [" "] * width
    free = 0
    for column, label in _labels(drawn):
        marks[column] = "┬"
        if column >= free and column + cells(label) < width - 4:
            names[column : column + len(label)] = label
            free = column + len(label) + 2
    names[-3:] = "now"
    zero = tick(0, series.unit, series.symbol)
    axis: list[Span] = [(f"{zero:>{drawn.gutter - 2}} ┼", "dim"), *((mark, "dim") for mark in marks)]
    if cursor is not None:
        axis[1 + drawn.middle(cursor)] = ("▴", "focus")
    return [merged(axis), ((" " * drawn.gutter, ""), ("".join(names), "dim"))]


def _labels(drawn: Frame) -> list[tuple[int, str]]:
    """(column, words) of the borders that are round moments, far enough apart to be read."""
    buckets = drawn.buckets
    length = (buckets[0].until - buckets[0].at).total_seconds()
    wide = drawn.width / len(buckets)
    step = next((step for step in _STEPS if step % length == 0 and step / length * wide >= _LABEL), _STEPS[-1])
    found = []
    for at, one in enumerate(buckets):
        seconds = (one.at - _EPOCH).total_seconds()
        if seconds % step == 0:
            day = step >= 86_400 or seconds % 86_400 == 0
            found.append((drawn.edges[at], f"{one.at.day} {one.at:%b}" if day else short_clock(one.at)))
    return found


def _reports(series: Series, drawn: Frame) -> Line:
    """How far reports reach, as a line under the axis that breaks off there."""
    reach = 0 if series.covered is None else drawn.edge(series.covered)
    words = f" {series.reported} "
    head = "─" + fit_to(words, max(drawn.width - 3, 0))
    if reach and cells(head) + 1 < reach:
        told: list[Span] = [(head + "─" * (reach - cells(head) - 1) + "┤", "dim")]
    else:
        told, reach = [(" " + head[1:], "warn" if series.late else "dim")], cells(head)
    return ((" " * drawn.gutter, ""), *told, ("╌" * (drawn.width - reach), "warn" if series.late else "dim"))
