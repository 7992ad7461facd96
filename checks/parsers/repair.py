"""Proposes selectors for fields that broke, from the values last extracted while they were fine.

1. Find the last good values on the pages of the new layout, exactly, then nearly. 2. Synthesise selectors for the nodes
that hold them, walking up. 3. Try each on every page that has values and keep the one that returns them best, of equals
the steadiest. 4. Call it verified only if it holds on *every* page at hand: counts in range, contracts kept, and values
overlap on one of them or the witness agrees. Nothing is applied: a person does that.
"""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checks.parsers.anchor import nodes_with, value_key
from checks.parsers.contract import yield_of
from checks.parsers.extract import extract
from checks.parsers.selector import selectors_for
from checks.parsers.witness import url_key, witness
from data.model.cause import cause
from data.model.state import State

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

    from checks.parsers.extract import FieldValues
    from checks.parsers.memory import ParserMemory
    from checks.parsers.page import Page
    from checks.parsers.spec import FieldSpec, Spec
    from checks.parsers.verdict import PageVerdict

ITEMS = "items"
"""Name under which a new item selector is proposed."""
OVERLAP = 0.6
WITNESS_AGREES = 0.8
COUNT_RANGE = 3.0
"""A count is in range between a third of the least and three times the most of the good pages."""
NOT_THE_CONTENT = frozenset(
    map(cause, ("page.blocked", "page.consent", "page.no_results", "page.empty", "proto.malformed"))
)
_ANCHORS = 12
_CANDIDATES = 80
_WORTH = 0.3
"""Worse candidates are not proposed at all."""


@dataclass(frozen=True, slots=True)
class Repair:
    field: str
    selector: str
    matches: int
    """Values it gives on the page it is reported with."""
    verified: bool
    pages: int
    """Pages of the new layout it was tried on."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A page of the new layout, with the last good values of that same page where they are known."""

    page: Page
    values: dict[str, tuple[str, ...]]


def broken_fields(spec: Spec, verdict: PageVerdict) -> tuple[str, ...]:
    """Fields a repair may be sought for; none where the page itself is not the content."""
    if verdict.state is State.OK or verdict.cause in NOT_THE_CONTENT:
        return ()
    if spec.items and not verdict.extraction.items:
        return tuple(field.name for field in spec.fields)
    return tuple(field.name for field in verdict.fields if field.state != "ok")


def repairs_from_memory(spec: Spec, page: Page, verdict: PageVerdict, memory: ParserMemory) -> tuple[Repair, ...]:
    """Proposals anchored on what was last extracted from this page's own URL; none where that is not known."""
    address = zlib.crc32(url_key(page.url).encode())
    last = next((last for last in memory.last_good if last.url == address), None)
    fields = broken_fields(spec, verdict)
    return repairs_for(spec, fields, [Broken(page, last.values)], memory) if last and fields else ()


def repairs_for(spec: Spec, fields: tuple[str, ...], broken: list[Broken], memory: ParserMemory) -> tuple[Repair, ...]:
    """One proposal at most for each of `fields`; with dead items first a new item selector, then fields within it."""
    found: list[Repair] = []
    if spec.items and not any(extract(spec, one.page).items for one in broken):
        items = _items_repair(spec, broken)
        if items is None:
            return ()
        found.append(items)
        spec = replace(spec, items=items.selector)
    for name in fields:
        field = next(one for one in spec.fields if one.name == name)
        best = _best(spec, field, broken)
        if best:
            found.append(_verified(spec, replace(field, css=best), broken, memory))
    return tuple(found)


def _best(spec: Spec, field: FieldSpec, broken: list[Broken]) -> str:
    """The selector that gives the last good values back best over all pages that have them; empty when none does."""
    known = [one for one in broken if one.values.get(field.name)]
    ranks: dict[str, int] = {}
    for one in known[:5]:
        for nodes in list(nodes_with(one.page.tree, one.values[field.name], field.attr).values())[:_ANCHORS]:
            for node in nodes[:3]:
                for rank, css in selectors_for(node, field.attr):
                    ranks[css] = min(rank, ranks.get(css, rank))
    tried = sorted(ranks, key=lambda css: (ranks[css], len(css)))[: _CANDIDATES * 3]
    scored = [(round(_score(spec, replace(field, css=css), known), 2), -ranks[css], -len(css), css) for css in tried]
    best = max(scored, default=(0.0, 0, 0, ""))
    return best[3] if best[0] >= _WORTH else ""


