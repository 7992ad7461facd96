"""What was acknowledged, kept beside the database: so that a damaged journal cannot lose it silently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from data.durable import replace_file

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one worker's batches got."""

    seq: int = 0
    """Highest number."""
    batches: int = 0
    rows: int = 0

    def plus(self, seq: int, rows: int) -> Mark:
        return Mark(max(self.seq, seq), self.batches + 1, self.rows + rows)


Marks = dict[str, Mark]
"""By worker."""


def read(path: Path) -> Marks:
    """The marks last written; none for a file that is missing or unreadable."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Marks)
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def write(path: Path, marks: Marks) -> None:
    """Replace the file; on return the new one is on the disk, whatever happens next."""
    replace_file(path, msgspec.json.encode(marks))


def missing(acknowledged: Marks, stored: Marks) -> tuple[int, int]:
    """Batches and rows that were acknowledged and are not stored."""
    behind = [(mark, stored.get(worker, Mark())) for worker, mark in acknowledged.items()]
    batches = sum(max(mark.batches - has.batches, 0) for mark, has in behind)
    return batches, sum(max(mark.rows - has.rows, 0) for mark, has in behind)
