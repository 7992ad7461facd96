from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING, TypeVar

from data.errors import StoreError
from data.model.observation import Observation
from data.store import damage, marks
from data.store.ledger import Ledger
from data.store.lock import FileLock
from data.store.writer import Batch, Flush, Work, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa

    from data.store.engine import Cursor, Engine
    from data.store.tables import Record

log = logging.getLogger(__name__)

T = TypeVar("T")


class Store:
    """The database of one hub: one process, one writer thread, any number of reading threads.

    `warnings` are sentences about acknowledged data that were found missing at the start; `dropped` counts the
    observations that were not stored because the disk is nearly full or cannot be written.
    """

    def __init__(
        self, path: Path, lock: FileLock, engine: Engine, ledger: Ledger, warnings: tuple[str, ...], min_free: int
    ) -> None:
        self.warnings = warnings
        self.dropped = 0
        self.min_free_bytes = min_free
        self._lock, self._engine, self._path = lock, engine, path
        self._closed, self._low = False, False
        self._writer = Writer(engine, ledger, self._admit)
        self._writer.start()

    @classmethod
    def open(cls, path: Path, key: str | None, *, min_free_bytes: int = 0) -> Store:
        """Open or make the database at `path`, encrypted with `key` unless that is `None`.

        Raises:
            StoreLocked: somebody has it open; says which process.
            StoreError: wrong key, newer schema, no extension, no space.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(path.with_name(path.name + ".lock"))
        try:
            ledger = Ledger(path.with_name(path.name + ".marks"))
            acknowledged = marks.read(ledger.path)
            journal = damage.keep_journal(path)
            engine, warnings = damage.open_engine(path, key)
            with engine.cursor() as cursor:
                stored = ledger.load(cursor)
            warnings += damage.compare(acknowledged, stored, journal)
            ledger.raise_to(acknowledged)
            ledger.keep(ledger.marks)
        except BaseException:
            lock.release()
            raise
        for sentence in warnings:
            log.error("%s", sentence)
        return cls(path, lock, engine, ledger, warnings, min_free_bytes)

    def write(self, rows: Iterable[Record], *, worker: str = "hub", seq: int | None = None) -> Future[int]:
        """Queue `rows` to be stored together; callable from any thread.

        The future gives the batch's number once the rows are on the disk. A (worker, seq) that is already stored is
        acknowledged and not stored again. It raises what was wrong with the rows, `StoreFull` or `StoreError`.
        """
        return self._put(Batch(tuple(rows), worker, seq))

    def write_facts(self, facts: pa.Table, *, worker: str = "hub", seq: int | None = None) -> Future[int]:
        """Like `write` for facts that are columns already (see `data.store.facts.columns`)."""
        return self._put(Batch(facts, worker, seq))

    def _put(self, batch: Batch) -> Future[int]:
        if self._closed:
            raise StoreError("The store is closed")
        self._writer.put(batch)
        return batch.done

    def work(self, run: Callable[[Cursor], T]) -> Future[T]:
        """Queue `run(cursor)` for the writer's thread, in a transaction of its own. For modules of `data.store`."""
        if self._closed:
            raise StoreError("The store is closed")
        work = Work(run)
        self._writer.put(work)  # type: ignore[arg-type]  # Work[T] is only produced here and consumed by its own future
        return work.done

    def flush(self) -> None:
        """Wait until everything queued before is stored or refused."""
        flush = Flush()
        self._writer.put(flush)
        flush.done.result()

    def hurry(self) -> None:
        """Somebody waits for what was queued: it is stored now, with no lingering for more."""
        if not self._closed:
            self._writer.put(Flush())

    @property
    def waiting(self) -> int:
        """Batches queued and not yet taken up."""
        return self._writer.waiting

    @property
    def problem(self) -> str:
        """Why rows are not stored at the moment; empty when they are."""
        return self._writer.problem or ("the disk is nearly full" if self._low else "")

    @property
    def gone(self) -> bool:
        """Whether the database file was deleted, moved or replaced: what is written now is found by nobody."""
        return not self._path.exists() or self._lock.taken_over

    def cursor(self) -> AbstractContextManager[Cursor]:
        """A cursor for one read in this thread. For modules of `data.store`."""
        return self._engine.cursor()

    def close(self) -> None:
        """Store what is queued, checkpoint and let go of the file; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        flush = Flush(last=True)
        self._writer.put(flush)
        self._writer.join()
        self._engine.close()
        self._lock.release()

    def _admit(self, kind: type[Record], count: int) -> bool:
        if kind is not Observation or not self.min_free_bytes:
            return True
        try:
            self._low = shutil.disk_usage(self._path.parent).free < self.min_free_bytes
        except OSError:
            self._low = False  # nobody can say; the database has the last word
        if self._low:
            self.dropped += count
        return not self._low
