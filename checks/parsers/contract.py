"""One field against its own history: filled as usual, typed as promised, built of the same kind of text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.parsers.memory import FieldMemory, FieldPage, field_page
from checks.parsers.spec import FieldKind, FieldSpec
from checks.parsers.witness import PROOF
from data.model.fact import FieldYield

if TYPE_CHECKING:
    from checks.parsers.extract import FieldValues
    from checks.parsers.memory import ParserMemory
    from checks.parsers.spec import Spec
    from checks.parsers.witness import Agreement, Sighting

CHANCE = 0.01
"""A page empty by chance less often than this is not empty by chance."""
FILL_DROP = 0.2
FIRST_FILL_DROP = 0.5
"""While fewer than ten good pages are known, their worst is not yet the worst there is."""
COMPLETE = 0.8
"""A field that holds this share of all visible results is not low: the rest of the items are something else."""
LENGTH_LINE = 0.9
"""Difference of the logarithms of the median lengths: two and a half times as long or short as on any good page."""
FIRST_LENGTH_LINE = 1.4
"""The same while fewer than three good pages are known."""
SUPPORT = 0.7
"""Share of values that are texts or addresses of external links, above which links speak for a field."""
FEW_FOR_EACH, MANY_FOR_EACH = 3, 2
"""Factors between values and visible results that make a selector too narrow or too wide."""
RISING = 0.51
"""Share of rising steps: a list of positions shown twice still rises mostly."""
_HARDLY = 0.1
_SURE_FILL = 0.995
_FEW = 3
_MANY = 5
_KNOWN = 10


@dataclass(frozen=True, slots=True)
class Yield:
    """What one field gave on this page, judged. `sure` is false where the history is too short."""

    record: FieldYield
    words: str = ""
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Plenty:
    """How many values there should be, by the results that are plain to see."""

    per_result: tuple[float, ...] = ()
    """Values for each visible result on good pages."""
    shown: int = 0
    """Visible results on this page."""
    paged: bool = False
    """Whether the field is one of the page, not of its items."""


UNTOLD = Plenty()


@dataclass(frozen=True, slots=True)
class _Look:
    """One field on one page beside its history; every check below takes one and answers in words, empty when fine."""

    spec: FieldSpec
    values: FieldValues
    page: FieldPage
    known: FieldMemory
    seen: Sighting
    agreed: Agreement
    plenty: Plenty

    @property
    def sizeable(self) -> list[FieldPage]:
        """Good pages with enough values to compare kinds of text."""
        return [page for page in self.known.pages if page.n >= _FEW]

    @property
    def supported(self) -> bool:
        """Whether the links on the page say that these are right, however odd they look."""
        return self.page.support >= SUPPORT


def plenty_of(spec: Spec, field: FieldSpec, memory: ParserMemory, seen: Sighting) -> Plenty:
    """What the links of this page and of the good ones say about the number of values of one field."""
    lead = seen.lead(memory.usual_ways)
    return Plenty(memory.per_result(field.name, lead.built), lead.shown, paged=not spec.items)


def yield_of(
    spec: FieldSpec,
    values: FieldValues,
    known: FieldMemory,
    seen: Sighting,
    agreed: Agreement,
    plenty: Plenty = UNTOLD,
) -> Yield:
    """State `ok`, `low`, `dead` or `wrong`, with its reason in words."""
    if values.filled == 0:
        return _empty(spec, values, known)
    look = _Look(spec, values, field_page(values, seen), known, seen, agreed, plenty)
    low = _low(look) or _too_few(look)
    if low:
        return Yield(_record(values, "low"), low)
    for check in _CHECKS:
        words = check(look)
        if words:
            certain = spec.kind in {FieldKind.URL, FieldKind.POSITION}
            return Yield(_record(values, "wrong"), words, sure=certain or bool(known.pages))
    return Yield(_record(values, "ok"))


def _empty(spec: FieldSpec, values: FieldValues, known: FieldMemory) -> Yield:
    usual = f", usually {_usual(known)}" if known.pages else ""
    words = f"{spec.name} empty on {values.slots} of {values.slots} {_slots(values)}{usual}"
    if spec.required:
        return Yield(_record(values, "dead"), words)
    if not known.presence and len(known.pages) < _MANY:
        return Yield(_record(values, "dead" if spec.required is None else "ok"), words, sure=False)
    by_chance = (1 - min(known.usual_fill, _SURE_FILL)) ** values.slots
    if spec.required is None:
        dead = known.presence >= (1.0 if len(known.pages) < _MANY else 0.9) and by_chance < CHANCE
    else:
        dead = known.presence == 1.0 and len(known.pages) >= _KNOWN and by_chance < CHANCE
    return Yield(_record(values, "dead" if dead else "ok"), words)


def _low(look: _Look) -> str:
    """Filled clearly less often than on the worst good page; a field that may be missing is never low."""
    values, known = look.values, look.known
    if look.spec.required is False or values.slots < _MANY or not known.pages:
        return ""
    if look.page.fill >= known.least_fill - (FILL_DROP if len(known.pages) >= _KNOWN else FIRST_FILL_DROP):
        return ""
    if look.agreed.proof and round(look.page.support * look.page.n) >= COMPLETE * len(look.agreed.results):
        return ""
    if look.plenty.paged and look.plenty.shown >= PROOF and look.page.n >= COMPLETE * look.plenty.shown:
        return ""
    empty = values.slots - values.filled
    return f"{look.spec.name} empty on {empty} of {values.slots} {_slots(values)}, usually {_usual(known)}"


def _too_few(look: _Look) -> str:
    """A value for nearly every visible result on every good page, and now for a third of them at most."""
    if look.spec.required is False or len(look.plenty.per_result) < _FEW or min(look.plenty.per_result) < COMPLETE:
        return ""
    if look.plenty.shown < PROOF or look.page.n * FEW_FOR_EACH > look.plenty.shown:
        return ""
    return f"{look.spec.name} on {look.page.n} of {look.plenty.shown} visible results, usually {_usual(look.known)}"


def _too_many(look: _Look) -> str:
    """Far more values than on any good page, and not because there are more results."""
    most = max((good.n for good in look.known.pages), default=0)
    if len(look.plenty.per_result) < _FEW or look.page.n < max(MANY_FOR_EACH * most, _MANY):
        return ""
    if look.plenty.shown < PROOF or look.page.n < MANY_FOR_EACH * max(*look.plenty.per_result, 1.0) * look.plenty.shown:
        return ""
    return f"{look.spec.name} {look.page.n} times for {look.plenty.shown} visible results, usually {_usual(look.known)}"


def _typed(look: _Look) -> str:
    usual = [good.valid for good in look.known.pages if good.n]
    if look.spec.kind is FieldKind.TEXT or look.page.valid >= 0.5 or (usual and min(usual) < 0.8):
        return ""
    values = look.values
    return (
        f"{look.spec.name} is no {look.spec.kind} on {len(values.values) - values.valid} of {len(values.values)} values"
    )


def _ordered(look: _Look) -> str:
    """Positions that neither rise nor used to repeat; gaps and repeated blocks are the page's own affair."""
    usual = min((good.order for good in look.known.pages), default=0.0)
    if look.spec.kind is not FieldKind.POSITION or usual < RISING or look.page.order > 1 - RISING:
        return ""
    return f"{look.spec.name} no longer counts up: {', '.join(look.values.values[:6])}"


