"""`[notify]` and `[[routes]]`: which trouble is told to whom. A tree; what a rule does not say it has from above."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from data.config.channels import channels, people
from data.config.notifying import ACK_S, Notifying, Route
from data.config.rota import rotas
from data.config.table import is_country
from data.model.cause import CAUSES, family_of
from data.model.incident import Severity

if TYPE_CHECKING:
    from data.config.table import Table

LABELS = ("incident", "cause", "family", "team", "project", "partner", "geo", "severity", "owner")
"""By what incidents can be put together in one message."""
_DEEPEST = 12
_MOST = 2_000
_SHORTEST_S, _LONGEST_S = 60.0, 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class _Known:
    receivers: Collection[str]
    teams: Collection[str]
    partners: Collection[str]


def notifying(top: Table, teams: Collection[str], partners: Collection[str], timezone: str) -> Notifying:
    """Channels, people, rotas and routes, which name each other."""
    reached = channels(top, teams)
    names = [channel.name for channel in reached]
    known = people(top, names)
    persons = [person.name for person in known]
    turns = rotas(top, persons, [*names, *persons], timezone)
    table = top.table("notify")
    everybody = _Known([*names, *persons, *(rota.name for rota in turns)], teams, partners)
    root = _root(table, tuple(top.tables("routes")), everybody)
    ack = {
        severity: table.duration(f"ack_{severity.value.lower()}", ACK_S[severity], 10.0, 86_400.0) for severity in ACK_S
    }
    table.done()
    return Notifying(root, reached, known, turns, ack)


def _root(table: Table, below: tuple[Table, ...], known: _Known) -> Route:
    base = _Reader(known).read(table, Route(place=_place(table)), below, 0)
    if known.receivers and not base.to:
        table.wrong("to", "is missing under [notify]: who is told what no rule takes?", choices=known.receivers)
    return base


@dataclass(slots=True)
class _Reader:
    known: _Known
    _count: int = 0

    def read(self, table: Table, above: Route, below: tuple[Table, ...], depth: int) -> Route:
        """A rule and those under it; `above` lends what it does not say."""
        own = Route(
            to=self._receivers(table, "to") or above.to,
            escalate=self._receivers(table, "escalate") if "escalate" in table.values else above.escalate,
            owner=table.text("owner", above.owner, limit=60),
            group_by=self._labels(table) if "group_by" in table.values else above.group_by,
            group_wait_s=table.duration("group_wait", above.group_wait_s, 0.0, 3_600.0),
            group_interval_s=table.duration("group_interval", above.group_interval_s, 1.0, _LONGEST_S),
            repeat_interval_s=table.duration("repeat_interval", above.repeat_interval_s, _SHORTEST_S, _LONGEST_S),
            place=above.place,
        )
        if not depth:
            return self._with(own, below, depth)
        made = replace(
            own,
            causes=self._causes(table),
            teams=self._named(table, "team", self.known.teams),
            projects=_list(table, "project"),
            partners=self._named(table, "partner", self.known.partners),
            geos=self._geos(table),
            severities=tuple(Severity(one) for one in self._named(table, "severity", list(Severity))),
            goes_on=table.flag("continue", default=False),
            place=_place(table),
        )
        found = self._with(made, tuple(table.tables("routes")), depth)
        table.done()
        return found

    def _with(self, route: Route, below: tuple[Table, ...], depth: int) -> Route:
        self._count += len(below)
        if below and (depth == _DEEPEST or self._count > _MOST):
            below[0].wrong("to", f"is nested deeper than {_DEEPEST} or one rule of more than {_MOST:,}")
            return route
        return replace(route, routes=tuple(self.read(table, route, (), depth + 1) for table in below))

    def _receivers(self, table: Table, key: str) -> tuple[str, ...]:
        named = _list(table, key)
        for name in named:
            if name not in self.known.receivers:
                table.wrong(key, "names no known channel, person or rota", value=name, choices=self.known.receivers)
        return named

    def _labels(self, table: Table) -> tuple[str, ...]:
        named = _list(table, "group_by")
        for name in named:
            if name not in LABELS:
                table.wrong("group_by", "names no label", value=name, choices=LABELS)
        return tuple(name for name in named if name in LABELS)

    def _named(self, table: Table, key: str, choices: Collection[str]) -> tuple[str, ...]:
        named = _list(table, key)
        for name in named:
            if name not in choices:
                table.wrong(key, f"names no known {key}", value=name, choices=choices)
        return tuple(name for name in named if name in choices)

    def _causes(self, table: Table) -> tuple[str, ...]:
        families = {family_of(cause) for cause in CAUSES}
        named = tuple(name.removesuffix(".*") for name in _list(table, "cause"))
        for name in named:
            if name not in CAUSES and name not in families:
                table.wrong("cause", "is no cause and no family of causes", value=name, choices=[*CAUSES, *families])
        return named

    def _geos(self, table: Table) -> tuple[str, ...]:
        named = _list(table, "geo")
        for name in named:
            if not is_country(name):
                table.wrong("geo", "is not a country code", value=name, allowed="two letters of ISO 3166, such as DE")
        return tuple(name.upper() for name in named)


def _place(table: Table) -> str:
    return f"{table.source.file.name}:{table.line or 1}"


def _list(table: Table, key: str) -> tuple[str, ...]:
    """A list of texts, or one text alone."""
    if isinstance(table.values.get(key), str):
        text = table.text(key)
        return (text,) if text else ()
    return table.texts(key)
