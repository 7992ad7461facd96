"""Is this page still read right? `judge` asks in the order of certainty and stops at the first answer.

1. The page itself: refused, empty. 2. Nothing extracted: a consent wall or captcha, a dead selector (the witness still
sees results), honestly no results. 3. A field empty that used to be filled. 4. The witness contradicts the parser.
5. Values that are not what the field promises. 6. Another layout. Otherwise ok.

How many items there are is never a reason: results come and go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.parsers import contract, layout
from checks.parsers.block import BLOCKED, block_of
from checks.parsers.extract import Extraction, extract
from checks.parsers.layout import Match
from checks.parsers.witness import Agreement, Sighting, witness
from data.model.cause import cause, state_of
from data.model.fact import FieldYield
from data.model.observation import NO_CAUSE
from data.model.state import State

if TYPE_CHECKING:
    from checks.parsers.memory import ParserMemory
    from checks.parsers.page import Page
    from checks.parsers.spec import Spec
    from data.model.ids import CauseId

SELECTOR_DEAD = cause("parser.selector_dead")
FIELD_DEAD = cause("parser.field_dead")
WRONG_TARGET = cause("parser.wrong_target")
PARTIAL = cause("parser.partial")
NO_RESULTS = cause("page.no_results")
LAYOUT_UNKNOWN = cause("page.layout_unknown")
EMPTY = cause("page.empty")
MALFORMED = cause("proto.malformed")

FEW_NODES = 0.25
"""Share of the family's usual elements below which a page stands in for the content."""
STRANGE_LOSS = 0.6
"""Core loss of a page that shares next to nothing with the layout: captcha .99, another year's layout .40 and more."""
WHOLE_LOSS = 0.05
"""Core loss below which even the results' own elements are there; pages without results measured .07 and more."""
AGREED, DISAGREED = 0.6, 0.2
"""Overlap of witness and parser on good pages that makes the witness a judge, and below which it objects."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Why not ok. `unknown` is set where the history is too short to tell a break from the page's nature."""

    cause: CauseId
    detail: str
    unsure: bool = False

    @property
    def state(self) -> State:
        return State.UNKNOWN if self.unsure else state_of(self.cause)


