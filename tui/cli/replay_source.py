"""Rows of Parquet files in the order of their `seen_at`, read in batches when their time comes."""

from __future__ import annotations

import heapq
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.errors import UsageError
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    import polars as pl
    import pyarrow as pa

BATCH = 65_536
"""Rows read at once."""
_BUFFER = 1 << 20
"""Bytes of a column read at once; without it a row group's column is read as a whole."""
_LONGEST_NAME = 200


@dataclass(slots=True)
class _Group:
    """One row group of one file, read from its beginning to its end."""

    path: Path
    number: int
    first_row: int
    columns: list[str]
    needed: list[int]
    """By batch: microsecond from which on it, or one behind it, has rows that are seen."""
    read: int = 0
    _batches: Iterator[pa.RecordBatch] | None = None

    def next(self) -> tuple[int, pa.RecordBatch]:
        """The next batch and the number of its first row in the file."""
        with _readable(self.path):
            if self._batches is None:
                self._batches = _file(self.path).iter_batches(BATCH, row_groups=[self.number], columns=self.columns)
            batch, row = next(self._batches), self.first_row + self.read * BATCH
        self.read += 1
        if self.read == len(self.needed):
            self._batches = None
        return row, batch


@dataclass(slots=True)
class Source:
    """The rows of several files. Sorted files take the memory of a few batches; others are read further ahead."""

    dims: tuple[str, ...]
    """Dimensions taken from the files..."""
    all_dims: tuple[str, ...]
    """...and those the rows are given, empty where they were not taken."""
    counts: tuple[str, ...]
    oldest: datetime
    """Hours before it are left out."""
    _groups: list[tuple[int, int, _Group]] = field(default_factory=list)
    """A heap: what is needed next comes first."""
    _currency: str = ""

    @classmethod
    def of(
        cls,
        paths: Sequence[Path],
        dims: tuple[str, ...],
        all_dims: tuple[str, ...],
        counts: tuple[str, ...],
        oldest: datetime,
    ) -> Source:
        """Look through the `seen_at` of all files; nothing else is read yet.

        Raises:
            UsageError: a file is no Parquet, or a column is missing or of the wrong kind.
        """
        source = cls(dims, all_dims, counts, oldest)
        for path in paths:
            present = cls.columns_of(path)
            absent = [name for name in source._columns if name not in present]
            if absent:
                raise UsageError(f"{path} has no column {absent[0]!r}. It needs: {', '.join(source._columns)}")
            money = ["currency"] if counts and "currency" in present else []
            for group in _groups(path, [*source._columns, *money]):
                source._push(group)
        return source

    @staticmethod
    def columns_of(path: Path) -> set[str]:
        return set(_file(path).schema_arrow.names)

    def until(self, now: datetime) -> Iterator[pl.DataFrame]:
        """Batches that have rows seen by `now` and were not given before; they may hold later ones, too."""
        now_us = round(now.timestamp() * 1e6)
        while self._groups and self._groups[0][0] <= now_us:
            _, _, group = heapq.heappop(self._groups)
            row, batch = group.next()
            self._push(group)
            yield self._rows(group.path, row, batch)

    @property
    def _columns(self) -> tuple[str, ...]:
        return ("hour", "seen_at", *self.dims, *self.counts)

    def _push(self, group: _Group) -> None:
        if group.read < len(group.needed):
            # `id` only keeps the heap from comparing groups: the book puts rows in order itself
            heapq.heappush(self._groups, (group.needed[group.read], id(group), group))

    def _rows(self, path: Path, row: int, batch: pa.RecordBatch) -> pl.DataFrame:
        import polars as pl

        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        if "currency" in frame.columns:
            self._one_currency(path, row, frame["currency"])
        columns = [_times(frame[name], path, row) for name in ("hour", "seen_at")]
        empty = pl.repeat("", frame.height, eager=True)
        columns += [_names(frame[name]) if name in self.dims else empty.alias(name) for name in self.all_dims]
        columns += [_numbers(frame[name], path, row) for name in self.counts]
        return pl.DataFrame(columns).filter(pl.col("hour") >= self.oldest)

    def _one_currency(self, path: Path, row: int, told: pl.Series) -> None:
        """Money of two currencies cannot be added up."""
        for name in told.drop_nulls().unique(maintain_order=True).cast(str).to_list():
            if self._currency and name != self._currency:
                at = row + int((told == name).arg_max() or 0) + 1
                raise UsageError(
                    f"{path}: column 'currency' is {clean_text(name, 40)!r} in row {at} and {self._currency!r} before; "
                    "revenue is in one currency"
                )
            self._currency = clean_text(name, 40)


