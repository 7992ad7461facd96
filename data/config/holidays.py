"""Public holidays of countries and their parts, from the package `holidays`, as events of the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from data.model.calendar import CalendarEvent, EventKind, region_of
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

FIRST_YEAR, LAST_YEAR = 1970, 2100
_DAY = timedelta(days=1)
_LANGUAGE = "en_US"
"""Of the names: without one they would follow the locale of whoever starts the hub; a country without it has its own."""
_WIDE = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CD": "Africa/Kinshasa",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "ID": "Asia/Jakarta",
    "KZ": "Asia/Almaty",
    "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "US": "America/New_York",
}
"""Countries with several zones: where most of their people live."""


@cache
def regions() -> dict[str, tuple[str, ...]]:
    """Every country whose holidays are known, with the codes of its parts."""
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    return {country: tuple(parts) for country, parts in known.items() if len(country) == len("DE")}


def region_fault(text: str) -> str:
    """What is wrong with a region in words, or an empty string."""
    country, _, part = region_of(text).partition("-")
    if country not in regions():
        return "is no country whose holidays are known"
    if part and part not in regions()[country]:
        return f"is no part of {country} whose holidays are known"
    return ""


@cache
def zone_of(geo: str) -> ZoneInfo:
    """The time zone in which most people of a country live, UTC for one that is not known."""
    country = region_of(geo).partition("-")[0]
    return ZoneInfo(_WIDE.get(country) or _zones().get(country, "UTC"))


@cache
def _zones() -> dict[str, str]:
    """First zone of each country in the time zone database's own table."""
    table = (files("tzdata.zoneinfo") / "zone.tab").read_text("utf-8")
    lines = (line.split("\t") for line in table.splitlines() if line and line[0] != "#")
    found: dict[str, str] = {}
    for country, _, zone, *_ in lines:
        found.setdefault(country, zone)
    return found


def holiday_events(since: datetime, until: datetime, geo: str, parts: Collection[str] = ()) -> Iterator[CalendarEvent]:
    """Holidays of `geo` that touch [since, until), whole days of its own clock, oldest first.

    A country has those of the whole country, and those of `parts` (such as `CA-ON`) that lie in it; a part has both.
    """
    region = region_of(geo)
    country, _, part = region.partition("-")
    if region_fault(country):
        return
    wanted = {part if part in regions()[country] else ""}
    if not part:
        wanted |= {one.partition("-")[2] for one in map(region_of, parts) if one.startswith(f"{country}-")}
    zone = zone_of(country)
    names = {day: name for one in sorted(wanted, reverse=True) for day, name in _days(country, one, since, until)}
    for day in sorted(names):
        start, end = (datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + _DAY))
        if start < until and end > since:
            yield CalendarEvent(start, end, EventKind.HOLIDAY, names[day], geo)


def _days(country: str, part: str, since: datetime, until: datetime) -> Iterator[tuple[date, str]]:
    first, last = max((since - _DAY).year, FIRST_YEAR), min((until + _DAY).year, LAST_YEAR)
    for year in range(first, last + 1):
        yield from _year(country, part, year)


@cache
def _year(country: str, part: str, year: int) -> tuple[tuple[date, str], ...]:
    import holidays

    found = holidays.country_holidays(country, subdiv=part or None, years=year, language=_LANGUAGE)
    return tuple((day, clean_text(name, 80)) for day, name in sorted(found.items()))
