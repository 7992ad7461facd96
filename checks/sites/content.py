"""Pages that answer but earn nothing: scored by the rules of content.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from data.model.cause import cause
from data.model.target import TargetKind

if TYPE_CHECKING:
    from checks.sites.page import Page
    from data.model.ids import CauseId

_BIG_TEXT = 65_536
"""Characters of visible text in which rules without a limit look."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One table of content.toml."""

    cause: CauseId
    where: str
    score: float
    any: tuple[str, ...]
    max_text: int = 0
    """Longest visible text of a page it applies to; 0 is any."""
    kinds: tuple[TargetKind, ...] = (TargetKind.SITE, TargetKind.LINK)
    status: tuple[int, ...] = ()
    """Empty: any 2xx."""
    patterns: tuple[tuple[str, re.Pattern[str]], ...] = ()
    """(text that every match holds, pattern) for each of `any`; none for rules on the source."""

    def applies(self, page: Page, kind: TargetKind, status: int) -> bool:
        fits = status in self.status if self.status else 200 <= status < 300
        return fits and kind in self.kinds and (not self.max_text or len(page.text) <= self.max_text)

    def find(self, page: Page, texts: dict[str, str]) -> str:
        """The piece that matched, or an empty string."""
        if self.where == "source":
            return next((wanted for wanted in self.any if wanted in page.source), "")
        text = texts[self.where]
        for literal, pattern in self.patterns:
            if literal in text and (found := pattern.search(text)):
                return found.group(0)
        return ""


@dataclass(frozen=True, slots=True)
class Match:
    cause: CauseId
    score: float
    matched: str
    """The evidence: what stood where, raw."""


@dataclass(slots=True)
class _Tally:
    score: float = 0.0
    matched: list[str] = field(default_factory=list)


def judge_content(page: Page, kind: TargetKind, status: int) -> Match | None:
    """The best cause whose rules sum up to 1.0 or more, or `None` for a page that seems to be one.

    An empty page is one without visible text, scripts, images, frames or forms, whatever its title.
    """
    texts = {"title": page.title.lower(), "headings": page.headings.lower(), "text": page.text[:_BIG_TEXT].lower()}
    tallies: dict[CauseId, _Tally] = {}
    for rule in rules():
        if rule.applies(page, kind, status) and (found := rule.find(page, texts)):
            tally = tallies.setdefault(rule.cause, _Tally())
            tally.score += rule.score
            tally.matched.append(f"{rule.where}: {found}")
    best = max(tallies.items(), key=lambda item: item[1].score, default=None)
    if best and best[1].score >= 1.0:
        return Match(best[0], best[1].score, "; ".join(best[1].matched))
    if 200 <= status < 300 and not (page.text or page.carries):
        return Match(cause("content.empty"), 1.0, "no text, image, script, frame or form")
    return None


@cache
def rules() -> tuple[Rule, ...]:
    """The rules in the order of the file, patterns compiled once."""
    table = tomllib.loads(files("checks.sites").joinpath("content.toml").read_text(encoding="utf-8"))
    return tuple(_rule(row) for row in table["rule"])


def _rule(row: dict[str, Any]) -> Rule:
    terms = tuple(row["any"])
    return Rule(
        cause=cause(row["cause"]),
        where=row["where"],
        score=row["score"],
        any=terms,
        max_text=row.get("max_text", 0),
        kinds=tuple(TargetKind(kind) for kind in row.get("kinds", ("site", "link"))),
        status=tuple(row.get("status", ())),
        patterns=() if row["where"] == "source" else tuple((literal_of(term), re.compile(term)) for term in terms),
    )


def literal_of(term: str) -> str:
    """The longest text that every match of `term` holds, empty when there is none.

    Searching for it first spares nearly every regular expression: on a common page a hundred times faster.
    Understood are the few constructs that content.toml uses; whatever stands in brackets or is optional is left out.
    """
    runs, depth, at = [""], 0, 0
    while at < len(term):
        char, following = term[at], term[at + 1 : at + 2]
        if char == "\\":
            at += 1
            runs.append("")
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
            runs.append("")
        elif depth == 0 and char == "|":
            return ""
        elif depth == 0 and char not in ".^$?*+{}" and following not in {"?", "*", "{"}:
            runs[-1] += char
        else:
            runs.append("")
        if char == "{":
            at = term.index("}", at)
        at += 1
    return max(runs, key=len)
