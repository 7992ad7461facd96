from __future__ import annotations

from typing import TYPE_CHECKING

from tui.widgets.band_series import Bucket, Frame, Series, draw, frame
from tui.widgets.panel import WAITING, Panel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from textual import events

    from tui.lines import Line

    Reader = Callable[[Bucket, int], Sequence[Line]]

_SMALL = 9
"""Lines below which nothing is read out: the picture needs them."""
READING = 2
"""Lines of what is read out at the cursor."""


class BandView(Panel):
    """A series with its band and a cursor that reads one bucket out; it follows the newest until it is moved."""

    def __init__(self, title: str, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(title, id=id, focusable=True)
        self.series = Series()
        self.band = True
        self.empty = WAITING
        self.reader: Reader = lambda _bucket, _width: ()
        self.chosen: datetime | None = None
        """Moment under the cursor; `None` follows the newest bucket that was reported."""

    def present(self, series: Series, reader: Reader) -> None:
        self.series, self.reader = series, reader
        self.redraw()

    def frame(self) -> Frame:
        """Also before it is laid out: it is as wide as the terminal."""
        return frame(self.series, (self.size.width or self.app.size.width) - 1)

    def cursor(self, drawn: Frame) -> int | None:
        """The bucket under the cursor."""
        if not drawn.buckets:
            return None
        if self.chosen is not None:
            return drawn.bucket_of(self.chosen)
        told = [at for at, one in enumerate(drawn.buckets) if one.actual is not None]
        return told[-1] if told else len(drawn.buckets) - 1

    @property
    def bucket(self) -> Bucket | None:
        drawn = self.frame()
        at = self.cursor(drawn)
        return None if at is None else drawn.buckets[at]

    def move(self, by: int) -> None:
        """Read the bucket `by` further right."""
        drawn = self.frame()
        at = self.cursor(drawn)
        if at is not None:
            self._put(drawn, at + by)

    def _put(self, drawn: Frame, at: int) -> None:
        self.chosen = drawn.buckets[min(max(at, 0), len(drawn.buckets) - 1)].at
        self.redraw()

    def body(self, width: int, height: int) -> Sequence[Line]:
        if not self.series.points:
            return [((f" {self.empty}", "dim"),)]
        drawn = frame(self.series, width - 1)
        at = self.cursor(drawn)
        read = READING if height >= _SMALL else 0
        lines = draw(self.series, drawn, height - read, at, band=self.band, pole=not self.losswatch.showing.lite)
        return [*lines, *self.reader(drawn.buckets[at], width)] if read and at is not None else lines

    def scroll_lines(self, by: int) -> None:
        """The picture always fits."""

    def action_top(self) -> None:
        self._put(self.frame(), 0) if self.series.points else None

    def action_bottom(self) -> None:
        self.chosen = None
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        drawn = self.frame()
        if drawn.buckets and event.x >= drawn.gutter:
            self._put(drawn, drawn.bucket_at(event.x - drawn.gutter))
