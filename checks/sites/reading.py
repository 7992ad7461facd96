"""What a page says to a check. Remembered by digest: a page that has not changed is not taken apart again."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from checks.sites.content import Match, judge_content
from checks.sites.declared import Declared, read_declared
from checks.sites.edges import SMALL, signs_of
from checks.sites.page import Page, read_page
from checks.sites.rulebook import Rulebook

if TYPE_CHECKING:
    from checks.sites.exchange import Exchange
    from data.model.ids import TargetId
    from data.model.target import Check, Expect

_TARGETS = 200_000
_TEXTS = 4_096
"""Characters of title and evidence beyond which a reading is not worth its memory."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a verdict needs of a page. Texts are raw."""

    title: str
    match: Match | None
    """A page that earns nothing."""
    forbidden: str | None
    """The first of the forbidden texts that it shows."""
    missing: str | None
    """The first of the expected texts that it does not show."""
    declared: Declared | None = None
    """What it says of its language and brand, where the check asks for them."""
    signs: str = ""
    """Texts of challenges on a page small enough to be one."""


@dataclass(slots=True)
class Readings:
    """The last reading of every target, under a digest of all that it depends on."""

    book: Rulebook = field(default_factory=Rulebook.of)
    _last: dict[TargetId, tuple[bytes, Reading]] = field(default_factory=dict)

    def of(self, exchange: Exchange, check: Check) -> Reading | None:
        """`None` when a fault left no page."""
        if exchange.fault and not exchange.body:
            return None
        digest = _digest(exchange, check)
        last = self._last.get(check.target)
        if last is not None and last[0] == digest:
            return last[1]
        reading = read(exchange, check, self.book)
        self._last.pop(check.target, None)
        if len(reading.title) + len(reading.match.matched if reading.match else "") <= _TEXTS:
            self._last[check.target] = (digest, reading)
            if len(self._last) > _TARGETS:  # the one that has waited longest for a change goes
                del self._last[next(iter(self._last))]
        return reading


def read(exchange: Exchange, check: Check, book: Rulebook | None = None) -> Reading:
    page = read_page(exchange.body, exchange.header("content-type"))
    match = judge_content(page, check.kind, exchange.status, book)
    signs = signs_of(page.source) if len(exchange.body) <= SMALL else ""
    return Reading(page.title, match, *_texts(page, check.expect), read_declared(exchange, check.expect), signs)


def _texts(page: Page, expect: Expect) -> tuple[str | None, str | None]:
    forbidden = next((text for text in expect.forbid if page.shows(text)), None)
    missing = next((text for text in expect.text if not page.shows(text)), None)
    return forbidden, missing


def _digest(exchange: Exchange, check: Check) -> bytes:
    expect = check.expect
    terms: tuple[object, ...] = (
        check.kind,
        exchange.status,
        exchange.header("content-type"),
        expect.forbid,
        expect.text,
    )
    if expect.brand or expect.locale:
        terms += (expect.brand, expect.locale, exchange.url.path, exchange.header("content-language"))
    digest = sha256(repr(terms).encode("utf-8", "surrogatepass"))
    digest.update(exchange.body)
    return digest.digest()
