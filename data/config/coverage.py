"""Which countries are watched from nowhere near."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from data.model.target import TargetKind

if TYPE_CHECKING:
    from data.config.settings import Settings


def blind_spots(settings: Settings) -> dict[str, int]:
    """Links by country, of the countries in which no vantage stands: from here nobody can see that they are `ok`."""
    there = {vantage.country.upper() for vantage in settings.vantages}
    wanted = (t.geo.upper() for t in settings.targets if t.kind is TargetKind.LINK and t.geo and not t.paused)
    return dict(sorted(Counter(country for country in wanted if country not in there).items()))


def in_words(spots: dict[str, int]) -> str:
    """`no vantage in AT, CH: their 14 links stay unknown unless they fail for everybody`; empty where none is missing."""
    if not spots:
        return ""
    count = sum(spots.values())
    links = "its only link stays" if count == 1 else f"{'its' if len(spots) == 1 else 'their'} {count:,} links stay"
    return f"no vantage in {', '.join(spots)}: {links} unknown unless broken for everybody"
