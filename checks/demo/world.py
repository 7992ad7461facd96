from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from zlib import crc32

from checks.demo.partners import BY_ID, PARTNERS

COMPANY = "Corvane Media"
EDGE_NAME = "Halyard Edge"
EDGE_HEADER = "x-halyard-ray"
SMARTLINK_HOST = "top.offerlane.example"
"""Where P02's tracker sends everybody once the offer is paused (F1): another brand's list of offers."""
SISTER_HOST = "www.saltwickroyal.example"
"""A brand of P04's group that has no licence in Great Britain; a bulk edit points British links at it (F13)."""
SEARCH_HOST = "www.findly.example"
CANARY_HOSTS = ("canary-1.example", "canary-2.example", "canary-3.example")
EDGE_SHARE = 0.38
TIER_SHARE = {1: 0.80, 2: 0.15, 3: 0.05}
"""Clicks by tier."""
TAIL_SITE = "long-tail"
"""One name for the pooled traffic of a team's long tail in the click log: 1,000 sites with a twentieth of the clicks."""


@dataclass(frozen=True, slots=True)
class DemoTeam:
    id: str
    name: str
    focus: str
    geos: tuple[str, ...]
    sites: tuple[int, int, int]
    """Sites by tier 1, 2, 3."""
    partners: tuple[str, ...]
    words: tuple[str, str]
    """First and second halves of its sites' names, space-separated."""


