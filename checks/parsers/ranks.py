"""Where our own sites stand in search results, and when one that stood there steadily is gone.

Places come and go: that is the world. A site is *gone* from a query in a country when

1. it was seen on `ENOUGH` good pages, and on `STEADY` of those where it could have been seen. A page shorter than the
   site's usual place plus its spread (median to worst of ten, twice) says nothing: 10 results in the morning and 30 in
   the evening move nobody out of the index, nor does a place at the lower edge.
2. it is missing from N such pages in a row. N is the least for which so many absences come by chance once in ten
   thousand (`CHANCE`), with the share of pages it was missing from before, one absence more than seen; never fewer than
   `FEWEST`, and two more than it ever was missing in a row, because absences come in runs. 30 pages without a gap: 3;
   10 pages: 4; a gap in one page of ten: 5 or 6.
3. those pages are of the same query as ever: at least `ALIKE` of the hosts usual there are there still. After `PAGES` of
   another kind in a row the results are others for good, and everything is learned anew.

A site that is gone from more than half of the queries where it stood steadily, of one engine in one country, is
deindexed; from fewer it has lost ranks, which is information. `learn` takes good and believed pages only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import ceil, log
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

ENOUGH = 5
"""Good pages a site must have been on before its absence means anything."""
STEADY = 0.8
"""Share of the pages it could have been on that it must have been on."""
FEWEST = 3
CHANCE = 1e-4
"""How likely N absences in a row may be for a site that is there as often as it was; many sites and queries are tested."""
ALIKE = 0.2
"""Pages of one query keep most of their first hosts from day to day; a page that has next to none of them is another's."""
REMEMBERED = 40
"""Looks at a site that say what is usual."""
PAGES = 10
"""Pages whose hosts say which are usual."""
MAJORITY = 0.5


@dataclass(frozen=True, slots=True)
class Look:
    """One good page of results."""

    at: datetime
    results: int
    """How many there were: the lowest place that could be seen."""
    places: Mapping[str, int]
    """Best position by site."""
    hosts: tuple[str, ...] = ()
    """Of the first results."""


@dataclass(frozen=True, slots=True)
class Place:
    """One site for one query in one country."""

    looks: tuple[int, ...] = ()
    """Positions on the pages where it could be seen, 0 where it was not there; newest last, the present absence left out."""
    missed: int = 0
    """Pages in a row that it is missing from now."""
    missed_since: datetime | None = None
    seen_at: datetime | None = None

    @property
    def positions(self) -> tuple[int, ...]:
        return tuple(filter(None, self.looks))

    @property
    def usual(self) -> float:
        """Median position; 0 while it was never seen."""
        return float(median(self.positions)) if self.positions else 0.0

    @property
    def reach(self) -> float:
        """Results a page must have for this site to be missed on it."""
        ordered = sorted(self.positions)
        worst = ordered[min(int(len(ordered) * 0.9), len(ordered) - 1)] if ordered else 0
        return worst + max(worst - self.usual, 1.0)

    @property
    def steady(self) -> bool:
        """Whether it stands there so regularly that its absence means something."""
        there = len(self.positions)
        return there >= ENOUGH and there >= STEADY * len(self.looks)

    @property
    def needed(self) -> int:
        """Absences in a row that are no chance."""
        absent = len(self.looks) - len(self.positions)
        share = (absent + 1) / (len(self.looks) + 2)
        return max(FEWEST, _longest(self.looks) + 2, ceil(log(CHANCE) / log(share)))

    @property
    def gone(self) -> bool:
        return self.missed >= FEWEST and self.steady and self.missed >= self.needed


@dataclass(frozen=True, slots=True)
class Standings:
    """What is known of one query in one country."""

    places: Mapping[str, Place]
    """By site."""
    hosts: tuple[tuple[str, ...], ...] = ()
    """First hosts of the last good pages."""
    last_at: datetime | None = None
    strange: int = 0
    """Pages in a row that looked like another query's."""

    def learn(self, look: Look) -> Standings:
        """With one page more. One that is older than the last, or of another query by its looks, says nothing."""
        if self.last_at and look.at <= self.last_at:
            return self
        if not self._alike(look):
            strange = self.strange + 1
            return replace(self, strange=strange) if strange < PAGES else Standings({}).learn(look)
        places = dict(self.places)
        for site in {*places, *look.places}:
            places[site] = _learned(places.get(site, Place()), look, look.places.get(site, 0))
        hosts = (*self.hosts, look.hosts)[-PAGES:] if look.hosts else self.hosts
        return Standings(places, hosts, look.at)

    def forget(self, site: str) -> Standings:
        """Without a site: it is not missed any more."""
        return replace(self, places={name: place for name, place in self.places.items() if name != site})

    def _alike(self, look: Look) -> bool:
        usual = usual_hosts(self.hosts)
        if not usual or not look.hosts:
            return True
        return len(usual & set(look.hosts)) >= ALIKE * len(usual)


def usual_hosts(pages: tuple[tuple[str, ...], ...]) -> set[str]:
    """Hosts on most of these pages; none while there are too few to tell."""
    if len(pages) < ENOUGH:
        return set()
    seen = Counter(host for page in pages for host in set(page))
    return {host for host, count in seen.items() if 2 * count > len(pages)}


def _learned(place: Place, look: Look, position: int) -> Place:
    if position:
        looks = (*place.looks, *(0,) * min(place.missed, REMEMBERED), position)[-REMEMBERED:]
        return Place(looks, seen_at=look.at)
    if look.results < place.reach:
        return place
    return replace(place, missed=place.missed + 1, missed_since=place.missed_since or look.at)


def _longest(looks: Iterable[int]) -> int:
    """Most absences in a row."""
    longest = run = 0
    for position in looks:
        run = 0 if position else run + 1
        longest = max(longest, run)
    return longest


@dataclass(frozen=True, slots=True)
class Missing:
    """A site in the results of one engine in one country."""

    gone: tuple[tuple[str, Place], ...]
    """Queries it is gone from, with what was known."""
    there: int
    """Queries where it stands as steadily as ever."""

    @property
    def deindexed(self) -> bool:
        return len(self.gone) > MAJORITY * (len(self.gone) + self.there)

    @property
    def since(self) -> datetime | None:
        """When it was first missing; where it is gone from several queries, from the first of them."""
        return min((place.missed_since for _, place in self.gone if place.missed_since), default=None)


def missing(places: Iterable[tuple[str, Place]]) -> Missing:
    """What (query, place) pairs of one site say together; only those where it stood steadily count."""
    steady = [(query, place) for query, place in places if place.steady]
    gone = tuple((query, place) for query, place in steady if place.gone)
    return Missing(gone, len(steady) - len(gone))
