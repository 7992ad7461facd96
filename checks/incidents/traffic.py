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
Leaf = tuple[str, str, str]
"""Partner, offer and GEO of a link, empty where it has none."""
_LEAF = ("partner", "offer", "geo")
_TOLD = 0.5
"""A partner at least this part of whose clicks name a site is weighed by clicks, any other by links."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What sites carry of the slices that links there feed.

    A link carries what its site brought its partner in its country, shared with the other links of that place. Where
    counts do not name sites each link carries the same.
    """

    _links: Mapping[Leaf, Mapping[str, float]] = field(default_factory=dict)
    _clicks: Mapping[Leaf, Mapping[str, float]] = field(default_factory=dict)
    _counted: frozenset[str] = frozenset()
    """Partners that are weighed by clicks."""

    @classmethod
    def of(cls, links: Iterable[Target], clicks: Mapping[Place, float]) -> Traffic:
        """`clicks` by partner, GEO and site; an empty site holds those of which nobody knows the site."""
        known = [link for link in links if link.site and link.partner]
        alike = Counter(map(_place, known))
        told, counted = _by_place(clicks)
        by_links: dict[Leaf, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        by_clicks: dict[Leaf, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for link in known:
            leaf, place = (str(link.partner), link.offer, link.geo), _place(link)
            by_links[leaf][link.site] += 1.0
            by_clicks[leaf][link.site] += told.get(place, 0.0) / alike[place]
        return cls(by_links, by_clicks, counted)

    def leaves(self) -> Iterator[tuple[Mapping[str, str], Mapping[str, float]]]:
        """The slices that links feed, with what each site carries of them."""
        for leaf, links in self._links.items():
            carried = self._clicks[leaf] if leaf[0] in self._counted else links
            yield dict(zip(_LEAF, leaf, strict=True)), carried

    def sites_of(self, where: Mapping[str, str]) -> dict[str, float]:
        """The share of a slice's traffic that passes each site; empty where no link of the slice is known."""
        leaves = [
            leaf
            for leaf in self._links
            if all(where.get(name, own) == own for name, own in zip(_LEAF, leaf, strict=True))
        ]
        by_clicks = self._counted.issuperset(leaf[0] for leaf in leaves)
        shares: dict[str, float] = defaultdict(float)
        for leaf in leaves:
            for site, carried in (self._clicks if by_clicks else self._links)[leaf].items():
                if where.get("site", site) == site:
                    shares[site] += carried
        total = sum(shares.values())
        return {site: carried / total for site, carried in shares.items()} if total > 0 else {}


def _by_place(clicks: Mapping[Place, float]) -> tuple[dict[Place, float], frozenset[str]]:
    """Clicks by place, and those partners of which enough clicks name one."""
    total: dict[str, float] = defaultdict(float)
    named: dict[str, float] = defaultdict(float)
    summed: dict[Place, float] = defaultdict(float)
    for (partner, geo, site), count in clicks.items():
        total[partner] += count
        if site:
            named[partner] += count
            for key in {(partner, geo, site), (partner, "", site)}:
                summed[key] += count
    return summed, frozenset(one for one in total if total[one] > 0 and named[one] >= _TOLD * total[one])


def _place(link: Target) -> Place:
    return str(link.partner), link.geo, link.site
