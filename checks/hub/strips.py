from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING

from data.model.state import State

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.ids import TargetId

CODES = {State.OK: "o", State.DEGRADED: "d", State.FAILING: "f", State.UNKNOWN: "u", State.PAUSED: "p"}
_RANK = {ord(code): rank for rank, code in enumerate(".puodf")}
"""Worst wins, but any evidence beats none."""
_EMPTY = ord(".")


@dataclass(slots=True)
class Strips:
    """The last `cells` buckets of every target's states, in memory: one byte a bucket, the worst state wins."""

    bucket_s: float = 60.0
    cells: int = 60
    _rings: dict[TargetId, tuple[int, bytearray]] = field(default_factory=dict)
    """Target -> (number of its newest bucket, states oldest first)."""

    def add(self, target: TargetId, at: datetime, state: State) -> None:
        """Record one observation; those older than the strip are ignored."""
        bucket = int(at.timestamp() // self.bucket_s)
        newest, ring = self._rings.get(target) or (bucket, bytearray(b"." * self.cells))
        if bucket > newest:
            shift = min(bucket - newest, self.cells)
            ring[:] = ring[shift:] + b"." * shift
            newest = bucket
        place = self.cells - 1 - (newest - bucket)
        code = ord(CODES[state])
        if place >= 0 and _RANK[code] >= _RANK[ring[place]]:
            ring[place] = code
        self._rings[target] = (newest, ring)

    def restore(self, target: TargetId, until: datetime, strip: str) -> None:
        """Put back a strip read from the store whose last character is the bucket of `until`."""
        ring = bytearray(strip[-self.cells :].rjust(self.cells, ".").encode())
        self._rings[target] = (int(until.timestamp() // self.bucket_s), ring)

    def read(self, target: TargetId, now: datetime, *, every: float = 0.0) -> str:
        """The strip that ends at `now`; gaps up to `every` seconds after an observation carry its state on.

        A target checked each ten minutes is known for ten minutes: without this its strip would be mostly dots.
        """
        if target not in self._rings:
            return "." * self.cells
        newest, ring = self._rings[target]
        shift = min(max(int(now.timestamp() // self.bucket_s) - newest, 0), self.cells)
        shown = ring[shift:] + b"." * shift
        return _carried(shown, ceil(every / self.bucket_s)) if every > self.bucket_s else shown.decode()

    def forget(self, target: TargetId) -> None:
        self._rings.pop(target, None)


def _carried(strip: bytearray | bytes, reach: int) -> str:
    out, last, age = bytearray(strip), _EMPTY, 0
    for place, code in enumerate(strip):
        if code != _EMPTY:
            last, age = code, 0
        elif last != _EMPTY and age < reach:
            out[place], age = last, age + 1
        else:
            last = _EMPTY
    return out.decode()
