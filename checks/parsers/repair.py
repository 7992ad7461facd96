"""Proposes selectors for fields that broke, from the values last extracted while they were fine.

1. Find the last good values on the pages of the new layout, exactly, then nearly; where they are gone, what the pages tell
machines, what links alone show, or what looks like the elements of good pages. 2. Synthesise selectors for the nodes
that hold them, walking up. 3. Try each on every page that has values and keep those that return them best, of equals
the steadiest. 4. Call it verified only if it holds on *every* page at hand: counts in range, contracts kept, and values
overlap on one of them or the witness agrees. Nothing is applied: a person does that.
"""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checks.parsers.anchor import value_key
from checks.parsers.candidates import Anchor, Broken, Source, anchors
from checks.parsers.contract import yield_of
from checks.parsers.extract import extract
from checks.parsers.selector import selectors_for
from checks.parsers.similarity import portraits_of
from checks.parsers.witness import url_key, witness
from data.model.cause import cause
from data.model.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from selectolax.lexbor import LexborNode

    from checks.parsers.extract import FieldValues
    from checks.parsers.memory import ParserMemory
    from checks.parsers.page import Page
    from checks.parsers.similarity import Portrait
    from checks.parsers.spec import FieldSpec, Spec
    from checks.parsers.verdict import PageVerdict
    from checks.parsers.witness import Sighting

ITEMS = "items"
"""Name under which a new item selector is proposed."""
OVERLAP = 0.6
WITNESS_AGREES = 0.8
MOSTLY = 0.8
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
    fill: float = 0.0
    """Share of slots it fills on the page it is reported with, 0..1."""
    same: int = 0
    """Values equal to the last good ones of the same page, over all pages."""
    comparable: int = 0
    """Last good values there are to compare with."""
    pages_ok: int = 0
    """Pages on which count and contracts hold."""
    source: Source = Source.VALUES


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


def repairs_for(
    spec: Spec,
    fields: tuple[str, ...],
    broken: list[Broken],
    memory: ParserMemory,
    most: int = 1,
    good: Sequence[Page] = (),
) -> tuple[Repair, ...]:
    """At most `most` proposals for each of `fields`, best first; with dead items first a new item selector, then fields in it.

    `good` are pages that `spec` reads well, newest first: what elements looked like on them is the last source asked.
    """
    found: list[Repair] = []
    seen = [witness(one.page) for one in broken]
    looks = portraits_of(spec, good)
    if spec.items and not any(extract(spec, one.page).items for one in broken):
        items = _items_repair(spec, broken, memory, looks)
        if items is None:
            return ()
        found.append(items)
        spec = replace(spec, items=items.selector)
    for name in fields:
        field = next(one for one in spec.fields if one.name == name)
        tried = (
            _verified(spec, replace(field, css=css), broken, seen, memory, source)
            for css, source in _best(spec, field, broken, memory, most, looks.get(name, ())).items()
        )
        found.extend(sorted(tried, key=lambda repair: not repair.verified))
    if found and found[0].field == ITEMS:
        found[0] = replace(found[0], verified=_items_hold(spec, found[1:], broken, memory))
    return tuple(found)


def shown_on(spec: Spec, repairs: tuple[Repair, ...], page: Page) -> tuple[Repair, ...]:
    """The same proposals with what each gives on `page`."""
    found = []
    for repair in repairs:
        if repair.field == ITEMS and spec.items:
            spec = replace(spec, items=repair.selector)
            found.append(replace(repair, matches=len(page.tree.css(repair.selector))))
        else:
            field = next(one for one in spec.fields if one.name == repair.field)
            given = _values(spec, replace(field, css=repair.selector), page)
            found.append(replace(repair, matches=len(given.values), fill=round(given.fill, 3)))
    return tuple(found)


def _items_hold(spec: Spec, within: list[Repair], broken: list[Broken], memory: ParserMemory) -> bool:
    """Whether new items are as many as items were, on every page, and a field proved right fills most of them."""
    usual = [sight.items for sight in memory.sights if sight.items]
    counts = [len(one.page.tree.css(spec.items)) for one in broken]
    ranged = bool(usual) and all(min(usual) / COUNT_RANGE <= count <= max(usual) * COUNT_RANGE for count in counts)
    return ranged and any(repair.verified and repair.fill >= MOSTLY for repair in within)


def _best(
    spec: Spec, field: FieldSpec, broken: list[Broken], memory: ParserMemory, most: int, looks: Sequence[Portrait] = ()
) -> dict[str, Source]:
    """Selectors that give best back what a source says over all pages that it knows; the next source is asked while few do."""
    found: dict[str, Source] = {}
    for source, known in anchors(field, broken, memory, looks, many=field.many or bool(spec.items)):
        for css in _synthesised(spec, field, known)[: most - len(found)]:
            found.setdefault(css, source)
        if len(found) >= most:
            break
    return found


