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
    pattern: re.Pattern[str] | None = None

    def applies(self, page: Page, kind: TargetKind, status: int) -> bool:
        fits = status in self.status if self.status else 200 <= status < 300
        return fits and kind in self.kinds and (not self.max_text or len(page.text) <= self.max_text)

    def find(self, page: Page, text: str) -> str:
        """The piece that matched, or an empty string."""
        if self.pattern is None:
            return next((wanted for wanted in self.any if wanted in page.source), "")
        found = self.pattern.search(
            {"title": page.title.lower(), "headings": page.headings.lower()}.get(self.where, text)
        )
        return found.group(0) if found else ""


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
    text = page.text[:_BIG_TEXT].lower()
    tallies: dict[CauseId, _Tally] = {}
    for rule in rules():
        if rule.applies(page, kind, status) and (found := rule.find(page, text)):
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
        pattern=None if row["where"] == "source" else re.compile("|".join(f"(?:{term})" for term in terms)),
    )
