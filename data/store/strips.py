"""Heat strips: one character a bucket, the worst state wins, `.` where nothing was observed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from data.model.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

MARKS = {State.OK: "o", State.DEGRADED: "d", State.FAILING: "f", State.UNKNOWN: "u", State.PAUSED: "p"}
_BY_BADNESS = {state.badness: mark for state, mark in MARKS.items()}

BADNESS = "CASE state " + " ".join(f"WHEN '{state.value}' THEN {state.badness}" for state in State) + " END"
"""A state's rank, in SQL."""
WORST_COUNTED = (
    "CASE "
    + " ".join(f"WHEN {state.value} > 0 THEN {state.badness}" for state in sorted(State, key=lambda one: -one.badness))
    + " END"
)
"""The rank of the worst state that a rollup counted, in SQL."""


def buckets_between(since: datetime, until: datetime, bucket_s: float) -> int:
    return max(math.ceil((until - since).total_seconds() / bucket_s), 0)


def strip(length: int, marks: Iterable[tuple[int, int]]) -> str:
    """A strip of (bucket, badness) pairs, in any order; buckets outside are left out."""
    cells, worst = ["."] * length, dict[int, int]()
    for bucket, badness in marks:
        if 0 <= bucket < length and badness > worst.get(bucket, -1):
            worst[bucket], cells[bucket] = badness, _BY_BADNESS.get(badness, ".")
    return "".join(cells)
