"""Elements of a new layout that are built like those a field stood in: by tag, names, path, neighbours, text and its words.

Names are compared by the words in them (`recipe-ingredients__item` and `IngredientList-item` share two), since a redesign
renames more often than it rethinks. Elements built alike on one page are one *group*, and a group is compared, not each
element: fields of lists are groups, and pages have hundreds of groups where they have ten thousand elements.

Likeness proposes and proves nothing: on real redesigns precision does not rise with it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from math import log
from statistics import median
from typing import TYPE_CHECKING

from checks.parsers.extract import value_of
from checks.parsers.spec import FieldKind
from checks.parsers.value import is_valid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from selectolax.lexbor import LexborNode

    from checks.parsers.page import Page
    from checks.parsers.spec import FieldSpec, Spec

LINE = 0.45
"""Least likeness of a group that is proposed, 0..1."""
PORTRAITS = 3
"""Good pages of which the elements are remembered."""
_NODES, _GROUPS, _SHOWN, _MEMBERS = 30_000, 60, 12, 300
_PATH = 6
_DEAF = frozenset(
    ("html", "head", "body", "script", "style", "template", "noscript", "svg", "path", "br", "meta", "link")
)
_NAMING = ("class", "id", "itemprop", "property", "name", "rel", "role", "aria-label", "data-testid", "data-test")
_NAME_WORD = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}")
_TEXT_WORD = re.compile(r"[^\W\d_]{2,}")
_WORDS = 400
_BESIDE = frozenset(("nav", "header", "footer", "aside", "form"))
"""What stands in these is content only if it was before."""
_ELSEWHERE = 0.6
_TAG, _NAMES, _PATHS, _TEXT, _SAID, _AROUND, _COUNT = 0.1, 0.25, 0.15, 0.2, 0.15, 0.05, 0.1
"""Weights; they add up to one."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """How the elements of one field, or of one group, look on one page."""

    tag: str
    names: frozenset[str]
    """Words of the element's class, id, itemprop and the like."""
    path: frozenset[str]
    """Tags of the nearest ancestors, and the words of their names."""
    around: frozenset[str]
    """Tags of parent, brothers and children, each with its side."""
    length: float
    """Natural logarithm of the median length in characters."""
    digits: float
    """Share of digits."""
    said: frozenset[str]
    """Words of the texts: units, currencies and the names of the trade stay when all else is rewritten."""
    beside: bool
    """Whether the element stands in a menu, a head, a foot or a form."""
    count: int
    """Elements that look like this."""


def portraits_of(spec: Spec, good: Iterable[Page]) -> dict[str, tuple[Portrait, ...]]:
    """By field what it looked like on the first `PORTRAITS` good pages that had it."""
    found: dict[str, list[Portrait]] = defaultdict(list)
    for page in good:
        for field in spec.fields:
            nodes = _nodes_of(spec, field, page) if len(found[field.name]) < PORTRAITS else []
            if nodes:
                found[field.name].append(_portrait(nodes, field.attr))
    return {name: tuple(portraits) for name, portraits in found.items() if portraits}


def alike(page: Page, field: FieldSpec, known: Sequence[Portrait], *, many: bool) -> list[LexborNode]:
    """The elements of `page`, in page order, that look most like `known`; empty where none do. One unless `many`.

    10-60 ms of CPU for a page of 0.9 MB.
    """
    groups = _groups(page, field.attr)
    sketched = sorted(groups, key=lambda nodes: _sketch(nodes[0], known), reverse=True)[:_GROUPS]
    best: list[LexborNode] = []
    most = LINE
    for nodes in sketched:
        if _typed(field, nodes, page):
            portrait = _portrait(nodes, field.attr)
            likeness = max(_likeness(portrait, one) for one in known) if portrait.length else 0.0
            best, most = (nodes, likeness) if likeness > most else (best, most)
    return best[:_MEMBERS] if many else best[:1]


