"""What was known of partners' figures at an earlier moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class KnownDay:
    """Sums of one day over its dimensions, as they were known; a measure that was not delivered is not there."""

    day: date
    currency: str
    measures: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class KnownAt:
    at: datetime
    days: tuple[KnownDay, ...]