@dataclass(frozen=True, slots=True)
class PageVerdict:
    """What is to be said of one page through one SPEC."""

    state: State
    cause: CauseId
    detail: str
    """One sentence for a person, cleaned."""
    extraction: Extraction
    fields: tuple[FieldYield, ...]
    layout: Match
    witness: Agreement
    sighting: Sighting

    @property
    def readable(self) -> bool:
        """Whether `learn` may take the page for a good one: something was read and nothing contradicts it."""
        return self.state in {State.OK, State.DEGRADED, State.UNKNOWN} and self.extraction.alive


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything the questions are asked of."""

    spec: Spec
    page: Page
    memory: ParserMemory
    extraction: Extraction
    yields: tuple[contract.Yield, ...]
    layout: Match
    witness: Agreement

    @property
    def informed(self) -> bool:
        return self.memory.pages > 0

    @property
    def judged_by_links(self) -> bool:
        """Whether the witness agreed with the parser on good pages, so that its word counts on this one."""
        return self.memory.usual_overlap >= AGREED


def judge(spec: Spec, page: Page, memory: ParserMemory) -> PageVerdict:
    """Pure: the same page and memory give the same verdict. 2-10 ms for a page of 1 MB."""
    extraction = extract(spec, page)
    seen = witness(page)
    agreed = seen.agreed(extraction)
    yields = tuple(
        contract.yield_of(
            field,
            extraction.field(field.name),
            memory.field(field.name),
            seen,
            agreed,
            contract.plenty_of(spec, field, memory, seen),
        )
        for field in spec.fields
    )
    found = layout.match(memory.families, page.shape)
    case = _Case(spec, page, memory, extraction, yields, found, agreed)
    questions = (_unusable, _nothing, _dead_field, _low_field, _contradicted, _broken_contract, _strange_layout)
    answer = next((answer for answer in (question(case) for question in questions) if answer), None)
    state, why, detail = (answer.state, answer.cause, answer.detail) if answer else (State.OK, NO_CAUSE, _fine(case))
    fields = tuple(one.record for one in yields)
    return PageVerdict(state, why, detail, extraction, fields, found, agreed, seen)


def _unusable(case: _Case) -> Answer | None:
    if case.page.fault:
        return Answer(MALFORMED, f"page refused: {case.page.fault}")
    if case.page.size == 0 or case.page.shape.nodes <= 3:
        return Answer(EMPTY, f"nothing on the page, {case.page.size} bytes")
    return None


def _nothing(case: _Case) -> Answer | None:
    """Nothing extracted at all: what stands there instead?"""
    if case.extraction.items > 0 if case.spec.items else case.extraction.alive:
        return None
    block = block_of(case.page)
    if block:
        return Answer(block.cause, f"{_none(case)}: {block.why}")
    if case.witness.proof and (case.judged_by_links or not case.informed):
        return Answer(SELECTOR_DEAD, f"{_none(case)}, while {len(case.witness.results)} results are plain to see")
    if not case.informed or case.memory.usual_items() < 1:
        return Answer(NO_RESULTS, f"{_none(case)}, and no history says whether that is usual", unsure=True)
    return _stand_in(case) or Answer(SELECTOR_DEAD, _none(case) + _layout_words(case))


def _stand_in(case: _Case) -> Answer | None:
    """A page of another kind, told by how it is built: refused by size, without results by likeness."""
    found = case.layout
    strange = bool(found.nearest) and not found.known
    barren = case.judged_by_links and not case.witness.proof
    small = found.node_ratio < (2 * FEW_NODES if barren else FEW_NODES)
    if strange and small and not case.witness.proof and (found.loss > STRANGE_LOSS or not barren):
        return Answer(
            BLOCKED,
            f"{_none(case)}: {found.node_ratio:.0%} of the usual elements, {found.loss:.0%} of the layout missing",
        )
    whole = found.pages >= layout.PROMOTE_PAGES and found.loss < WHOLE_LOSS
    if barren and not whole and found.loss <= STRANGE_LOSS:
        return Answer(NO_RESULTS, f"{_none(case)} and no other links in their place: the page has no results")
    return None


def _dead_field(case: _Case) -> Answer | None:
    dead = [one for one in case.yields if one.record.state == "dead"]
    if not dead:
        return None
    if not any(one.sure for one in dead):
        return Answer(FIELD_DEAD, _join([one.words for one in dead]) + "; too little history to tell", unsure=True)
    sure = [one for one in dead if one.sure]
    all_gone = not case.spec.items and not case.extraction.alive
    return Answer(SELECTOR_DEAD if all_gone else FIELD_DEAD, _join([one.words for one in sure]) + _layout_words(case))


def _low_field(case: _Case) -> Answer | None:
    low = [one.words for one in case.yields if one.record.state == "low"]
    if low:
        return Answer(PARTIAL, _join(low))
    few = case.extraction.items < case.spec.min_items
    if few and case.witness.proof and len(case.witness.results) >= 2 * case.extraction.items:
        least = case.spec.min_items
        return Answer(
            PARTIAL,
            f"{case.extraction.items} items, at least {least} asked for, {len(case.witness.results)} to be seen",
        )
    return None


def _contradicted(case: _Case) -> Answer | None:
    """The witness used to agree and now objects."""
    if not case.witness.proof or not case.judged_by_links or case.witness.overlap >= DISAGREED:
        return None
    usual = f"{case.witness.overlap:.0%} of {len(case.witness.results)} visible results extracted, usually {case.memory.usual_overlap:.0%}"
    return Answer(PARTIAL if case.extraction.items * 2 < len(case.witness.results) else WRONG_TARGET, usual)


def _broken_contract(case: _Case) -> Answer | None:
    wrong = [one for one in case.yields if one.record.state == "wrong"]
    if not wrong:
        return None
    return Answer(WRONG_TARGET, _join([one.words for one in wrong]), unsure=not any(one.sure for one in wrong))


def _strange_layout(case: _Case) -> Answer | None:
    found = case.layout
    if not found.nearest or found.known:
        return None
    return Answer(LAYOUT_UNKNOWN, f"everything was read, but {found.loss:.0%} of the usual layout is missing")


def _none(case: _Case) -> str:
    usual = case.memory.usual_items()
    what = "items" if case.spec.items else "values"
    return f"0 {what}, usually {usual:.0f}" if usual else f"0 {what}"


def _fine(case: _Case) -> str:
    usual = case.memory.usual_items()
    count = f"{case.extraction.items} item{'' if case.extraction.items == 1 else 's'}"
    return f"{count}, usually {usual:.0f}" if usual else count


def _layout_words(case: _Case) -> str:
    found = case.layout
    return (
        f"; another layout, {found.loss:.0%} of the usual one is missing" if found.nearest and not found.known else ""
    )


def _join(words: list[str]) -> str:
    return "; ".join(words[:4])