def _nodes_of(spec: Spec, field: FieldSpec, page: Page) -> list[LexborNode]:
    """The elements the field is taken from, as `extract` finds them."""
    if not spec.items:
        return page.tree.css(field.css)[: _MEMBERS if field.many else 1]
    items = page.tree.css(spec.items)[:_MEMBERS]
    found = [item.css(field.css) if field.css else [item] for item in items]
    return [node for nodes in found for node in nodes[: 50 if field.many else 1]][:_MEMBERS]


def _groups(page: Page, attr: str) -> list[list[LexborNode]]:
    """Elements by how they and their parents are called, in page order; with `attr` only those that have it."""
    found: dict[tuple[str, str, str, str], list[LexborNode]] = defaultdict(list)
    for node in page.tree.css(f"body [{attr}]" if attr else "body *")[:_NODES]:
        tag, parent = node.tag or "", node.parent
        if tag not in _DEAF and parent is not None:
            built = tag, node.attributes.get("class") or "", parent.tag or "", parent.attributes.get("class") or ""
            found[built].append(node)
    return list(found.values())


def _sketch(node: LexborNode, known: Sequence[Portrait]) -> float:
    """Likeness by what costs nothing to look at."""
    names = _names(node)
    return max(_TAG * (node.tag == one.tag) + _NAMES * _shared(names, one.names) for one in known)


def _typed(field: FieldSpec, nodes: list[LexborNode], page: Page) -> bool:
    if field.kind is FieldKind.TEXT:
        return True
    values = [value_of(field.attr, node) for node in nodes[:_SHOWN]]
    return 2 * sum(is_valid(field.kind, value, page.final_url) for value in values) > len(values)


def _portrait(nodes: list[LexborNode], attr: str) -> Portrait:
    first = nodes[0]
    texts = [text for text in (value_of(attr, node) for node in nodes[:_SHOWN]) if text]
    chars = sum(map(len, texts))
    return Portrait(
        tag=first.tag or "",
        names=_names(first),
        path=_path(first),
        around=_around(first),
        length=log(1 + median(map(len, texts))) if texts else 0.0,
        digits=sum(char.isdigit() for text in texts for char in text) / chars if chars else 0.0,
        said=frozenset([word for text in texts for word in _TEXT_WORD.findall(text.lower())][:_WORDS]),
        beside=_beside(first),
        count=len(nodes),
    )


def _likeness(one: Portrait, other: Portrait) -> float:
    text = 1 / (1 + abs(one.length - other.length)) * (1 - min(1.0, 4 * abs(one.digits - other.digits)))
    count = min(one.count, other.count) / max(one.count, other.count)
    likeness = (
        _TAG * (one.tag == other.tag)
        + _NAMES * _shared(one.names, other.names)
        + _PATHS * _shared(one.path, other.path)
        + _TEXT * text
        + _SAID * min(1.0, 2 * _shared(one.said, other.said))
        + _AROUND * _shared(one.around, other.around)
        + _COUNT * count
    )
    return likeness * _ELSEWHERE if one.beside and not other.beside else likeness


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    """Dice's coefficient; two that say nothing are half alike."""
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 0.5


def _names(node: LexborNode) -> frozenset[str]:
    given = node.attributes
    said = " ".join(given.get(name) or "" for name in _NAMING if name in given)[:400]
    return frozenset(word.lower() for word in _NAME_WORD.findall(said))


def _path(node: LexborNode) -> frozenset[str]:
    found: set[str] = set()
    at = node.parent
    for _ in range(_PATH):
        if at is None or at.tag in {"html", "body"}:
            break
        found |= {f"<{at.tag}>", *_names(at)}
        at = at.parent
    return frozenset(found)


def _beside(node: LexborNode) -> bool:
    at = node.parent
    for _ in range(100):
        if at is None or at.tag in _BESIDE:
            break
        at = at.parent
    return at is not None and at.tag in _BESIDE


def _around(node: LexborNode) -> frozenset[str]:
    parent = node.parent
    found = {f"^{parent.tag}"} if parent is not None else set()
    for side, other in (("-", node.prev), ("+", node.next), (">", node.child)):
        while other is not None and other.tag == "-text":
            other = other.next if side != "-" else other.prev  # noqa: PLW2901
        found.add(f"{side}{other.tag if other is not None else ''}")
    return frozenset(found)