def _synthesised(spec: Spec, field: FieldSpec, known: list[Anchor]) -> list[str]:
    """Selectors of the nodes that say what is wanted, best first."""
    ranks: dict[str, int] = {}
    for one in known:
        for nodes in list(one.places.values())[:_ANCHORS]:
            for node in nodes[:3]:
                for rank, css in selectors_for(node, field.attr):
                    ranks[css] = min(rank, ranks.get(css, rank))
    tried = sorted(ranks, key=lambda css: (ranks[css], len(css)))[: _CANDIDATES * 3]
    scored = [(round(_score(spec, replace(field, css=css), known), 2), -ranks[css], -len(css), css) for css in tried]
    return [css for score, _, _, css in sorted(scored, reverse=True) if score >= _WORTH]


def _score(spec: Spec, field: FieldSpec, known: list[Anchor]) -> float:
    """Mean F1 of the values a selector gives against those it should give."""
    scores = []
    for one in known:
        given = _values(spec, field, one.page)
        noise = given.nodes if not (field.many or spec.items) else len(given.values)
        scores.append(f1(given.values, one.wanted, noise))
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


def _verified(
    spec: Spec, field: FieldSpec, broken: list[Broken], sightings: list[Sighting], memory: ParserMemory, source: Source
) -> Repair:
    known = memory.field(field.name)
    usual = [page.n for page in known.pages if page.n]
    supported = [page.support for page in known.pages if page.n]
    agrees = False
    first, fill, held, same, comparable = 0, 0.0, 0, 0, 0
    for number, (one, seen) in enumerate(zip(broken, sightings, strict=True)):
        whole = extract(replace(spec, fields=(field,)), one.page)
        given = whole.field(field.name)
        first, fill = (len(given.values), given.fill) if number == 0 else (first, fill)
        links = seen.agreed(whole)
        kept = _in_range(spec, field, given, usual)
        held += kept and yield_of(field, given, known, seen, links).record.state == "ok"
        wanted = one.values.get(field.name, ())
        same, comparable = same + overlap_count(given.values, wanted), comparable + len(wanted)
        agrees = agrees or (bool(wanted) and f1(given.values, wanted, len(given.values)) >= OVERLAP)
        agrees = agrees or (
            bool(supported) and min(*supported, links.overlap, links.share_of(given.values)) >= WITNESS_AGREES
        )
    good = bool(usual) and held == len(broken)
    return Repair(
        field.name, field.css, first, good and agrees, len(broken), round(fill, 3), same, comparable, held, source
    )


def _in_range(spec: Spec, field: FieldSpec, given: FieldValues, usual: list[int]) -> bool:
    if not (field.many or spec.items):
        return 1 <= given.nodes <= 2
    return min(usual) / COUNT_RANGE <= len(given.values) <= max(usual) * COUNT_RANGE if usual else False


def _items_repair(
    spec: Spec, broken: list[Broken], memory: ParserMemory, looks: Mapping[str, Sequence[Portrait]]
) -> Repair | None:
    """The largest blocks that hold one value each of the field with most values, and a selector for them."""
    for source, anchor in _list_anchors(spec, broken, memory, looks):
        blocks = _blocks([nodes[0] for nodes in anchor.places.values()])
        wanted = {block.mem_id for block in blocks}
        tried: Counter[str] = Counter()
        ranks: dict[str, int] = {}
        for rank, css in (named for block in blocks for named in selectors_for(block)):
            tried[css] += 1
            ranks[css] = min(rank, ranks.get(css, rank))
        best, most = "", (0.0, 0)
        for css, _ in tried.most_common(_CANDIDATES):
            got = [node.mem_id for node in anchor.page.tree.css(css)]
            hit = len(wanted.intersection(got))
            score = round(2 * hit / (len(got) + len(wanted)), 2), -ranks[css]
            best, most = (css, score) if score > most else (best, most)
        if most[0] >= OVERLAP:
            holds = sum(bool(one.page.tree.css_first(best)) for one in broken)
            matches = len(broken[0].page.tree.css(best))
            return Repair(ITEMS, best, matches, False, len(broken), fill=1.0, pages_ok=holds, source=source)
    return None


def _list_anchors(
    spec: Spec, broken: list[Broken], memory: ParserMemory, looks: Mapping[str, Sequence[Portrait]]
) -> Iterator[tuple[Source, Anchor]]:
    """Anchors of the fields that know most values, page by page."""

    def known(field: FieldSpec) -> int:
        return max((len(one.values.get(field.name, ())) for one in broken), default=0)

    for field in sorted(spec.fields, key=known, reverse=True):
        for source, known_on in anchors(field, broken, memory, looks.get(field.name, ())):
            yield from ((source, one) for one in known_on)


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
