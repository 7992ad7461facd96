"""Every web server of the simulated world behind one function: what a host answers right now."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from checks.demo import pages
from checks.demo.apis import PartnerApi
from checks.demo.figures import Desk
from checks.demo.http import Handler, Request, Response
from checks.demo.partners import BY_ID, PARTNERS, UTC_OFFSET_H, DemoPartner
from checks.demo.script import BARREN_PARSER, CAPTCHA_GEO
from checks.demo.switchboard import DNS_HOST, RESERVED_TIERS, Switchboard
from checks.demo.told import Told
from checks.demo.world import (
    CANARY_HOSTS,
    EDGE_HEADER,
    SEARCH_HOST,
    SISTER_HOST,
    SMARTLINK_HOST,
    TEAMS,
    DemoLink,
    DemoSite,
    World,
)

if TYPE_CHECKING:
    from datetime import datetime

    from checks.demo.ledger import Ledger
    from checks.demo.script import Script

COUNTRIES = tuple(sorted(UTC_OFFSET_H))
HOME_COUNTRY = "NL"
"""Where the company's own machine stands: nobody blocks it."""


def source_of(country: str) -> str:
    """The loopback address that stands for a country: what a GeoIP table is to a real operator."""
    return f"127.0.1.{COUNTRIES.index(country) + 1}"


_COUNTRY_OF = {source_of(country): country for country in COUNTRIES}


def redirector_host(team: str) -> str:
    return f"go.{team}.example"


@dataclass(slots=True)
class Ports:
    """Where the company listens; 0 until it does."""

    http: int = 0
    https: int = 0