def _constant(look: _Look) -> str:
    """One text in most places where good pages had a different one in each; results shown twice are no constant."""
    usual = [good.distinct for good in look.sizeable]
    if look.page.n < _MANY or not usual or min(usual) < 0.8 or (look.supported and not look.agreed.proof):
        return ""
    ((text, count),) = Counter(look.values.values).most_common(1)
    return f"{look.spec.name} is {text[:40]!r} in {count} of {look.page.n} places" if 2 * count > look.page.n else ""


def _unsupported(look: _Look) -> str:
    """Texts or addresses that were those of external links on every good page, and no longer are while there are such."""
    usual = [good.support for good in look.sizeable]
    if look.page.n < _FEW or len(look.seen.results) < PROOF or not usual or min(usual) < SUPPORT:
        return ""
    if look.page.support > 1 - SUPPORT:
        return ""
    return f"{look.spec.name} used to be the links of the page, now it is {look.values.values[0][:40]!r}"


def _odd_length(look: _Look) -> str:
    usual = [good.length for good in look.sizeable]
    if look.spec.kind not in {FieldKind.TEXT, FieldKind.NUMBER} or look.page.n < _MANY or not usual or look.supported:
        return ""
    line = LENGTH_LINE if len(usual) >= _FEW else FIRST_LENGTH_LINE
    if min(abs(look.page.length - length) for length in usual) <= line:
        return ""
    return f"{look.spec.name} is much {'longer' if look.page.length > usual[-1] else 'shorter'} than on any good page"


def _turned_link(look: _Look) -> str:
    """Texts that were no links of the page and no addresses on any good page, and now mostly are."""
    usual = look.sizeable
    if look.spec.kind is not FieldKind.TEXT or look.page.n < _MANY or len(usual) < _FEW:
        return ""
    shown = look.values.values[0][:40]
    if look.page.address >= SUPPORT and all(0 <= good.address <= _HARDLY for good in usual):
        return f"{look.spec.name} is an address, {shown!r}, which it never was"
    if look.page.support >= SUPPORT and max(good.support for good in usual) <= _HARDLY:
        return f"{look.spec.name} is the links of the page, {shown!r}, which it never was"
    return ""


_CHECKS = (_typed, _ordered, _constant, _unsupported, _turned_link, _odd_length, _too_many)


def _record(values: FieldValues, state: str) -> FieldYield:
    return FieldYield(values.name, len(values.values), round(values.fill, 4), state)


def _slots(values: FieldValues) -> str:
    return "items" if values.slots != 1 else "page"


def _usual(known: FieldMemory) -> str:
    """`10 of 10`: median filled over median slots."""
    counts = sorted(page.n for page in known.pages)
    fill = known.usual_fill
    n = counts[len(counts) // 2]
    return f"{n} of {max(round(n / fill), n)}" if fill else "none"
