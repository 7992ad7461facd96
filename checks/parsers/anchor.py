from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from checks.parsers.witness import unwrap, url_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selectolax.lexbor import LexborHTMLParser, LexborNode

FUZZY = 0.95
_LONGEST = 4000
_FUZZY_VALUES = 5
_WORD = re.compile(r"\w+")
_DEAF = frozenset(("script", "style", "template", "noscript", "head", "title"))


def plain(text: str) -> str:
    """Letters and digits only: what stays the same when bullets, quotes, spaces and capitals change."""
    return " ".join(_WORD.findall(text.lower()))


def value_key(value: str) -> str:
    """What two spellings of one value share: of an address its target, of a text its words."""
    if "/" in value and not any(char.isspace() for char in value):
        return url_key(unwrap(value))
    return plain(value)


def nodes_with(tree: LexborHTMLParser, values: Iterable[str], attr: str) -> dict[str, list[LexborNode]]:
    """For each of `values` the deepest nodes that say exactly it (or whose `attr` does), else what is nearly it."""
    wanted = [value for value in values if plain(value)]
    places = _attributes(tree, attr) if attr else _texts(tree)
    found: dict[str, list[LexborNode]] = {}
    for number, value in enumerate(wanted):
        key = value_key(value) if attr else plain(value)
        nodes = places.get(key) or (_nearly(places, key) if number < _FUZZY_VALUES else [])
        if nodes:
            found[value] = nodes
    return found


def _attributes(tree: LexborHTMLParser, attr: str) -> dict[str, list[LexborNode]]:
    places: dict[str, list[LexborNode]] = {}
    for node in tree.css(f"[{attr}]"):
        value = node.attributes.get(attr) or ""
        places.setdefault(value_key(value), []).append(node)
    return places


def _texts(tree: LexborHTMLParser) -> dict[str, list[LexborNode]]:
    """Words of every element that has few enough, to the elements; of nested ones with the same words the deepest.

    One walk in document order, then texts are handed up from the last node to the first.
    """
    if tree.root is None:
        return {}
    order = [(node, node.parent) for node in tree.root.traverse(include_text=True)]
    texts: dict[int, str | None] = {}
    places: dict[str, list[LexborNode]] = {}
    covered: dict[int, str] = {}
    for node, parent in reversed(order):
        deaf = node.tag in _DEAF
        text = (node.text(deep=True) if node.tag == "-text" else texts.get(node.mem_id, "")) if not deaf else ""
        above = parent.mem_id if parent is not None else 0
        before = texts.get(above, "")
        joined = None if text is None or before is None else text + before
        texts[above] = joined if joined is None or len(joined) <= _LONGEST else None
        words = plain(text) if text and node.tag != "-text" else ""
        if words and covered.get(node.mem_id) != words:
            places.setdefault(words, []).append(node)
        if words:
            covered[above] = words
    return {words: nodes[::-1] for words, nodes in places.items()}


def _nearly(places: dict[str, list[LexborNode]], key: str) -> list[LexborNode]:
    if len(key) < 20 or len(key) > 1000:  # short texts are near each other by chance, long ones take too long
        return []
    close = [text for text in places if abs(len(text) - len(key)) <= (1 - FUZZY) * len(key)]
    best = difflib.get_close_matches(key, close[:500], n=1, cutoff=FUZZY)
    return places[best[0]] if best else []