TEAMS: tuple[DemoTeam, ...] = (
    DemoTeam(
        "aurora", "Aurora", "SEO casino, Nordics and DACH", ("FI", "NO", "DE", "AT", "CH"), (12, 40, 258), ("P01", "P02", "P05", "P11"),
        ("nord polar fjord alpen revon spiel kasino bonus freispiel talvi isbre gletscher tahti mitternacht", "kompass tester guide radar zeit portal magazin vergleich tupa huset blick profi wegweiser archiv"),
    ),
    DemoTeam(
        "baltic", "Baltic", "SEO sports and casino, CEE", ("PL", "CZ", "RO", "EE"), (9, 30, 221), ("P03", "P08"),
        ("zaklad kurs sazka pariuri mecz typer goal liga stadion kantor mesto bursztyn", "ekspert lab radar zona arena kupon serwis prehled navod guru sprint fakt portal"),
    ),
    DemoTeam(
        "cedar", "Cedar", "LatAm, SEO and paid", ("BR", "MX", "CL", "PE", "CA"), (13, 48, 359), ("P06", "P07", "P09"),
        ("aposta cassino apuesta casino bola jogo azteca condor pampa cancha bonos palpite maple sorte", "mestre guia facil hoje total norte clube mundo latino pro ranking zona mapa directo"),
    ),
    DemoTeam(
        "delta", "Delta", "client sites, EN", ("GB", "IE", "CA", "JP"), (6, 22, 162), ("P04", "P10"),
        ("harbour royal emerald maple sakura crown lucky velvet oak union copper", "slots reviews lounge picks weekly tables digest corner ledger index gazette"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoSite:
    name: str
    team: str
    tier: int
    geos: tuple[str, ...]
    partners: tuple[str, ...]
    edge: bool
    """Fronted by Halyard Edge."""
    https: bool
    project: str = ""

    @property
    def host(self) -> str:
        return f"{self.name}.example"


@dataclass(frozen=True, slots=True)
class DemoLink:
    name: str
    site: str
    team: str
    tier: int
    partner: str
    offer: str
    geo: str
    """Country whose vantage carries the check; empty means from here."""
    project: str = ""
    device: str = ""
    """`mobile`: a second look at the same link with a phone's eyes."""

    @property
    def btag(self) -> str:
        return f"cm_{self.name}"


@dataclass(frozen=True, slots=True)
class DemoParser:
    name: str
    team: str
    query: str
    geo: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """One partner x offer x geo x site x team of the revenue facts and its usual clicks a day."""

    partner: str
    offer: str
    geo: str
    site: str
    team: str
    clicks_per_day: float
    edge_share: float
    """Share of its traffic that passes Halyard Edge: 0 or 1, the pooled tail between."""


@dataclass(frozen=True, slots=True)
class World:
    """Corvane Media: who it is, before anything goes wrong. The same seed gives the same world."""

    seed: int
    sites: tuple[DemoSite, ...]
    links: tuple[DemoLink, ...]
    parsers: tuple[DemoParser, ...]
    leaves: tuple[Leaf, ...]
    challenged: str
    """Name of the site whose firewall dislikes our probe for a day (D4)."""
    hub: str = ""
    """Name of the tier-1 site of Aurora whose deploy forbids indexing (F14)."""
    flooded: str = ""
    """Name of the tier-1 site of Aurora that bots flood (D3)."""
    migrating: frozenset[str] = frozenset()
    """Names of the sites of Delta that move to a new host, announced (D8)."""
    untagged: frozenset[str] = frozenset()
    """Names of the P01 links whose placement loses its tag (F2)."""
    shallow: frozenset[str] = frozenset()
    """Names of the P07 links whose deep link comes to land on home (F10)."""

    def site_named(self, name: str) -> DemoSite:
        return _by_name(self.sites)[name]


@cache
def _by_name(sites: tuple[DemoSite, ...]) -> dict[str, DemoSite]:
    return {site.name: site for site in sites}


def build_world(seed: int = 1) -> World:
    """Four teams, 1,180 sites, links of every tier-1 and tier-2 site, 24 parsers and about 1,200 leaves."""
    dice = random.Random(seed)  # noqa: S311 - a simulation, nothing secret
    sites = _sites(dice)
    links = tuple(link for site in sites if site.tier < 3 for link in _links(site))
    challenged = next(site.name for site in sites if site.team == "delta" and site.tier == 1 and not site.edge)
    calm = [site for site in sites if not site.edge and site.name != challenged]
    leaves = _leaves(sites, dice)
    hub, *others = [site.name for site in calm if site.team == "aurora" and site.tier == 1]
    clicks = {name: sum(leaf.clicks_per_day for leaf in leaves if leaf.site == name) for name in others}
    return World(
        seed,
        sites,
        links,
        _parsers(),
        leaves,
        challenged,
        hub=hub,
        flooded=max(clicks, key=lambda name: clicks[name]),
        migrating=frozenset([site.name for site in calm if site.team == "delta" and site.tier == 2][:12]),
        untagged=_share_of(links, "P01", 0.6),
        shallow=_share_of(links, "P07", 0.7),
    )


def _share_of(links: tuple[DemoLink, ...], partner: str, share: float) -> frozenset[str]:
    """The first part of a partner's links in an order that has nothing to do with their names' alphabet."""
    mine = sorted((link.name for link in links if link.partner == partner), key=lambda name: crc32(name.encode()))
    return frozenset(mine[: round(len(mine) * share)])


def offer_of(partner: str, site: str) -> str:
    """Each partner runs two offers; a site promotes one of them."""
    return f"{BY_ID[partner].slug}-{('welcome', 'freespins')[sum(map(ord, site)) % 2]}"


def _sites(dice: random.Random) -> tuple[DemoSite, ...]:
    sites: list[DemoSite] = []
    taken: set[str] = set()
    for team in TEAMS:
        for tier, count in enumerate(team.sites, start=1):
            fronted = set(dice.sample(range(count), round(count * EDGE_SHARE)))
            for index in range(count):
                geos, partners = _market(team, tier, index, dice)
                name = _name(team, geos[0], taken, dice)
                https = tier < 3 or index % 2 == 0
                sites.append(DemoSite(name, team.id, tier, geos, partners, index in fronted, https))
    return tuple(_kestrel(sites))


def _market(team: DemoTeam, tier: int, index: int, dice: random.Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Countries of a site and the 2-4 partners it can send them to. The first country rotates, so none is left out."""
    size = min({1: 4, 2: 3, 3: 1}[tier], len(team.geos))
    while True:
        first = team.geos[index % len(team.geos)]
        others = dice.sample([geo for geo in team.geos if geo != first], size - 1)
        geos = (first, *others)
        partners = tuple(name for name in team.partners if set(geos) & BY_ID[name].geos.keys())
        if tier == 3 or len(partners) >= 2:
            return geos, partners


def _name(team: DemoTeam, geo: str, taken: set[str], dice: random.Random) -> str:
    first, second = (half.split() for half in team.words)
    while True:
        name = f"{dice.choice(first)}{dice.choice(second)}-{geo.lower()}"
        number = next(n for n in range(1, 1000) if (name if n == 1 else f"{name}{n}") not in taken)
        name = name if number == 1 else f"{name}{number}"
        taken.add(name)
        return name


def _kestrel(sites: list[DemoSite]) -> list[DemoSite]:
    """Make three tier-2 sites the Spanish-language project that Aurora and Cedar share."""
    aurora = [n for n, site in enumerate(sites) if site.team == "aurora" and site.tier == 2][:2]
    cedar = [n for n, site in enumerate(sites) if site.team == "cedar" and site.tier == 2 and "MX" in site.geos][:1]
    for n in aurora:
        sites[n] = _in_kestrel(sites[n], ("ES", "AT"), ("P01", "P05"))
    for n in cedar:
        sites[n] = _in_kestrel(sites[n], ("MX", "CL"), ("P06", "P07"))
    return sites


def _in_kestrel(site: DemoSite, geos: tuple[str, ...], partners: tuple[str, ...]) -> DemoSite:
    return DemoSite(site.name, site.team, site.tier, geos, partners, site.edge, site.https, "kestrel")


def _links(site: DemoSite) -> list[DemoLink]:
    """One link a partner.

    Drakkenspin (P05) and Saltwick (P04) differ by country, so each country has its own link and is looked at from there;
    Korrigan (P08) is looked at with a phone's eyes from Poland, too.
    """
    links = []
    for partner in site.partners:
        offer = offer_of(partner, site.name)
        here = [geo for geo in site.geos if geo in BY_ID[partner].geos]
        for geo in here if partner in {"P04", "P05"} else [""]:
            name = "-".join(part for part in (site.name, partner.lower(), geo.lower()) if part)
            links.append(DemoLink(name, site.name, site.team, site.tier, partner, offer, geo, site.project))
        if partner == "P08" and "PL" in here and site.tier == 1:
            name = f"{site.name}-p08-pl-mobile"
            links.append(DemoLink(name, site.name, site.team, 1, partner, offer, "PL", site.project, "mobile"))
    return links


_QUERIES = {
    "aurora": (("online casino vergleich", "DE"), ("bestes online casino", "AT"), ("casino bonus ohne einzahlung", "CH"), ("nettikasinot", "FI"), ("beste nettcasino", "NO"), ("freispiele", "DE")),
    "baltic": (("zaklady bukmacherskie", "PL"), ("kasyno online", "PL"), ("sazkove kancelare", "CZ"), ("case de pariuri", "RO"), ("kihlveokontorid", "EE"), ("bonus bukmacher", "PL")),
    "cedar": (("melhores casas de apostas", "BR"), ("cassino online", "BR"), ("casas de apuestas", "MX"), ("casino online mexico", "MX"), ("apuestas deportivas", "CL"), ("casas de apuestas peru", "PE")),
    "delta": (("best online slots", "GB"), ("casino bonuses", "GB"), ("online casino ireland", "IE"), ("ontario online casino", "CA"), ("free spins", "GB"), ("online casino japan", "JP")),
}  # fmt: skip


def _parsers() -> tuple[DemoParser, ...]:
    return tuple(
        DemoParser(f"serp-{geo.lower()}-{query.replace(' ', '-')}", team, query, geo)
        for team, queries in _QUERIES.items()
        for query, geo in queries
    )


def _leaves(sites: tuple[DemoSite, ...], dice: random.Random) -> tuple[Leaf, ...]:
    """Each partner's clicks go to its countries by share, there to tiers by share, there to sites by a long-tailed weight."""
    weight = {site.name: dice.paretovariate(1.6) for site in sites if site.tier < 3}
    leaves: list[Leaf] = []
    for partner in PARTNERS:
        for geo, share in partner.geos.items():
            clicks = partner.clicks_per_day * share
            leaves += _market_leaves(partner.id, geo, clicks, sites, weight)
    return tuple(leaves)


def _market_leaves(
    partner: str, geo: str, clicks: float, sites: tuple[DemoSite, ...], weight: dict[str, float]
) -> list[Leaf]:
    team = BY_ID[partner].team
    here = [site for site in sites if site.tier < 3 and partner in site.partners and geo in site.geos]
    tiers = {tier for tier in (1, 2) if any(site.tier == tier for site in here)} | {3}
    whole = sum(TIER_SHARE[tier] for tier in tiers)
    leaves = []
    for tier in sorted(tiers - {3}):
        members = [site for site in here if site.tier == tier]
        total = sum(weight[site.name] for site in members)
        for site in members:
            mine = clicks * TIER_SHARE[tier] / whole * weight[site.name] / total
            leaves.append(Leaf(partner, offer_of(partner, site.name), geo, site.name, team, mine, float(site.edge)))
    tail = clicks * TIER_SHARE[3] / whole
    leaves.append(Leaf(partner, offer_of(partner, TAIL_SITE), geo, TAIL_SITE, team, tail, EDGE_SHARE))
    return leaves
