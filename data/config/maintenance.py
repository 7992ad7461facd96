"""`[[maintenance]]`: times in which failures of some targets are expected."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from data.config.settings import Maintenance

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from data.config.table import Table
    from data.model.target import Target

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEK_S = 7 * 86_400.0
_AT = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_WEEKLY = ("weekdays", "at", "length", "timezone")


def windows(
    tables: Iterable[Table],
    *,
    timezone: str,
    teams: Collection[str],
    partners: Collection[str],
    targets: Iterable[Target],
) -> tuple[Maintenance, ...]:
    """One-off windows have `start` and `end`, weekly ones `at` and `length`; `timezone` is the company's.

    A window that names no target, or one that is not in the inventory, would protect nothing: that is an error.
    """
    made = tuple(tables)
    if not made:
        return ()
    ids, sites = set[str](), set[str]()
    for target in targets:
        ids.add(target.id)
        if target.site or target.kind == "site":
            sites.add(target.site or target.name)
    return tuple(_window(table, timezone, teams, partners, sites, ids) for table in made)


def _window(
    table: Table,
    timezone: str,
    teams: Collection[str],
    partners: Collection[str],
    sites: Collection[str],
    ids: Collection[str],
) -> Maintenance:
    weekly = any(key in table.values for key in _WEEKLY)
    start, end = (None, None) if weekly else _span(table)
    window = Maintenance(
        reason=table.text("reason", required=True, limit=120),
        team=table.choice("team", teams, "team"),
        site=table.choice("site", sites, "site"),
        partner=table.choice("partner", partners, "partner"),
        targets=_targets(table, ids),
        start=start,
        end=end,
        weekdays=_weekdays(table) if weekly else (),
        at=_at(table) if weekly else "",
        length_s=_length_s(table) if weekly else 0.0,
        timezone=table.checked("timezone", _zone_fault) or timezone,
    )
    if weekly:
        for key in ("start", "end"):
            if key in table.values:
                table.moment(key)
                table.wrong(key, "is for a window that comes once; this one has weekdays, at or length")
    if not {"team", "site", "partner", "targets"} & table.values.keys():
        table.wrong("reason", "stands in a window for nothing", allowed="team, site, partner or targets beside it")
    table.done()
    return window


def _span(table: Table) -> tuple[datetime | None, datetime | None]:
    start, end = table.moment("start"), table.moment("end")
    if start and end and end <= start:
        table.wrong("end", "is not after the start", value=end.isoformat())
    return start, end


def _targets(table: Table, ids: Collection[str]) -> tuple[str, ...]:
    named = table.texts("targets")
    if "targets" in table.values and not named:
        table.wrong("targets", "is empty", allowed='ids such as "site:kiel" or "link:kiel-*"')
    for pattern in named:
        stem = pattern.removesuffix("*")
        known = any(one.startswith(stem) for one in ids) if stem != pattern else pattern in ids
        if not known:
            choices = ids if len(ids) <= 2_000 else ()
            table.wrong("targets", "names no known target", value=pattern, choices=choices)
    return named


def _weekdays(table: Table) -> tuple[int, ...]:
    """0 is Monday; none given is every day."""
    found = []
    for word in table.texts("weekdays"):
        day = word.strip().lower()[:3]
        if day in WEEKDAYS:
            found.append(WEEKDAYS.index(day))
        else:
            table.wrong("weekdays", "holds no day of the week", value=word, choices=WEEKDAYS)
    return tuple(sorted(set(found))) or tuple(range(7))


def _at(table: Table) -> str:
    text = table.text("at", required=True)
    if text and not _AT.fullmatch(text):
        table.wrong("at", "is not a time of day", value=text, allowed='"HH:MM", such as "02:30"')
        return ""
    return text


def _length_s(table: Table) -> float:
    if "length" not in table.values:
        table.text("length", required=True)
        return 0.0
    return table.duration("length", 0.0, 1.0, WEEK_S)


def _zone_fault(name: str) -> str:
    return "" if name in available_timezones() else "is not a time zone, such as Europe/Malta"
