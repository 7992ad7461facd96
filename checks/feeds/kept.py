"""Records that stay for the comparison one by one: all of a small payload, the same part of two large ones."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from checks.feeds.pairs import Key
    from checks.feeds.payload import Record

MOST = 5_000


class Kept:
    """All records while there are at most twice `most`; then the `most` whose key has the smallest checksum.

    Two payloads with the same keys so keep the same records, wherever those stand. `key` are the fields that identify a
    record; without them the first field is taken that is different in each of the first records, `id` before others.
    """

    def __init__(self, key: Key = (), most: int = MOST) -> None:
        self.key = key
        self.records: list[Record] = []
        self._most = most
        self._below: int | None = None
        """Checksum from which records are passed over; nothing while all are kept."""

    def through(self, records: Iterable[Record]) -> Iterator[Record]:
        """The same records, looked at on their way."""
        for record in records:
            if self._below is None or (self._below and self._rank(record) < self._below):
                self.records.append(record)
                if len(self.records) > 2 * self._most:
                    self._thin()
            yield record

    def _thin(self) -> None:
        self.key = self.key or _different(self.records)
        if not self.key:
            del self.records[self._most :]
            self._below = 0
            return
        self.records.sort(key=self._rank)
        self._below = self._rank(self.records[self._most])
        del self.records[self._most :]

    def _rank(self, record: Record) -> int:
        return zlib.crc32(repr([record.get(name) for name in self.key]).encode("utf-8", "replace"))


def _different(records: list[Record]) -> Key:
    for name in sorted(records[0], key=lambda name: (name.lower() != "id", not name.lower().endswith("id"))):
        values = [record.get(name) for record in records]
        if all(isinstance(value, str | int) for value in values) and len(set(values)) == len(values):
            return (name,)
    return ()
