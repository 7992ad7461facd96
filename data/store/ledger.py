"""Which batches are stored: in the database by (worker, number), and in the marks beside it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pyarrow as pa

from data.store import marks
from data.store.marks import Mark

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.store.engine import Cursor
    from data.store.marks import Marks
    from data.store.writer import Batch

log = logging.getLogger(__name__)

REMEMBERED = 200_000
"""Numbers kept for recognising a batch that comes twice."""


class Ledger:
    """Used by the writer's thread alone once it runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.marks: Marks = {}

    def load(self, cursor: Cursor) -> Marks:
        rows = cursor.execute("SELECT worker, seq, batches, rows FROM mark").fetchall()
        self.marks = {worker: Mark(seq, batches, count) for worker, seq, batches, count in rows}
        return self.marks

    def raise_to(self, acknowledged: Marks) -> None:
        """Never give a number again that was given before the database lost it."""
        for worker, mark in acknowledged.items():
            has = self.marks.get(worker, Mark())
            self.marks[worker] = Mark(max(mark.seq, has.seq), has.batches, has.rows)

    def number(self, cursor: Cursor, group: Sequence[Batch]) -> list[Batch]:
        """Number those without a number; returns those that are not stored yet, each number once."""
        following = {worker: mark.seq for worker, mark in self.marks.items()}
        for batch in group:
            if batch.seq is None:
                batch.seq = following.get(batch.worker, 0) + 1
            following[batch.worker] = max(batch.seq, following.get(batch.worker, 0))
        seen = self._stored(cursor, group)
        fresh: list[Batch] = []
        for batch in group:
            if (batch.worker, batch.seq) not in seen:
                seen.add((batch.worker, batch.seq))
                fresh.append(batch)
        return fresh

    def _stored(self, cursor: Cursor, group: Sequence[Batch]) -> set[tuple[str, int | None]]:
        cursor.register("asked", _numbers(group))
        found = cursor.execute("SELECT worker, seq FROM batch SEMI JOIN asked USING (worker, seq)").fetchall()
        cursor.unregister("asked")
        return {(worker, seq) for worker, seq in found}

    def enter(self, cursor: Cursor, fresh: Sequence[Batch]) -> Marks:
        """Write the numbers within the open transaction; returns the marks to keep once it is committed."""
        after = dict(self.marks)
        for batch in fresh:
            after[batch.worker] = after.get(batch.worker, Mark()).plus(batch.seq or 0, len(batch.rows))
        if fresh:
            cursor.register("numbers", _numbers(fresh))
            cursor.execute("INSERT INTO batch SELECT worker, seq FROM numbers")
            cursor.unregister("numbers")
        for worker in {batch.worker for batch in fresh}:
            mark = after[worker]
            cursor.execute("DELETE FROM mark WHERE worker = ?", [worker])
            cursor.execute("INSERT INTO mark VALUES (?, ?, ?, ?)", [worker, mark.seq, mark.batches, mark.rows])
        return after

    def keep(self, after: Marks) -> None:
        """After the commit: put the marks beside the database. Failing that, the rows are stored all the same."""
        self.marks = after
        try:
            marks.write(self.path, after)
        except OSError as problem:
            log.warning("the marks of acknowledged batches cannot be written: %s", problem)


def forget(cursor: Cursor) -> None:
    """Drop the oldest numbers beyond `REMEMBERED`."""
    cursor.execute("DELETE FROM batch WHERE rowid < (SELECT max(rowid) FROM batch) - ?", [REMEMBERED])


def _numbers(group: Sequence[Batch]) -> pa.Table:
    return pa.table(
        {
            "worker": pa.array([batch.worker for batch in group], pa.string()),
            "seq": pa.array([batch.seq for batch in group], pa.uint64()),
        }
    )
