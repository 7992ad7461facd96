"""Small facts of a page that was fetched anyway, as evidence for the hub, which knows what the page was like before."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import blake2s
from typing import TYPE_CHECKING

from checks.sites.hygiene.pagelinks import PageLinks, read_links
from checks.sites.hygiene.registry import Registry
from checks.sites.hygiene.tags import read_tags
from checks.sites.page import decode_text, looks_like_html
from data.model.state import State
from data.model.target import TargetKind, name_of

if TYPE_CHECKING:
    from datetime import datetime

    from checks.sites.exchange import Exchange, Walk
    from checks.sites.hygiene.robots import RobotsFiles
    from data.model.ids import TargetId
    from data.model.target import Check

SEO, CANONICAL, HREFLANG, LANG, ROBOTS = "seo", "canonical", "hreflang", "lang", "robots_txt"
LINKS, DROPPED, IDS = "links", "links_dropped", "links_ids"
KEYS = frozenset({SEO, CANONICAL, HREFLANG, LANG, ROBOTS, LINKS, DROPPED, IDS})
"""Keys of evidence that only the comparison needs: the hub drops them where nothing is wrong."""
_LONGEST = 190
_TARGETS = 200_000
_TELLING = frozenset({"x-robots-tag", "link", "content-type"})
_TIMED = "navailable_after"
"""A page that ends by itself is read anew each time."""
_HREFS = re.compile(rb"<!--|-->|href\s{0,9}=\s{0,9}[\"']?[^\"'\s>]{1,600}", re.IGNORECASE)
"""What can change the links of a page, comments included."""
_HTML = ("text/html", "application/xhtml+xml")


@dataclass(slots=True)
class PageFacts:
    """The facts of every site's last page; a page that has not changed is not read again."""

    seo: bool = True
    registry: Registry = field(default_factory=Registry)
    """Empty switches the comparison of links off."""
    robots: RobotsFiles | None = None
    _last: dict[TargetId, tuple[int, dict[str, str]]] = field(default_factory=dict)
    """(hash of all that was read, facts)."""
    _links: dict[TargetId, tuple[int, dict[str, str]]] = field(default_factory=dict)
    """(hash of all references, facts of the links)."""

    def of(self, check: Check, made: Walk, state: State, now: datetime) -> dict[str, str]:
        """Evidence of a site's page that works and is HTML with 200; of anything else nothing.

        `now` is real time.
        """
        last = made.last
        if check.kind is not TargetKind.SITE or state not in {State.OK, State.DEGRADED} or not _counts(last):
            return {}
        facts = self._remembered(check, last, now)
        asks = self.seo and self.robots and not made.vantage and check.target.startswith(f"{TargetKind.SITE}:")
        robots = self.robots.look(last.url) if asks and self.robots else ""
        return {**facts, ROBOTS: robots} if robots else facts

    def _remembered(self, check: Check, last: Exchange, now: datetime) -> dict[str, str]:
        told = tuple(pair for pair in last.headers if pair[0] in _TELLING)
        seen = hash((last.body, told, last.url.text))
        known = self._last.get(check.target)
        if known is not None and known[0] == seen:
            return known[1]
        facts = self._read(check, last, now)
        self._last.pop(check.target, None)
        if not (_TIMED.encode() in last.body or any(_TIMED in value for _, value in told)):
            self._last[check.target] = (seen, facts)
            if len(self._last) > _TARGETS:  # the one that has waited longest for a change goes
                del self._last[next(iter(self._last))]
        return facts

    def _read(self, check: Check, last: Exchange, now: datetime) -> dict[str, str]:
        facts: dict[str, str] = {}
        if self.seo:
            tags = read_tags(last.url, last.headers, last.body, now)
            facts[SEO] = f"noindex by {tags.noindex}" if tags.noindex else "index"
            facts |= {CANONICAL: tags.canonical, HREFLANG: tags.hreflang, LANG: tags.lang}
        if urls := self.registry.pages.get(name_of(check.target)):
            facts |= self._placed(check.target, last, urls)
        return {key: text for key, text in facts.items() if text}

    def _placed(self, target: TargetId, last: Exchange, urls: tuple[str, ...]) -> dict[str, str]:
        """A page that changed around its links is not parsed for them again: that costs most of all."""
        shown = hash((tuple(_HREFS.findall(last.body)), last.url.text))
        known = self._links.get(target)
        if known is not None and known[0] == shown:
            return known[1]
        source = decode_text(last.body, last.header("content-type"))
        facts = _told(read_links(last.url, source, urls, self.registry.tracked), urls)
        self._links[target] = (shown, facts)
        if len(self._links) > _TARGETS:
            del self._links[next(iter(self._links))]
        return facts


def _counts(last: Exchange) -> bool:
    if last.status != 200 or last.fault or not last.body or getattr(last, "ahead", None):
        return False
    kind = last.header("content-type").partition(";")[0].strip().lower()
    return kind in _HTML or (not kind and looks_like_html(last.body[:2048].decode("latin-1")))


def _told(links: PageLinks, urls: tuple[str, ...]) -> dict[str, str]:
    """`8.1f3a:ff:03`: how many are registered, a digest of them, those present and those stripped as hexadecimal masks."""
    digest = blake2s("\n".join(urls).encode("utf-8", "surrogatepass"), digest_size=2).hexdigest()
    masks = f"{links.n}.{digest}:{links.present:x}:{links.stripped:x}"
    if len(masks) > _LONGEST:
        return {}
    ids = links.ids
    while len(told := "; ".join(ids)) > _LONGEST:
        ids = ids[:-1]
    return {LINKS: masks, DROPPED: ",".join(links.dropped)[:_LONGEST], IDS: told}
