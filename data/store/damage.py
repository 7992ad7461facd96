"""Opening a database that may be damaged: what cannot be read is put aside, never deleted, and said aloud."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data.errors import StoreDamaged
from data.store.engine import Engine
from data.store.marks import missing

if TYPE_CHECKING:
    from pathlib import Path

    from data.store.marks import Marks


def wal_of(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def open_engine(path: Path, key: str | None) -> tuple[Engine, tuple[str, ...]]:
    """Open `path`; first without a journal that cannot be replayed, then without a file that cannot be read.

    Returns the engine and one sentence for each thing put aside.
    """
    warnings: list[str] = []
    for part in (wal_of(path), path):
        try:
            return Engine(path, key), tuple(warnings)
        except StoreDamaged as problem:
            aside = [_aside(file) for file in {part, wal_of(path)} if file.exists()]
            warnings.append(f"{problem}. Put aside: {', '.join(file.name for file in aside)}")
    return Engine(path, key), tuple(warnings)


def keep_journal(path: Path) -> Path | None:
    """A copy of the journal as it was before it is replayed: replaying a damaged one may shorten it."""
    wal = wal_of(path)
    if not wal.exists():
        return None
    copy = wal.with_name(wal.name + ".before")
    shutil.copyfile(wal, copy)
    return copy


def compare(acknowledged: Marks, stored: Marks, journal: Path | None) -> tuple[str, ...]:
    """A sentence when acknowledged batches are not there; the journal's copy is then kept, otherwise removed."""
    batches, rows = missing(acknowledged, stored)
    if not batches:
        if journal is not None:
            journal.unlink()
        return ()
    where = f" The journal as found: {_aside(journal).name}." if journal is not None else ""
    return (f"{batches} acknowledged batches ({rows} rows) are missing from the database.{where}",)


def _aside(file: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    aside = file.with_name(f"{file.name}.damaged-{stamp}")
    number = 0
    while aside.exists():
        number += 1
        aside = file.with_name(f"{file.name}.damaged-{stamp}-{number}")
    return file.rename(aside)
