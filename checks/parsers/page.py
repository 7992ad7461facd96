from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
from selectolax.lexbor import LexborHTMLParser

from checks.parsers.binary import binary_of, is_noise
from checks.parsers.charset import decode
from checks.parsers.layout import Shape, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MAX_BYTES = 8 * 1024 * 1024
"""Of a page after decoding; more is never read."""
MAX_DEPTH = 1024
"""Deeper nesting is refused: parsing and matching grow with its square, and browsers flatten at 512."""
MAX_ELEMENTS = 300_000
"""Some 100 MB of memory; the largest of a thousand real pages had 30,000."""
MAX_MARKS = 600_000
"""Opening brackets. Each may begin a comment or a text of its own: a page of nothing else would take a gigabyte."""
MAX_ATTRIBUTES = 256
"""Of one element: each is compared with all before it, a million of them would take minutes."""
MAX_OPEN_FORMATTING = 256
MAX_REOPENED = 600_000
"""Unclosed formatting elements are opened again in every paragraph: 80 kB of them would become 3 million nodes."""

_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,15}")
_OPAQUE = re.compile(r"<(?:(script|style)\b|!--)", re.IGNORECASE)
_IN_VALUE = re.compile(r"""=\s*+(?:"[^"]*|'[^']*)\Z""")
"""What begins inside of an attribute's value is no script, and what follows it are elements."""
_VALUE_CHARS = 500
_CLOSES = {
    "script": re.compile(r"</script\s*>", re.IGNORECASE), "style": re.compile(r"</style\s*>", re.IGNORECASE),
    "": re.compile(r"(?<=<!--)-?>|--!?>"),
}  # fmt: skip
_ATTRIBUTE = r"""[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"?|'[^']*+'?|[^\s>"'][^\s>]*+)?+)?+"""
_MANY_ATTRIBUTES = re.compile(rf"<[a-zA-Z](?=([^\s/>]*+(?:{_ATTRIBUTE}){{0,{MAX_ATTRIBUTES}}}+)({_ATTRIBUTE})?+)")
"""Each place where an element may begin, whatever was open before it, with its attributes and one too many."""
_RUN = re.compile(rf"(?:{_ATTRIBUTE}){{1024}}")
_GRID = 16_384
"""Characters between two looks for a run of attributes: what is shorter than two of them costs little."""
_READ_AGAIN = 4
"""Times the page that its elements may be long in all, where each is read to its end."""
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
    fault = _not_a_page(body, text) or hazard(text)
    tree = LexborHTMLParser("" if fault else text.replace("\0", ""))
    hosts = frozenset(host for host in map(host_of, (url, final_url, *_self_links(tree))) if host)
    return Page(tree, shape_of(tree), len(body), url, final_url or url, charset, fault, hosts)


def _not_a_page(body: bytes, text: str) -> str:
    what = binary_of(body) or ("binary data" if is_noise(text) else "")
    if what:
        return f"{what}, not a page"
    return f"larger than {MAX_BYTES >> 20} MiB" if len(body) > MAX_BYTES else ""


def hazard(text: str) -> str:
    """Why this page may not be parsed, or an empty string. Scripts count only if the page is clean without them."""
    marks = text.count("<")
    if marks > MAX_MARKS:
        return f"more than {MAX_MARKS:,} tags and comments"
    if marks > _SURE_TAGS and _tangled(text) and (why := _tangled(_visible(text))):
        return why
    if len(text) > _GRID and _has_run(visible := _visible(text)) and _too_many_attributes(visible):
        return f"more than {MAX_ATTRIBUTES} attributes on one element"
    return ""


def _visible(text: str) -> str:
    """Without scripts, styles and comments that are closed; one pass, however many were opened."""
    parts, kept, at = [], 0, 0
    while opened := _OPAQUE.search(text, at):
        at = opened.end()
        if _IN_VALUE.search(text, max(opened.start() - _VALUE_CHARS, 0), opened.start()):
            continue
        closed = _CLOSES[(opened[1] or "").lower()].search(text, at)
        if closed is None:
            break
        parts.append(text[kept : opened.start()])
        kept = at = closed.end()
    return "".join([*parts, text[kept:]])


def _tangled(text: str) -> str:
    """Whether the elements are too many or too deep in each other."""
    tags = _TAG.findall(text)
    if len(tags) > MAX_ELEMENTS and sum(tag[1] != "/" for tag in tags) > MAX_ELEMENTS:
        return f"more than {MAX_ELEMENTS:,} elements"
    kinds = {tag: number for number, tag in enumerate(set(tags))}
    order = np.fromiter(map(kinds.__getitem__, tags), np.intp, len(tags))
    if _rise(order, [_step(tag, counted=_name(tag) not in _NO_DEPTH) for tag in kinds]) > MAX_DEPTH:
        return f"nested deeper than {MAX_DEPTH} elements"
    open_at_once = _rise(order, [_step(tag, counted=_name(tag) in _FORMATTING) for tag in kinds])
    if open_at_once > MAX_OPEN_FORMATTING or open_at_once * len(tags) > MAX_REOPENED:
        return f"{open_at_once} formatting elements left open"
    return ""


def _has_run(text: str) -> bool:
    return any(_RUN.match(text, at, at + 4 * _GRID) for at in _looks(text))


def _looks(text: str) -> Iterator[int]:
    """Where a run of attributes may be met: at each grid point as it is, and behind either quote if it lies in a value."""
    for at in range(_GRID, len(text), _GRID):
        yield at
        yield from (quote + 1 for mark in "\"'" if (quote := text.find(mark, at, at + _GRID)) >= 0)


def _too_many_attributes(text: str) -> bool:
    left = _READ_AGAIN * len(text)
    for found in _MANY_ATTRIBUTES.finditer(text):
        left -= found.end(1) - found.start(1)
        if found[2] or left < 0:
            return True
    return False


def _rise(order: NDArray[np.intp], steps: list[int]) -> int:
    """The most that are open at once; closing what was never opened counts for nothing."""
    if not any(steps):
        return 0
    run = np.array(steps)[order].cumsum()
    lowest = np.minimum(np.minimum.accumulate(run), 0)
    return int((run - lowest).max())


def _name(tag: str) -> str:
    return tag.strip("</").lower()


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
