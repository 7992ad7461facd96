"""The one thread that writes: batches what is queued, commits, marks, and only then says so."""

from __future__ import annotations

import logging
import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

import duckdb
import pyarrow as pa

from data.errors import StoreDown, StoreError, StoreFull
from data.store import inserts, ledger
from data.text import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data.store.engine import Cursor, Engine
    from data.store.tables import Record

log = logging.getLogger(__name__)

T = TypeVar("T")
ROWS = 1_000
"""A transaction is started once this many rows wait..."""
LINGER_S = 0.2
"""...or the oldest has waited so long."""
MOST = 20_000
"""A transaction takes what is queued already up to so many rows: a backlog pays for few commits."""


@dataclass(slots=True, eq=False)
class Batch:
    """Rows that are stored together or not at all."""

    rows: Sequence[Record] | pa.Table
    worker: str
    seq: int | None
    done: Future[int] = field(default_factory=Future)


@dataclass(slots=True, eq=False)
class Work(Generic[T]):
    """Something else that writes, in a transaction of its own."""

    run: Callable[[Cursor], T]
    done: Future[T] = field(default_factory=Future)


@dataclass(slots=True, eq=False)
class Flush:
    """Ends the lingering: everything queued before it is decided when it is done."""

    last: bool = False
    done: Future[None] = field(default_factory=Future)


class Writer(threading.Thread):
    def __init__(self, engine: Engine, book: ledger.Ledger, admit: inserts.Admit) -> None:
        super().__init__(name="store-writer", daemon=True)
        self._engine, self._book, self._admit = engine, book, admit
        self._queue: queue.SimpleQueue[Batch | Work[object] | Flush] = queue.SimpleQueue()
        self._down = False
        self.problem = ""
        """Why rows cannot be written now; empty once a transaction went through."""

    def put(self, item: Batch | Work[object] | Flush) -> None:
        item.done.set_running_or_notify_cancel()  # a caller that is cancelled must not take the answer's place away
        self._queue.put(item)

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def run(self) -> None:
        while True:
            group, after = self._gather()
            if group:
                self._store(group)
            if isinstance(after, Work):
                self._work(after)
            elif isinstance(after, Flush):
                after.done.set_result(None)
                if after.last:
                    return

    def _gather(self) -> tuple[list[Batch], Work[object] | Flush | None]:
        """What is queued, until there is enough, it waited long enough, or something else comes."""
        group: list[Batch] = []
        rows, until = 0, float("inf")
        while rows < MOST:
            patience = until - time.monotonic() if rows < ROWS else 0.0
            try:
                item = self._queue.get(timeout=None if not group else max(patience, 0.0))
            except queue.Empty:
                break
            if not isinstance(item, Batch):
                return group, item
            if not group:
                until = time.monotonic() + LINGER_S
            group.append(item)
            rows += len(item.rows)
        return group, None

    def _store(self, group: list[Batch]) -> None:
        """Commit the group as one; if that fails, each batch by itself, so that a bad one fails alone."""
        try:
            self._revive()
            self._commit(group)
        except Exception as problem:  # noqa: BLE001  # the border to the database: every batch gets its answer below
            if _fatal(problem):
                self._recover(group, problem)
            elif len(group) > 1:
                for batch in group:
                    self._store([batch])
            else:
                group[0].done.set_exception(self._told(_failure(problem)))

    def _commit(self, group: list[Batch]) -> None:
        with self._engine.cursor() as cursor:
            fresh = self._book.number(cursor, group)
            cursor.begin()
            try:
                inserts.insert(cursor, [batch.rows for batch in fresh], self._admit)
                marks = self._book.enter(cursor, fresh)
                cursor.commit()
            except BaseException:
                _rollback(cursor)
                raise
        self._book.keep(marks)
        self.problem = ""
        for batch in group:
            batch.done.set_result(batch.seq or 0)

    def _recover(self, group: list[Batch], problem: Exception) -> None:
        """After a failure that took the instance with it: reopen, see what was stored all the same, try the rest once.

        On a full disk the very batch that raised may be stored, so it is looked up and never written blindly again.
        """
        log.error("the database failed and is reopened: %s", redact(str(problem)))
        self._down = True
        try:
            self._revive()
            self._commit(group)
        except Exception as again:  # noqa: BLE001  # same border: the answer is the failure itself
            self._down = self._down or _fatal(again)
            failure = self._told(_failure(again))
            for batch in group:
                if not batch.done.done():
                    batch.done.set_exception(failure)

    def _revive(self) -> None:
        if self._down:
            self._engine.close()
            self._engine.open()
            with self._engine.cursor() as cursor:
                self._book.load(cursor)
            self._down = False

    def _work(self, work: Work[object]) -> None:
        try:
            self._revive()
            with self._engine.cursor() as cursor:
                cursor.begin()
                try:
                    result = work.run(cursor)
                    cursor.commit()
                except BaseException:
                    _rollback(cursor)
                    raise
        except Exception as problem:  # noqa: BLE001  # the border to the database: whoever asked is told
            self._down = self._down or _fatal(problem)
            work.done.set_exception(self._told(_failure(problem)))
        else:
            work.done.set_result(result)

    def _told(self, failure: Exception) -> Exception:
        if isinstance(failure, StoreDown):
            self.problem = "the disk is full" if isinstance(failure, StoreFull) else str(failure)
        return failure


def _rollback(cursor: Cursor) -> None:
    try:
        cursor.rollback()
    except duckdb.Error:
        log.debug("nothing to roll back")


_FATAL = (duckdb.FatalException, duckdb.InternalException, duckdb.IOException)


def _fatal(problem: Exception) -> bool:
    """Whether the instance is unusable until reopened."""
    return isinstance(problem, _FATAL) or "invalidated" in str(problem)


def _failure(problem: Exception) -> Exception:
    """What the future of a failed batch gets: a store error for the database's, the error itself for a bad row."""
    words = redact(str(problem))
    if "No space left" in words or "disk full" in words.lower():
        return StoreFull(f"No space left for the database. What was acknowledged is safe. ({words})")
    if _fatal(problem) or isinstance(problem, StoreError):  # the latter from reopening
        return StoreDown(f"The database cannot be written. What was acknowledged is safe. ({words})")
    if isinstance(problem, duckdb.Error):
        return StoreError(f"The database refused the rows: {words}")
    return problem
