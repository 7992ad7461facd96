"""What is said of ranks: of a site that is gone, and of a place on a parser's screen."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from data.model.ids import TargetId
from data.model.parser_view import VolatilityRow
from data.model.target import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from checks.parsers.ranks import Missing, Place

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Gone:
    """Why a site is called deindexed."""

    detail: str
    evidence: dict[str, str]

    @property
    def where(self) -> tuple[str, str]:
        """Engine and country."""
        return self.evidence.get("engine", ""), self.evidence.get("rank_geo", "")


def gone_words(found: Sequence[tuple[tuple[str, str], Missing]]) -> Gone:
    """In the words of the engine and country where it is gone from most queries; the others stand in the evidence."""
    (host, geo), lost = found[0]
    country = f" in {geo}" if geo else ""
    queries = [query for query, _ in lost.gone]
    named = ", ".join(f"{query!r}" for query in queries[:_NAMED]) + (", ..." if len(queries) > _NAMED else "")
    usual = median_place(place.usual for _, place in lost.gone)
    total = len(queries) + lost.there
    detail = (
        f"missing at {host}{country} for {len(queries)} of {queries_words(total)}, usually about place {usual}: {named}"
    )
    evidence = {
        "engine": host, "rank_queries": f"{len(queries)} of {total}", "rank_usual": str(usual), "rank_geo": geo,
        "rank_pages": f"missing from {max(place.needed for _, place in lost.gone)} good pages in a row or more",
    }  # fmt: skip
    if len(found) > 1:
        evidence["rank_also"] = ", ".join(f"{host} {geo}".strip() for (host, geo), _ in found[1:])[:200]
    if since := [one.since for _, one in found if one.since]:
        evidence["began_at"] = min(since).isoformat()
    return Gone(detail, evidence)


def place_row(site: str, key: tuple[TargetId, str, str], place: Place, now: datetime) -> VolatilityRow:
    label = f"place of {name_of(TargetId(site))}" + (f" {key[1]} {key[2]}".rstrip() if key[1] else "")
    lo, hi = min(place.positions), max(place.positions)
    usual = f"{place.usual:.0f} ({lo} to {hi})"
    if place.missed:
        since = when_words(place.missed_since or now, now)
        return VolatilityRow(label, "", usual, f"missing since {since}, {place.missed} of {place.needed} pages")
    last = place.looks[-1]
    earlier = sorted(place.positions[:-1])
    fine = not earlier or earlier[0] <= last <= earlier[-1]
    return VolatilityRow(
        label, str(last), usual, "as usual" if fine else "higher than ever" if last < lo + 1 else "lower than ever"
    )


def queries_words(count: int) -> str:
    return "1 query" if count == 1 else f"{count:,} queries"


def median_place(places: Iterable[float]) -> int:
    return round(median(places))


def when_words(at: datetime, now: datetime) -> str:
    """`17:32Z`, with its day where that is another."""
    return f"{at:%H:%MZ}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%MZ}"
