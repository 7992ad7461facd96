"""The rules for pages that earn nothing, the operator's before the shipped ones, laid out so that looking is cheap."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from checks.sites.fold import fold_pattern
from checks.sites.literals import Literals, literals_of
from data.config.settings import ContentRule
from data.model.cause import cause
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from data.model.ids import CauseId

SHIPPED = "checks.sites"
SHORT_TEXT = 3_000
"""Characters of a text up to which it is looked at together with title and headings."""
USUAL = "usual.toml"
_SEGMENTS = re.compile(r"\s*[|·•»›«‹]+\s*|\s[-–—:]+\s|:\s")


@dataclass(frozen=True, slots=True)
class Term:
    """One of a rule's expressions in one place, with all that is usual filled in."""

    rule: str
    cause: CauseId
    score: float
    kinds: tuple[TargetKind, ...]
    pattern: str
    """Empty for a plain text of `source`."""
    room: int
    """Characters that may stand around the match in its segment of a title or heading; below 0 any number."""
    own: bool

    def find(self, text: str, literal: str) -> tuple[int, int] | None:
        """Where it stands in `text`, which holds `literal`."""
        if not self.pattern:
            return text.index(literal), text.index(literal) + len(literal)
        pattern = compiled(self.pattern)
        if self.room < 0:
            found = pattern.search(text)
            return found.span() if found else None
        for start, end in segments(text):
            found = pattern.search(text[start:end])
            if found and end - start - len(found.group(0)) <= self.room:
                return start + found.start(), start + found.end()
        return None


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a term may stand."""

    place: str
    max_text: int
    """Longest text of a page it applies to; 0 is any."""
    term: Term


@dataclass(frozen=True, slots=True)
class Index:
    """Spots by the literals without which their terms cannot match: one look for each, whatever the place."""

    literals: Literals
    spots: dict[str, tuple[Spot, ...]]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, Spot]]) -> Index:
        spots: dict[str, dict[Spot, None]] = {}
        for literal, spot in pairs:
            spots.setdefault(literal, {})[spot] = None
        return cls(Literals.of(tuple(spots)), {literal: tuple(every) for literal, every in spots.items()})

    def hits(self, text: str) -> Iterator[tuple[str, Spot]]:
        """(literal that stands in `text`, spot of a term that needs it)."""
        for literal in self.literals.within(text):
            for spot in self.spots[literal]:
                yield literal, spot


@dataclass(frozen=True, slots=True)
class Indices:
    """What applies to one status: the words of titles, headings and short texts together, all else place by place."""

    words: Index
    longer: dict[tuple[str, int], Index]
    """By place and longest text."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    rules: tuple[tuple[ContentRule, bool], ...]
    """(rule, whether it is the operator's own)."""
    _indices: dict[tuple[int, bool], Indices] = field(default_factory=dict)

    @classmethod
    def of(cls, own: Sequence[ContentRule] = ()) -> Rulebook:
        """`own` before the shipped ones; what pages that answer 200 need is made ready here, not during a check."""
        return _book(tuple(own))

    def index(self, status: int, *, against: bool = False) -> Indices:
        """What applies to an answer with `status`; `against` are the rules that speak against their cause."""
        if (status, against) not in self._indices:
            named = any(status in rule.status for rule, _ in self.rules)
            if 200 < status < 300 and not named:
                self._indices[status, against] = self.index(200, against=against)
            else:
                chosen = [(rule, own) for rule, own in self.rules if (rule.score < 0) == against]
                self._indices[status, against] = _index(chosen, status)
        return self._indices[status, against]


@lru_cache(maxsize=4)
def _book(own: tuple[ContentRule, ...]) -> Rulebook:
    made = Rulebook(tuple((rule, True) for rule in own) + tuple((rule, False) for rule in shipped()))
    made.index(200)
    made.index(200, against=True)
    return made


@cache
def shipped() -> tuple[ContentRule, ...]:
    """The rules of rules/*.toml, file by file."""
    folder = files(SHIPPED).joinpath("rules")
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".toml") and item.name != USUAL)
    return tuple(
        rule
        for name in names
        for rule in _read(name.removesuffix(".toml"), tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8")))
    )


def _read(stem: str, table: Mapping[str, Any]) -> Iterator[ContentRule]:
    seen: dict[str, int] = {}
    for row in table["rule"]:
        name = row.get("id") or f"{stem}.{row['cause'].rpartition('.')[2]}"
        seen[name] = seen.get(name, 0) + 1
        lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
        kinds = tuple(TargetKind(kind) for kind in row.get("kinds", ()))
        number = f"-{seen[name]}" if seen[name] > 1 else ""
        yield ContentRule(**{**row, **lists, "id": name + number, "cause": cause(row["cause"]), "kinds": kinds})


@cache
def usual() -> dict[str, Any]:
    """usual.toml: `weights` and `room` by place, `cause` with limits, kinds and error statuses."""
    return tomllib.loads(files(SHIPPED).joinpath("rules", USUAL).read_text(encoding="utf-8"))


def _index(chosen: Iterable[tuple[ContentRule, bool]], status: int) -> Indices:
    words: list[tuple[str, Spot]] = []
    longer: dict[tuple[str, int], list[tuple[str, Spot]]] = {}
    for rule, own in chosen:
        shape = usual()["cause"].get(rule.cause, {})
        error = shape.get("on", {}).get(str(status))
        if (status not in rule.status) if rule.status else (not 200 <= status < 300 and error is None):
            continue
        error = error if not rule.status else None
        for place in rule.where:
            limit = (error or {}).get("max_text", shape.get(place, 0)) if rule.max_text is None else rule.max_text
            cause_id = cause(error["cause"]) if error else rule.cause
            short = place in {"title", "headings"} or (place == "text" and 0 < limit <= SHORT_TEXT)
            kept = words if short else longer.setdefault((place, limit), [])
            kept += [(literal, Spot(place, limit, term)) for literal, term in _terms(rule, place, cause_id, own=own)]
    return Indices(Index.of(words), {key: Index.of(pairs) for key, pairs in longer.items()})


def _terms(rule: ContentRule, place: str, cause_id: CauseId, *, own: bool) -> Iterator[tuple[str, Term]]:
    kinds = rule.kinds or tuple(map(TargetKind, usual()["cause"].get(rule.cause, {}).get("kinds", ("site", "link"))))
    rooms = usual()["room"]
    room = (rooms[place] if rule.room is None else rule.room) if place in rooms else -1
    score = rule.score * usual()["weights"][place]
    for raw in rule.any:
        pattern = "" if place == "source" else fold_pattern(raw)
        term = Term(rule.id, cause_id, score, kinds, pattern, room, own)
        for literal in literals_of(pattern) if pattern else (raw.lower(),):
            yield literal, term


def segments(text: str) -> list[tuple[int, int]]:
    """The whole of a folded title or row of headings, and each part that stands between separators."""
    found, start = [(0, len(text))], 0
    for mark in _SEGMENTS.finditer(text):
        found.append((start, mark.start()))
        start = mark.end()
    return [*found, (start, len(text))] if start else found


compiled = cache(re.compile)
