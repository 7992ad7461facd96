"""What one payload looked like: one record a payload, one a path."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from checks.feeds.payload import Flaw


@dataclass(frozen=True, slots=True)
class PathProfile:
    """What one path held in one payload. Shares are of `n`; `parents` is how often the object above it was there.

    Presence, types, nulls, empty texts and native numbers are counted on every record. A path with more than 2,000
    different texts has their classes, and the numbers written as texts, estimated from 2,000 to 4,000 of them,
    drawn by a fixed lot, and scaled to all.
    """

    parent: str
    parents: int
    n: int
    objects: int = 0
    nulls: int = 0
    empties: int = 0
    zeros: int = 0
    numbers: int = 0
    """Numbers and plain numeric strings."""
    fractions: int = 0
    types: dict[str, int] = field(default_factory=dict)
    formats: dict[str, int] = field(default_factory=dict)
    """Classes of the strings, empties left out."""
    values: tuple[str, ...] | None = None
    """All distinct texts when there are at most 12 of them, sorted."""
    distinct: int = 0
    """Different texts; counting stops above 2,000."""
    low: float | None = None
    high: float | None = None
    log_median: float | None = None
    """log10 of the median of the absolute non-zero numbers."""
    hours: tuple[int, ...] = ()
    """24 counts of the hour of day of the texts with a time, as written and as looked at (not scaled); empty when there
    is none. Where each record stands for an hour, what the records of that hour count."""
    days: dict[str, int] = field(default_factory=dict)
    """Values looked at by calendar day as written (`05/11/2026`), empty where there is none or more than 100 differ."""
    huge: int = 0
    """Numbers beyond 1e300, which have no size here."""

    @property
    def presence(self) -> float:
        return self.n / self.parents if self.parents else 0.0

    @property
    def sized(self) -> int:
        """Numbers other than zero: those that have a size."""
        return self.numbers - self.zeros

    @property
    def blanks(self) -> int:
        return self.nulls + self.empties


@dataclass(frozen=True, slots=True)
class Profile:
    """One payload, path by path."""

    payload: str
    at: datetime
    records: int
    paths: dict[str, PathProfile]
    duplicates: int = 0
    """Records whose key another record of the payload has too."""
    total: int | None = None
    """Rows the payload itself says there are, over all pages."""
    beyond: int = 0
    """Values at paths that were left out because there are more than 4,000."""
    flaws: tuple[Flaw, ...] = ()
    """Damage that it could be read with all the same."""
