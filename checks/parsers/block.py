"""Pages that stand in for the content: consent walls, captchas and other refusals.

Told by where we ended, where forms lead and what frames load, never by words in the page: healthy pages name consent
hosts and captcha scripts all the time. `checks.parsers.verdict` asks only once the content itself is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from data.model.cause import cause
from data.text import clean_text, redact

if TYPE_CHECKING:
    from checks.parsers.page import Page
    from data.model.ids import CauseId

BLOCKED = cause("page.blocked")
CONSENT = cause("page.consent")

_CONSENT = re.compile(
    r"^consent\.|[./]consent[./]|/collectconsent(?:[/?]|$)|^(?:[^/]*/)?(?:cookie-?wall|privacy-?gate|consent|gdpr)(?:[/?]|$)"
)
_CAPTCHA = re.compile(
    r"captcha|/sorry/|/sorry$|challenges\.cloudflare\.com|/cdn-cgi/challenge|perfdrive\.com|_incapsula_resource|"
    r"arkoselabs|funcaptcha|/turing/|/botcheck|/distil_"
)
_MARKS = "[name=g-recaptcha-response],[name=h-captcha-response],[name=cf-turnstile-response],.g-recaptcha,.h-captcha,.cf-turnstile"


_LEADS = (("form[action]", "action", "form", "a form leads to"), ("iframe[src]", "src", "frame", "a frame shows"))


@dataclass(frozen=True, slots=True)
class Block:
    cause: CauseId
    why: str
    """For a person: `form leads to consent.example/save`."""


def block_of(page: Page) -> Block | None:
    """What stands in for the content, or `None`."""
    for kind, what, url in _places(page):
        place = _place(url)
        for pattern, found in ((_CONSENT, CONSENT), (_CAPTCHA, BLOCKED)):
            if pattern.search(place) and not (found is CONSENT and kind == "frame"):
                return Block(found, f"{what} {redact(clean_text(place, 80))}")
    if page.tree.css_first(_MARKS) is not None:
        return Block(BLOCKED, "the page asks for a captcha")
    return None


def _places(page: Page) -> list[tuple[str, str, str]]:
    base = page.final_url
    found = [("url", "ended at", base)] if base else []
    for css, attr, kind, words in _LEADS:
        urls = [node.attributes.get(attr) or "" for node in page.tree.css(css)[:50]]
        found.extend((kind, words, _absolute(base, url)) for url in urls)
    return found


def _absolute(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError:
        return ""


def _place(url: str) -> str:
    """Host and path, lower case, without the query: a query may repeat any word of a search."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}".lower()
