"""What happens to a search page: more results, fewer, none; a wall before it; a dead selector; other clothes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from checks.parsers.page import host_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.parsers.spec import Spec

FEW, TIMES = 2, 4
_CLASS = re.compile(r'class="([^"]*)"')
_NAME = re.compile(r"[.#]([A-Za-z_][\w-]*)")
_HREF = re.compile(r'href="(https?://)')


@dataclass(frozen=True, slots=True)
class Changed:
    """A page as it arrives after something happened, and the causes that name it right."""

    what: str
    causes: frozenset[str]
    body: bytes
    final_url: str = ""


def few(body: bytes, spec: Spec) -> bytes:
    """The first two results only."""
    return _edited(body, lambda tree: _drop(tree, spec.items, FEW))


def many(body: bytes, spec: Spec, *, fresh: bool) -> bytes:
    """Four times as many results; `fresh` ones lead elsewhere, else they are the same again."""
    tree = LexborHTMLParser(body)
    html = tree.html or ""
    title = spec.fields[0].css
    for block in (node.html or "" for node in tree.css(spec.items) if node.css_first(title)):
        copies = (_HREF.sub(rf'href="\g<1>n{n}.', block) if fresh else block for n in range(1, TIMES))
        html = html.replace(block, block + "".join(copies), 1)
    return html.encode()


def changes(body: bytes, spec: Spec) -> Iterator[Changed]:
    """One page of each kind that has one right name."""
    for number, (words, final_url) in enumerate(CAPTCHAS):
        yield Changed(f"captcha {number}", frozenset(["page.blocked"]), _page(words), final_url)
    for number, (words, final_url) in enumerate(CONSENTS):
        yield Changed(f"consent {number}", frozenset(["page.consent"]), _page(words), final_url)
    empty = _edited(body, lambda tree: _nothing(tree, spec.items))
    yield Changed("captcha in the site's frame", frozenset(["page.blocked"]), _into(empty, CAPTCHAS[0][0]))
    yield Changed("consent in the site's frame", frozenset(["page.consent"]), _into(empty, CONSENTS[0][0]))
    yield Changed("no results", frozenset(["page.no_results"]), _into(empty, "<p>Nothing matched your search.</p>"))
    dead = _renamed(body, lambda name: name + "x" if name in _names(spec.items) else name, ids=True)
    yield Changed("items renamed", frozenset(["parser.selector_dead"]), dead)
    title = spec.fields[0]
    if re.fullmatch(r"h[1-6]", title.css):
        text = body.decode("utf-8", "replace")
        bold = re.sub(rf"(</?){title.css}\b", r"\1strong", text)
        yield Changed("titles in another tag", frozenset(["parser.field_dead"]), bold.encode())
    yield Changed("other clothes", frozenset(["page.layout_unknown"]), other_clothes(body, spec))


def other_clothes(body: bytes, spec: Spec) -> bytes:
    """Every class renamed that the SPEC does not name."""
    used = _names(spec.items) | {name for field in spec.fields for name in _names(field.css)}
    return _renamed(body, lambda name: name if name in used else name + "-n")


_FORM = "<form action='{}'><input name='q'><button>Go on</button></form>"
CAPTCHAS = (
    ("<h1>Unusual traffic</h1>" + _FORM.format("/sorry/index"), ""),
    ("<p>Our systems have detected requests.</p>", "https://www.search.example/sorry/index?continue=x"),
    ("<h1>Just a moment</h1>" + _FORM.format("/cdn-cgi/challenge-platform/h/b"), ""),
    ("<p>Are you human?</p><div class='g-recaptcha' data-sitekey='x'></div>", ""),
    ("<p>Solve this</p><iframe src='https://challenges.cloudflare.com/turnstile'></iframe>", ""),
    ("<p>Check</p><textarea name='h-captcha-response'></textarea>", ""),
    ("<center><h1>403 Forbidden</h1></center><hr><center>nginx</center>", ""),
    ("<p>One last step</p>" + _FORM.format("https://www.search.example/turing/captcha/challenge"), ""),
)
CONSENTS = (
    ("<h1>Before you continue</h1>" + _FORM.format("https://consent.search.example/save"), ""),
    ("<p>We value your privacy</p>", "https://consent.search.example/ml?continue=x"),
    ("<p>Cookies</p>" + _FORM.format("/consent/accept"), ""),
    ("<p>Cookies</p>" + _FORM.format("/v2/collectConsent?sessionId=1"), ""),
    ("<p>Cookies</p>", "https://search.example/cookiewall/?back=x"),
)


def _page(words: str) -> bytes:
    head = "<!doctype html><html><head><meta charset=utf-8><title>-</title></head><body><div class='box'>"
    return f"{head}{words}</div></body></html>".encode()


def _into(body: bytes, words: str) -> bytes:
    html = body.decode("utf-8", "replace")
    return re.sub(r"(<body[^>]*>)", lambda found: found[1] + words, html, count=1).encode()


def _edited(body: bytes, edit: Callable[[LexborHTMLParser], None]) -> bytes:
    tree = LexborHTMLParser(body)
    edit(tree)
    return (tree.html or "").encode()


def _drop(tree: LexborHTMLParser, css: str, kept: int) -> None:
    for node in tree.css(css)[kept:]:
        node.decompose()


def _nothing(tree: LexborHTMLParser, items: str) -> None:
    """No results, and nothing else that leads elsewhere."""
    _drop(tree, items, 0)
    for node in tree.css("a[href]"):
        href = node.attributes.get("href") or ""
        if host_of(href) or "=http" in href:
            node.decompose()


def _names(css: str) -> set[str]:
    return set(_NAME.findall(css))


def _renamed(body: bytes, rename: Callable[[str], str], *, ids: bool = False) -> bytes:
    html = LexborHTMLParser(body).html or ""
    html = _CLASS.sub(lambda found: f'class="{" ".join(map(rename, found[1].split()))}"', html)
    if ids:
        html = re.sub(r'\bid="([^"]*)"', lambda found: f'id="{rename(found[1])}"', html)
    return html.encode()
