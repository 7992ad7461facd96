"""What a parser's pages looked like while they were fine. JSON, a few kB a parser; `learn` is fed good pages only."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from math import log
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from checks.parsers import layout
from checks.parsers.layout import Family
from checks.parsers.spec import FieldKind
from checks.parsers.value import is_address, number_of
from checks.parsers.witness import PROOF, Sighting, url_key, witness
from data.model.codec import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.parsers.extract import Extraction, FieldValues
    from checks.parsers.page import Page
    from checks.parsers.spec import Spec

VERSION = 1
_PAGES = 30
_URLS = 8
_VALUES = 20
_VALUE_CHARS = 500
_EARLIER, _EARLIER_PAGES = 5, 10
"""SPECs before this one, as many as are kept beside it, and good pages of each."""
_ARM_PAGES, _ARM_SHARE = 3, 0.25
"""Good pages, and share of them, from which a second way to build the list is an arm of a test and not an odd page."""


@dataclass(frozen=True, slots=True)
class FieldPage:
    """One field on one good page. Shares are 0..1."""

    n: int
    fill: float
    length: float
    """Natural logarithm of the median length in characters; 0 without values."""
    distinct: float
    valid: float
    digits: float = 0.0
    """Share of digits among all characters."""
    support: float = 0.0
    """Share of values that are the text or address of an external link."""
    order: float = 1.0
    """Share of steps from one position to the next that rise."""
    address: float = -1.0
    """Share of values that are written as an address; below 0 where it was not yet looked at."""


@dataclass(frozen=True, slots=True)
class FieldMemory:
    name: str
    pages: tuple[FieldPage, ...] = ()
    """Newest last."""

    @property
    def usual_fill(self) -> float:
        return median(page.fill for page in self.pages) if self.pages else 0.0

    @property
    def least_fill(self) -> float:
        return min((page.fill for page in self.pages), default=0.0)

    @property
    def presence(self) -> float:
        """Share of good pages that had the field at all."""
        return sum(page.fill > 0 for page in self.pages) / len(self.pages) if self.pages else 0.0


@dataclass(frozen=True, slots=True)
class Sight:
    """Items of one good page, and what the witness made of it."""

    hour: int
    """UTC, 0..23."""
    items: int
    witness: int
    overlap: float
    built: int = 0
    """How the links of the list of results are built."""
    shown: int = 0
    """How many of them there were."""


@dataclass(frozen=True, slots=True)
class LastGood:
    """The values last extracted from one URL: what a repair may anchor on."""

    url: int
    """CRC-32 of the URL's key."""
    at: datetime
    values: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ParserMemory:
    spec: str
    """Fingerprint of the SPEC this was learned with."""
    version: int = VERSION
    pages: int = 0
    sights: tuple[Sight, ...] = ()
    fields: tuple[FieldMemory, ...] = ()
    families: tuple[Family, ...] = ()
    last_good: tuple[LastGood, ...] = ()
    earlier: tuple[ParserMemory, ...] = ()
    """Under the SPECs before this one, the last first, without layouts: a repair may be taken back."""

    def field(self, name: str) -> FieldMemory:
        return next((known for known in self.fields if known.name == name), FieldMemory(name))

    def usual_items(self, hour: int | None = None) -> float:
        """Median of items; of pages within two hours of `hour` of the day where there are three or more."""
        near = [s.items for s in self.sights if hour is not None and (s.hour - hour + 2) % 24 <= 4]
        counts = near if len(near) >= 3 else [s.items for s in self.sights]
        return float(median(counts)) if counts else 0.0

    @property
    def usual_overlap(self) -> float:
        """How well witness and parser agree on good pages; 0 where the witness sees no results there."""
        seen = [sight.overlap for sight in self.sights if sight.witness >= PROOF]
        return float(median(seen)) if 2 * len(seen) >= len(self.sights) and seen else 0.0

    @property
    def usual_ways(self) -> frozenset[int]:
        """How the list of results is built, on most good pages or on each arm of a test; empty where it is never alike."""
        ways = Counter(sight.built for sight in self.sights if sight.built)
        known = len(self.sights)
        return frozenset(
            built for built, count in ways.items()
            if 2 * count > known or (count >= _ARM_PAGES and count >= _ARM_SHARE * known)
        )  # fmt: skip

    def per_result(self, name: str, built: int = 0) -> tuple[float, ...]:
        """Values of the field for each visible result, on good pages where `PROOF` of them were to be seen.

        Of pages whose list is built as `built`, if that is one of the usual ways; else of those built in any of them.
        """
        ways = self.usual_ways
        alike = {built} if built in ways else ways
        return tuple(
            page.n / sight.shown
            for page, sight in zip(reversed(self.field(name).pages), reversed(self.sights), strict=False)
            if sight.shown >= PROOF and sight.built in alike
        )


