"""Days and hours on which people behave unlike themselves, known beforehand: holidays, sport, promotions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    HOLIDAY = "holiday"
    SPORT = "sport"
    PROMOTION = "promotion"


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One entry of the calendar; a field that is empty does not restrict."""

    start: datetime
    """Aware UTC."""
    end: datetime
    """First moment after it."""
    kind: EventKind
    name: str
    geo: str = ""
    """Country, or a part of one: `CA`, `CA-ON`."""
    partner: str = ""

    def concerns(self, geo: str) -> bool:
        """Whether it happens in `geo`: everywhere, there, in the country around it, or in a part of it."""
        if not self.geo or not geo:
            return True
        mine, theirs = region_of(self.geo), region_of(geo)
        return mine == theirs or mine.startswith(f"{theirs}-") or theirs.startswith(f"{mine}-")


def region_of(geo: str) -> str:
    """A GEO as it is compared: upper case, the United Kingdom by its ISO code."""
    country, dash, part = geo.upper().partition("-")
    return ("GB" if country == "UK" else country) + dash + part
