"""The calendar: sport events and promotions from a file that somebody keeps, and the public holidays of every GEO.

`[company] calendar = "calendar.csv"` has lines of `start,end,kind,name,geo,partner` (see `read_calendar`); a name that ends
in .ics is read as iCalendar (`data.config.icalendar`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from data.config.holidays import holiday_events, zone_of
from data.config.rows import rows
from data.config.table import is_name
from data.model.calendar import CalendarEvent, EventKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from data.config.problems import Problems
    from data.config.rows import Row

MOST_EVENTS = 20_000
LONGEST = timedelta(days=93)
USUAL_LENGTH = timedelta(hours=3)
"""Of an event whose end nobody gives."""
KINDS = tuple(kind.value for kind in EventKind)
WHEN_WORDS = "a day such as 2026-11-17, or a time such as 2026-11-17T20:45 (+01:00 or Z where it is not the GEO's own)"
GEO_WORDS = "a country such as DE, a part of one such as CA-ON, or nothing"
_REQUIRED = ("start", "kind", "name")
_OPTIONAL = ("end", "geo", "partner")
_DAY = timedelta(days=1)
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Calendar:
    """What is known beforehand; holidays are those of whatever GEO is asked about."""

    dated: tuple[CalendarEvent, ...] = ()
    """From the company's own file, oldest first."""
    regions: tuple[str, ...] = ()
    """Parts of countries whose own holidays count for the country, such as `CA-ON`."""
    with_holidays: bool = True

    def events(self, since: datetime, until: datetime, geo: str = "") -> tuple[CalendarEvent, ...]:
        """Events that touch [since, until), oldest first; of one GEO, or without one those of the file alone."""
        found = [one for one in self.dated if one.start < until and one.end > since and one.concerns(geo)]
        if geo and self.with_holidays:
            own = {(one.start, one.kind) for one in found}
            public = holiday_events(since, until, geo, self.regions)
            found += [one for one in public if (one.start, one.kind) not in own]
        return tuple(sorted(found, key=lambda one: (one.start, one.end, one.kind, one.name)))


def read_calendar(
    path: Path, timezone: str, partners: Collection[str], problems: Problems
) -> tuple[CalendarEvent, ...]:
    """Events of a CSV or .ics file, oldest first; everything wrong is added to `problems` with its line.

    A day without a time of day lasts from midnight to midnight in its GEO (in `timezone` where it has none), a last day is
    part of the event; a time of day without an end lasts three hours.
    """
    if path.suffix.lower() == ".ics":
        from data.config.icalendar import read_icalendar

        found = read_icalendar(path, timezone, partners, problems)
    else:
        found = (
            one
            for row in rows(path, _REQUIRED, _OPTIONAL, problems)
            if (one := _event(path, row, timezone, partners, problems))
        )
    return _bounded(path, found, problems)


def _bounded(path: Path, found: Iterable[CalendarEvent], problems: Problems) -> tuple[CalendarEvent, ...]:
    """The events there are, oldest first, each once; more than a calendar ever has are a problem."""
    events = set[CalendarEvent]()
    for one in found:
        events.add(one)
        if len(events) > MOST_EVENTS:
            problems.add(path, None, "has too many events", allowed=f"up to {MOST_EVENTS:,}")
            break
    return tuple(sorted(events, key=lambda one: (one.start, one.end, one.kind, one.name, one.geo, one.partner)))


def _event(path: Path, row: Row, timezone: str, partners: Collection[str], problems: Problems) -> CalendarEvent | None:
    """One line; `None` where something is wrong with it, all of which is told."""
    before, cells = problems.count, row.cells
    kind = cells["kind"].lower()
    if kind not in KINDS:
        problems.add(path, row.line, "kind is not known", value=cells["kind"] or "(empty)", choices=KINDS)
    if not cells["name"]:
        problems.add(path, row.line, "name is empty")
    geo = checked_geo(path, row.line, cells["geo"], problems)
    partner = cells["partner"]
    if partner and partner not in partners:
        allowed = "" if partners else "none: no partner is configured"
        problems.add(path, row.line, "partner is not known", value=partner, allowed=allowed, choices=partners)
    zone = zone_of(geo) if geo else ZoneInfo(timezone)
    start, end = (_moment(path, row.line, name, cells[name], zone, problems) for name in ("start", "end"))
    if not cells["start"]:
        problems.add(path, row.line, "start is empty", allowed=WHEN_WORDS)
    if problems.count > before or start is None:
        return None
    return event(path, row.line, start, end, zone, EventKind(kind), cells["name"], geo, partner, problems)


def checked_geo(path: Path, line: int, text: str, problems: Problems) -> str:
    """A GEO in capitals, or an empty one with a problem."""
    country, dash, part = text.upper().partition("-")
    if not text:
        return ""
    if len(country) == len("DE") and country.isascii() and country.isalpha() and (not dash or is_name(part)):
        return text.upper()
    problems.add(path, line, "geo is no country", value=text, allowed=GEO_WORDS)
    return ""


def event(
    path: Path,
    line: int,
    start: date | datetime,
    end: date | datetime | None,
    zone: ZoneInfo,
    kind: EventKind,
    name: str,
    geo: str,
    partner: str,
    problems: Problems,
) -> CalendarEvent | None:
    """An event from its local ends; `None` where they make no sense, which is told."""
    if end is None:
        end = start + USUAL_LENGTH if isinstance(start, datetime) else start
    begun = _utc(start, zone)
    ended = _utc(end, zone) if isinstance(end, datetime) else _utc(end + _DAY, zone)
    if ended <= begun:
        problems.add(path, line, "end is not after the start", value=str(end))
        return None
    if ended - begun > LONGEST:
        problems.add(
            path, line, "is too long to be one event", value=f"{(ended - begun).days} days", allowed="up to 93"
        )
        return None
    return CalendarEvent(begun, ended, kind, name[:120], geo, partner)


def _moment(
    path: Path, line: int, column: str, text: str, zone: ZoneInfo, problems: Problems
) -> date | datetime | None:
    if not text:
        return None
    try:
        found: date | datetime = date.fromisoformat(text)
    except ValueError:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            problems.add(path, line, f"{column} is no day and no time", value=text, allowed=WHEN_WORDS)
            return None
    if not 1971 <= found.year <= 2099:
        problems.add(path, line, f"{column} is far away", value=text, allowed="1971 to 2099")
        return None
    return found if not isinstance(found, datetime) or found.tzinfo else found.replace(tzinfo=zone)


def _utc(moment: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), zone)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def calendar_changes(before: Calendar, after: Calendar) -> tuple[str, ...]:
    """Lines for a person: which events are new and which are gone."""
    lines = []
    for sign, word, old, new in (("+", "new", before, after), ("−", "gone", after, before)):
        known = set(old.dated)
        fresh = [one for one in new.dated if one not in known]
        if fresh:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in Counter(one.kind.value for one in fresh).items())
            names = ", ".join(f"{one.name} {one.start:%m-%d}" for one in fresh[:_SHOWN])
            more = f" and {len(fresh) - _SHOWN:,} more" if len(fresh) > _SHOWN else ""
            lines.append(f"{sign} calendar {word}: {kinds} ({names}{more})")
    if before.regions != after.regions:
        lines.append(f"~ holidays of {', '.join(after.regions) or 'whole countries alone'}")
    return tuple(lines)
