"""What differs between two configurations beside the targets: who is told, what is done and who may see what."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING

from data.config.calendar import calendar_changes
from data.config.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from data.config.notifying import Notifying, Route
    from data.config.settings import Settings

_NAMED = 5
_PLACES = frozenset({"line", "place", "routes"})
"""Where something stands is not what it says."""
_PLURALS = {"person": "people", "time of maintenance": "times of maintenance"}
_CONDITIONS = (("cause", "causes"), ("team", "teams"), ("project", "projects"), ("partner", "partners"), ("geo", "geos"), ("severity", "severities"))  # fmt: skip


def rule_changes(before: Settings, after: Settings) -> tuple[str, ...]:
    """Lines for a person, of every kind in turn: what is new, gone and changed, with the first few names."""
    lines = list(calendar_changes(before.calendar, after.calendar))
    was, now = _kinds(before), _kinds(after)
    for kind, old in was.items():
        lines += _changes(kind, old, now[kind])
    routes = [_routes(one.notify.root) for one in (before, after)]
    if routes[0].keys() == routes[1].keys() and [*routes[0]] != [*routes[1]]:
        lines.append("~ routes stand in another order: the first that matches wins")
    return (*lines, *_deadlines(before.notify, after.notify))


def _kinds(settings: Settings) -> Mapping[str, Mapping[str, object]]:
    """By the word for one of them, what there is by its name."""
    notify = settings.notify
    return {
        "channel": _by((one.name, one) for one in notify.channels),
        "person": _by((one.name, one) for one in notify.people),
        "rota": _by((one.name, one) for one in notify.rotas),
        "route": _routes(notify.root),
        "plan": _by((one.id, one) for one in settings.plans),
        "checklist": _by((", ".join(one.causes), one) for one in settings.checklists),
        "parent": _by((f"{one.parent} over {one.child}", one) for one in settings.parents),
        "time of maintenance": _by((one.reason, one) for one in settings.maintenance),
        "partner": _by((one.id, one) for one in settings.partners),
        "team": _by((one.id, one) for one in settings.teams),
        "user": _by((one.account, one) for one in settings.users),
    }


def _by(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    """By name; a second one of a name has a number."""
    found: dict[str, object] = {}
    for name, one in pairs:
        number = 2
        known = name
        while known in found:
            known, number = f"{name} ({number})", number + 1
        found[known] = one
    return found


def _routes(root: Route) -> dict[str, object]:
    """Every rule by its conditions, as they stand: `cause=edge > team=aurora`; the root is `[notify]`."""
    return _by([("[notify]", root), *_below(root, "")])


def _below(route: Route, above: str) -> Iterator[tuple[str, Route]]:
    for one in route.routes:
        pairs = ((label, ",".join(map(str, getattr(one, name)))) for label, name in _CONDITIONS)
        name = f"{above}{' '.join(f'{label}={value}' for label, value in pairs if value) or 'everything'}"
        yield name, one
        yield from _below(one, f"{name} > ")


def _changes(kind: str, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[str]:
    for sign, word, some, others in (("+", "new", new, old), ("−", "gone", old, new)):
        names = [name for name in some if name not in others]
        if names:
            yield f"{sign} {_many(kind, len(names))} {word}: {_some(names)}"
    changed = {name: what for name in new if name in old and (what := _differs(old[name], new[name]))}
    if changed:
        counts = Counter(field for what in changed.values() for field in what)
        fell = ", ".join(f"{field.removesuffix('_s')} of {count:,}" for field, count in counts.most_common())
        yield f"~ {_many(kind, len(changed))} changed ({fell}): {_some([*changed])}"


def _differs(old: object, new: object) -> list[str]:
    names = (item.name for item in fields(new) if item.name not in _PLACES)  # type: ignore[arg-type]  # all are dataclasses
    return [name for name in names if getattr(old, name) != getattr(new, name)]


def _deadlines(before: Notifying, after: Notifying) -> Iterator[str]:
    for severity, seconds in after.ack_s.items():
        was = before.ack_s.get(severity)
        if was is not None and was != seconds:
            yield f"~ {severity} waits {format_duration(seconds)} for somebody, was {format_duration(was)}"


def _many(kind: str, count: int) -> str:
    return f"{count:,} {kind if count == 1 else _PLURALS.get(kind, f'{kind}s')}"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED:,} more"
