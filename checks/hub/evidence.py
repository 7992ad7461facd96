"""Pages that parsers were given: which are kept, and what they show of a parser that broke."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import zstandard

from checks.parsers import memory as memories
from checks.parsers.candidates import Broken
from checks.parsers.extract import extract
from checks.parsers.page import MAX_BYTES, read_page
from checks.parsers.pagediff import diff_around
from checks.parsers.repair import broken_fields, repairs_for
from checks.parsers.verdict import judge
from checks.parsers.witness import url_key
from data.model.page import KeptPage
from data.model.parser_view import CandidateRow
from data.model.state import State
from data.store import pages

if TYPE_CHECKING:
    from datetime import datetime

    from checks.parsers.memory import ParserMemory
    from checks.parsers.page import Page
    from checks.parsers.pull import ParserOutcome
    from checks.parsers.repair import Repair
    from checks.parsers.spec import Spec
    from data.model.ids import TargetId
    from data.model.parser_view import DiffLine
    from data.model.principal import Scope
    from data.model.target import Target
    from data.store.store import Store

GOOD_EVERY = timedelta(hours=1)
"""A good page of a layout that was kept so shortly ago is not kept again."""
REPLAYED = 5
"""Failing pages on which a selector is tried."""
PROPOSED = 3
"""Selectors a field."""
_FIELDS = 8


@dataclass(slots=True)
class Keeper:
    """Which pages are worth keeping: all that fail, unless it is the very page of the last time, and now and then a good one."""

    _good: dict[tuple[TargetId, str], datetime] = field(default_factory=dict)
    _failed: dict[TargetId, int] = field(default_factory=dict)

    def page(self, target: Target, outcome: ParserOutcome) -> KeptPage | None:
        run = outcome.run
        good = outcome.observation.state is State.OK
        if not outcome.page or not self._worth(target.id, run.family, run.at, outcome.page, good=good):
            return None
        return KeptPage(
            run.parser, run.team, run.at, run.url, run.family, run.verdict, good, outcome.page, outcome.content_type
        )

    def _worth(self, target: TargetId, family: str, at: datetime, body: bytes, *, good: bool) -> bool:
        if not good:
            mark = zlib.crc32(body)
            known, self._failed[target] = self._failed.get(target), mark
            return known != mark
        self._failed.pop(target, None)
        last = self._good.get((target, family))
        if last is not None and at - last < GOOD_EVERY:
            return False
        self._good[target, family] = at
        return True


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the kept pages show of a parser that broke; empty of one that did not."""

    diff: tuple[DiffLine, ...] = ()
    candidates: tuple[CandidateRow, ...] = ()
    good_at: datetime | None = None
    """When the last good page of `diff` was seen."""
    bad_at: datetime | None = None
    """When the failing page of `diff` was seen."""


@dataclass(slots=True)
class EvidenceRoom:
    """The evidence of each parser, worked out once for every page kept and every SPEC."""

    store: Store
    _known: dict[TargetId, tuple[datetime, str, Evidence]] = field(default_factory=dict)

    def of(self, target: Target, spec: Spec, memory: bytes | None, scope: Scope) -> Evidence:
        """Some hundred ms of CPU where it is new, so never on the event loop."""
        newest = pages.latest(self.store, scope, target.name)
        if newest is None:
            return Evidence()
        known = self._known.get(target.id)
        if known is None or known[:2] != (newest, spec.fingerprint):
            known = newest, spec.fingerprint, evidence(self.store, scope, target, spec, memory)
            self._known[target.id] = known
        return known[2]


def evidence(store: Store, scope: Scope, target: Target, spec: Spec, memory: bytes | None) -> Evidence:
    """Read the kept pages and try repairs on them."""
    good = pages.of_parser(store, scope, target.name, good=True, limit=REPLAYED)
    bad = pages.of_parser(store, scope, target.name, good=False, limit=REPLAYED)
    bad = [one for one in bad if _about_the_parser(one) and (not good or one.at > good[0].at)]
    return shown(spec, target.url, good, bad, memories.load(memory, spec)) if bad else Evidence()


def shown(spec: Spec, url: str, good: list[KeptPage], bad: list[KeptPage], memory: ParserMemory) -> Evidence:
    """The same from pages at hand, newest first."""
    fine = [(one, _read(one, url)) for one in good]
    known = memory if memory.pages else _learned(spec, fine, memory)
    values = _last_values(spec, url, fine, known)
    read = [(one, _read(one, url)) for one in bad]
    judged = [(one, page, broken_fields(spec, judge(spec, page, known))) for one, page in read]
    fields = next((dead for _, _, dead in judged if dead), ())[:_FIELDS]
    broken = [Broken(page, values) for _, page, dead in judged if set(dead) & set(fields)]
    if not broken:
        return Evidence()
    newest = next(one for one, _, dead in judged if dead)
    found = repairs_for(spec, fields, broken, known, PROPOSED, [page for _, page in fine])
    lines = _diff(spec, fields, good, newest)
    times = (good[0].at, newest.at) if lines else (None, None)
    return Evidence(lines, tuple(map(_row, found)), *times)


def _diff(spec: Spec, fields: tuple[str, ...], good: list[KeptPage], newest: KeptPage) -> tuple[DiffLine, ...]:
    for name in fields if good else ():
        css = next(one.css for one in spec.fields if one.name == name)
        lines = diff_around(_body(good[0]), _body(newest), css, spec.items, newest.content_type)
        if lines:
            return lines
    return ()


def _row(repair: Repair) -> CandidateRow:
    return CandidateRow(
        repair.field, repair.selector, repair.matches, repair.fill, repair.same, repair.comparable, repair.pages_ok,
        repair.pages, repair.verified, repair.source.value,
    )  # fmt: skip


def _about_the_parser(one: KeptPage) -> bool:
    """Whether the page was the content: what a server or a gate said instead is nothing to repair a selector by."""
    return one.verdict.startswith("parser.") or one.verdict == "page.layout_unknown"


def _learned(spec: Spec, fine: list[tuple[KeptPage, Page]], memory: ParserMemory) -> ParserMemory:
    """A memory for a SPEC that was changed since, from the pages that were good before."""
    for one, page in reversed(fine):
        extraction = extract(spec, page)
        if extraction.alive:
            memory = memories.learn(memory, page, extraction, one.at)
    return memory


def _last_values(
    spec: Spec, url: str, fine: list[tuple[KeptPage, Page]], memory: ParserMemory
) -> dict[str, tuple[str, ...]]:
    for _, page in fine:
        extraction = extract(spec, page)
        if extraction.alive:
            return {values.name: values.values for values in extraction.fields}
    address = zlib.crc32(url_key(url).encode())
    return next((last.values for last in memory.last_good if last.url == address), {})


def _read(one: KeptPage, url: str) -> Page:
    return read_page(_body(one), content_type=one.content_type, url=url, final_url=one.url)


def _body(one: KeptPage) -> bytes:
    """The page as received; empty where it cannot be unpacked."""
    try:
        return zstandard.ZstdDecompressor().decompress(one.body, max_output_size=MAX_BYTES)
    except zstandard.ZstdError:
        return b""
