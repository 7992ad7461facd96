"""How the nodes around a dead selector changed, in lines that a person can read.

1. Outline both pages, one line an element. 2. On the good page take the block around what the selector gave. 3. On the
failing page take the block that stands in its place: by the same texts, else by the nearest ancestor that is still named
the same. 4. Compare the lines by how the elements are built, not by what they say, and show what lies around the changes.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.parsers.anchor import nodes_with
from checks.parsers.page import read_page
from checks.parsers.selector import selectors_for
from checks.parsers.spec import valid_css
from data.model.parser_view import DiffLine
from data.text import clean_text, redact

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

MOST = 40
"""Lines shown."""
AROUND = 3
"""Unchanged lines shown on either side of a change."""
_BLOCK = 60
"""Elements a block may have; larger ones say nothing about one selector."""
_ENOUGH = 6
_NODES = 30_000
_TEXT = 60
_NAMES = 120
_SHOWN = ("itemprop", "property", "name", "rel", "role", "aria-label", "type")
_OPAQUE = frozenset(("script", "style", "template", "noscript", "svg", "head"))
_DATA = re.compile(r"^data-[a-z-]{1,24}$")


@dataclass(frozen=True, slots=True)
class _Line:
    depth: int
    element: str
    """The element with the names by which selectors find it; equal ones are the same to the comparison."""
    text: str
    node: int


def diff_around(good: bytes, bad: bytes, css: str, items_css: str = "", content_type: str = "") -> tuple[DiffLine, ...]:
    """The block that `css` used to find on `good` against what stands there on `bad`; empty where nothing was found.

    Both are whole pages as received. Never raises for any bytes or selector.
    """
    was, now = (read_page(body, content_type=content_type) for body in (good, bad))
    if was.fault or now.fault or not all(map(valid_css, filter(None, (css, items_css)))):
        return ()
    node = _found(was.tree, css, items_css)
    if node is None:
        return ()
    before, after = _outline(was.tree), _outline(now.tree)
    block = _block(node)
    there = _counterpart(node, block, now.tree)
    old = _slice(before, block)
    new = _slice(after, there) if there is not None else (0, 0)
    return _lines(before, old, after, new)


def _found(tree: LexborHTMLParser, css: str, items_css: str) -> LexborNode | None:
    """The first node of the field, within the first item that has one; an item itself where `css` is empty."""
    if not items_css:
        return tree.css_first(css) if css else None
    for item in tree.css(items_css)[:20]:
        found = item.css_first(css) if css else item
        if found is not None:
            return found
    return None


def _block(node: LexborNode) -> LexborNode:
    """The node with as much around it as fits: upwards until there is something to compare, never beyond `_BLOCK`."""
    block = node
    while _size(block) < _ENOUGH:
        above = block.parent
        if above is None or above.tag in {"html", "body", "-document"} or _size(above) > _BLOCK:
            break
        block = above
    return block


def _size(node: LexborNode) -> int:
    return sum(1 for _, _ in zip(node.traverse(), range(_BLOCK + 2), strict=False))


def _counterpart(node: LexborNode, block: LexborNode, tree: LexborHTMLParser) -> LexborNode | None:
    text = clean_text(node.text(deep=True), 1000)
    same = next(iter(nodes_with(tree, [text], "").values()), []) if text else []
    if same:
        return _block(same[0])
    at: LexborNode | None = block
    while at is not None and at.tag not in {"html", "-document"}:
        for rank, css in selectors_for(at):
            found = tree.css(css) if rank <= 2 else []
            if 1 <= len(found) <= (1 if at is not block else 200):
                return found[0]
        at = at.parent
    return None


def _outline(tree: LexborHTMLParser) -> list[_Line]:
    """Every element of the body in page order, scripts and drawings without what is in them."""
    if tree.body is None:
        return []
    lines: list[_Line] = []
    waiting: list[tuple[LexborNode, int]] = [(tree.body, 0)]
    while waiting and len(lines) < _NODES:
        node, depth = waiting.pop()
        lines.append(_Line(depth, _element(node), _own_text(node), node.mem_id))
        if node.tag not in _OPAQUE:
            waiting.extend((child, depth + 1) for child in reversed(list(node.iter())))
    return lines


def _element(node: LexborNode) -> str:
    given = node.attributes
    names = [f"#{given['id']}"] if given.get("id") else []
    names += [f".{name}" for name in (given.get("class") or "")[:400].split()[:6]]
    names += [
        f'[{key}="{(value or "")[:30]}"]' for key, value in given.items() if key in _SHOWN or _DATA.match(key)
    ][:4]  # fmt: skip
    return clean_text(f"{node.tag}{''.join(names)}", _NAMES)


def _own_text(node: LexborNode) -> str:
    if node.tag in _OPAQUE:
        return ""
    own = node.text(deep=False)[:2000]
    return clean_text(redact(own.strip()), _TEXT)


def _slice(lines: list[_Line], root: LexborNode) -> tuple[int, int]:
    """Where the element and all that is in it stand in the outline."""
    start = next((number for number, line in enumerate(lines) if line.node == root.mem_id), -1)
    if start < 0:
        return 0, 0
    end = start + 1
    while end < len(lines) and lines[end].depth > lines[start].depth and end - start < 4 * _BLOCK:
        end += 1
    return start, end


def _lines(before: list[_Line], old: tuple[int, int], after: list[_Line], new: tuple[int, int]) -> tuple[DiffLine, ...]:
    was, now = before[slice(*old)], after[slice(*new)]
    steps = difflib.SequenceMatcher(
        None, [line.element for line in was], [line.element for line in now], autojunk=False
    ).get_opcodes()
    found: list[DiffLine] = []
    for kind, i, j, k, m in steps:
        if kind == "equal":
            pairs = zip(range(i, j), range(k, m), strict=True)
            found.extend(DiffLine(" ", old[0] + a + 1, new[0] + b + 1, _shown(now, b)) for a, b in pairs)
        else:
            found.extend(DiffLine("-", old[0] + a + 1, None, _shown(was, a)) for a in range(i, j))
            found.extend(DiffLine("+", None, new[0] + b + 1, _shown(now, b)) for b in range(k, m))
    return _around_changes(found)


def _shown(lines: list[_Line], number: int) -> str:
    line = lines[number]
    indent = "  " * min(line.depth - lines[0].depth, 12)
    return f"{indent}{line.element}  {line.text}" if line.text else f"{indent}{line.element}"


def _around_changes(lines: list[DiffLine]) -> tuple[DiffLine, ...]:
    changed = [number for number, line in enumerate(lines) if line.kind != " "]
    near = {at for number in changed for at in range(number - AROUND, number + AROUND + 1)}
    shown = [line for number, line in enumerate(lines) if number in near]
    gone = [number for number, line in enumerate(shown) if line.kind == "-"]
    spare = max(MOST // 2, MOST - (len(shown) - len(gone)))
    too_many = set(gone[spare:]) if len(shown) > MOST else set()
    return tuple(line for number, line in enumerate(shown) if number not in too_many)[:MOST]
