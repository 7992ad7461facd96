"""Lines added to a file, read on from where reading stopped: through rotation by rename and by copy and truncate.

What is read is told with the place after it; whoever stores both together counts no line twice and loses none.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 4 * 1024 * 1024
"""Bytes read at a time."""
HEAD = 256
"""First bytes that a file is known by, whatever its name and number."""
HEADER = 4096
COMPRESSED = frozenset({".gz", ".zst", ".bz2", ".xz", ".zip"})


@dataclass(frozen=True, slots=True)
class Place:
    """How far a log was read: the file by its number and first bytes, and the offset of the first unread byte."""

    inode: int = 0
    offset: int = 0
    head: str = ""
    """Hash of the first bytes, as many as were there and read, `HEAD` at most."""
    header: str = ""
    """First line of the file, where a reader asked for it to be kept."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, and the place after them."""

    lines: bytes
    """Empty where a line was longer than a block and was passed over."""
    after: Place


@dataclass(frozen=True, slots=True)
class _Part:
    path: Path
    place: Place
    last: bool
    """Whether it is the file that is being written: its half line waits."""


def blocks(path: Path, place: Place) -> Iterator[Block]:
    """All whole lines after `place`, oldest first; bounded memory. Raises `OSError` where there is no such file.

    1. The file goes on from the offset while its number and first bytes are those read before. 2. Otherwise the file that
    they belong to now is looked for among its neighbours (`NAME.1`, `NAME-20261117`), read to its end, then those rotated
    after it, then the new file from its beginning. A neighbour that was compressed meanwhile cannot be read on.
    """
    for part in _parts(path, place):
        with part.path.open("rb") as stream:
            yield from _read(stream, part)


def _parts(path: Path, place: Place) -> list[_Part]:
    number = path.stat().st_ino
    with path.open("rb") as stream:
        if not place.inode or (number == place.inode and _is(stream, place)):
            return [_Part(path, replace(place, inode=number), last=True)]
    rotated = _rotated(path)
    found = next((n for n, old in enumerate(rotated) if _was(old, place)), None)
    parts = []
    if found is not None:
        parts = [_Part(rotated[found], replace(place, inode=rotated[found].stat().st_ino), last=False)]
        parts += [_Part(old, Place(old.stat().st_ino), last=False) for old in rotated[found + 1 :]]
    return [*parts, _Part(path, Place(number), last=True)]


def _rotated(path: Path) -> list[Path]:
    """Its neighbours that can be read, oldest first."""
    near = [
        one
        for one in path.parent.glob(f"{path.name}[.-]*")
        if one.is_file() and one.suffix not in COMPRESSED and not one.name.startswith(".")
    ]
    return sorted(near, key=lambda one: (one.stat().st_mtime_ns, one.name))


def _was(path: Path, place: Place) -> bool:
    """Whether this is the file that was read up to `place`: renamed, or a copy of it."""
    try:
        with path.open("rb") as stream:
            return _is(stream, place)
    except OSError:
        return False


def _is(stream: BinaryIO, place: Place) -> bool:
    """Whether the file still begins as the one that was read, and is no shorter than what was read of it."""
    if stream.seek(0, 2) < place.offset:
        return False
    return not place.offset or _head(stream, place.offset) == place.head


def _head(stream: BinaryIO, offset: int) -> str:
    stream.seek(0)
    return hashlib.blake2b(stream.read(min(offset, HEAD)), digest_size=12).hexdigest()


def _read(stream: BinaryIO, part: _Part) -> Iterator[Block]:
    place = part.place
    while True:
        stream.seek(place.offset)
        raw = stream.read(BLOCK)
        if not raw:
            return
        end = raw.rfind(b"\n") + 1
        whole = raw[:end]
        if not end and len(raw) < BLOCK:
            if part.last:
                return  # half a line: it waits
            end, whole = len(raw), raw  # nobody will ever add to it
        elif not end:
            end = len(raw)
        place = replace(place, offset=place.offset + end)
        if not place.header and place.offset == end:
            place = replace(place, header=raw[:HEADER].partition(b"\n")[0].decode("utf-8", "replace").strip())
        place = replace(place, head=_head(stream, place.offset))
        yield Block(whole, place)
