"""A payload as it is read: plain records, what stands around them, and what was wrong although it could be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.errors import LosswatchError
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Record = dict[str, object]
MOST_FLAWS = 100


class Unreadable(LosswatchError):
    """A payload that is not what it should be; the message says why and never quotes it."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One kind of damage at one place: `words` describe the first of `n`."""

    kind: str
    path: str
    words: str
    n: int


@dataclass(slots=True)
class Flaws:
    """Damage by kind and path, in the order it was met; 100 different ones are told apart."""

    found: dict[tuple[str, str], Flaw] = field(default_factory=dict)

    def note(self, kind: str, path: str, words: str, n: int = 1) -> None:
        name = clean_text(path, 120)
        known = self.found.get((kind, name))
        if known:
            self.found[kind, name] = Flaw(kind, name, known.words, known.n + n)
        elif len(self.found) < MOST_FLAWS:
            self.found[kind, name] = Flaw(kind, name, clean_text(words, 120), n)

    def add(self, more: Iterable[Flaw]) -> None:
        """Take over what was noted elsewhere."""
        for flaw in more:
            self.note(flaw.kind, flaw.path, flaw.words, flaw.n)

    def __iter__(self) -> Iterator[Flaw]:
        return iter(self.found.values())


@dataclass(frozen=True, slots=True)
class Found:
    """The records of a document, where they were, and the scalars around them."""

    records: list[Record]
    path: str
    envelope: Record
    totals: tuple[Record, ...] = ()
    """Rows of totals that a table has of its own."""


@dataclass(slots=True)
class Reading:
    """A payload on its way in: `records` can be gone through once; the rest is complete when they are through.

    Going through them raises `Unreadable` where the payload ends being one.
    """

    records: Iterator[Record]
    envelope: Record = field(default_factory=dict)
    flaws: Flaws = field(default_factory=Flaws)
    totals: list[Record] = field(default_factory=list)
    """Rows of totals that a table has of its own, in their order."""
