"""`[[channels]]` and `[[people]]`: ways to reach somebody, and who they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from data.access.roles import ROLES
from data.config.clocktimes import span_of_day
from data.config.notifying import Channel, Person
from data.config.urls import url_fault
from data.text import redact

if TYPE_CHECKING:
    from collections.abc import Collection

    from data.config.table import Table

KINDS = ("apprise", "alertmanager")
EVERY_TEAM = "*"


def channels(top: Table, teams: Collection[str]) -> tuple[Channel, ...]:
    """`role` has no default: what may be read in a channel is decided by whoever makes it."""
    made: list[tuple[Channel, Table]] = []
    for table in top.tables("channels"):
        one = _channel(table, teams)
        if one.name and one.name in [other.name for other, _ in made]:
            table.wrong("name", "is used twice", value=one.name)
        made.append((one, table))
        table.done()
    names = [one.name for one, _ in made]
    for one, table in made:
        if one.fallback and one.fallback not in names:
            table.wrong("fallback", "names no known channel", value=one.fallback, choices=names)
        elif one.fallback and one.fallback == one.name:
            table.wrong("fallback", "is the channel itself", value=one.fallback)
    return tuple(one for one, _ in made)


def _channel(table: Table, teams: Collection[str]) -> Channel:
    built_in = Channel("")
    kind = table.choice("kind", KINDS, "kind of channel", built_in.kind)
    webhook = kind == "alertmanager"
    seen = table.texts("teams") or built_in.teams
    for team in seen:
        if team != EVERY_TEAM and team not in teams:
            table.wrong("teams", "names no known team", value=team, choices=[*teams, EVERY_TEAM])
    made = Channel(
        name=table.name("name"),
        kind=kind,
        secret=table.name("secret", required=not webhook),
        url=table.checked("url", _url_fault, required=webhook),
        role=table.choice("role", ROLES, "role", built_in.role, required=True),
        teams=seen,
        fallback=table.name("fallback", required=False),
        per_minute=table.integer("per_minute", built_in.per_minute, 1, 10_000),
        timeout_s=table.duration("timeout", built_in.timeout_s, 1.0, 300.0),
        line=table.line,
    )
    if made.url and not webhook:
        table.wrong("url", "belongs into the keyring: losswatch secrets set NAME, and secret = NAME here")
    return made


def _url_fault(url: str) -> str:
    if fault := url_fault(url):
        return fault
    return "" if redact(url) == url else "holds a secret, which belongs into the keyring: secret = NAME"


def people(top: Table, channel_names: Collection[str]) -> tuple[Person, ...]:
    made: list[Person] = []
    for table in top.tables("people"):
        name = table.name("name")
        if name in channel_names:
            table.wrong("name", "is already the name of a channel", value=name)
        if name and name in [other.name for other in made]:
            table.wrong("name", "is used twice", value=name)
        reached = table.texts("channels")
        for channel in reached:
            if channel not in channel_names:
                table.wrong("channels", "names no known channel", value=channel, choices=channel_names)
        if not reached:
            table.wrong("channels", "is empty: nothing would reach them", value=name, choices=channel_names)
        made.append(
            Person(
                name=name,
                channels=reached,
                timezone=zone(table, "UTC"),
                account=table.text("account"),
                quiet=span_of_day(table, "quiet"),
                line=table.line,
            )
        )
        table.done()
    return tuple(made)


def zone(table: Table, default: str) -> str:
    """A time zone by its name in the database of the system."""
    name = table.text("timezone", default)
    if name == default or name in available_timezones():
        return name
    table.wrong("timezone", "is not a time zone", value=name, choices=available_timezones())
    return default
