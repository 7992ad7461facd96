"""What a proposal to mend a selector comes from, and what is written together when it is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.model.parser_view import CandidateRow

ITEMS = "items"
"""The repeated item, among the names of fields."""

_SOURCES = {"values": "old values", "embedded": "page data", "cluster": "link list", "similarity": "same looks"}


def source_words(row: CandidateRow) -> str:
    """What the proposal was derived from, in ten cells.

    The values read before, what the page tells machines, its list of links, or elements that look like the old ones.
    """
    return _SOURCES.get(row.source, row.source)


def source_word(row: CandidateRow) -> str:
    """The same in six cells, where the table is narrow."""
    return source_words(row).rpartition(" ")[2]


def within(row: CandidateRow, rows: Sequence[CandidateRow]) -> dict[str, str]:
    """The proved selectors that go with a new repeated item: fields of the old one are found nowhere in it."""
    best: dict[str, str] = {}
    for one in rows if row.field == ITEMS else ():
        if one.field != ITEMS and one.verified:
            best.setdefault(one.field, one.selector)
    return best
