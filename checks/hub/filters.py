"""The filter language of every list: `state!=ok geo=DE quill !paused`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from data.errors import UsageError
from data.model.cause import words_of
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.model.observation import TargetState
    from data.model.snapshot import TargetRow
    from data.model.target import Target

FIELDS = ("state", "cause", "team", "geo", "partner", "offer", "site", "name", "tier", "kind")
_TERM = re.compile(r"(!?)(?:([a-z]+)(!=|=))?(.*)", re.DOTALL)


def row_filter(expression: str) -> Callable[[TargetRow], bool]:
    """A predicate for the expression; every term must hold.

    Raises:
        UsageError: a term names a field that does not exist.
    """
    tests = [_term(term) for term in expression.casefold().split()]
    return lambda row: all(test(row) for test in tests)


def target_filter(expression: str) -> Callable[[Target, TargetState], bool] | None:
    """The same over a target and its state, for lists too long to make rows of; `None` when everything holds.

    Raises:
        UsageError: a term names a field that does not exist.
    """
    tests = [_target_term(term) for term in expression.casefold().split()]
    if len(tests) < 2:
        return tests[0] if tests else None
    return lambda target, state: all(test(target, state) for test in tests)


def _target_term(term: str) -> Callable[[Target, TargetState], bool]:
    negated, name, operator, value = _parts(term)
    if name in {"state", "cause"}:
        wanted = operator == "="
        return lambda _, state: _holds(str(getattr(state, name)), value) is wanted
    if name:
        wanted = operator == "="
        return lambda target, _: _holds(str(getattr(target, name)).casefold(), value) is wanted
    positive = negated == ""

    def text(target: Target, state: TargetState) -> bool:
        fixed = f"{target.name} {target.partner} {target.geo} {target.team} {target.site} {state.state}"
        found = value in fixed.casefold()
        if not found and (state.cause or state.detail):
            found = value in f"{seen_words(state)} {state.cause}".casefold()
        return found is positive

    return text


def _parts(term: str) -> tuple[str, str, str, str]:
    matched = _TERM.fullmatch(term)
    assert matched is not None
    negated, name, operator, value = matched.groups()
    if name and name not in FIELDS:
        raise UsageError(f"no field {name!r} to filter by; there are {', '.join(FIELDS)}")
    return negated, name or "", operator or "", value


def _term(term: str) -> Callable[[TargetRow], bool]:
    negated, name, operator, value = _parts(term)
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

    by_name = sorted(rows, key=lambda row: row.name)
    known = [row for row in by_name if value(row) is not None]
    known.sort(key=value, reverse=descending)
    return known + [row for row in by_name if value(row) is None]


def worst_first(row: TargetRow) -> tuple[object, ...]:
    """Failing, degraded, unknown, ok, paused; then the dearest; then the most important; then by name."""
    return -row.state.badness, -(row.loss_per_hour or 0), row.tier, row.name


KINDS = {kind.value: kind for kind in TargetKind}


def seen_words(state: TargetState) -> str:
    """What is seen, the telling words first: a list cuts what does not fit."""
    if not state.cause or state.kind not in {TargetKind.SITE, TargetKind.LINK}:
        return state.detail
    words = words_of(state.cause)
    return f"{words} · {state.detail}" if state.detail and words not in state.detail[: len(words)] else words
