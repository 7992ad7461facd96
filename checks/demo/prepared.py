"""What Corvane Media has prepared for trouble: plans, and who is told. Tables of losswatch.toml."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING

from checks.demo.inbox import PLACES
from checks.demo.partners import BY_ID
from checks.demo.switchboard import DNS_HOST, MAP

if TYPE_CHECKING:
    from checks.demo.town import Town
    from checks.demo.world import DemoSite

SWAP, RESERVE, HOLD = "p02-to-p01", "edge-reserve", "edge-hold"
"""Ids of plans: P02's visitors to P01 (F1), tiers 1 and 2 behind the reserve edge, everybody to a page that says sorry (F5)."""
DNS_SECRET = "dns-key"  # noqa: S105  # a name in the keyring

Rows = Iterable[tuple[str, dict[str, object]]]
"""Name of an array of tables, and one element of it."""


def plan_rows(town: Town) -> Rows:
    day = town.script.day.date()
    swap = {
        "id": SWAP, "letter": "B", "title": "send P02's visitors to P01", "causes": ["link.inactive", "link.wrong_target"],
        "partner": "P02", "does": "redirects", "options": {"file": MAP}, "set": {f"/{BY_ID['P02'].slug}": town.tracker_url("P01")},
        "needs": ["green", "independent", "cap"], "standby": [f"link:{name}" for name in _swap_standbys(town)],
        "to": {"partner": "P01"}, "approve": "senior", "expires": "4h", "rehearsed": day - timedelta(days=20),
    }  # fmt: skip
    yield "plans", swap
    dns = f"{town.origin(DNS_HOST, tls=False)}/v1/edge"
    reserve = {
        "id": RESERVE, "letter": "B", "title": "put tiers 1 and 2 behind the reserve edge", "causes": ["edge."],
        "does": "http", "options": {"url": f"{dns}/reserve", "revert_url": f"{dns}/usual", "secret": DNS_SECRET},
        "standby": [f"site:{_site(town, edge=False).name}"], "recovers": 0.95, "approve": "developer",
        "expires": "4h", "rehearsed": day - timedelta(days=41),
    }  # fmt: skip
    yield "plans", reserve
    sorry = _site(town, edge=True)
    hold = {
        "id": HOLD, "letter": "C", "title": f"send everybody to the holding page on {sorry.name}", "causes": ["edge."],
        "does": "redirects", "options": {"file": MAP}, "set": {"/hold": f"{town.origin(sorry.host, tls=sorry.https)}/"},
        "standby": [f"site:{sorry.name}"], "rehearsed": day - timedelta(days=120),
    }  # fmt: skip
    yield "plans", hold


def notice_rows(port: int) -> Rows:
    """Channels at the company's own receiver, people, a rota and rules; `port` is the receiver's."""
    for place in PLACES:
        about: dict[str, object] = {"name": place.name, "role": place.role, "per_minute": 120}
        if place.kind == "apprise":
            about["secret"] = place.secret
        else:
            about |= {"kind": place.kind, "url": f"http://127.0.0.1:{port}/told/{place.name}"}
        yield "channels", about | ({"teams": [place.team]} if place.team else {})
    yield "people", {"name": "ines", "channels": ["dev-pager"], "timezone": "Europe/Malta", "quiet": "22:00-07:00"}
    yield "people", {"name": "oskar", "channels": ["dev-pager"], "timezone": "Europe/Warsaw"}
    yield "people", {"name": "maria", "channels": ["managers"], "timezone": "Europe/Berlin"}
    yield "rota", {"name": "devs", "timezone": "Europe/Malta"}
    yield "rota.layers", {"people": ["ines", "oskar"], "start": date(2026, 1, 5), "at": "09:00"}
    machines = ["edge", "tls", "http", "postback", "parser", "page", "feed", "dns", "tcp"]
    yield "routes", {"team": "delta", "to": ["client-desk"], "severity": ["SEV1", "SEV2"], "continue": True}
    yield "routes", {"cause": machines, "to": ["devs"], "owner": "developer", "escalate": ["war-room"]}
    yield (
        "routes",
        {"cause": ["link", "geo", "revenue"], "to": ["maria", "juniors"], "owner": "senior", "escalate": ["war-room"]},
    )


def channel_secrets(port: int) -> dict[str, str]:
    """Apprise URLs by the name of their secret."""
    return {place.secret: f"json://127.0.0.1:{port}/told/{place.name}" for place in PLACES if place.kind == "apprise"}


def _swap_standbys(town: Town) -> list[str]:
    """Two tier-1 links of P01 on sites that keep their tags and no edge can take away."""
    world = town.world
    links = (
        link for link in world.links if link.partner == "P01" and link.tier == 1 and link.name not in world.untagged
    )
    return [link.name for link in links if not world.site_named(link.site).edge][:2]


def _site(town: Town, *, edge: bool) -> DemoSite:
    """A tier-1 site of Baltic, behind Halyard Edge or not."""
    return next(site for site in town.world.sites if site.tier == 1 and site.team == "baltic" and site.edge is edge)
