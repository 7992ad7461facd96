"""A payload file as a bounded stream: gzip unpacked step by step, and never more than a fixed size of it."""

from __future__ import annotations

import gzip
import io
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from checks.feeds.payload import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from _typeshed import WriteableBuffer

MOST = 2 * 1024 * 1024 * 1024
"""Bytes after decompression."""
RATIO = 400
"""Times a payload may be larger than its file: repetitive reports reach a hundred, a bomb a thousand."""
FREE = 64 * 1024 * 1024
"""Bytes that may be unpacked from whatever."""
HEAD = 4096
BLANK = 1 << 20
_NO_REPORT = (
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet, not a report"),
    (b"%PDF", "a PDF, not a report"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet, not a report"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd, not a report"),
    (b"BZh", "compressed with bzip2, not a report"),
    (b"\x89PNG", "a picture, not a report"),
)


class _Unpacked(io.RawIOBase):
    """Bytes of a gzip file up to a limit; what is broken or too large is `Unreadable`."""

    def __init__(self, packed: gzip.GzipFile, limit: int) -> None:
        self._packed, self._limit, self._size = packed, limit, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        try:
            part = self._packed.read1(len(view))
        except (OSError, EOFError, zlib.error):
            raise Unreadable("broken gzip") from None
        self._size += len(part)
        if self._size > self._limit:
            raise Unreadable(f"larger than {self._limit // 1024 // 1024} MiB after decompression")
        view[: len(part)] = part
        return len(part)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked; raises `Unreadable` for one that is too large or cannot be read."""
    try:
        with path.open("rb") as plain:
            if plain.read(2) != b"\x1f\x8b":
                _within(path.stat().st_size, MOST)
                plain.seek(0)
                yield plain
                return
            plain.seek(0)
            limit = min(MOST, max(FREE, RATIO * path.stat().st_size))
            with gzip.GzipFile(fileobj=plain) as packed:
                yield io.BufferedReader(_Unpacked(packed, limit), 1 << 20)
    except OSError as problem:
        raise Unreadable(problem.strerror or "cannot be read") from None


def whole(path: Path, limit: int) -> bytes:
    """The file's bytes, unpacked, when there are at most `limit` of them."""
    with opened(path) as stream:
        body = stream.read(limit + 1)
    _within(len(body), limit)
    return body


def _within(size: int, limit: int) -> None:
    if size > limit:
        raise Unreadable(f"larger than {limit // 1024 // 1024} MiB")


def head(path: Path) -> bytes:
    """The first bytes; raises `Unreadable` for nothing at all and for what is plainly something else."""
    with opened(path) as stream:
        first = stream.read(HEAD)
        blank = b"" if first.strip() else stream.read(BLANK)
        if not first.strip() and not blank.strip():
            raise Unreadable("empty" if len(blank) < BLANK else "larger than any report, and blank at its beginning")
    for mark, words in _NO_REPORT:
        if first.startswith(mark):
            raise Unreadable(words)
    return first