class Town:
    """Routes a request by its host. `secrets` is the API secret by partner id; the board's clock is everybody's."""

    def __init__(
        self, world: World, ledger: Ledger, script: Script, board: Switchboard, secrets: dict[str, str]
    ) -> None:
        self.world, self.script, self.board, self.now = world, script, board, board.now
        now = board.now
        self.told = Told()
        self.apis = {
            partner.id: PartnerApi(Desk(partner, ledger), secrets[partner.id], now, script, self.told)
            for partner in PARTNERS
        }
        self.ports = Ports()
        self._links = {link.name: link for link in world.links}
        self._parsers = {(parser.query, parser.geo): parser for parser in world.parsers}
        self._pages: dict[tuple[str, bool, bool], bytes] = {}
        self._looks = 0
        self._routes: dict[str, Handler] = {
            SEARCH_HOST: self._search,
            SMARTLINK_HOST: lambda _: Response(200, pages.smartlink_page()),
            DNS_HOST: board.answer,
            SISTER_HOST: lambda _: Response(200, pages.sister_page()),
            **dict.fromkeys(CANARY_HOSTS, _canary),
            **{redirector_host(team.id): self._redirect for team in TEAMS},
            **{partner.tracker_host: self._tracker(partner) for partner in PARTNERS},
            **{partner.landing_host: self._landing(partner) for partner in PARTNERS},
            **{site.host: self._site(site) for site in world.sites},
        }
        for partner in PARTNERS:
            self._routes[partner.api_host] = self.apis[partner.id].answer

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self._routes)

    def answer(self, request: Request) -> Response:
        route = self._routes.get(request.host)
        return route(request) if route else Response(404, b"no such host here", "text/plain")

    def origin(self, host: str, *, tls: bool) -> str:
        """Scheme, host and port of one of our hosts."""
        return f"https://{host}:{self.ports.https}" if tls else f"http://{host}:{self.ports.http}"

    def tracker_url(self, partner: str) -> str:
        """Where the redirector usually sends visitors of a partner."""
        return f"{self.origin(BY_ID[partner].tracker_host, tls=False)}/c"

    def link_url(self, link: DemoLink) -> str:
        return pages.out_url(link, self.origin(redirector_host(link.team), tls=True))

    def _site(self, site: DemoSite) -> Handler:
        links = tuple(link for link in self.world.links if link.site == site.name)

        def serve(request: Request) -> Response:
            edge = site.edge and not (self.board.reserve and site.tier in RESERVED_TIERS)
            if edge and self.script.active("F5", self.now()):
                ray = _ray(request.host, self.now())
                return Response(503, pages.edge_error_page(ray), headers={EDGE_HEADER: ray, "Server": "halyard-edge"})
            if site.name == self.world.challenged and self.script.active("D4", self.now()):
                return Response(
                    403, pages.challenge_page(site.host), headers={"cf-mitigated": "challenge", "Server": "cloudflare"}
                )
            if request.path == "/robots.txt":
                return Response(200, b"User-agent: *\nDisallow: /admin/\n", "text/plain")
            if request.path != "/":
                return Response(404, b"<!doctype html><title>Not found</title><h1>Not found</h1>")
            headers = {EDGE_HEADER: _ray(request.host, self.now())} if edge else {}
            headers["Server"] = "halyard-edge" if edge else "nginx"
            if site.name == self.world.hub and self.script.active("F14", self.now()):
                headers["X-Robots-Tag"] = "noindex"
            return Response(200, self._page(site, links), headers=headers)

        return serve

    def _page(self, site: DemoSite, links: tuple[DemoLink, ...]) -> bytes:
        """A site's front page as it is at this moment; each of its versions is made once."""
        untagged = any(link.name in self.world.untagged for link in links) and self.script.active("F2", self.now())
        moved = site.name in self.world.migrating and self.script.begun("D8", self.now())
        key = (site.name, untagged, moved)
        page = self._pages.get(key)
        if page is None:
            bare = self.world.untagged if untagged else frozenset()
            host = f"new-{site.host}" if moved else site.host
            canonical = f"{self.origin(host, tls=site.https)}/"
            page = pages.site_page(site, links, self.origin(redirector_host(site.team), tls=True), canonical, bare)
            self._pages[key] = page
        return page

    def _redirect(self, request: Request) -> Response:
        """/out/LINK?btag=..: the company's own redirector hands on to the tracker of its map, keeping the tag."""
        self.board.look()
        link = self._links.get(request.path.removeprefix("/out/"))
        if link is None:
            return Response(404, b"no such link", "text/plain")
        query = urlencode({"campaign": link.offer, "btag": request.param("btag")})
        if link.partner == "P04" and link.geo == "GB" and self.script.active("F13", self.now()):
            return _found(f"{self.origin(SISTER_HOST, tls=False)}/welcome?{query}")
        return _found(f"{self.board.tracker(link.partner) or self.tracker_url(link.partner)}?{query}")

    def _tracker(self, partner: DemoPartner) -> Handler:
        def serve(request: Request) -> Response:
            tag = urlencode({"btag": request.param("btag")})
            if partner.id == "P02" and self.script.active("F1", self.now()):
                return _found(f"{self.origin(SMARTLINK_HOST, tls=False)}/top?src={partner.slug}&{tag}")
            path = self._landing_path(partner, request.param("btag"))
            return _found(f"{self.origin(partner.landing_host, tls=False)}{path}?{tag}")

        return serve

    def _landing_path(self, partner: DemoPartner, btag: str) -> str:
        """P07's links lead to one match each, P01 tries out two landing pages, the others have one."""
        if partner.id == "P07":
            link = btag.removeprefix("cm_")
            lost = link in self.world.shallow and self.script.active("F10", self.now())
            return "/" if lost else f"/match/{pages.match_of(link)}"
        if partner.id == "P01" and self.script.active("D5", self.now()):
            self._looks += 1
            return ("/welcome", "/welcome-b")[self._looks % 2]
        return "/welcome"

    def _landing(self, partner: DemoPartner) -> Handler:
        def serve(request: Request) -> Response:
            country = _COUNTRY_OF.get(request.client, HOME_COUNTRY)
            if partner.id == "P05" and country == "DE" and self.script.active("F3", self.now()):
                return Response(451, pages.legal_page(partner))
            if partner.id == "P09" and self.script.active("F9", self.now()):
                return Response(200, pages.waitlist_page(partner))
            if partner.id == "P08" and country == "PL" and self._shows_challenge(request):
                challenge = {"cf-mitigated": "challenge", "Server": "cloudflare"}
                return Response(403, pages.challenge_page(partner.landing_host), headers=challenge)
            if request.path == "/":
                return Response(200, pages.home_page(partner))
            return Response(200, pages.landing_page(partner, country))

        return serve

    def _shows_challenge(self, request: Request) -> bool:
        return "Mobile" in request.header("user-agent") and self.script.active("F11", self.now())

    def _search(self, request: Request) -> Response:
        parser = self._parsers.get((request.param("q"), request.param("gl")))
        if parser is None:
            return Response(404, b"<!doctype html><title>Findly</title><p>Nothing found.</p>")
        now = self.now()
        if parser.geo == CAPTCHA_GEO and self.script.active("D9", now):
            return Response(200, pages.captcha_page(SEARCH_HOST))
        page = pages.search_page(
            parser,
            self.world.sites,
            now.hour,
            new_layout=self.script.active("F12", now),
            trial=self.script.active("D11", now) and _on_trial(parser.name, now),
            none=parser.name == BARREN_PARSER and self.script.active("D10", now),
        )
        return Response(200, page)


def _on_trial(parser: str, now: datetime) -> bool:
    """Every other look, as a test on half of the people would have it."""
    return bool((now.hour * 4 + now.minute // 15 + sum(map(ord, parser))) % 2)


def _canary(_: Request) -> Response:
    return Response(200, b"ok\n", "text/plain")


def _found(location: str) -> Response:
    return Response(302, b"", headers={"Location": location, "Server": "nginx", "Cache-Control": "no-store"})


def _ray(host: str, now: datetime) -> str:
    return hashlib.sha256(f"{host}{now.timestamp():.0f}".encode()).hexdigest()[:16]
