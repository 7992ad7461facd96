"""What a hop says about the next one. Pure: nothing here touches the network."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from selectolax.lexbor import LexborHTMLParser

from checks.sites.exchange import Exchange, Fault
from checks.sites.page import read_page
from checks.sites.url import BadUrl, Url, follow, parse
from data.model.cause import cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

    from data.model.target import Expect

MAX_REDIRECTS = 10
_CLIENT_SIDE_TEXT = 300
"""A page that shows more than this many characters is a page, whatever its scripts may do."""
_REFRESH_S = 5.0
_HEAD = 65_536
_META = re.compile(rb"<meta\b[^>]{0,500}\bhttp-equiv\s*=\s*[\"']?refresh\b", re.IGNORECASE)
_DELAY_URL = re.compile(r"\s*([\d.]+)\s*[;,]?\s*(?:url\s*=\s*)?[\"']?\s*([^\"']+?)\s*[\"']?\s*\Z", re.IGNORECASE)
_SCRIPT = re.compile(
    rb"(?:window\.|document\.|top\.|self\.)?location(?:\.href)?\s*(?:=|\.(?:replace|assign)\()\s*[\"']((?:[^\"'\\]|\\/){1,2000})[\"']"
)
_FALLBACK = re.compile(r";S\.browser_fallback_url=([^;]+)")
_NO_PLACE = frozenset({"javascript", "data", "about", "blob", "mailto", "tel", "sms"})
"""Schemes by which a page does not leave itself."""


@dataclass(frozen=True, slots=True)
class Next:
    """Where the chain goes on; `client_side` when a page, not the protocol, says so."""

    url: Url
    client_side: bool = False


def next_step(exchange: Exchange, expect: Expect, *, mobile: bool = False) -> Next | Fault | None:
    """The next hop, why there can be none, or `None` when this answer is the end.

    1. A fault ends the chain. 2. So does a status that the check expressly accepts. 3. A redirect status needs a
    Location that is a URL of the web; a phone also takes the web fallback of an app's intent. 4. A page may send the
    visitor on by Refresh header, meta refresh or, when it shows next to nothing, by script.
    """
    if exchange.fault or exchange.status in expect.status:
        return None
    if exchange.redirects:
        return _redirect(exchange, mobile=mobile)
    if 200 <= exchange.status < 300:
        return _client_side(exchange, mobile=mobile)
    return None


def _redirect(exchange: Exchange, *, mobile: bool) -> Next | Fault | None:
    location = exchange.header("location").strip()
    if not location:
        if exchange.status == 300:  # a list of choices is a page
            return None
        return Fault(
            cause("redirect.no_location"), f"{exchange.url.netloc} redirects ({exchange.status}) without a target"
        )
    target = _target(exchange.url, location, mobile=mobile)
    if isinstance(target, Url):  # a redirect without a fragment keeps the one there was (RFC 9110, 10.2.2)
        return Next(replace(target, fragment=target.fragment or exchange.url.fragment))
    if target.scheme and target.scheme not in {"http", "https"}:
        return _to_app(exchange.url, target)
    return Fault(cause("redirect.bad_location"), f"{exchange.url.netloc} redirects to a broken URL: {target.reason}")


def _target(base: Url, wanted: str, *, mobile: bool) -> Url | BadUrl:
    """`wanted` as a URL of the web; for a phone the fallback that an `intent:` names."""
    target = follow(base, wanted)
    if mobile and isinstance(target, BadUrl) and target.scheme == "intent":
        fallback = _FALLBACK.search(wanted)
        web = parse(unquote(fallback.group(1))) if fallback else target
        return web if isinstance(web, Url) else target
    return target


def _to_app(url: Url, target: BadUrl) -> Fault:
    return Fault(cause("redirect.non_http"), f"{url.netloc} redirects to an app or script ({target.scheme}:)")


def _client_side(exchange: Exchange, *, mobile: bool) -> Next | Fault | None:
    """By the first way that leads to another URL of the web; an app's scheme is the end when nothing else does."""
    to_app: Fault | None = None
    for wanted in _ways_on(exchange):
        target = _target(exchange.url, wanted, mobile=mobile)
        if isinstance(target, Url):
            if target != exchange.url:
                return Next(target, client_side=True)
        elif target.scheme and target.scheme not in {"http", "https", *_NO_PLACE}:
            to_app = to_app or _to_app(exchange.url, target)
    return to_app


def _ways_on(exchange: Exchange) -> Iterator[str]:
    if refresh := exchange.header("refresh"):
        yield _refreshes_to(refresh)
    if exchange.body:
        yield _meta_refresh(exchange.body[:_HEAD])
        yield from _script_locations(exchange.body)


def _meta_refresh(head: bytes) -> str:
    """A browser that runs scripts ignores a refresh inside `noscript`, so it counts only where nothing else is to see."""
    if _META.search(head) is None:
        return ""
    tags = LexborHTMLParser(head.decode("utf-8", "replace")).css("meta[http-equiv]")
    refreshing = [tag for tag in tags if (tag.attributes["http-equiv"] or "").strip().lower() == "refresh"]
    for tag in refreshing:
        if not _unrun(tag) or _shows_little(head):
            return _refreshes_to(tag.attributes.get("content") or "")
    return ""


def _unrun(tag: LexborNode) -> bool:
    return tag.parent is not None and tag.parent.tag == "noscript"


def _refreshes_to(text: str) -> str:
    """`0; url=/land` of a header or a meta tag; empty when it is slow, or reloads the page itself."""
    parts = _DELAY_URL.match(text)
    try:
        return parts.group(2) if parts and float(parts.group(1)) <= _REFRESH_S else ""
    except ValueError:
        return ""


def _script_locations(body: bytes) -> Iterator[str]:
    """Literals assigned to `location` on a page that shows next to nothing else."""
    if len(body) > _HEAD or b"location" not in body or _SCRIPT.search(body) is None or not _shows_little(body):
        return
    if re.search(rb"<(?:a|form|img|iframe)\b", body, re.IGNORECASE) and b"onclick" in body:
        return
    for found in _SCRIPT.finditer(body):
        yield found.group(1).decode("utf-8", "replace").replace("\\/", "/")


def _shows_little(body: bytes) -> bool:
    return len(read_page(body, "text/html").text) <= _CLIENT_SIDE_TEXT
