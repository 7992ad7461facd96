"""`[[rota]]`: who is on call when, in layers, with overrides."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from data.config.channels import zone
from data.config.clocktimes import span_of_day, time_of_day
from data.config.maintenance import WEEKDAYS
from data.config.notifying import Layer, Override, Rota

if TYPE_CHECKING:
    from collections.abc import Collection

    from data.config.table import Table

MOST_DAYS = 366
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_TURN_WORDS = '"daily", "weekly" or a number of days, such as "3d"'


def rotas(top: Table, people: Collection[str], taken: Collection[str], timezone: str) -> tuple[Rota, ...]:
    """`taken` are the names of people and channels, which a rota may not have; `timezone` is the company's."""
    made: list[Rota] = []
    for table in top.tables("rota"):
        name = table.name("name")
        if name in taken or name in [other.name for other in made]:
            table.wrong("name", "is used already", value=name)
        one = Rota(
            name=name,
            timezone=zone(table, timezone),
            layers=tuple(_layer(layer, people) for layer in table.tables("layers")),
            overrides=tuple(_override(override, people) for override in table.tables("overrides")),
            line=table.line,
        )
        if not one.layers:
            table.wrong(
                "name", "has no layer: nobody would ever be on call", value=name, allowed="[[rota.layers]] below it"
            )
        made.append(one)
        table.done()
    return tuple(made)


def _layer(table: Table, people: Collection[str]) -> Layer:
    named = table.texts("people")
    for person in named:
        if person not in people:
            table.wrong("people", "names nobody known", value=person, choices=people)
    if not named:
        table.wrong("people", "is empty", choices=people)
    start = table.day("start")
    if start is None and "start" not in table.values:
        table.wrong("start", "is missing", allowed="the day on which the first one begins, such as 2026-11-16")
    made = Layer(
        people=named,
        start=start or date(2026, 1, 5),
        at=time_of_day(table, "at", time(9)),
        days=_days(table),
        hours=span_of_day(table, "hours"),
        weekdays=_weekdays(table),
    )
    table.done()
    return made


def _days(table: Table) -> int:
    words = table.text("turn", "weekly")
    named = {"daily": 1, "weekly": 7}.get(words)
    if named is not None:
        return named
    digits = words.removesuffix("d")
    if words.endswith("d") and digits.isascii() and digits.isdigit() and 1 <= int(digits[:5]) <= MOST_DAYS:
        return int(digits)
    table.wrong("turn", "is not the length of a turn", value=words, allowed=_TURN_WORDS)
    return 7


def _weekdays(table: Table) -> tuple[int, ...]:
    found = set()
    for word in table.texts("weekdays"):
        day = word.strip().lower()[:3]
        if day in WEEKDAYS:
            found.add(WEEKDAYS.index(day))
        else:
            table.wrong("weekdays", "holds no day of the week", value=word, choices=WEEKDAYS)
    return tuple(sorted(found))


def _override(table: Table, people: Collection[str]) -> Override:
    person = table.choice("person", people, "person", required=True)
    start, end = table.moment("start"), table.moment("end")
    reason = table.text("reason", limit=120)
    if start and end and end <= start:
        table.wrong("end", "is not after the start", value=end.isoformat())
    table.done()
    return Override(person, start or _NEVER, end or _NEVER, reason)
