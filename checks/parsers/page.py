from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from checks.parsers.charset import decode
from checks.parsers.layout import Shape, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 8 * 1024 * 1024
"""Of a page after decoding; more is never read."""
MAX_DEPTH = 1024
"""Deeper nesting is refused: parsing and matching grow with its square, and browsers flatten at 512."""
MAX_OPEN_FORMATTING = 256
"""Unclosed formatting elements are opened again in every paragraph: 80 kB of them would become 3 million nodes."""

_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,15}")
_OPAQUE = re.compile(r"<!--.*?-->|<(script|style|template|textarea|noscript)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_FORMATTING = frozenset(("b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u"))
"""Reopened after every block; `a` and `nobr` are too, but a second one closes the first."""
_NO_DEPTH = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "p", "li", "dt", "dd", "td", "th", "tr", "option", "html", "head", "body",
    "rect", "path", "circle", "use", "line", "polygon", "ellipse", "stop", "polyline",
))  # fmt: skip
"""Never closed, closed by the next of their kind, or drawn without content: they add no depth of their own."""
_SURE_TAGS = 256


@dataclass(frozen=True, slots=True)
class Page:
    """A page as received, parsed once. A `fault` means that it was refused and `tree` is an empty document."""

    tree: LexborHTMLParser
    shape: Shape
    size: int
    url: str = ""
    final_url: str = ""
    charset: str = "utf-8"
    fault: str = ""
    own_hosts: frozenset[str] = field(default_factory=frozenset)
    """Hosts that are the page's own: links to them are not external."""


def read_page(body: bytes, *, content_type: str = "", url: str = "", final_url: str = "") -> Page:
    """Decode, look for what would blow up, parse and walk once; never raises for any `body`."""
    text, charset = decode(body[:MAX_BYTES], content_type)
    fault = f"larger than {MAX_BYTES >> 20} MiB" if len(body) > MAX_BYTES else hazard(text)
    tree = LexborHTMLParser("" if fault else text.replace("\0", ""))
    hosts = frozenset(host for host in map(host_of, (url, final_url, *_self_links(tree))) if host)
    return Page(tree, shape_of(tree), len(body), url, final_url or url, charset, fault, hosts)


def hazard(text: str) -> str:
    """Why this page may not be parsed, or an empty string. Scripts count only if the page is clean without them."""
    if text.count("<") <= _SURE_TAGS or not _hazard(text):
        return ""
    return _hazard(_OPAQUE.sub("", text))


def _hazard(text: str) -> str:
    tags = _TAG.findall(text)
    if _rise(tags, _depth_step) > MAX_DEPTH:
        return f"nested deeper than {MAX_DEPTH} elements"
    if _rise(tags, _formatting_step) > MAX_OPEN_FORMATTING:
        return f"more than {MAX_OPEN_FORMATTING} formatting elements left open"
    return ""


def _rise(tags: list[str], step: Callable[[str], int]) -> int:
    """The most that are open at once; closing what was never opened counts for nothing."""
    steps = {tag: step(tag) for tag in set(tags)}
    run = list(accumulate(map(steps.__getitem__, tags)))
    if not run or max(run) - min(0, *run) <= MAX_OPEN_FORMATTING:
        return 0
    lowest = accumulate(run, min, initial=0)
    return max(height - low for height, low in zip(run, lowest, strict=False))


def _depth_step(tag: str) -> int:
    return _step(tag, counted=tag.strip("</").lower() not in _NO_DEPTH)


def _formatting_step(tag: str) -> int:
    return _step(tag, counted=tag.strip("</").lower() in _FORMATTING)


def _step(tag: str, *, counted: bool) -> int:
    return (-1 if tag[1] == "/" else 1) if counted else 0


def host_of(url: str) -> str:
    """Lower-case host of `url` without `www.`; empty when there is none or it is broken."""
    try:
        host = (urlsplit(url.strip()).hostname or "").rstrip(".")
    except ValueError:
        return ""
    return host.removeprefix("www.")


def _self_links(tree: LexborHTMLParser) -> list[str]:
    """What the page says its own address is; where it says nothing, the host most of its absolute links lead to."""
    said = [
        node.attributes.get(attr) or ""
        for css, attr in (
            ("link[rel=canonical]", "href"),
            ("meta[property='og:url']", "content"),
            ("base[href]", "href"),
        )
        for node in tree.css(css)[:1]
    ]
    return [url for url in said if host_of(url)]


def common_host(urls: list[str]) -> str:
    """The host most of `urls` lead to."""
    hosts = Counter(filter(None, map(host_of, urls)))
    return hosts.most_common(1)[0][0] if hosts else ""
