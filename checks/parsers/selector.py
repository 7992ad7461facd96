"""CSS selectors for one node, steadiest first: what a name means outlives how a class is generated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.parsers.spec import valid_css

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_NAME = re.compile(r"^-?[A-Za-z_][A-Za-z0-9_-]*$")
_TAG = re.compile(r"^[a-z][a-z0-9-]*$")
_HASHED = re.compile(r"\d|^[A-Za-z]*[a-z][A-Z]{2,}|[a-z][A-Z]$|__[A-Za-z]{5,}$|^css-|^sc-|^jsx-|^_")
_MEANING = ("itemprop", "property", "name", "rel", "role", "aria-label", "datatype")
_VALUE = re.compile(r"^[A-Za-z][A-Za-z_. :-]{1,40}$")
_MOST = 60
SCOPES = 4
"""Ancestors tried as scope."""


def selectors_for(node: LexborNode, attr: str = "") -> list[tuple[int, str]]:
    """(rank, selector) pairs for `node`, rank 0 the steadiest; with `attr` only elements that have it match."""
    tail = f"[{attr}]" if attr and _NAME.match(attr) else ""
    tag = node.tag or ""
    if not _TAG.match(tag):
        return []
    own = [(rank, name + tail) for rank, name in _names(node)]
    found = [*own, (4, tag + tail)]
    scope, distance = node.parent, 1
    while scope is not None and distance <= SCOPES and _TAG.match(scope.tag or ""):
        for rank, name in _names(scope)[:6]:
            found.append((max(rank, 1) + distance, f"{name} {tag}{tail}"))
            found.extend((max(rank, inner) + distance, f"{name} {below}") for inner, below in own[:3])
        if distance == 1:
            found.append((5, f"{scope.tag} > {tag}{tail}"))
        scope, distance = scope.parent, distance + 1
    unique = {css: rank for rank, css in sorted(found, reverse=True)}
    return sorted(((rank, css) for css, rank in unique.items() if valid_css(css)))[:_MOST]


def _names(node: LexborNode) -> list[tuple[int, str]]:
    """What the node is called: meaning 0, stable id 1, class in words 2, generated class 3."""
    tag = node.tag or ""
    attributes = node.attributes
    found = [
        (0, f'{tag}[{key}="{value}"]')
        for key, value in attributes.items()
        if value and (key in _MEANING or key.startswith("data-")) and _NAME.match(key) and _VALUE.match(value)
    ]
    identity = attributes.get("id") or ""
    if _NAME.match(identity) and not _HASHED.search(identity):
        found.append((1, f"{tag}#{identity}"))
    classes = [name for name in (attributes.get("class") or "")[:400].split() if _NAME.match(name)][:8]
    found.extend((3 if _HASHED.search(name) else 2, f"{tag}.{name}") for name in classes)
    if len(classes) > 1:
        worst = 3 if any(map(_HASHED.search, classes)) else 2
        found.append((worst, f"{tag}.{'.'.join(classes)}"))
    return sorted(found)