def fresh(spec: Spec) -> ParserMemory:
    return ParserMemory(spec.fingerprint)


def load(raw: bytes | None, spec: Spec) -> ParserMemory:
    """Memory from its bytes; empty when there is none, or it is damaged.

    Under another SPEC it is what was learned with that one before, or empty. Layout families outlive a change of
    selectors: the pages are the same.
    """
    if not raw:
        return fresh(spec)
    try:
        known = from_json(raw, ParserMemory)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return fresh(spec)
    if known.version != VERSION:
        return fresh(spec)
    return known if known.spec == spec.fingerprint else _turned(known, spec)


def _turned(known: ParserMemory, spec: Spec) -> ParserMemory:
    """`known` put aside for what was known under `spec`."""
    before = (_aside(known), *known.earlier) if known.pages else known.earlier
    back = next((one for one in before if one.spec == spec.fingerprint), fresh(spec))
    others = tuple(one for one in before if one.spec != spec.fingerprint)
    return replace(back, families=known.families, earlier=others[:_EARLIER])


def _aside(memory: ParserMemory) -> ParserMemory:
    fields = tuple(replace(one, pages=one.pages[-_EARLIER_PAGES:]) for one in memory.fields)
    return replace(memory, sights=memory.sights[-_EARLIER_PAGES:], fields=fields, families=(), earlier=())


def dump(memory: ParserMemory) -> bytes:
    return to_json(memory)


def learn(
    memory: ParserMemory,
    page: Page,
    extraction: Extraction,
    at: datetime,
    *,
    seen: Sighting | None = None,
    trusted: bool = False,
) -> ParserMemory:
    """`memory` with one good page more; `trusted` when a person says that the page is good."""
    seen = seen or witness(page)
    agreed = seen.agreed(extraction)
    query = zlib.crc32(url_key(page.url).encode())
    lead = seen.lead(memory.usual_ways)
    sight = Sight(at.hour, extraction.items, len(agreed.results), agreed.overlap, lead.built, lead.shown)
    return replace(
        memory,
        pages=memory.pages + 1,
        sights=(*memory.sights, sight)[-_PAGES:],
        fields=tuple(_learn_field(memory.field(values.name), values, seen) for values in extraction.fields),
        families=layout.learn(memory.families, page.shape, query, at, trusted=trusted),
        last_good=_last_good(memory.last_good, query, extraction, at),
    )


def field_page(values: FieldValues, seen: Sighting) -> FieldPage:
    """The figures of one field on one page."""
    texts = values.values
    lengths = sorted(map(len, texts))
    chars = sum(lengths)
    digits = sum(char.isdigit() for text in texts for char in text)
    return FieldPage(
        n=len(texts),
        fill=round(values.fill, 4),
        length=round(log(max(median(lengths), 1)), 3) if texts else 0.0,
        distinct=round(len(set(texts)) / len(texts), 3) if texts else 1.0,
        valid=round(values.valid / len(texts), 3) if texts else 1.0,
        digits=round(digits / chars, 3) if chars else 0.0,
        support=round(sum(map(seen.supports, texts)) / len(texts), 3) if texts else 0.0,
        order=_rising(texts) if values.kind is FieldKind.POSITION else 1.0,
        address=round(sum(map(is_address, texts)) / len(texts), 3) if texts else -1.0,
    )


def _rising(texts: Iterable[str]) -> float:
    steps = list(pairwise(number for number in map(number_of, texts) if number is not None))
    return round(sum(after > before for before, after in steps) / len(steps), 3) if steps else 1.0


def _learn_field(known: FieldMemory, values: FieldValues, seen: Sighting) -> FieldMemory:
    return replace(known, pages=(*known.pages, field_page(values, seen))[-_PAGES:])


def _last_good(known: tuple[LastGood, ...], query: int, extraction: Extraction, at: datetime) -> tuple[LastGood, ...]:
    values = {
        values.name: tuple(text[:_VALUE_CHARS] for text in values.values[:_VALUES]) for values in extraction.fields
    }
    return (*(last for last in known if last.url != query), LastGood(query, at, values))[-_URLS:]