def _file(path: Path) -> pa.parquet.ParquetFile:
    import pyarrow.parquet

    with _readable(path):
        return pyarrow.parquet.ParquetFile(path, buffer_size=_BUFFER)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except (OSError, pa.ArrowException, StopIteration) as problem:
        raise UsageError(
            f"{path} cannot be read as Parquet: {clean_text(str(problem), 200) or 'it is cut short'}"
        ) from None


def _groups(path: Path, columns: list[str]) -> Iterator[_Group]:
    """Each row group with the moments its batches are needed."""
    import polars as pl

    file, first_row = _file(path), 0
    for number in range(file.num_row_groups):
        needed, row = [], first_row
        with _readable(path):
            for batch in file.iter_batches(BATCH, row_groups=[number], columns=["seen_at"]):
                told = _times(pl.Series("seen_at", batch.column(0)), path, row)
                needed.append(int(told.dt.epoch("us").min()))  # type: ignore[arg-type]  # microseconds
                row += batch.num_rows
        for later in range(len(needed) - 1, 0, -1):
            needed[later - 1] = min(needed[later - 1], needed[later])
        if needed:
            yield _Group(path, number, first_row, columns, needed)
        first_row = row


def _times(told: pl.Series, path: Path, row: int) -> pl.Series:
    """As UTC; text is read as ISO 8601."""
    import polars as pl

    if told.dtype == pl.String:
        times = told.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    elif isinstance(told.dtype, pl.Datetime) or told.dtype == pl.Date:
        times = told.cast(pl.Datetime("us", getattr(told.dtype, "time_zone", None)))
        zone = getattr(times.dtype, "time_zone", None)
        times = times.dt.convert_time_zone("UTC") if zone else times.dt.replace_time_zone("UTC")
    else:
        raise UsageError(f"{path}: column {told.name!r} holds {told.dtype}; it needs times")
    if times.null_count():
        _refuse(told, times.is_null(), path, row, "a time such as 2026-11-17T06:00:00")
    return times


def _numbers(told: pl.Series, path: Path, row: int) -> pl.Series:
    import polars as pl

    if told.dtype.is_numeric():
        return told.cast(pl.Float64)
    numbers = told.cast(pl.String).cast(pl.Float64, strict=False)
    if numbers.null_count() > told.null_count():
        _refuse(told, numbers.is_null() & told.is_not_null(), path, row, "a number")
    return numbers


def _names(told: pl.Series) -> pl.Series:
    """As text that a terminal can show."""
    import polars as pl

    names = told.cast(pl.String).fill_null("")
    odd = [name for name in names.unique().to_list() if clean_text(name, _LONGEST_NAME) != name]
    if not odd:
        return names
    return names.replace(odd, [clean_text(name, _LONGEST_NAME) for name in odd])


def _refuse(told: pl.Series, wrong: pl.Series, path: Path, row: int, wanted: str) -> None:
    at = int(wrong.arg_max() or 0)
    value = clean_text(str(told[at]), 60)
    raise UsageError(f"{path}: column {told.name!r} is {value!r} in row {row + at + 1}; it needs {wanted}")
