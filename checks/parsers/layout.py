"""What a page is built like, regardless of how much is on it.

A page's *tokens* are the distinct pairs (tag.classes of the parent, tag.classes of the element), hashed to 32 bits. A
family's *core* are the tokens on at least 90 % of its good pages. Core loss does not move with the number of results,
which Jaccard similarity does.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from selectolax.lexbor import LexborHTMLParser

CORE_SHARE = 0.9
LOSS_LINE = 0.25
"""Core loss above this is another layout; measured: volatility stays below .03, other years are above .40."""
HALF_LIFE = timedelta(days=14)
PROMOTE_PAGES = 3
PROMOTE_QUERIES = 2
PROMOTE_AFTER = timedelta(hours=24)
"""A parser that only ever sees one URL cannot show two queries; time stands in."""
_EARLY_LINES = {0: 1.0, 1: 0.65, 2: 0.45, 3: 0.45, 4: 0.3}
"""A core known from few pages holds what is only theirs; measured: .64, .30, .27, ... at the 95th percentile."""
MAX_FAMILIES = 6
_CLASS_CHARS = 400
_FORGET = 0.02
_NODE_HISTORY = 20
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Of pages among which none is older than another."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Structure of one page: `tokens` sorted and distinct, `nodes` elements in all."""

    tokens: NDArray[np.uint32]
    nodes: int


@dataclass(frozen=True, slots=True)
class Family:
    """Pages that are built alike. Two arrays as bytes, little-endian: u32 sorted tokens and their f32 decayed counts."""

    id: str
    first_at: datetime
    last_at: datetime
    tokens: bytes
    counts: bytes
    weight: float
    """Decayed number of pages."""
    pages: int
    queries: tuple[int, ...] = ()
    nodes: tuple[int, ...] = ()
    promoted: bool = False

    @property
    def median_nodes(self) -> float:
        return float(np.median(self.nodes)) if self.nodes else 0.0


@dataclass(frozen=True, slots=True)
class Match:
    """How a page stands to the nearest family. `family` is empty where none is near enough."""

    family: str
    nearest: str
    loss: float
    novel: float
    pages: int
    """Good pages the nearest family is known from."""
    node_ratio: float
    """Elements of the page over the family's median."""

    @property
    def known(self) -> bool:
        return bool(self.family)


NO_MATCH = Match("", "", 0.0, 0.0, 0, 1.0)


def shape_of(tree: LexborHTMLParser) -> Shape:
    """Walk the tree once: tokens and number of elements."""
    root = tree.root
    if root is None:
        return Shape(np.empty(0, np.uint32), 0)
    kinds: dict[tuple[str | None, str | None], int] = {}
    kind_of: dict[int, int] = {}
    pairs: set[tuple[int, int]] = set()
    for node in root.traverse():
        kind = kinds.setdefault((node.tag, node.attributes.get("class")), len(kinds))
        parent = node.parent
        kind_of[node.mem_id] = kind
        pairs.add((kind_of.get(parent.mem_id, -1) if parent is not None else -1, kind))
    words = [_word(tag or "", classes) for tag, classes in kinds]
    words.append("")
    hashes = {zlib.crc32(f"{words[above]}>{words[kind]}".encode("utf-8", "replace")) for above, kind in pairs}
    return Shape(np.array(sorted(hashes), np.uint32), len(kind_of))


def _word(tag: str, classes: str | None) -> str:
    return f"{tag}.{'.'.join(sorted(set(classes[:_CLASS_CHARS].split())))}" if classes else tag


def match(families: tuple[Family, ...], shape: Shape) -> Match:
    """The nearest promoted family, by core loss."""
    best = NO_MATCH
    for family in families:
        if family.promoted:
            found = _against(family, shape)
            best = found if best is NO_MATCH or found.loss < best.loss else best
    return best


def loss_line(pages: int) -> float:
    """Core loss that tells layouts apart when the core is known from `pages` pages: a core of one page is all of it."""
    return _EARLY_LINES.get(pages, LOSS_LINE)


def learn(families: tuple[Family, ...], shape: Shape, query: int, at: datetime, *, trusted: bool) -> tuple[Family, ...]:
    """Count one good page in; `trusted` pages (a person says they are good) promote at once."""
    near = min(families, key=lambda family: _against(family, shape).loss, default=None)
    if near is None or _against(near, shape).loss > loss_line(near.pages):
        fresh = Family(_name(shape), at, at, b"", b"", 0.0, 0)
        return _keep((*families, _count(fresh, shape, query, at, trusted=trusted)))
    counted = _count(near, shape, query, at, trusted=trusted)
    return _keep(tuple(counted if family is near else family for family in families))


def alike(shapes: list[Shape]) -> list[str]:
    """For each page a name that pages of one layout share, from these pages alone."""
    families: tuple[Family, ...] = ()
    for number, shape in enumerate(shapes):
        families = learn(families, shape, number, _ANY_TIME, trusted=True)
    return [match(families, shape).nearest for shape in shapes]


def _count(family: Family, shape: Shape, query: int, at: datetime, *, trusted: bool) -> Family:
    days = max((at - family.last_at) / HALF_LIFE, 0.0)
    decay = 0.5**days
    known, counts = _arrays(family)
    tokens = np.union1d(known, shape.tokens).astype(np.uint32)
    merged = np.zeros(len(tokens), np.float32)
    merged[np.searchsorted(tokens, known)] = counts * decay
    merged[np.searchsorted(tokens, shape.tokens)] += 1.0
    weight = family.weight * decay + 1.0
    kept = merged >= _FORGET * weight
    queries = family.queries if query in family.queries else (*family.queries, query)[-8:]
    pages = family.pages + 1
    varied = len(queries) >= PROMOTE_QUERIES or at - family.first_at >= PROMOTE_AFTER
    return replace(
        family,
        last_at=max(at, family.last_at),
        tokens=tokens[kept].astype("<u4").tobytes(),
        counts=merged[kept].astype("<f4").tobytes(),
        weight=weight,
        pages=pages,
        queries=queries,
        nodes=(*family.nodes, shape.nodes)[-_NODE_HISTORY:],
        promoted=family.promoted or trusted or (pages >= PROMOTE_PAGES and varied),
    )


def _against(family: Family, shape: Shape) -> Match:
    known, counts = _arrays(family)
    core = known[counts >= CORE_SHARE * family.weight * 0.999]
    missing = len(core) - len(np.intersect1d(core, shape.tokens, assume_unique=True))
    new = len(shape.tokens) - len(np.intersect1d(known, shape.tokens, assume_unique=True))
    loss = missing / len(core) if len(core) else 1.0
    ratio = shape.nodes / family.median_nodes if family.median_nodes else 1.0
    near = loss <= loss_line(family.pages)
    share = new / max(len(shape.tokens), 1)
    return Match(family.id if near else "", family.id, loss, share, family.pages, ratio)


def _arrays(family: Family) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    return np.frombuffer(family.tokens, "<u4"), np.frombuffer(family.counts, "<f4")


def _keep(families: tuple[Family, ...]) -> tuple[Family, ...]:
    """At most `MAX_FAMILIES`, the ones seen last; a promoted one outlives a candidate."""
    ranked = sorted(families, key=lambda family: (family.promoted, family.last_at), reverse=True)
    return tuple(ranked[:MAX_FAMILIES])


def _name(shape: Shape) -> str:
    return f"{zlib.crc32(shape.tokens.tobytes()) & 0xFFFFFF:06x}"
