"""What a visitor would see of a body: decoded, its title, headings and visible text."""

from __future__ import annotations

import codecs
import html
import re
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]{2,40})", re.IGNORECASE)
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([a-zA-Z0-9_:.-]{2,40})", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UNSEEN = ["script", "style", "noscript", "template", "title", "svg"]
_CARRIERS = "script[src], img, iframe, form, video, svg, object, embed, canvas, frame, link[rel=stylesheet]"
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_UNSURE = frozenset({"", "text/plain", "application/octet-stream"})
_TEXT = frozenset({"", "application/json", "application/xml", "application/javascript"})
_DEEP = 524_288
"""Bytes that are parsed as HTML; what follows them is searched as text only."""


@dataclass(frozen=True, slots=True)
class Page:
    is_html: bool
    source: str
    """The whole decoded body, in lower case."""
    title: str = ""
    headings: str = ""
    text: str = ""
    """Visible text, white space collapsed."""
    carries: bool = False
    """It shows nothing but holds scripts, images, frames or forms: an application's shell is not an empty page."""

    def shows(self, wanted: str) -> bool:
        """`wanted` stands on the page or in its source, whatever its case, white space and entities."""
        needle = " ".join(wanted.casefold().split())
        if needle in self.text.casefold() or needle in self.source:
            return True
        return needle in " ".join(html.unescape(self.source).casefold().split())


def read_page(body: bytes, content_type: str) -> Page:
    """Decode `body` and take it apart; whatever it is, a page comes back."""
    source = decode_text(body, content_type)
    kind = content_type.partition(";")[0].strip().lower()
    if not (kind in _HTML or (kind in _UNSURE and looks_like_html(source))):
        is_text = kind in _TEXT or kind.startswith("text/")
        text = " ".join(source[:_DEEP].split()) if is_text else ""
        return Page(False, source.lower(), text=text, carries=not is_text)
    tree = LexborHTMLParser(source[:_DEEP])
    title = tree.css_first("title")
    title_text = " ".join(title.text().split()) if title else ""
    headings = " | ".join(" ".join(node.text().split()) for node in tree.css("h1, h2")[:6])
    tree.strip_tags(_UNSEEN)
    text = " ".join(tree.body.text(separator=" ").split()) if tree.body else ""
    carries = not text and (len(source) > _DEEP or LexborHTMLParser(source).css_first(_CARRIERS) is not None)
    return Page(True, source.lower(), title_text, headings, text, carries)


def decode_text(body: bytes, content_type: str) -> str:
    """Byte order mark, header, meta tag, UTF-8 if it fits, else windows-1252, as browsers do."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    meta = _META_CHARSET.search(body[:4096])
    named = _HEADER_CHARSET.search(content_type)
    for name in (named.group(1) if named else "", meta.group(1).decode() if meta else ""):
        if name and _text_codec(name):
            return body.decode(name, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def looks_like_html(source: str) -> bool:
    head = source[:512].lstrip().lower()
    return head.startswith(("<!doctype html", "<html", "<head", "<body", "<title", "<meta", "<script", "<h1", "<!--"))


def _text_codec(name: str) -> bool:
    """`codecs` also knows rot13, hex and zip, which are no charsets."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    return bool(getattr(found, "_is_text_encoding", True)) and found.name not in {
        "idna",
        "punycode",
        "undefined",
        "utf-7",
    }
