"""The pages of the simulated world. All names are invented."""

from __future__ import annotations

import random
from html import escape
from typing import TYPE_CHECKING

from checks.demo.partners import BY_ID, DemoPartner
from checks.demo.world import COMPANY, DemoLink, DemoParser, DemoSite

if TYPE_CHECKING:
    from collections.abc import Collection

_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
)


def site_page(
    site: DemoSite, links: tuple[DemoLink, ...], redirector: str, canonical: str, untagged: Collection[str] = ()
) -> bytes:
    """A review site's front page with its outbound links.

    `redirector` is the origin of the team's own redirector; the links named in `untagged` have lost their tag.
    """
    words = site.name.rpartition("-")[0].capitalize()
    cards = "".join(
        f'<article class="card"><h2>{escape(BY_ID[link.partner].name)}</h2>'
        f"<p>Our editors opened an account, paid in, played for a week and asked for their money back. "
        f"Paid out in two days; support answered within four minutes.</p>"
        f'<a rel="sponsored nofollow" href="{out_url(link, redirector, tagged=link.name not in untagged)}">Play at {escape(BY_ID[link.partner].name)}</a></article>'
        for link in links
        if not link.device
    )
    paragraphs = "".join(f"<p>{_sentence(random.Random(f'{site.name}{n}'))}</p>" for n in range(6))  # noqa: S311 - prose
    page = (
        _HEAD.format(title=f"{words}: tests, tables and offers for {', '.join(site.geos)}")
        + f'<link rel="canonical" href="{escape(canonical)}">'
        + f'<body><header><nav><a href="/">{words}</a><a href="/reviews">Reviews</a><a href="/guides">Guides</a></nav></header>'
        f"<main><h1>{words}</h1>{paragraphs}{cards}</main>"
        f"<footer>{words} is published by {COMPANY}. Play responsibly, 18+.</footer></body></html>"
    )
    return page.encode()


def out_url(link: DemoLink, redirector: str, *, tagged: bool = True) -> str:
    return f"{redirector}/out/{link.name}" + (f"?btag={link.btag}" if tagged else "")


def match_of(link: str) -> int:
    """The match that a deep link leads to."""
    return 1_000 + sum(map(ord, link)) % 9_000


def landing_page(partner: DemoPartner, country: str) -> bytes:
    name = escape(partner.name)
    page = (
        _HEAD.format(title=f"{name} | Welcome offer")
        + f"<body><h1>Welcome to {name}</h1><p>Create your account in two minutes. Offer for new customers in {escape(country)}.</p>"
        '<form action="/register" method="post"><label>E-mail <input type="email" name="email"></label>'
        '<label>Password <input type="password" name="password"></label><button>Create account</button></form>'
        f"<p>{_sentence(random.Random(partner.id))}</p><footer>{name} holds a licence. Terms apply. 18+</footer></body></html>"  # noqa: S311 - prose
    )
    return page.encode()


def home_page(partner: DemoPartner) -> bytes:
    name = escape(partner.name)
    page = (
        _HEAD.format(title=f"{name} | Home")
        + f"<body><h1>{name}</h1><nav><a href='/sports'>Sports</a><a href='/live'>Live</a><a href='/casino'>Casino</a></nav>"
        f"<p>{_sentence(random.Random(partner.id))}</p><footer>{name} holds a licence. Terms apply. 18+</footer></body></html>"  # noqa: S311 - prose
    )
    return page.encode()


def waitlist_page(partner: DemoPartner) -> bytes:
    name = escape(partner.name)
    page = (
        _HEAD.format(title=f"{name} | Waiting list")
        + f"<body><h1>We are full for today</h1><p>{name} has reached the limit of new players for today. Join the waiting list and we "
        "will write to you when registration opens again.</p></body></html>"
    )
    return page.encode()


def sister_page() -> bytes:
    page = (
        _HEAD.format(title="Saltwick Royal | Welcome offer")
        + "<body><h1>Welcome to Saltwick Royal</h1><p>Create your account in two minutes.</p>"
        '<form action="/register" method="post"><label>E-mail <input type="email" name="email"></label>'
        '<label>Password <input type="password" name="password"></label><button>Create account</button></form>'
        "<footer>Saltwick Royal holds a licence of Ireland. 18+</footer></body></html>"
    )
    return page.encode()


def smartlink_page() -> bytes:
    page = (
        _HEAD.format(title="OfferLane | Top offers for you")
        + "<body><h1>Top offers picked for you</h1><p>This offer is no longer available. Here is what others liked today.</p><ul>"
        + "".join(
            f"<li><a href='/go/{n}'>{name}</a></li>"
            for n, name in enumerate(("Sweepstake of the day", "VPN deal", "Survey prize", "Mobile game"))
        )
        + "</ul></body></html>"
    )
    return page.encode()


def legal_page(partner: DemoPartner) -> bytes:
    page = (
        _HEAD.format(title=f"{escape(partner.name)} is not available in your country")
        + "<body><h1>Not available in your country</h1><p>For legal reasons we cannot offer our services in your location.</p></body></html>"
    )
    return page.encode()


def edge_error_page(ray: str) -> bytes:
    page = (
        _HEAD.format(title="503 | Halyard Edge")
        + f"<body><h1>Service unavailable</h1><p>The edge could not process this request. Ray {ray}</p></body></html>"
    )
    return page.encode()


def challenge_page(host: str) -> bytes:
    page = (
        _HEAD.format(title="Just a moment...")
        + f"<body><h1>{escape(host)}</h1><p>Verifying you are human. This may take a few seconds.</p><noscript>Enable JavaScript to continue</noscript></body></html>"
    )
    return page.encode()


