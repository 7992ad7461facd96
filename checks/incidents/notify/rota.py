"""Who is on call at a moment, since when and until when. Pure; wall times are of the rota's own zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.config.notifying import Layer, Person, Rota

LOOK = timedelta(days=9)
"""How far changes are looked for, back and ahead; turns longer than that are found by their own length."""
_MOMENT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OnCall:
    person: str
    why: str
    """`layer 1`, or `override: the reason`."""


def on_call(rota: Rota, now: datetime) -> OnCall | None:
    """The newest override that covers `now`, else the last layer that has somebody; `None` is a gap."""
    for override in reversed(rota.overrides):
        if override.start <= now < override.end:
            return OnCall(override.person, f"override: {override.reason}" if override.reason else "override")
    zone = ZoneInfo(rota.timezone)
    for number in range(len(rota.layers), 0, -1):
        person = _in_turn(rota.layers[number - 1], zone, now)
        if person is not None:
            return OnCall(person, f"layer {number}")
    return None


def _in_turn(layer: Layer, zone: ZoneInfo, now: datetime) -> str | None:
    local = now.astimezone(zone)
    number = _turn(layer, zone, now)
    if number < 0 or not _is_duty(layer, local):
        return None
    return layer.people[number % len(layer.people)]


def _turn(layer: Layer, zone: ZoneInfo, now: datetime) -> int:
    """Turns that were begun before this one; below 0 before the first."""
    days = (now.astimezone(zone).date() - layer.start).days
    number = days // layer.days
    return number if now >= _begins(layer, zone, number) else number - 1


def _begins(layer: Layer, zone: ZoneInfo, number: int) -> datetime:
    return _instant(layer.start + timedelta(days=number * layer.days), layer.at, zone)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Wall time to UTC. An hour that comes twice is its first; one that is skipped is as if the clocks had not moved."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def _is_duty(layer: Layer, local: datetime) -> bool:
    """Whether the layer's hours and weekdays hold; a night belongs to the day on which it began."""
    if layer.hours is None:
        return not layer.weekdays or local.weekday() in layer.weekdays
    begins, ends = layer.hours
    at, day = local.time(), local.weekday()
    if begins > ends and at < ends:
        day, inside = (day - 1) % 7, True
    else:
        inside = at >= begins and (at < ends or begins > ends)
    return inside and (not layer.weekdays or day in layer.weekdays)


def changed_at(rota: Rota, now: datetime) -> datetime | None:
    """When whoever is on call now began, aware UTC; `None` when that is too long ago to matter."""
    found = sorted({edge for edge in _edges(rota, now) if edge <= now}, reverse=True)
    return next((edge for edge in found if _differs(rota, edge)), None)


def changes_at(rota: Rota, now: datetime) -> datetime | None:
    """When somebody else is on call next, or nobody."""
    found = sorted({edge for edge in _edges(rota, now) if edge > now})
    return next((edge for edge in found if _differs(rota, edge)), None)


def _differs(rota: Rota, edge: datetime) -> bool:
    before, after = on_call(rota, edge - _MOMENT), on_call(rota, edge)
    return (before and before.person) != (after and after.person)


def _edges(rota: Rota, now: datetime) -> Iterator[datetime]:
    """Every moment around `now` at which somebody else may be on call."""
    zone = ZoneInfo(rota.timezone)
    today = now.astimezone(zone).date()
    near = [today + timedelta(days=days) for days in range(-LOOK.days, LOOK.days + 1)]
    for override in rota.overrides:
        yield from (override.start, override.end)
    for layer in rota.layers:
        number = _turn(layer, zone, now)
        around = max(LOOK.days // layer.days, 1)
        yield from (_begins(layer, zone, one) for one in range(number - around, number + around + 2))
        times = layer.hours or ((time(0),) if layer.weekdays else ())
        yield from (_instant(day, at, zone) for day in near for at in times)


def quiet_until(person: Person, now: datetime) -> datetime | None:
    """When the person's night ends, aware UTC; `None` while they are awake or have no night."""
    if person.quiet is None:
        return None
    zone = ZoneInfo(person.timezone)
    local, (begins, ends) = now.astimezone(zone), person.quiet
    at = local.time()
    inside = begins <= at < ends if begins < ends else at >= begins or at < ends
    if not inside:
        return None
    until = _instant(local.date(), ends, zone)
    return until if until > now else _instant(local.date() + _DAY, ends, zone)
