"""The filter language of every list: `state!=ok geo=DE quill !paused`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from data.errors import UsageError
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.model.snapshot import TargetRow

FIELDS = ("state", "cause", "team", "geo", "partner", "offer", "site", "name", "tier", "kind")
_TERM = re.compile(r"(!?)(?:([a-z]+)(!=|=))?(.*)", re.DOTALL)


def row_filter(expression: str) -> Callable[[TargetRow], bool]:
    """A predicate for the expression; every term must hold.

    Raises:
        UsageError: a term names a field that does not exist.
    """
    tests = [_term(term) for term in expression.casefold().split()]
    return lambda row: all(test(row) for test in tests)


def _term(term: str) -> Callable[[TargetRow], bool]:
    matched = _TERM.fullmatch(term)
    assert matched is not None
    negated, name, operator, value = matched.groups()
    if name and name not in FIELDS:
        raise UsageError(f"no field {name!r} to filter by; there are {', '.join(FIELDS)}")
    if name:
        wanted = operator == "="
        return lambda row: _holds(str(getattr(row, name)).casefold(), value) is wanted
    return lambda row: (value in _text(row)) is (negated == "")


def _holds(actual: str, value: str) -> bool:
    """`cause=tls` means the family, `cause=tls.expired` the cause."""
    return actual == value or ("." in actual and actual.partition(".")[0] == value)


def _text(row: TargetRow) -> str:
    return f"{row.name} {row.detail} {row.cause} {row.partner} {row.geo} {row.team} {row.site} {row.state}".casefold()


SORTABLE = (
    "name", "state", "cause", "team", "since", "last_at", "next_at", "geo", "partner", "offer", "site", "tier",
    "p50_ms", "p95_ms", "uptime", "value", "expected", "loss_per_hour",
)  # fmt: skip


def sort_rows(rows: list[TargetRow], field: str, *, descending: bool) -> list[TargetRow]:
    """Sorted by a field of the row, or worst first when `field` is empty; figures that do not apply come last.

    Raises:
        UsageError: there is no such field.
    """
    if not field:
        return sorted(rows, key=worst_first)
    if field not in SORTABLE:
        raise UsageError(f"no field {field!r} to sort by; there are {', '.join(SORTABLE)}")

    def value(row: TargetRow) -> Any:
        found = getattr(row, field)
        return row.state.badness if field == "state" else found

    known = sorted((row for row in rows if value(row) is not None), key=lambda row: row.name)
    known.sort(key=value, reverse=descending)
    return known + [row for row in rows if value(row) is None]


def worst_first(row: TargetRow) -> tuple[object, ...]:
    """Failing, degraded, unknown, ok, paused; then the dearest; then the most important; then by name."""
    return -row.state.badness, -(row.loss_per_hour or 0), row.tier, row.name


KINDS = {kind.value: kind for kind in TargetKind}
