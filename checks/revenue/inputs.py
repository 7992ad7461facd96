"""Facts and receipts on their way to the cube: what is let in, when, and in which order.

A fact is a change. The same row twice is two changes: whether a delivery is new is decided where it is stored (a file by
its name, size and time, a pushed body by its key), never by what a row looks like.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

MEASURES = ("clicks", "regs", "ftd", "revenue")
MOST = {"clicks": 1e7, "regs": 1e6, "ftd": 1e6, "revenue": 1e12}
"""No one site brings more in one hour, whatever the currency: such a row is damaged."""
SKEW_US = 3_600_000_000
"""An hour may begin so much after it was seen: clocks differ. Beyond that it was foretold, not seen."""
_HOUR_US = 3_600_000_000
_MOST_AT_ONCE = 200_000
"""Rows taken together; a row takes half a kilobyte on its way."""


def micros(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return round(moment.timestamp() * 1e6)


def faults(hour_us: pl.Expr, seen_us: pl.Expr, measures: tuple[str, ...] = MEASURES) -> Iterator[tuple[str, pl.Expr]]:
    """What makes a row unbelievable by itself, in words, and which rows it is true of."""
    yield "no time", hour_us.is_null() | seen_us.is_null()
    yield "an hour that had not come when it was seen", hour_us > seen_us + SKEW_US
    for name in measures:
        yield f"{name} is no number", ~pl.col(name).is_finite()
        yield f"{name} beyond {MOST[name]:,.0f}", pl.col(name).abs() > MOST[name]


@dataclass(slots=True)
class Queue:
    """Rows that wait until their `seen_at` has come."""

    measures: tuple[str, ...]
    dims: tuple[str, ...]
    refused: Counter[str] = field(default_factory=Counter)
    """Rows that never enter, by reason."""
    _waiting: list[pl.DataFrame] = field(default_factory=list)
    """Sorted by `seen`."""

    def add(self, frame: pl.DataFrame) -> None:
        """Queue rows with `hour`, `seen_at`, the dims and the measures; those that cannot be true are counted and left.

        A time without a zone is UTC; a missing name is the empty one, a missing measure did not change.
        """
        if frame.is_empty():
            return
        rows = frame.select(
            pl.col("seen_at").dt.epoch("us").alias("seen"),
            pl.col("hour").dt.epoch("us").floordiv(_HOUR_US).alias("hour"),
            *(pl.col(name).cast(pl.String).fill_null("") for name in self.dims),
            *(pl.col(name).cast(pl.Float64).fill_null(0.0) for name in self.measures),
        )
        for reason, wrong in faults(pl.col("hour") * _HOUR_US, pl.col("seen"), self.measures):
            found = rows.select(wrong.fill_null(value=True).alias("wrong"))["wrong"]
            if count := int(found.sum()):
                self.refused[reason] += count
                rows = rows.filter(~found)
        if rows.height:
            self._waiting.append(rows.sort("seen", maintain_order=True))

    def take(self, now_us: int) -> pl.DataFrame | None:
        """Rows seen by now, in an order that does not depend on how they were delivered; `None` when none are left.

        Of very many the older ones come first, and `take` is to be asked again: they are never all held twice.
        """
        now_us = self._near(now_us)
        due, waiting = [], []
        for rows in self._waiting:
            end = int(np.searchsorted(rows["seen"].to_numpy(), now_us, "right"))
            if end:
                due.append(rows[:end])
            if end < rows.height:
                waiting.append(rows[end:])
        self._waiting = waiting
        return self._ordered(pl.concat(due)) if due else None

    def _near(self, now_us: int) -> int:
        """The time up to which so many rows were seen as are taken at once, those of one moment together."""
        due = [
            seen[: int(np.searchsorted(seen, now_us, "right"))]
            for seen in (rows["seen"].to_numpy() for rows in self._waiting)
        ]
        if sum(map(len, due)) <= _MOST_AT_ONCE:
            return now_us
        return int(np.partition(np.concatenate(due), _MOST_AT_ONCE - 1)[_MOST_AT_ONCE - 1])

    def _ordered(self, rows: pl.DataFrame) -> pl.DataFrame:
        """By time, then by name, then by value; `key` numbers the distinct dims in the order of their names."""
        keys = rows.select(self.dims).unique().sort(self.dims).with_row_index("key")
        return rows.join(keys, on=self.dims, maintain_order="left").sort(
            "seen", "hour", "key", *self.measures, maintain_order=True
        )
