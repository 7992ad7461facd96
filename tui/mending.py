"""What is written together when a proposal is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.model.snapshot import CandidateRow

ITEMS = "items"
"""The repeated item, among the names of fields."""


def within(row: CandidateRow, rows: Sequence[CandidateRow]) -> dict[str, str]:
    """The proved selectors that go with a new repeated item: fields of the old one are found nowhere in it."""
    best: dict[str, str] = {}
    for one in rows if row.field == ITEMS else ():
        if one.field != ITEMS and one.verified:
            best.setdefault(one.field, one.selector)
    return best
