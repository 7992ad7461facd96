"""One field against its own history: filled as usual, typed as promised, built of the same kind of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.parsers.memory import FieldMemory, FieldPage, field_page
from checks.parsers.spec import FieldKind, FieldSpec
from data.model.fact import FieldYield

if TYPE_CHECKING:
    from checks.parsers.extract import FieldValues
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
SUPPORT = 0.7
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


def yield_of(spec: FieldSpec, values: FieldValues, known: FieldMemory, seen: Sighting, agreed: Agreement) -> Yield:
    """State `ok`, `low`, `dead` or `wrong`, with its reason in words."""
    page = field_page(values, seen)
    if values.filled == 0:
        return _empty(spec, values, known)
    for check in (_low, _typed, _ordered, _constant, _unsupported, _odd_length):
        state, words, sure = check(spec, page, values, known)
        if state == "low" and agreed.proof and round(page.support * page.n) >= COMPLETE * len(agreed.results):
            continue
        if state:
            return Yield(_record(values, state), words, sure)
    return Yield(_record(values, "ok"))


_Judged = tuple[str, str, bool]
_FINE: _Judged = ("", "", True)


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
        dead = known.presence == 1.0 and len(known.pages) >= _MANY and by_chance < CHANCE
    return Yield(_record(values, "dead" if dead else "ok"), words)


def _low(spec: FieldSpec, page: FieldPage, values: FieldValues, known: FieldMemory) -> _Judged:
    """Filled clearly less often than on the worst good page; a field that may be missing is never low."""
    if spec.required is False or values.slots < _MANY or not known.pages:
        return _FINE
    if page.fill >= known.least_fill - (FILL_DROP if len(known.pages) >= _KNOWN else FIRST_FILL_DROP):
        return _FINE
    empty = values.slots - values.filled
    return "low", f"{spec.name} empty on {empty} of {values.slots} {_slots(values)}, usually {_usual(known)}", True


def _typed(spec: FieldSpec, page: FieldPage, values: FieldValues, known: FieldMemory) -> _Judged:
    if spec.kind is FieldKind.TEXT or page.valid >= 0.5:
        return _FINE
    usual = [good.valid for good in known.pages if good.n]
    if usual and min(usual) < 0.8:
        return _FINE
    wrong = len(values.values) - values.valid
    words = f"{spec.name} is no {spec.kind} on {wrong} of {len(values.values)} values"
    return "wrong", words, bool(usual) or spec.kind in {FieldKind.URL, FieldKind.POSITION}


def _ordered(spec: FieldSpec, page: FieldPage, values: FieldValues, known: FieldMemory) -> _Judged:
    if spec.kind is not FieldKind.POSITION or page.order or not all(good.order for good in known.pages):
        return _FINE
    return "wrong", f"{spec.name} repeats or jumps: {', '.join(values.values[:6])}", bool(known.pages)


def _constant(spec: FieldSpec, page: FieldPage, _values: FieldValues, known: FieldMemory) -> _Judged:
    """One text in most places where good pages had a different one in each."""
    usual = [good.distinct for good in known.pages if good.n >= _FEW]
    if page.n < _MANY or not usual or page.distinct > 0.5 or min(usual) < 0.8:
        return _FINE
    return "wrong", f"{spec.name} says the same in {page.n - round(page.distinct * page.n) + 1} places", True


def _unsupported(spec: FieldSpec, page: FieldPage, values: FieldValues, known: FieldMemory) -> _Judged:
    """Texts or addresses that were those of external links on every good page, and are no longer."""
    usual = [good.support for good in known.pages if good.n >= _FEW]
    if page.n < _FEW or not usual or min(usual) < SUPPORT or page.support > 1 - SUPPORT:
        return _FINE
    return "wrong", f"{spec.name} used to be the links on the page and is not: {values.values[0][:40]!r}", True


def _odd_length(spec: FieldSpec, page: FieldPage, _values: FieldValues, known: FieldMemory) -> _Judged:
    usual = [good.length for good in known.pages if good.n >= _FEW]
    if spec.kind not in {FieldKind.TEXT, FieldKind.NUMBER} or page.n < _MANY or not usual:
        return _FINE
    if min(abs(page.length - length) for length in usual) <= LENGTH_LINE:
        return _FINE
    much = "longer" if page.length > usual[-1] else "shorter"
    return "wrong", f"{spec.name} is much {much} than on any good page", True


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
