"""Where a row of a partner's report happened, by what we know of its tracker, brand and country. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from checks.feeds.to_facts import ANYWHERE, Place, Said
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from data.config.rates import Rates
    from data.config.settings import Feed, Settings
    from data.model.fact import PartnerStat

FIGURES: Mapping[str, tuple[str, ...]] = {
    "clicks": ("clicks", "clicks_unique"),
    "regs": ("registrations", "leads"),
    "ftd": ("ftd_count", "ndc", "conversions", "qftd_count"),
    "revenue": ("commission_total",),
}
"""A fact's measure and the report's that may stand for it: the first that is delivered."""
PENDING = "commission_pending"
"""Commission that waits for approval is earned all the same; what is not approved is taken back later."""
TRACKERS = ("tracker", "subid", "campaign")
"""Dimensions that may name one of our links or sites."""
OFFERS = ("offer", "brand")
TRACKER = "tracker."
"""Option of a feed: `tracker.NAME = SITE`, for trackers whose name says nothing."""
_LEAST_PARAM = 3
"""Characters of a parameter's value that may be a tracker: `1` and `de` are in too many links."""

Bucket = tuple["date", str]
"""A day of the partner and, in reports by hour, its hour."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What an account's trackers, brands and offers are called, and which offer and site each means."""

    trackers: Mapping[str, tuple[str | None, str | None]]
    """Offer and site by a tracker's name in lower case; `None` where its links do not agree."""
    offers: Mapping[str, str]
    """As our links spell them, by lower case."""

    def place_of(self, dims: Mapping[str, str]) -> Place:
        """The most that a row's dimensions say for certain."""
        offer, site = None, None
        for name in TRACKERS:
            known = self.trackers.get(dims.get(name, "").strip().lower())
            if known:
                offer, site = known
                break
        named = next(
            (self.offers[word] for name in OFFERS if (word := dims.get(name, "").lower()) in self.offers), None
        )
        geo = dims.get("geo", "").strip().upper()
        return Place(named or offer, geo if len(geo) == 2 and geo.isascii() and geo.isalpha() else None, site)


def signs(settings: Settings, feed: Feed) -> Signs:
    """From the inventory's links to the feed's partner and the team's sites: by name, address and the values of its parameters."""
    links = [one for one in settings.targets if one.kind is TargetKind.LINK and one.partner == feed.partner]
    meant: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for link in links:
        for word in _words(link.url, link.name):
            meant[word].add((link.offer, link.site))
    for target in settings.targets:
        if target.kind is TargetKind.SITE and target.team == feed.team:
            for word in {target.name.lower(), (urlsplit(target.url).hostname or "").lower()} - {""}:
                meant.setdefault(word, {("", target.name)})
    for option, site in feed.options.items():
        if option.startswith(TRACKER):
            meant[option.removeprefix(TRACKER).lower()] = {("", site)}
    trackers = {
        word: (_agreed(offer for offer, _ in many), _agreed(site for _, site in many)) for word, many in meant.items()
    }
    offers = {link.offer.lower(): link.offer for link in links if link.offer}
    return Signs({word: pair for word, pair in trackers.items() if any(pair)}, offers)


def said(stats: Iterable[PartnerStat], known: Signs, rates: Rates) -> tuple[dict[Bucket, list[Said]], set[str]]:
    """What a delivery says by day (and hour) and place, money in the company's currency; and currencies without a rate.

    A row that is no longer delivered says nothing of its place, but its day is among the buckets.
    """
    sums: dict[Bucket, dict[Place, dict[str, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    unpriced = set[str]()
    for stat in stats:
        bucket = sums[stat.day, stat.dims.get("hour", "")]
        if not stat.measures:
            continue
        figures = _figures(stat)
        if figures.get("revenue"):
            exchange = rates.at(stat.currency, stat.day)
            if exchange is None:
                unpriced.add(stat.currency)
                continue
            figures["revenue"] = (figures["revenue"] * exchange.rate).quantize(Decimal("0.0001"))
        place = bucket[known.place_of(stat.dims)]
        for name, figure in figures.items():
            place[name] = place.get(name, Decimal(0)) + figure
    return {bucket: _listed(places) for bucket, places in sums.items()}, unpriced


def _listed(places: Mapping[Place, Mapping[str, Decimal]]) -> list[Said]:
    """A day without a row is a day of nothing, which is said of every measure."""
    nothing = dict.fromkeys(FIGURES, Decimal(0))
    return [Said(place, dict(figures)) for place, figures in places.items()] or [Said(ANYWHERE, nothing)]


def _figures(stat: PartnerStat) -> dict[str, Decimal]:
    found = {}
    for name, candidates in FIGURES.items():
        figure = next((one for word in candidates if (one := stat.measures.get(word)) is not None), None)
        if figure is not None:
            found[name] = figure
    if "revenue" in found:
        found["revenue"] += stat.measures.get(PENDING) or 0
    return found


def _words(url: str, name: str) -> set[str]:
    """What of a link a partner's tracker may be called by."""
    found = {name.lower()}
    try:
        parts = urlsplit(url)
        given = parse_qsl(parts.query)
    except ValueError:
        return found
    found |= {value.lower() for _, value in given if len(value) >= _LEAST_PARAM}
    last = parts.path.rstrip("/").rpartition("/")[2].lower()
    return found | ({last} if len(last) >= _LEAST_PARAM else set())


def _agreed(values: Iterable[str]) -> str | None:
    distinct = set(values)
    return next(iter(distinct)) or None if len(distinct) == 1 else None
