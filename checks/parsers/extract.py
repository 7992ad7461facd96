from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.parsers.spec import FieldKind
from checks.parsers.value import is_valid
from data.text import clean_text

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

    from checks.parsers.page import Page
    from checks.parsers.spec import FieldSpec, Spec

MAX_ITEMS = 1000
MAX_VALUES = 2000
MAX_CHARS = 4_000_000
"""Of text taken from one page in all: nested items would repeat the page's text once per level."""
VALUE_CHARS = 2000


@dataclass(frozen=True, slots=True)
class FieldValues:
    """What one field gave. `values` are the non-empty ones in page order, cleaned."""

    name: str
    kind: FieldKind
    slots: int
    """Where a value could stand: items, or for a field of the page its matching nodes (at least one)."""
    nodes: int
    """Nodes the selector matched, empty ones included."""
    filled: int
    """Slots with a value."""
    valid: int
    """Values of the field's type."""
    values: tuple[str, ...]

    @property
    def fill(self) -> float:
        return self.filled / self.slots if self.slots else 0.0


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a SPEC takes from one page."""

    items: int
    """Items, or without an item selector the values of the longest field."""
    fields: tuple[FieldValues, ...]

    @property
    def alive(self) -> bool:
        """Whether anything at all was extracted."""
        return any(field.filled for field in self.fields)

    def field(self, name: str) -> FieldValues:
        return next(field for field in self.fields if field.name == name)


class _Budget:
    """Characters that may still be taken from this page."""

    def __init__(self) -> None:
        self.left = MAX_CHARS


def extract(spec: Spec, page: Page) -> Extraction:
    """Apply `spec` to `page`. Hostile pages end at the caps above; nothing is raised."""
    budget = _Budget()
    if not spec.items:
        fields = tuple(_page_field(field, page, budget) for field in spec.fields)
        return Extraction(max((len(field.values) for field in fields), default=0), fields)
    items = page.tree.css(spec.items)[:MAX_ITEMS]
    return Extraction(len(items), tuple(_item_field(field, items, page, budget) for field in spec.fields))


def _page_field(field: FieldSpec, page: Page, budget: _Budget) -> FieldValues:
    nodes = page.tree.css(field.css)[: MAX_VALUES if field.many else 1]
    texts = [value_of(field.attr, node, budget) for node in nodes]
    return _field_values(field, max(len(nodes), 1), len(nodes), [text for text in texts if text], page)


def _item_field(field: FieldSpec, items: list[LexborNode], page: Page, budget: _Budget) -> FieldValues:
    values: list[str] = []
    nodes = filled = 0
    for item in items:
        found = item.css(field.css) if field.css else [item]
        texts = [value_of(field.attr, node, budget) for node in found[: 50 if field.many else 1]]
        kept = [text for text in texts if text]
        nodes += len(found)
        filled += bool(kept)
        values.extend(kept[: MAX_VALUES - len(values)])
    return _field_values(field, len(items), nodes, values, page, filled)


def _field_values(
    field: FieldSpec, slots: int, nodes: int, values: list[str], page: Page, filled: int | None = None
) -> FieldValues:
    base = page.final_url
    valid = len(values)
    if field.kind is not FieldKind.TEXT:
        valid = sum(is_valid(field.kind, value, base) for value in values)
    return FieldValues(
        field.name, field.kind, slots, nodes, len(values) if filled is None else filled, valid, tuple(values)
    )


def value_of(attr: str, node: LexborNode, budget: _Budget | None = None) -> str:
    """Cleaned text (or attribute) of one node."""
    if budget is not None and budget.left <= 0:
        return ""
    raw = (node.attributes.get(attr) or "") if attr else node.text(deep=True)
    if budget is not None:
        budget.left -= len(raw)
    return clean_text(raw.lstrip(), VALUE_CHARS)
