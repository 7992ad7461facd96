"""What a page tells search engines: indexing, canonical, hreflang, language. Pure: (url, headers, body, now)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2s
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from checks.sites.page import decode_text
from checks.sites.url import BadUrl, Url, follow

if TYPE_CHECKING:
    from collections.abc import Iterable

BOTS = frozenset({"robots", "googlebot", "bingbot"})
"""Names under which a page speaks to the engines that send visitors; `robots` is all of them."""
SELF = "self"
"""A canonical that is the page itself."""
_FORBIDS = frozenset({"noindex", "none"})
_WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_HEAD_END = re.compile(r"</head\s*>|<body[\s>]", re.IGNORECASE)
_HEAD_MOST = 262_144
_LONGEST = 160
_LANGUAGES = 14
_AGENT = re.compile(r"\s*([A-Za-z0-9_-]+)\s*:\s*(.*)", re.DOTALL)
_LINK = re.compile(r"<([^<>]{0,4000})>((?:\s*;\s*[^\s;,=]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]*))?)*)")
_LINK_PARAM = re.compile(r";\s*([^\s;,=]+)\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]*))")
_UNTIL = re.compile(r"unavailable_after\s*[:=]?\s*(.{6,60})", re.IGNORECASE)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Tags:
    """All texts are short enough for evidence; empty means that the page does not say."""

    noindex: str = ""
    """Who forbids indexing: `X-Robots-Tag`, `meta robots`, `meta googlebot`, ..."""
    canonical: str = ""
    """`self`, or a normalised URL; one that is too long ends in a digest."""
    hreflang: str = ""
    """`de:1f3a de-at:09bc x-default:1f3a`, by language, the target as a digest; many languages as one digest."""
    lang: str = ""


def read_tags(url: Url, headers: Iterable[tuple[str, str]], body: bytes, now: datetime) -> Tags:
    """The tags of an HTML page at `url`. Of several canonicals the first counts, of headers and tags both."""
    pairs = tuple(headers)
    content_type = next((value for name, value in pairs if name == "content-type"), "")
    tree = LexborHTMLParser(head_of(decode_text(body, content_type)))
    forbidden = _by_header(pairs, now) or _by_meta(tree, now)
    canonicals, alternates = _linked(tree), dict[str, str]()
    for target, rel, lang in _headed(pairs):
        if "canonical" in rel:
            canonicals.append(target)
        elif "alternate" in rel and lang:
            alternates[lang] = target
    for node in tree.css("link[hreflang]"):
        if "alternate" in (node.attributes.get("rel") or "").lower():
            alternates[(node.attributes.get("hreflang") or "").strip().lower()] = node.attributes.get("href") or ""
    root = tree.css_first("html")
    lang = (root.attributes.get("lang") or "") if root else ""
    return Tags(forbidden, _canonical(url, canonicals), _hreflang(url, alternates), lang.strip().lower()[:20])


def head_of(source: str) -> str:
    """The part of a page in which its tags may stand."""
    end = _HEAD_END.search(source, 0, _HEAD_MOST)
    return source[: end.start() if end else _HEAD_MOST]


def normal(url: Url) -> str:
    """The same page is the same text: no default port, no trailing slash, no `www.`-blindness, query in its order."""
    path = url.path.rstrip("/")
    return f"{url.scheme}://{url.netloc}{path}{'?' + url.query if url.query else ''}"


def _linked(tree: LexborHTMLParser) -> list[str]:
    nodes = tree.css("link[rel][href]")
    return [
        node.attributes.get("href") or ""
        for node in nodes
        if "canonical" in (node.attributes.get("rel") or "").lower().split()
    ]


def _headed(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, list[str], str]]:
    """(target, rel words, hreflang) of every Link header."""
    for name, value in headers:
        if name == "link":
            for target, params in _LINK.findall(value[:16_384]):
                named = {key.lower(): quoted or plain for key, quoted, plain in _LINK_PARAM.findall(params)}
                yield target, named.get("rel", "").lower().split(), named.get("hreflang", "").strip().lower()


def _canonical(url: Url, targets: list[str]) -> str:
    wanted = next((target for target in targets if target.strip()), "")
    found = follow(url, wanted) if wanted else None
    if found is None:
        return ""
    if isinstance(found, BadUrl):
        return _short(wanted.strip())
    return SELF if normal(found) == normal(url) else _short(normal(found))


def _hreflang(url: Url, alternates: dict[str, str]) -> str:
    named: dict[str, str] = {}
    for lang, href in alternates.items():
        found = follow(url, href) if lang and href.strip() else None
        if isinstance(found, Url):
            named[lang[:12].replace(" ", "")] = normal(found)
    if not named:
        return ""
    if len(named) <= _LANGUAGES:
        words = " ".join(f"{lang}:{_digest(named[lang], 2)}" for lang in sorted(named))
        if len(words) <= _LONGEST:
            return words
    whole = " ".join(f"{lang}={named[lang]}" for lang in sorted(named))
    return f"{len(named)} languages, {_digest(whole, 6)}"


def _by_header(headers: Iterable[tuple[str, str]], now: datetime) -> str:
    for name, value in headers:
        if name != "x-robots-tag":
            continue
        agent, rules = "", value
        spoken = _AGENT.match(value)
        if spoken and spoken.group(1).lower() not in _WITH_VALUE:
            agent, rules = spoken.group(1).lower(), spoken.group(2)
        if (not agent or agent in BOTS) and _forbids(rules, now):
            return f"X-Robots-Tag for {agent}" if agent else "X-Robots-Tag"
    return ""


def _by_meta(tree: LexborHTMLParser, now: datetime) -> str:
    for node in tree.css("meta[name][content]"):
        name = (node.attributes.get("name") or "").strip().lower()
        if name in BOTS and _forbids(node.attributes.get("content") or "", now):
            return f"meta {name}"
    return ""


def _forbids(rules: str, now: datetime) -> bool:
    """Whether directives say `noindex`, `none`, or `unavailable_after` a time that has passed."""
    lowered = rules.lower()
    if _FORBIDS & {word.strip() for word in lowered.split(",")}:
        return True
    until = _UNTIL.search(rules)
    ends = _moment(until.group(1)) if until else None
    return ends is not None and ends <= now


def _moment(text: str) -> datetime | None:
    """RFC 850, RFC 822 or ISO 8601, as Google reads it; without a zone it is UTC."""
    iso = _ISO_DATE.match(text)
    try:
        found = datetime.fromisoformat(text.split(",", maxsplit=1)[0].strip()) if iso else parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…{_digest(text, 4)}"


def _digest(text: str, size: int) -> str:
    return blake2s(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()
