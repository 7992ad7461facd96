"""Labelled search pages, kept privately, and selectors learned from them: what works, what is broken, by engine."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from checks.parsers.anchor import plain
from checks.parsers.extract import Extraction, extract
from checks.parsers.page import Page, read_page
from checks.parsers.selector import selectors_for
from checks.parsers.spec import FieldKind, FieldSpec, Spec
from checks.parsers.witness import unwrap, url_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from selectolax.lexbor import LexborNode

NO_CORPORA = "skipped: no real pages here (set LOSSWATCH_CORPORA to the folder of the private corpora)"
FINE, BROKEN = 0.9, 0.5
"""F1 of the extracted against the labelled values: from here on a selector works, below this it is broken."""
MEMORY_PAGES = 3
FEW_LABELS = 3
SELECTORS_A_PAGE = 4
WRONG_NODES = 5
"""A broken selector that still gives this many wrong values is silent."""
_ARCHIVE = re.compile(r"^https?://web\.archive\.org/web/\d+\w*/")
_ATTRS = {"title": "", "url": "href", "snippet": ""}
_TAGS = {"title": "h2,h3,h4,a,div,span", "url": "a[href]", "snippet": "p,div,span,td"}
_NAME = re.compile(r"^[A-Za-z_][\w-]*$")
_SHORT, _LONG, _MOST_NODES = 12, 600, 60


@dataclass(frozen=True, slots=True)
class Labelled:
    """One page and what people said stands on it."""

    engine: str
    date: str
    body: bytes
    page: Page
    wanted: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Case:
    """One SPEC of one field on one page it was not learned from."""

    engine: str
    spec: Spec
    good: tuple[Labelled, ...]
    """Pages it works on, for the memory."""
    other: Labelled
    f1: float
    wrong: int
    """Values that are not among the labelled ones."""

    @property
    def broken(self) -> bool:
        return self.f1 < BROKEN

    @property
    def silent(self) -> bool:
        return self.broken and self.wrong >= WRONG_NODES


def corpora() -> Path | None:
    """The folder of real pages that are never committed, where there is one."""
    folder = Path(os.environ.get("LOSSWATCH_CORPORA") or Path(__file__).parents[3] / "shared" / "corpora")
    return folder if (folder / "serp" / "webis-aql" / "index.json").exists() else None


def packed(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def labelled(folder: Path) -> list[Labelled]:
    """Pages with three labelled results or more; a page without labels is rarely a page without results."""
    home = folder / "serp" / "webis-aql"
    found = []
    for row in json.loads((home / "index.json").read_text()):
        if len(row["results"]) >= FEW_LABELS:
            body = packed(home / row["file"])
            page = read_page(body, url=_ARCHIVE.sub("", row["url"]))
            wanted = {
                name: tuple(filter(None, (result.get(name) or "" for result in row["results"]))) for name in _ATTRS
            }
            found.append(Labelled(row["engine"], row["date"], body, page, wanted))
    return found


def cases(pages: list[Labelled]) -> Iterator[Case]:
    """Each SPEC learned on any page, on every page of its engine that its memory does not hold."""
    for engine in sorted({page.engine for page in pages}):
        own = [page for page in pages if page.engine == engine]
        for spec, learned_on in [*_specs(own), *_item_specs(own)]:
            yield from _cases_of(engine, spec, learned_on, own)


def wrong_targets(case: Case, picked: Random) -> list[Spec]:
    """The SPEC of a working case, its selector pointed at other nodes of the page: at least five wrong values each."""
    (field,) = case.spec.fields
    places = _classes_on(case.other.page)
    picked.shuffle(places)
    found: list[Spec] = []
    for css in places:
        own = css + (f"[{field.attr}]" if css.startswith("a.") else f" a[{field.attr}]") if field.attr else css
        spec = replace(case.spec, fields=(replace(field, css=own),))
        f1, wrong = score(spec, case.other)
        if f1 < BROKEN and wrong >= WRONG_NODES:
            found.append(spec)
        if len(found) >= SELECTORS_A_PAGE:
            break
    return found


def _classes_on(page: Page) -> list[str]:
    counted = Counter(
        f"{node.tag}.{name}"
        for node in page.tree.css("body [class]")
        for name in (node.attributes.get("class") or "").split()
        if _NAME.match(name)
    )
    return [css for css, count in sorted(counted.items()) if WRONG_NODES <= count <= _MOST_NODES]


def score(spec: Spec, labels: Labelled) -> tuple[float, int]:
    """F1 of what `spec` takes, and how many values are wrong; of its worst field."""
    extraction = extract(spec, labels.page)
    return min(score_of(field.name, extraction, labels) for field in spec.fields)


def score_of(name: str, extraction: Extraction, labels: Labelled) -> tuple[float, int]:
    """Of one field. A label that goes on where the page stops (or the reverse) is the same text."""
    given = [_key(name, value) for value in extraction.field(name).values]
    wanted = {_key(name, value) for value in labels.wanted[name]} - {""}
    hits = {want for want in wanted if any(_same(name, want, key) for key in given)}
    right = sum(any(_same(name, want, key) for want in wanted) for key in given)
    if not given or not wanted:
        return 0.0, len(given)
    precision, recall = right / len(given), len(hits) / len(wanted)
    return 2 * precision * recall / max(precision + recall, 1e-9), len(given) - right


def _same(name: str, want: str, key: str) -> bool:
    if want == key:
        return True
    if name == "url" or min(len(want), len(key)) < _SHORT:
        return False
    head = min(len(want), len(key), 40)
    inside = want[:head] in key and len(key) < 2 * len(want) + 80
    return want[:head] == key[:head] or (want.endswith(key) if name == "title" else inside)


def _key(name: str, value: str) -> str:
    return url_key(unwrap(value)).lower() if name == "url" else plain(value)


def _specs(pages: list[Labelled]) -> list[tuple[Spec, Labelled]]:
    """Distinct selectors that work on the page they were learned on."""
    found: dict[tuple[str, str], tuple[Spec, Labelled]] = {}
    for labels in pages:
        for name, attr in _ATTRS.items():
            if len(labels.wanted[name]) >= FEW_LABELS:
                for css in _selectors(labels, name, attr):
                    kind = FieldKind.URL if name == "url" else FieldKind.TEXT
                    spec = Spec(name, (FieldSpec(name, css, attr, kind, many=True),))
                    found.setdefault((name, css), (spec, labels))
    return list(found.values())


def _selectors(labels: Labelled, name: str, attr: str) -> list[str]:
    tried: dict[str, int] = defaultdict(int)
    ranks: dict[str, int] = {}
    for node in _nodes(labels, name, attr):
        for rank, css in selectors_for(node, attr):
            tried[css] += 1
            ranks[css] = rank
    often = [css for css, count in tried.items() if 2 * count >= len(labels.wanted[name])]
    kept = []
    for css in sorted(often, key=lambda css: (ranks[css], css))[:25]:
        spec = Spec(name, (FieldSpec(name, css, attr, many=True),))
        if score(spec, labels)[0] >= FINE:
            kept.append(css)
    return kept[:SELECTORS_A_PAGE]


def _nodes(labels: Labelled, name: str, attr: str) -> list[LexborNode]:
    wanted = {_key(name, value) for value in labels.wanted[name]} - {""}
    found = []
    for node in labels.page.tree.css(_TAGS[name]):
        text = (node.attributes.get(attr) or "") if attr else node.text(deep=True)
        if text and len(text) <= _LONG + 200 and any(_same(name, want, _key(name, text)) for want in wanted):
            found.append(node)
    return found


def _item_specs(pages: list[Labelled]) -> list[tuple[Spec, Labelled]]:
    """SPECs of whole results: an element around each title, and in it the title and the link."""
    found: dict[str, tuple[Spec, Labelled]] = {}
    for labels in pages:
        titles = [node for node in _nodes(labels, "title", "") if node.tag != "div"]
        for items in _around(titles)[:40]:
            spec = item_spec(items, Counter(node.tag for node in titles).most_common(1)[0][0] or "a")
            if items not in found and score(spec, labels)[0] >= FINE:
                found[items] = (spec, labels)
    return list(found.values())


def item_spec(items: str, title: str) -> Spec:
    """Title and first link of each element that `items` matches."""
    link = FieldSpec("url", "a[href]", "href", FieldKind.URL)
    return Spec("results", (FieldSpec("title", title), link), items=items)


def _around(titles: list[LexborNode]) -> list[str]:
    """Selectors of elements around most titles, the outermost last."""
    often: Counter[str] = Counter()
    height: dict[str, int] = {}
    for title in titles:
        node = title.parent
        for level in range(1, 6):
            if node is None or node.tag in {"body", "html"}:
                break
            own = {css for _, css in selectors_for(node) if " " not in css and css != node.tag}
            often.update(own - {css for css, at in height.items() if at < level})
            height |= dict.fromkeys(own - height.keys(), level)
            node = node.parent
    return sorted((css for css, count in often.items() if 2 * count >= len(titles)), key=height.__getitem__)


def _cases_of(engine: str, spec: Spec, learned_on: Labelled, pages: list[Labelled]) -> Iterator[Case]:
    names = [field.name for field in spec.fields]
    full = [page for page in pages if all(len(page.wanted[name]) >= FEW_LABELS for name in names)]
    scored = [(page, *score(spec, page)) for page in full]
    good = [page for page, f1, _ in scored if f1 >= FINE]
    if len(good) < MEMORY_PAGES:
        return
    near = sorted(good, key=lambda page: (page is not learned_on, abs(_days(page) - _days(learned_on))))[:MEMORY_PAGES]
    for page, f1, wrong in scored:
        if page not in near and (f1 >= FINE or f1 < BROKEN):
            yield Case(engine, spec, tuple(near), page, f1, wrong)


def _days(labels: Labelled) -> int:
    year, month, day = map(int, labels.date[:10].split("-"))
    return year * 372 + month * 31 + day
