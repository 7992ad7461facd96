"""What a broken field should say on a page, from four sources in the order of how much they are worth.

Last good values of that same page; what the page says of itself to machines (JSON-LD, microdata, `og:`); the list that
links alone show, where the field used to agree with it; elements that look like those the field stood in on good pages.
"""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from checks.parsers.anchor import nodes_with, plain
from checks.parsers.extract import value_of
from checks.parsers.similarity import alike
from checks.parsers.witness import witness
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from selectolax.lexbor import LexborNode

    from checks.parsers.memory import ParserMemory
    from checks.parsers.page import Page
    from checks.parsers.similarity import Portrait
    from checks.parsers.spec import FieldSpec

PAGES = 5
"""Pages a selector is synthesised from."""
AGREED = 0.8
"""Least share of a field's values that links must have confirmed on every good page before links may stand for it."""
LIKE = 0.6
_SCRIPTS = 20
_SCRIPT_CHARS = 500_000
_VALUES = 500
_DEPTH = 12
_SAME_AS = {
    "title": ("name", "headline", "og:title"), "name": ("name", "og:title"), "headline": ("headline", "og:title"),
    "price": ("price", "lowprice"), "bonus": ("price", "description"), "rating": ("ratingvalue",), "author": ("author",),
    "date": ("datepublished", "datemodified"), "published": ("datepublished",), "description": ("description", "og:description"),
    "text": ("articlebody", "text"), "image": ("image", "og:image"), "url": ("url", "og:url"), "operator": ("brand", "author"),
}  # fmt: skip
"""A field's usual name to what schema.org and Open Graph call it."""
_BARE = frozenset(("name", "text", "url", "@value", "@id", "value"))
"""Keys that mean what the key above them says: `author.name` is the author."""


class Source(StrEnum):
    """Where a proposal comes from, best first."""

    VALUES = "values"
    """Last good values of the same page."""
    EMBEDDED = "embedded"
    """What the page tells machines."""
    CLUSTER = "cluster"
    """The list that links alone show."""
    SIMILARITY = "similarity"
    """Elements that look like those of good pages."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A page of the new layout, with the last good values of that same page where they are known."""

    page: Page
    values: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a field should give on one page, and the nodes that say it."""

    page: Page
    wanted: tuple[str, ...]
    places: dict[str, list[LexborNode]]


def anchors(
    field: FieldSpec, broken: list[Broken], memory: ParserMemory, looks: Sequence[Portrait] = (), *, many: bool = True
) -> Iterator[tuple[Source, list[Anchor]]]:
    """For each source that has something to say the pages of which it does, best source first.

    `looks` is how the field looked on good pages, `many` whether it stands on a page more than once.
    """
    yield from _told_by(Source.VALUES, _known(field, broken))
    yield from _told_by(Source.EMBEDDED, _told(field, broken))
    yield from _told_by(Source.CLUSTER, _listed(field, broken, memory))
    yield from _told_by(Source.SIMILARITY, _alike(field, broken, looks, many=many))


def _told_by(source: Source, found: list[Anchor]) -> Iterator[tuple[Source, list[Anchor]]]:
    if found:
        yield source, found


def _known(field: FieldSpec, broken: list[Broken]) -> list[Anchor]:
    pages = [one for one in broken if one.values.get(field.name)][:PAGES]
    return _anchored(field, [(one.page, one.values[field.name]) for one in pages])


def _told(field: FieldSpec, broken: list[Broken]) -> list[Anchor]:
    pages = [(one.page, _of_machines(field, one)) for one in broken[:PAGES]]
    return _anchored(field, [(page, values) for page, values in pages if values])


def _listed(field: FieldSpec, broken: list[Broken], memory: ParserMemory) -> list[Anchor]:
    """Titles or addresses of the page's best list of links, if the field used to hold just these."""
    supports = [page.support for page in memory.field(field.name).pages if page.n]
    if not supports or min(supports) < AGREED:
        return []
    pages = [(one.page, witness(one.page).results) for one in broken[:PAGES]]
    return _anchored(
        field,
        [(page, tuple(one.url if field.attr else one.title for one in found)) for page, found in pages if found],
    )


def _alike(field: FieldSpec, broken: list[Broken], looks: Sequence[Portrait], *, many: bool) -> list[Anchor]:
    found = []
    for one in broken[:PAGES] if looks else ():
        places: dict[str, list[LexborNode]] = defaultdict(list)
        nodes = alike(one.page, field, looks, many=many)
        texts = [value_of(field.attr, node) for node in nodes]
        for text, node in zip(texts, nodes, strict=True):
            if text:
                places[text].append(node)
        if places:
            found.append(Anchor(one.page, tuple(filter(None, texts)), dict(places)))
    return found


def _anchored(field: FieldSpec, pages: list[tuple[Page, tuple[str, ...]]]) -> list[Anchor]:
    found = [Anchor(page, wanted, nodes_with(page.tree, wanted, field.attr)) for page, wanted in pages]
    return [one for one in found if one.places]


def _of_machines(field: FieldSpec, one: Broken) -> tuple[str, ...]:
    """The structured value that is most like the last good one; where none is known, the one of the field's name."""
    told = structured(one.page)
    last = one.values.get(field.name, ())
    if last:
        like = [(_likeness(last, values), values) for values in told.values()]
        best = max(like, default=(0.0, ()), key=lambda pair: pair[0])
        if best[0] >= LIKE:
            return best[1]
    name = field.name.casefold().replace("_", "").replace("-", "")
    for key in (*_SAME_AS.get(name, ()), name, f"og:{name}"):
        if told.get(key):
            return told[key]
    return ()


def _likeness(last: tuple[str, ...], values: tuple[str, ...]) -> float:
    one, other = (plain(" ".join(texts))[:300] for texts in (last, values))
    if not one or not other or not 0.5 <= len(one) / len(other) <= 2:
        return 0.0
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def structured(page: Page) -> dict[str, tuple[str, ...]]:
    """Values by lower-case key that the page tells machines: JSON-LD, then microdata, then `og:` and the like."""
    found: dict[str, list[str]] = defaultdict(list)
    for script in page.tree.css('script[type="application/ld+json"]')[:_SCRIPTS]:
        text = script.text(deep=True)
        if len(text) <= _SCRIPT_CHARS:
            try:
                _walk(json.loads(text), "", found, 0)
            except (ValueError, RecursionError):
                continue
    for node in page.tree.css("[itemprop]")[:_VALUES]:
        given = node.attributes
        said = given.get("content") or (node.text(deep=True) if len(given.get("itemprop") or "") < 40 else "")
        _add(found, (given.get("itemprop") or "").casefold(), said)
    for node in page.tree.css("meta[property][content]")[:_VALUES]:
        _add(found, (node.attributes.get("property") or "").casefold(), node.attributes.get("content") or "")
    return {key: tuple(values) for key, values in found.items()}


def _walk(part: object, key: str, found: dict[str, list[str]], depth: int) -> None:
    if depth > _DEPTH:
        return
    if isinstance(part, dict):
        for name, value in part.items():
            inner = str(name).casefold()
            _walk(value, key if key and inner in _BARE else inner, found, depth + 1)
    elif isinstance(part, list):
        for value in part[:_VALUES]:
            _walk(value, key, found, depth + 1)
    elif isinstance(part, str | int | float) and not isinstance(part, bool):
        _add(found, key, str(part))


def _add(found: dict[str, list[str]], key: str, said: str) -> None:
    value = clean_text(said, 2000)
    if value and key and len(found[key]) < _VALUES and value not in found[key]:
        found[key].append(value)
