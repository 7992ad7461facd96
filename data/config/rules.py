"""The operator's own rules for pages that earn nothing: `[content] rules = "rules.toml"`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.config.patterns import pattern_fault
from data.config.settings import ContentRule
from data.model.cause import cause
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from data.config.table import Table

PLACES = ("title", "headings", "text", "source", "shape")
"""Where a rule may look: `source` is the page's text as it came, `shape` what tells it apart in any language."""
CAUSES = frozenset(
    {
        "content.soft404", "content.parked", "content.default_page", "content.empty", "content.app_error",
        "content.maintenance", "link.inactive", "link.wrong_target", "geo.blocked", "http.maintenance",
        "http.legal_block", "http.gone", "http.auth", "edge.challenge",
    }
)  # fmt: skip
MOST_RULES = 500
MOST_TERMS = 200
_KINDS = (TargetKind.SITE.value, TargetKind.LINK.value)


def rules_file(table: Table, home: Path) -> str:
    """The name of the file, as `[content]` has it."""
    name = table.checked("rules", lambda text: _file_fault(home, text) if text else "")
    table.done()
    return name


def content_rules(top: Table) -> tuple[ContentRule, ...]:
    """Every `[[rule]]` of one file; what is wrong goes to the table's problems."""
    made: list[ContentRule] = []
    for number, table in enumerate(top.tables("rule")):
        if number == MOST_RULES:
            table.wrong("cause", f"is one rule too many: {MOST_RULES} are the most")
            break
        rule = _rule(table, number)
        if rule and rule.id in {other.id for other in made}:
            table.wrong("id", "is used twice", value=rule.id)
        elif rule:
            made.append(rule)
    top.done()
    return tuple(made)


def _rule(table: Table, number: int) -> ContentRule | None:
    name = table.name("id", required=False) or f"own-{number + 1}"
    named = table.choice("cause", CAUSES, "cause for a page", required=True)
    where = _choices(table, "where", PLACES) or PLACES[:3]
    terms = table.texts("any", None if set(where) == {"source"} else pattern_fault)
    if not terms:
        table.wrong("any", "holds no usable expression", allowed="one or more regular expressions, in single quotes")
    if len(terms) > MOST_TERMS:
        table.wrong("any", f"holds more than {MOST_TERMS} expressions")
    if "source" in where and len(where) > 1:
        table.wrong("where", "mixes source, which takes plain texts, with places that take regular expressions")
    rule = ContentRule(
        id=name,
        cause=cause(named or "content.soft404"),
        any=terms,
        where=where,
        score=table.number("score", 1.0, -10.0, 10.0),
        max_text=_given(table.integer("max_text", -1, 0, 10_000_000)),
        room=_given(table.integer("room", -1, 0, 1_000)),
        kinds=tuple(TargetKind(kind) for kind in _choices(table, "kinds", _KINDS)),
        status=table.integers("status", 100, 599),
    )
    table.done()
    return rule if named and terms else None


def _choices(table: Table, key: str, choices: Collection[str]) -> tuple[str, ...]:
    found = table.texts(key)
    for value in found:
        if value not in choices:
            table.wrong(
                key, f"names no known {'place' if key == 'where' else 'kind of check'}", value=value, choices=choices
            )
    return tuple(value for value in found if value in choices)


def _given(value: int) -> int | None:
    return None if value < 0 else value


def _file_fault(home: Path, name: str) -> str:
    try:
        return "" if (home / name).is_file() else f"names no file in {home}"
    except (OSError, ValueError):
        return "is not the name of a file"
