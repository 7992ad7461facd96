"""A second extractor that needs no selectors: what looks like a list of results, by links alone.

External anchors are grouped by how they are built; the group that leads to most distinct hosts with most text is the
list of results. It cannot replace a parser, but it does not break together with one.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from checks.parsers.page import common_host, host_of
from data.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selectolax.lexbor import LexborNode

    from checks.parsers.extract import Extraction
    from checks.parsers.page import Page

PROOF = 4
"""Results the witness must see before it is believed."""
_MAX_ANCHORS = 3000
_TEXT_CHARS = 120
_MIN_TEXT = 8
_HEADINGS = "h1,h2,h3,h4,[role=heading]"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Result:
    title: str
    url: str

    @property
    def key(self) -> str:
        return url_key(self.url)


@dataclass(frozen=True, slots=True)
class Group:
    """Links built alike, in page order, one per URL."""

    built: int
    """CRC-32 of how they are built: the same on every page of one layout."""
    shown: int
    """Links in all, repeated ones too."""
    results: tuple[Result, ...]


NO_GROUP = Group(0, 0, ())


@dataclass(frozen=True, slots=True)
class Sighting:
    """Everything links alone show of a page."""

    groups: tuple[Group, ...]
    """The one that looks most like a list of results first."""
    titles: frozenset[str]
    urls: frozenset[str]

    @property
    def best(self) -> Group:
        """The list of results; empty where no group leads to two hosts or more."""
        best = self.groups[0] if self.groups else NO_GROUP
        return best if len({host_of(result.url) for result in best.results}) >= 2 else NO_GROUP

    @property
    def results(self) -> tuple[Result, ...]:
        return self.best.results

    def lead(self, ways: frozenset[int]) -> Group:
        """The best group built in one of the `ways` in which the list of results usually is; the best one where none is."""
        return next((group for group in self.groups if group.built in ways), self.best)

    def supports(self, value: str) -> bool:
        """Whether an extracted value is the text or the address of an external link."""
        return _plain(value) in self.titles or ("/" in value and url_key(unwrap(value)) in self.urls)

    def agreed(self, extraction: Extraction) -> Agreement:
        """The group the parser takes its results from, or the best one where it takes none; and how much of it."""
        values = [value for field in extraction.fields for value in field.values]
        plain, keys = {_plain(value) for value in values}, {url_key(unwrap(value)) for value in values if "/" in value}
        best, most = self.results, 0
        for group in (group.results for group in self.groups):
            hits = sum(_plain(result.title) in plain or result.key in keys for result in group)
            best, most = (group, hits) if hits > most else (best, most)
        return Agreement(best, round(most / len(best), 3) if best else 0.0)


@dataclass(frozen=True, slots=True)
class Agreement:
    results: tuple[Result, ...]
    overlap: float
    """Share of `results` that the parser extracted too, by URL or by title; 0 without results."""

    @property
    def proof(self) -> bool:
        return len(self.results) >= PROOF

    def share_of(self, values: Sequence[str]) -> float:
        """Share of `values` that are the title or the address of one of `results`."""
        titles, keys = {_plain(result.title) for result in self.results}, {result.key for result in self.results}
        hits = sum(_plain(value) in titles or ("/" in value and url_key(unwrap(value)) in keys) for value in values)
        return hits / len(values) if values else 0.0


def witness(page: Page) -> Sighting:
    """Group the page's external links and rank the groups."""
    groups: dict[str, dict[str, Result]] = defaultdict(dict)
    shown: Counter[str] = Counter()
    for node, url in _external(page):
        heading = node.css_first(_HEADINGS)
        title = clean_text((heading or node).text(deep=True), 300)
        if len(title) >= _MIN_TEXT:
            built = _signature(node, headed=heading is not None)
            groups[built].setdefault(url_key(url), Result(title, url))
            shown[built] += 1
    ranked = sorted(
        (Group(_crc(built), shown[built], tuple(group.values())) for built, group in groups.items()),
        key=_score,
        reverse=True,
    )
    found = [result for group in ranked for result in group.results]
    titles = frozenset(_plain(result.title) for result in found)
    return Sighting(tuple(ranked), titles, frozenset(result.key for result in found))


def unwrap(url: str) -> str:
    """The target inside a redirect link such as `/url?q=https://...`, else `url` itself."""
    if "?" not in url:
        return url
    try:
        query = parse_qsl(urlsplit(url).query, max_num_fields=40)
    except ValueError:
        return url
    return next((value for _, value in query if value.startswith(("http://", "https://"))), url)


def url_key(url: str) -> str:
    """Host, path and query without scheme, `www.`, fragment and a closing slash: what two links to one page share."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url
    query = f"?{parts.query}" if parts.query else ""
    return f"{host_of(url)}{parts.path.rstrip('/')}{query}"


def _external(page: Page) -> list[tuple[LexborNode, str]]:
    """(anchor, unwrapped URL) of links that leave the page's own hosts."""
    anchors = []
    for node in page.tree.css("a[href]")[:_MAX_ANCHORS]:
        href = (node.attributes.get("href") or "").strip()
        if href.startswith(("http://", "https://", "//")) or (href.startswith("/") and "=http" in href):
            anchors.append((node, unwrap(href)))
    own = page.own_hosts or frozenset(filter(None, [_busiest([url for _, url in anchors])]))
    sites = {_site(host) for host in own} | {""}
    return [(node, url) for node, url in anchors if _site(host_of(url)) not in sites]


def _busiest(urls: list[str]) -> str:
    """The page's own host, guessed: the one most links lead to, if that is a third of them or more."""
    host = common_host(urls)
    share = sum(host_of(url) == host for url in urls) / max(len(urls), 1)
    return host if share >= 1 / 3 else ""


def _site(host: str) -> str:
    """Last two labels (three under `co.uk` and the like): good enough to call a link internal."""
    labels = host.split(".")
    short = len(labels) >= 3 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if short else labels[-2:])


def _signature(node: LexborNode, *, headed: bool) -> str:
    parent = node.parent
    above = f"{parent.tag}.{_classes(parent)}" if parent is not None else ""
    return f"{above}>{node.tag}.{_classes(node)}{'!' if headed else ''}"


def _classes(node: LexborNode) -> str:
    return ".".join(sorted((node.attributes.get("class") or "")[:400].split()))


def _crc(signature: str) -> int:
    return zlib.crc32(signature.encode("utf-8", "replace"))


def _score(group: Group) -> float:
    results = group.results
    hosts = len({host_of(result.url) for result in results})
    return hosts * sum(min(len(result.title), _TEXT_CHARS) for result in results) / len(results)


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))[:200]
