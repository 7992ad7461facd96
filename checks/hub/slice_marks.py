"""What happened beside a slice's series: alarms, incidents, changes of ours, holidays and events, figures taken back."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from checks.revenue.alarm import slice_of
from data.access.redaction import redact_words
from data.model.revenue_view import Mark
from data.store import audit, restatements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from checks.hub.hub import Hub
    from checks.revenue.look import Look
    from data.model.alarm import AlarmEntry
    from data.model.delivery import Restatement
    from data.model.incident import Incident
    from data.model.principal import Scope

    Span = tuple[datetime, datetime]

MOST = 80
MOST_GEOS = 12
"""Of a slice with more countries only the company's own calendar is shown."""
CHANGES = frozenset({"apply", "mend", "feed_map", "deploy"})
"""What people do that can break something."""


def touches(where: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two slices can have a leaf in common."""
    return all(where.get(dim, value) == value for dim, value in other.items())


def marks_of(
    hub: Hub,
    where: Mapping[str, str],
    look: Look,
    said: Iterable[AlarmEntry],
    incidents: Iterable[Incident],
    scope: Scope,
    span: Span,
) -> tuple[Mark, ...]:
    """Oldest first, the newest `MOST`. Reads the store."""
    found = [
        *(_alarm(one) for one in said if one.status != "withdrawn"),
        *(Mark(one.started_at, "incident", f"#{one.id} {one.title}", one.closed_at) for one in incidents),
        *_changes(hub, scope, span),
        *_restated(restatements.since(hub.store, scope, span[0]), look.partners),
        *_events(hub, where, look, span),
    ]
    shown = [one for one in found if one.at < span[1] and (one.until or span[1]) >= span[0]]
    shown.sort(key=lambda one: (one.at, one.kind, one.text))
    return tuple(Mark(one.at, one.kind, redact_words(one.text, scope), one.until) for one in shown[-MOST:])


def _alarm(entry: AlarmEntry) -> Mark:
    place = " ".join(slice_of(entry.target).values()) or "everything"
    return Mark(entry.start, "alarm", f"{entry.cause.partition('.')[2]} {place}", entry.end)


def _changes(hub: Hub, scope: Scope, span: Span) -> list[Mark]:
    entries = audit.entries(hub.store, scope)
    return [
        Mark(one.at, "deploy", f"{one.action} {one.subject}")
        for one in entries
        if one.action in CHANGES and span[0] <= one.at <= span[1]
    ]


def _restated(found: Iterable[Restatement], partners: Sequence[str]) -> list[Mark]:
    """One mark for each time a partner took figures back."""
    together: dict[tuple[datetime, str], list[date]] = defaultdict(list)
    for one in found:
        if one.partner in partners:
            together[one.observed_at, one.partner].append(one.day)
    return [
        Mark(at, "restated", f"{partner} changed {len(days)} figures of {_days(days)}")
        for (at, partner), days in together.items()
    ]


def _days(days: Sequence[date]) -> str:
    first, last = min(days), max(days)
    return f"{first:%d %b}" if first == last else f"{first:%d %b} to {last:%d %b}"


def _events(hub: Hub, where: Mapping[str, str], look: Look, span: Span) -> list[Mark]:
    """Of the slice's countries and partner; one that several countries share is told once."""
    geos = look.geos if len(look.geos) <= MOST_GEOS else ("",)
    together: dict[tuple[datetime, datetime, str, str], list[str]] = defaultdict(list)
    for geo in geos:
        for one in hub.settings.calendar.events(*span, geo):
            if not one.partner or one.partner in look.partners:
                together[one.start, one.end, one.kind.value, one.name].append(geo)
    return [
        Mark(start, kind, name if "geo" in where or not any(found) else f"{name} ({', '.join(found)})", end)
        for (start, end, kind, name), found in together.items()
    ]
