"""An iCalendar file (.ics), as calendars and fixture lists export it, read as events of the calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from data.config.calendar import GEO_WORDS, KINDS, checked_geo, event
from data.config.holidays import zone_of
from data.config.rows import decode, read_bytes
from data.errors import ConfigError
from data.model.calendar import EventKind
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from icalendar import Component as Event

    from data.config.problems import Problems
    from data.model.calendar import CalendarEvent

MAX_BYTES = 8_000_000
MOST_TIMES = 400
"""An event that repeats is known for so many times."""
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What the libraries raise over files that are none, or half of one."""
_SLOW = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})


def read_icalendar(path: Path, timezone: str, partners: Collection[str], problems: Problems) -> Iterator[CalendarEvent]:
    """Events of the file's VEVENTs; what cannot be read is told with the line on which it begins.

    CATEGORIES say what an event is (`sport`, which is also meant where none is named, `promotion` or `holiday`), for which
    country (`DE`, `CA-ON`) and for which partner (its id); other categories are ignored. Times without a zone are local.
    """
    import icalendar

    try:
        text = decode(path, read_bytes(path, MAX_BYTES))
        found = icalendar.Calendar.from_ical(text)
    except ConfigError as error:
        problems.add(path, error.line, error.message, value=error.value, allowed=error.allowed)
        return
    except UNREADABLE as error:
        problems.add(path, None, f"is no calendar: {clean_text(str(error), 120)}", allowed="iCalendar (.ics) or .csv")
        return
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.strip().upper() == "BEGIN:VEVENT"]
    for line, item in zip(lines, found.walk("VEVENT"), strict=False):
        try:
            yield from _events(path, line, item, timezone, partners, problems)
        except UNREADABLE as error:
            problems.add(path, line, f"event cannot be read: {clean_text(str(error), 120)}")


def _events(
    path: Path, line: int, item: Event, timezone: str, partners: Collection[str], problems: Problems
) -> Iterator[CalendarEvent]:
    """One VEVENT, as often as it takes place; a cancelled one never does."""
    name = clean_text(str(item.get("SUMMARY", "")), 120)
    if not name:
        problems.add(path, line, "event has no SUMMARY")
        return
    if str(item.get("STATUS", "")).upper() == "CANCELLED":
        return
    before = problems.count
    kind, geo, partner = _about(path, line, _categories(item), partners, problems)
    start, end = _ends(path, line, item, problems)
    if start is None or problems.count > before:
        return
    zone = zone_of(geo) if geo else ZoneInfo(timezone)
    length = None if end is None else end - start
    for each in _times(path, line, item, start, problems):
        last = None if length is None else each + length
        made = event(path, line, each, last, zone, kind, name, geo, partner, problems)
        if made is None:
            return
        yield made


def _categories(item: Event) -> list[str]:
    return [clean_text(str(one), 80).strip() for one in getattr(item, "categories", ())]


def _about(
    path: Path, line: int, categories: list[str], partners: Collection[str], problems: Problems
) -> tuple[EventKind, str, str]:
    kinds = [one.lower() for one in categories if one.lower() in KINDS]
    geos = [one for one in categories if one not in partners and _looks_like_geo(one)]
    mine = [one for one in categories if one in partners]
    if len(geos) > 1:
        problems.add(path, line, "event names several countries", value=", ".join(geos), allowed=GEO_WORDS)
    geo = checked_geo(path, line, geos[0], problems) if geos else ""
    return EventKind(kinds[0]) if kinds else EventKind.SPORT, geo, mine[0] if mine else ""


def _looks_like_geo(text: str) -> bool:
    country, dash, part = text.partition("-")
    letters = len(country) == len("DE") and country.isascii() and country.isalpha() and country.isupper()
    return letters and (not dash or (part.isalnum() and part.isupper()))


def _ends(
    path: Path, line: int, item: Event, problems: Problems
) -> tuple[date | datetime | None, date | datetime | None]:
    """Start and end as they stand; the last day of whole days is part of the event, as in our own files."""
    if "DTSTART" not in item:
        problems.add(path, line, "event has no start")
        return None, None
    start = item.decoded("DTSTART")
    end = item.decoded("DTEND") if "DTEND" in item else None
    if "DURATION" in item:
        end = start + item.decoded("DURATION")
    if not isinstance(start, date) or isinstance(start, datetime) != isinstance(end or start, datetime):
        problems.add(path, line, "event starts with a day and ends with a time, or the other way round")
        return None, None
    if not 1971 <= start.year <= 2099:
        problems.add(path, line, "event is far away", value=str(start), allowed="1971 to 2099")
        return None, None
    if end is not None and not isinstance(end, datetime):
        end = max(end - timedelta(days=1), start)
    return start, end


def _times(path: Path, line: int, item: Event, start: date | datetime, problems: Problems) -> Iterator[date | datetime]:
    """When the event takes place: once, or as its RRULE says, at most 400 times, without its EXDATEs."""
    rule = item.get("RRULE")
    if rule is None:
        yield start
        return
    if isinstance(rule, list) or not set(map(str.upper, rule.get("FREQ", ()))) & _SLOW:
        problems.add(
            path, line, "event repeats in a way that is not read", value=str(rule)[:60], allowed="DAILY to YEARLY"
        )
        return
    from dateutil.rrule import rrulestr

    at = start if isinstance(start, datetime) else datetime(start.year, start.month, start.day)  # noqa: DTZ001 - a whole day has no zone
    words, most = _bounded(rule.to_ical().decode(), at)
    left_out = _left_out(item)
    for each in islice(rrulestr(words, dtstart=at), most):
        if each.date() not in left_out:
            yield each if isinstance(start, datetime) else each.date()


def _bounded(rule: str, start: datetime) -> tuple[str, int]:
    """The rule with an UNTIL of the form that goes with its start (in UTC for one in a zone, else without), and its COUNT.

    Every rule ends within ten years: one that never matches would be looked for to the end of time.
    """
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    last = f"{start.year + 10}1231T235959"
    until = parts.get("UNTIL", last).rstrip("Z")
    parts["UNTIL"] = min(until if "T" in until else f"{until}T235959", last) + ("Z" if start.tzinfo else "")
    most = min(int(parts.pop("COUNT", MOST_TIMES)), MOST_TIMES)
    return ";".join(f"{name}={value}" for name, value in parts.items()), most


def _left_out(item: Event) -> set[date]:
    """Days named in EXDATE."""
    found = item.get("EXDATE", [])
    every = found if isinstance(found, list) else [found]
    stamps = [one.dt for each in every for one in each.dts]
    return {one.date() if isinstance(one, datetime) else one for one in stamps}
