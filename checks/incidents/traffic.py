"""Through which sites the clicks of a slice pass, as links and counts tell. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from data.model.target import Target

Place = tuple[str, str, str]
"""Partner, GEO and site; an empty GEO stands for all of them."""
_DIMS = ("partner", "offer", "geo", "site")
_TOLD = 0.5
"""A partner at least this part of whose clicks name a site is weighed by clicks, any other by links."""


@dataclass(slots=True)
class Traffic:
    """Links with the clicks that pass them.

    A link weighs what its site brought its partner in its country, shared with the other links of that place. Where
    counts do not name sites each link weighs the same.
    """

    _links: dict[str, list[Target]] = field(default_factory=lambda: defaultdict(list))
    _alike: Counter[Place] = field(default_factory=Counter)
    """Links of one place."""
    _clicks: Mapping[Place, float] = field(default_factory=dict)
    _counted: frozenset[str] = frozenset()
    """Partners that are weighed by clicks."""

    @classmethod
    def of(cls, links: Iterable[Target], clicks: Mapping[Place, float]) -> Traffic:
        """`clicks` by partner, GEO and site; an empty site holds those of which nobody knows the site."""
        known: dict[str, list[Target]] = defaultdict(list)
        alike: Counter[Place] = Counter()
        for link in links:
            if link.site and link.partner:
                known[link.partner].append(link)
                alike[_place(link)] += 1
        total: dict[str, float] = defaultdict(float)
        named: dict[str, float] = defaultdict(float)
        summed: dict[Place, float] = defaultdict(float)
        for (partner, geo, site), count in clicks.items():
            total[partner] += count
            if site:
                named[partner] += count
                for key in {(partner, geo, site), (partner, "", site)}:
                    summed[key] += count
        counted = (one for one in total if total[one] > 0 and named[one] >= _TOLD * total[one])
        return cls(known, alike, summed, frozenset(counted))

    @property
    def links(self) -> Iterator[Target]:
        """Of a partner and a site; all others feed nothing."""
        return (link for links in self._links.values() for link in links)

    def weight(self, link: Target) -> float:
        """Clicks, or 1 where no counts name the sites of its partner."""
        return self._clicks_of(link) if link.partner in self._counted else 1.0

    def sites_of(self, where: Mapping[str, str]) -> dict[str, float]:
        """The share of a slice's traffic that passes each site; empty where no link of the slice is known."""
        shares: dict[str, float] = defaultdict(float)
        wanted = [(name, where[name]) for name in _DIMS if where.get(name)]
        partners = [where["partner"]] if where.get("partner") else list(self._links)
        by_clicks = self._counted.issuperset(partners)
        for partner in partners:
            for link in self._links.get(partner, ()):
                if all(str(getattr(link, name)) == value for name, value in wanted):
                    shares[link.site] += self._clicks_of(link) if by_clicks else 1.0
        total = sum(shares.values())
        return {site: weight / total for site, weight in shares.items()} if total > 0 else {}

    def _clicks_of(self, link: Target) -> float:
        place = _place(link)
        return self._clicks.get(place, 0.0) / max(self._alike[place], 1)


def _place(link: Target) -> Place:
    return str(link.partner), link.geo, link.site
