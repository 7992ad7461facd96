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
_NAMES = re.compile(r"\b(?:class|id)\s*=\s*[\"']?([^\"'>]{1,500})")
_PASSWORD = re.compile(r"<input\b[^>]{0,300}?\btype\s*=\s*[\"']?password\b")
_ARTICLE = re.compile(
    r"\bog:type[\"']?\s+content\s*=\s*[\"']?article\b|\"@type\"\s*:\s*\"(?:news|blog|tech)?(?:article|posting)\"|\bschema\.org/(?:news|blog)?(?:article|posting)\b"
)
_ARTICLES = ('"article', "=article", "'article", 'article"', 'posting"')
_STATUSES = ("statuscode", "status_code", "httpstatus", "errorcode")
_STATUS = re.compile(r"\"(?:status_?code|httpstatus|errorcode)\"\s*:\s*\"?(404|410|500|503)\b")
_MANY_LINKS = 80
_HIDDEN = '[hidden], [style*="display:none" i], [style*="display: none" i], dialog:not([open])'
_MAY_HIDE = (" hidden", "display:none", "display: none", "<dialog")
_SHORT = 10_000
"""Characters of text above which no rule asks what is hidden."""
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
    tree.strip_tags(_UNSEEN)
    text = _text_of(tree)
    lower = source.lower()
    if len(text) <= _SHORT and any(word in lower for word in _MAY_HIDE):
        text = _without_hidden(tree, text)
    headings = " | ".join(" ".join(node.text().split()) for node in tree.css("h1, h2")[:6])
    carries = not text and (len(source) > _DEEP or LexborHTMLParser(source).css_first(_CARRIERS) is not None)
    return Page(True, lower, title_text, headings, text, carries)


def _text_of(tree: LexborHTMLParser) -> str:
    return " ".join(tree.body.text(separator=" ").split()) if tree.body else ""


def _without_hidden(tree: LexborHTMLParser, text: str) -> str:
    """Pages carry the messages of every case and show one; a page that hides all of itself shows itself by script."""
    hidden = [node for node in tree.css(_HIDDEN) if node.tag not in {"html", "body", "main"}]
    if not hidden:
        return text
    for node in hidden:
        node.decompose()
    return _text_of(tree) or text


def shape_of(page: Page) -> str:
    """What tells a page apart in any language: `body=CLASSES; links=many; form=password; type=article; status=404`."""
    source = page.source
    at = source.find("<body")
    names = _NAMES.findall(source[at : source.find(">", at)]) if at >= 0 else []
    said = [
        f"body={' '.join(' '.join(names).split())}",
        "links=many" if source.count("<a ", 0, _DEEP) >= _MANY_LINKS else "",
        "form=password" if "password" in source and _PASSWORD.search(source) else "",
        "type=article" if any(word in source for word in _ARTICLES) and _ARTICLE.search(source) else "",
        *(f"status={code}" for code in (_STATUS.findall(source)[:1] if any(s in source for s in _STATUSES) else ())),
    ]
    return "; ".join(part for part in said if part)


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