def _score(spec: Spec, field: FieldSpec, known: list[Broken]) -> float:
    """Mean F1 of the values a selector gives against the last good ones."""
    scores = []
    for one in known:
        given = _values(spec, field, one.page)
        noise = given.nodes if not (field.many or spec.items) else len(given.values)
        scores.append(f1(given.values, one.values[field.name], noise))
    return sum(scores) / len(scores) if scores else 0.0


def f1(given: tuple[str, ...], wanted: tuple[str, ...], noise: int) -> float:
    """Harmonic mean of precision (of `noise` values given) and recall, by plain words."""
    hits = overlap_count(given, wanted)
    return 2 * hits / (max(noise, len(given)) + len(wanted)) if wanted else 0.0


def overlap_count(given: tuple[str, ...], wanted: tuple[str, ...]) -> int:
    """Values that both have, each counted as often as both have it."""
    have, want = Counter(map(value_key, given)), Counter(map(value_key, wanted))
    return sum((have & want).values())


def _values(spec: Spec, field: FieldSpec, page: Page) -> FieldValues:
    return extract(replace(spec, fields=(field,)), page).field(field.name)


def _verified(spec: Spec, field: FieldSpec, broken: list[Broken], memory: ParserMemory) -> Repair:
    known = memory.field(field.name)
    usual = [page.n for page in known.pages if page.n]
    supported = [page.support for page in known.pages if page.n]
    good, agrees = bool(usual), False
    first = 0
    for number, one in enumerate(broken):
        given = _values(spec, field, one.page)
        seen = witness(one.page)
        whole = extract(replace(spec, fields=(field,)), one.page)
        first = len(given.values) if number == 0 else first
        good = good and _in_range(spec, field, given, usual)
        good = good and yield_of(field, given, known, seen, seen.agreed(whole)).record.state == "ok"
        wanted = one.values.get(field.name, ())
        agrees = agrees or (bool(wanted) and f1(given.values, wanted, len(given.values)) >= OVERLAP)
        agrees = agrees or (
            bool(supported) and min(supported) >= WITNESS_AGREES
            and bool(given.values) and sum(map(seen.supports, given.values)) >= WITNESS_AGREES * len(given.values)
        )  # fmt: skip
    return Repair(field.name, field.css, first, good and agrees, len(broken))


def _in_range(spec: Spec, field: FieldSpec, given: FieldValues, usual: list[int]) -> bool:
    if not (field.many or spec.items):
        return 1 <= given.nodes <= 2
    return min(usual) / COUNT_RANGE <= len(given.values) <= max(usual) * COUNT_RANGE if usual else False


def _items_repair(spec: Spec, broken: list[Broken]) -> Repair | None:
    """The largest blocks that hold one value each of the field with most values, and a selector for them."""
    for one in broken:
        name = max(one.values, key=lambda key: len(one.values[key]), default="")
        field = next((field for field in spec.fields if field.name == name), None)
        if field is None:
            continue
        anchors = [nodes[0] for nodes in nodes_with(one.page.tree, one.values[name], field.attr).values()]
        blocks = _blocks(anchors)
        wanted = {block.mem_id for block in blocks}
        tried = Counter(css for block in blocks for _, css in selectors_for(block))
        best, most = "", 0.0
        for css, _ in tried.most_common(_CANDIDATES):
            got = [node.mem_id for node in one.page.tree.css(css)]
            hit = len(wanted.intersection(got))
            score = 2 * hit / (len(got) + len(wanted))
            best, most = (css, score) if score > most else (best, most)
        if most >= OVERLAP:
            return Repair(ITEMS, best, len(one.page.tree.css(best)), verified=False, pages=len(broken))
    return None


def _blocks(anchors: list[LexborNode]) -> list[LexborNode]:
    """For each anchor the highest ancestor that holds no other anchor."""
    holds: Counter[int] = Counter()
    for anchor in anchors:
        for node in _upwards(anchor):
            holds[node.mem_id] += 1
    blocks = []
    for anchor in anchors:
        alone = [node for node in _upwards(anchor) if holds[node.mem_id] == 1]
        blocks.append(alone[-1] if alone else anchor)
    return blocks if len(anchors) >= 2 else []


def _upwards(node: LexborNode) -> list[LexborNode]:
    path: list[LexborNode] = []
    at: LexborNode | None = node
    while at is not None and at.tag not in {"html", "body"} and len(path) < 100:
        path.append(at)
        at = at.parent
    return path
