"""What the screen of one parser shows beside what every target has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from data.model.state import State


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a parser now and before."""

    name: str
    state: str
    fill: float
    usual_fill: float
    selector: str


@dataclass(frozen=True, slots=True)
class VolatilityRow:
    """One thing about a parser's pages that may change without being broken: information, never an alarm."""

    label: str
    """`results at 14:00`, `layout families`, `position churn`, ..."""
    now: str
    """Empty where nothing was seen of it lately."""
    usual: str
    """Median and p10-p90, or what there usually is; empty where history is too short."""
    words: str
    """What the difference means, in a few words."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a page's structure around a dead selector: before, after or both."""

    kind: str
    """` ` on both pages, `-` on the last good one only, `+` on the failing one only."""
    was_no: int | None
    """Line of the last good page's outline; `None` for `+`."""
    now_no: int | None
    """Line of the failing page's outline; `None` for `-`."""
    text: str


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """One selector proposed for a field that broke, the best first."""

    field: str
    """Name in the SPEC, or `items` for the repeated item itself."""
    selector: str
    matches: int
    """Values it gives on the newest failing page."""
    fill: float
    """Share of items it gives a value for, 0..1."""
    same: int
    """Values equal to the last good ones of the same page."""
    comparable: int
    """Values that could be compared."""
    pages_ok: int
    """Failing pages on which it holds."""
    pages: int
    """Failing pages it was tried on."""
    verified: bool
    source: str = ""
    """`values`, `embedded`, `cluster` or `similarity`: what it was derived from, best first."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of a parser: one column of the table of its last runs."""

    at: datetime
    state: State
    items: int
    fill: float | None
    """Fill of the emptiest field that is usually filled, 0..1; `None` where no field is judged."""
    bytes: int
    """Of the page; 0 where nobody knows."""
    family: str = ""
    """Layout that the page was read as."""


@dataclass(frozen=True, slots=True)
class HourCount:
    """What a parser finds at one hour of day, UTC: information, never an alarm."""

    hour: int
    runs: int
    """How many the usual figures were made of; 0 where there are too few, and they say nothing."""
    usual: float
    lo: float
    hi: float
    now: float | None = None
    """In the last 24 hours; `None` where no run fell into that hour."""
