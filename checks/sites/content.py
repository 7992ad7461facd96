"""Pages that answer but earn nothing: what speaks for a cause and against it, summed up by the rules of a rulebook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from checks.sites.fold import fold
from checks.sites.page import shape_of
from checks.sites.rulebook import SHORT_TEXT, Rulebook
from data.model.cause import cause

if TYPE_CHECKING:
    from checks.sites.page import Page
    from checks.sites.rulebook import Index, Indices, Term
    from data.model.ids import CauseId
    from data.model.target import TargetKind

ENOUGH = 1.0
_BIG_TEXT = 65_536
"""Characters of visible text in which rules without a limit look."""
_FOLDED_TEXT = 8_192
"""Characters up to which a text is folded; rules for any length look at lower case only."""
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff "
_SPOKEN = 3
"""Matches that the evidence names."""


@dataclass(frozen=True, slots=True)
class Match:
    cause: CauseId
    score: float
    matched: str
    """The evidence: what stood where, raw."""
    rule: str = ""
    """Ids of the rules that spoke, the weightiest first."""

    @property
    def evidence(self) -> dict[str, str]:
        return {"matched": self.matched, "rule": self.rule, "score": f"{self.score:.1f}"}


@dataclass(slots=True)
class _Views:
    """The texts of a page as rules see them, made when first asked for."""

    page: Page
    _made: dict[str, tuple[str, str]] = field(default_factory=dict)

    def of(self, place: str) -> tuple[str, str]:
        """(comparable text, the same as it stands on the page)."""
        if place not in self._made:
            self._made[place] = self._make(place)
        return self._made[place]

    def _make(self, place: str) -> tuple[str, str]:
        page = self.page
        if place in {"source", "shape"}:
            text = page.source if place == "source" else shape_of(page)
            return text, text
        raw = {"title": page.title, "headings": page.headings, "text": page.text[:_BIG_TEXT]}[place]
        return (fold(raw) if len(raw) <= _FOLDED_TEXT else raw.lower()), raw


@dataclass(frozen=True, slots=True)
class _Found:
    term: Term
    place: str
    text: str


def judge_content(page: Page, kind: TargetKind, status: int, book: Rulebook | None = None) -> Match | None:
    """The best cause whose rules sum up to 1.0 or more, or `None` for a page that seems to be one.

    1. Every rule that speaks counts once, where it weighs most. 2. What speaks against a suspected cause is taken off.
    3. A cause for which the operator's own rules spoke goes before others, then the highest sum. An empty page is one
    without visible text, scripts, images, frames or forms, whatever its title.
    """
    book = book or Rulebook.of()
    views = _Views(page)
    suspected = _by_cause(_look(book.index(status), views, kind))
    if any(_sum(found) >= ENOUGH for found in suspected.values()):
        against = _by_cause(_look(book.index(status, against=True), views, kind))
        sums = {name: _sum(found) + _sum(against.get(name, {})) for name, found in suspected.items()}
        best = max(
            sums, key=lambda name: (sums[name] >= ENOUGH and _is_own(suspected[name]), sums[name], name[:5] == "link.")
        )
        if sums[best] >= ENOUGH:
            return _match(best, sums[best], suspected[best])
    if 200 <= status < 300 and not (page.text.strip(_INVISIBLE) or page.carries):
        return Match(cause("content.empty"), ENOUGH, "no text, image, script, frame or form", "empty")
    return None


def _look(indices: Indices, views: _Views, kind: TargetKind) -> dict[str, _Found]:
    """What each rule found where it weighs most, by rule."""
    found: dict[str, _Found] = {}
    length = len(views.page.text)
    places = ("title", "headings", "text") if length <= SHORT_TEXT else ("title", "headings")
    _note(found, indices.words, "\n".join(views.of(place)[0] for place in places), views, kind)
    for (place, max_text), index in indices.longer.items():
        if not max_text or length <= max_text:
            _note(found, index, views.of(place)[0], views, kind)
    return found


def _note(found: dict[str, _Found], index: Index, hay: str, views: _Views, kind: TargetKind) -> None:
    length = len(views.page.text)
    for literal, spot in index.hits(hay):
        term, before = spot.term, found.get(spot.term.rule)
        if kind not in term.kinds or (spot.max_text and length > spot.max_text):
            continue
        if before and abs(before.term.score) >= abs(term.score):
            continue
        text, raw = views.of(spot.place)
        if literal in text and (span := term.find(text, literal)):
            found[term.rule] = _Found(term, spot.place, _cut(text, raw, span))


def _cut(text: str, raw: str, span: tuple[int, int]) -> str:
    """The match as it stands on the page, where folding kept the offsets."""
    return (raw if len(raw) == len(text) else text)[slice(*span)]


def _by_cause(found: dict[str, _Found]) -> dict[CauseId, dict[str, _Found]]:
    sorted_out: dict[CauseId, dict[str, _Found]] = {}
    for name, one in found.items():
        sorted_out.setdefault(one.term.cause, {})[name] = one
    return sorted_out


def _sum(found: dict[str, _Found]) -> float:
    return sum(one.term.score for one in found.values())


def _is_own(found: dict[str, _Found]) -> bool:
    return any(one.term.own for one in found.values())


def _match(name: CauseId, score: float, found: dict[str, _Found]) -> Match:
    ranked = sorted(found.values(), key=lambda one: (not one.term.own, -one.term.score))[:_SPOKEN]
    matched = "; ".join(f"{one.place}: {one.text}" for one in ranked)
    return Match(name, round(score, 2), matched, " ".join(one.term.rule for one in ranked))