def captcha_page(host: str) -> bytes:
    """What a search engine shows to somebody who asks too often."""
    page = (
        _HEAD.format(title=escape(host)) + '<body><form action="/sorry/index" method="post"><h1>Unusual traffic</h1>'
        "<p>Our systems have seen unusual traffic from your network. Tell us that you are a person.</p>"
        '<div class="h-captcha" data-sitekey="10000000"></div><button>Go on</button></form></body></html>'
    )
    return page.encode()


def search_page(
    parser: DemoParser,
    sites: tuple[DemoSite, ...],
    hour: int,
    *,
    new_layout: bool,
    trial: bool = False,
    none: bool = False,
) -> bytes:
    """Results for one query at a UTC hour: 10-12 in the morning, 30 and more in the evening; 32 blocks in the new layout.

    The new layout keeps the blocks and their empty headings, and sets the titles elsewhere. The one on `trial` puts questions above
    the results and a frame around each heading; everything a parser reads is still there. `none`: nothing was found.
    """
    dice = random.Random(f"{parser.name}/{hour}")  # noqa: S311 - a simulation
    count = (
        32
        if new_layout
        else dice.randint(10, 12)
        if hour < 12
        else dice.randint(14, 22)
        if hour < 17
        else dice.randint(30, 34)
    )
    ranked = _ranked(parser, sites, count, dice)
    blocks = "".join(
        _result(n, host, parser.query, dice, new_layout=new_layout, trial=trial)
        for n, host in enumerate(ranked, start=1)
    )
    query = escape(parser.query)
    found = f'<div class="stats">About {dice.randint(2, 90)},{dice.randint(100, 999)},000 results</div>{blocks}'
    if trial:
        found = f'<section class="ask">{_questions(query)}</section>{found}'
    if none:
        found = f'<div class="stats">0 results</div><p class="nothing">Your search for {query} matched nothing.</p>'
    page = (
        f'<!doctype html><html lang="{parser.geo.lower()}"><head><meta charset="utf-8"><title>{query} - Findly</title></head><body>'
        f'<header class="top"><form action="/search" class="box"><input name="q" value="{query}"><button>Search</button></form>'
        '<nav class="tabs"><a href="/search?tab=all">All</a><a href="/search?tab=news">News</a><a href="/search?tab=maps">Maps</a></nav></header>'
        f'<div id="search">{found}</div>'
        '<aside class="related"><h4>Related searches</h4><ul>'
        + "".join(
            f'<li><a href="/search?q={n}">{query} {word}</a></li>'
            for n, word in enumerate(("2026", "test", "app", "bonus"))
        )
        + '</ul></aside><footer class="foot"><a href="/privacy">Privacy</a><a href="/terms">Terms</a></footer></body></html>'
    )
    return page.encode()


def _ranked(parser: DemoParser, sites: tuple[DemoSite, ...], count: int, dice: random.Random) -> list[str]:
    """Own sites keep their places through the day; the rest is the usual competition."""
    steady = random.Random(parser.name)  # noqa: S311 - a simulation
    own = [site.host for site in sites if site.team == parser.team and parser.geo in site.geos]
    hosts = steady.sample(own, min(len(own), 12)) + [f"rival{steady.randint(1, 400)}.example" for _ in range(40)]
    steady.shuffle(hosts)
    top = hosts[:count]
    place = dice.randrange(max(len(top) - 1, 1))
    top[place : place + 2] = reversed(top[place : place + 2])
    return top


def _questions(query: str) -> str:
    words = ("Which is the best", "Who pays out fastest", "What does it cost", "Is it allowed")
    return "".join(f'<details class="question"><summary>{word}: {query}?</summary></details>' for word in words)


def _result(place: int, host: str, query: str, dice: random.Random, *, new_layout: bool, trial: bool) -> str:
    wrote = random.Random(f"{host}/{query}")  # noqa: S311 - a page has one title, whatever its place and the hour
    title = escape(
        f"{query.capitalize()} {wrote.randint(2025, 2026)}: {host.partition('.')[0]} picks {wrote.randint(5, 25)} best"
    )
    path = f"/{query.replace(' ', '-')}/{place}"
    heading = (
        f'<h3 class="title"></h3><div class="hd t9x"><span role="heading" aria-level="3">{title}</span></div>'
        if new_layout
        else f'<div class="frame"><h3 class="title">{title}</h3></div>'
        if trial
        else f'<h3 class="title">{title}</h3>'
    )
    return (
        f'<div class="result" data-pos="{place}"><span class="pos">{place}</span>'
        f'<a class="link" href="https://{host}{path}">{heading}<cite class="crumb">{host} › {escape(query)}</cite></a>'
        f'<div class="snippet">{_sentence(dice)}</div></div>'
    )


_SUBJECTS = ("Our table", "The review", "This guide", "The newest test", "A short comparison", "The editors' list")
_VERBS = ("compares", "explains", "ranks", "checks", "sums up", "looks into")
_OBJECTS = (
    "welcome offers and what they really cost", "payout times of forty operators", "odds margins league by league",
    "payment methods that work on a Sunday", "wagering terms in plain words", "licences and who stands behind them",
)  # fmt: skip


def _sentence(dice: random.Random) -> str:
    first = f"{dice.choice(_SUBJECTS)} {dice.choice(_VERBS)} {dice.choice(_OBJECTS)}"
    return (
        f"{first}, updated every week, with {dice.randint(8, 60)} entries and notes from {dice.randint(3, 19)} testers."
    )
