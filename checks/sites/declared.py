"""What a page says of itself: which language and country it is for, and whose brand it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from checks.sites.page import decode_text

if TYPE_CHECKING:
    from checks.sites.exchange import Exchange
    from data.model.target import Expect

_READ = 524_288
"""Characters that are taken apart."""
_TAG = re.compile(r"\A([a-z]{2,3})(?:[-_](?:[a-z]{4}[-_])?([a-z]{2}|\d{3}))?(?:[-_.@].*)?\Z")
_PATH_LOCALE = re.compile(r"\A/([a-z]{2})[-_]([a-z]{2})(?:/|\Z)", re.IGNORECASE)
_SAME = {"nb": "no", "nn": "no", "iw": "he", "in": "id", "ji": "yi", "fil": "tl"}
_BETWEEN = r"[\s\-_.'’&®™]*"
_UNSEEN = ["script", "style", "noscript", "template", "svg"]
_MOST = 6
_LANGUAGES = (
    "ar bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl he hi hr hu hy id is it ja ka kk km ko lt lv mk mn ms mt nb nl "
    "nn no pl pt ro ru sk sl sq sr sv sw ta te th tl tr uk ur uz vi zh"
)


@dataclass(frozen=True, slots=True)
class Declared:
    """Of the final page. Texts are raw."""

    locales: tuple[tuple[str, str], ...] = ()
    """(where, locale): `("html lang", "de-AT")`; a place that names several stands several times."""
    brand: str | None = None
    """The first of the expected names that it shows."""


def read_declared(exchange: Exchange, expect: Expect) -> Declared | None:
    """`None` when the check expects neither brand nor locale: then nothing is taken apart."""
    if not (expect.brand or expect.locale) or not exchange.body:
        return None
    source = decode_text(exchange.body, exchange.header("content-type"))[:_READ]
    tree = LexborHTMLParser(source)
    locales = tuple(_locales(exchange, tree)) if expect.locale else ()
    brand = _brand(tree, expect.brand) if expect.brand else None
    return Declared(locales, brand)


def contradicts(declared: Declared, wanted: str) -> str:
    """What the page declares instead of `wanted`, in words; empty when one declaration agrees or there is none.

    A page that says only `de` agrees with `de-AT`. One that agrees in a single place agrees: templates leave a stale
    `lang` behind far more often than they translate an address by mistake.
    """
    language, country = parts_of(wanted)
    if not language or not declared.locales:
        return ""
    for _, locale in declared.locales:
        said, where = parts_of(locale)
        if said == language and (not country or not where or where == country):
            return ""
    told = [f"{place} {locale}" for place, locale in dict.fromkeys(declared.locales)]
    return ", ".join(told[:_MOST])


def parts_of(locale: str) -> tuple[str, str]:
    """(language, country) of `de-AT`, `de_at`, `zh-Hant-TW`; empty strings for what is none."""
    found = _TAG.match(locale.strip().lower())
    if found is None:
        return "", ""
    country = found.group(2) or ""
    return _SAME.get(found.group(1), found.group(1)), "gb" if country == "uk" else country


def _locales(exchange: Exchange, tree: LexborHTMLParser) -> list[tuple[str, str]]:
    url = exchange.url
    root = tree.css_first("html")
    said = [("html lang", root.attributes.get("lang") or root.attributes.get("xml:lang") or "")] if root else []
    said += [("Content-Language", part) for part in exchange.header("content-language").split(",")]
    for tag in tree.css("meta[content]")[:200]:
        attributes = {key.lower(): value or "" for key, value in tag.attributes.items()}
        content = attributes["content"]
        if attributes.get("http-equiv", "").lower() == "content-language":
            said += [("meta content-language", part) for part in content.split(",")]
        elif (attributes.get("property") or attributes.get("name", "")).lower() == "og:locale":
            said.append(("og:locale", content))
    for tag in tree.css("link[hreflang][href]")[:200]:
        if _same_page(url.text, tag.attributes.get("href") or ""):
            said.append(("hreflang", tag.attributes.get("hreflang") or ""))
    said += [("path", locale) for locale in _in_path(url.path)]
    return [
        (place, locale.strip())
        for place, locale in said
        if parts_of(locale)[0] and locale.strip().lower() != "x-default"
    ]


def _same_page(url: str, href: str) -> bool:
    """Without query: tracking parameters are no part of a page's address."""
    try:
        here, there = urlsplit(url), urlsplit(urljoin(url, href.strip()))
    except ValueError:
        return False
    return (here.netloc, here.path.rstrip("/")) == (there.netloc, there.path.rstrip("/"))


def _in_path(path: str) -> tuple[str, ...]:
    """`/de-at/` and, as sites write it the other way round too, `/at-de/`."""
    found = _PATH_LOCALE.match(path)
    if found is None:
        return ()
    first, second = found.group(1).lower(), found.group(2).lower()
    pairs = ((first, second), (second, first))
    return tuple(f"{language}-{country.upper()}" for language, country in pairs if language in _LANGUAGES.split())


def _brand(tree: LexborHTMLParser, names: tuple[str, ...]) -> str | None:
    shown = _shown(tree)
    return next((name for name in names if _pattern(name).search(shown)), None)


def _shown(tree: LexborHTMLParser) -> str:
    """Title, headings and text with the footer, the names that previews and screen readers are told."""
    title = tree.css_first("title")
    texts = [title.text() if title else ""]
    for tag in tree.css("meta[content]")[:200]:
        name = (tag.attributes.get("property") or tag.attributes.get("name") or "").lower()
        if name in {"og:site_name", "og:title", "application-name", "apple-mobile-web-app-title"}:
            texts.append(tag.attributes.get("content") or "")
    texts += [tag.attributes.get("alt") or "" for tag in tree.css("img[alt]")[:200]]
    texts += [tag.attributes.get("aria-label") or "" for tag in tree.css("a[aria-label]")[:200]]
    tree.strip_tags(_UNSEEN)
    texts.append(tree.body.text(separator=" ") if tree.body else "")
    return "\n".join(texts)


@lru_cache(maxsize=4_096)
def _pattern(name: str) -> re.Pattern[str]:
    """`Quill Spin` also stands as QUILLSPIN or Quill-Spin, never inside a longer word."""
    words = [re.escape(word) for word in re.split(r"[\s\-_.'’&®™]+", name) if word]
    return re.compile(rf"(?<!\w){_BETWEEN.join(words)}(?!\w)", re.IGNORECASE) if words else re.compile(r"\Z")
