"""What a target shares with others, told from its answers and its zone."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.sites.resolver import Resolver
from checks.sites.traits import NameServers, network_of, registrable
from data.model.state import State
from data.model.target import TargetKind


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.shop.example", "shop.example"),
        ("a.b.shop.co.uk", "shop.co.uk"),
        ("shop.co.uk.", "shop.co.uk"),
        ("WWW.Shop.Example", "shop.example"),
        ("me.github.io", "me.github.io"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
    ],
)
def test_the_registrable_domain_is_what_somebody_registered(host, domain):
    assert registrable(host) == domain


@given(st.ip_addresses())
def test_every_address_lies_in_its_network(address):
    assert address in ipaddress.ip_network(network_of(str(address)))


@given(st.text(max_size=20))
def test_what_is_no_address_has_no_network(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        assert not network_of(text)


def test_an_answer_shows_its_network(probe, serve, http, page):
    found = probe(serve(http(page)).url())
    assert (found.state, found.evidence["network"]) == (State.OK, "127.0.0.0/24")


def test_what_gave_no_answer_shows_no_traits(probe, serve):
    found = probe(serve(b"").url())
    assert "network" not in found.evidence
    assert "tracker" not in found.evidence


@pytest.fixture
def chain(routes, http, page):
    """chain(hosts, last): the URL of the first of `hosts`, each of which redirects to the next."""

    def start(hosts, last=None):
        server = routes({})

        def behave(connection, request):
            place = request.headers["host"].partition(":")[0]
            after = hosts[hosts.index(place) + 1 :]
            onward = after and http("", "302 Found", location=f"http://{after[0]}:{server.port}/")
            connection.sendall(onward or last or http(page))

        server.behave = behave
        return server.url(host=hosts[0])

    return start


@pytest.mark.parametrize(
    ("kind", "hosts", "tracker"),
    [
        ("link", ["go.ours.example", "t.net.example", "brand.example"], "go.ours.example t.net.example"),
        ("link", ["a.example", "b.example", "c.example", "d.example", "e.example"], "a.example b.example c.example"),
        ("link", ["brand.example"], ""),
        ("site", ["shop.example", "www.shop.example"], ""),
        ("site", ["shop.example", "geo.router.example", "www.shop.example"], "geo.router.example"),
    ],
)
def test_the_hosts_on_the_way_are_the_trackers(probe, names, chain, kind, hosts, tracker):
    found = probe(chain(hosts), kind=TargetKind(kind), resolver=names.address)
    assert (found.state, found.evidence.get("tracker", "")) == (State.OK, tracker)


def test_a_tracker_that_dies_on_the_way_is_a_tracker_still(probe, names, chain, http):
    url = chain(["go.ours.example", "t.net.example"], http("", "502 Bad Gateway"))
    found = probe(url, kind=TargetKind.LINK, resolver=names.address, final_host="brand.example")
    assert (found.state, found.evidence["tracker"]) == (State.FAILING, "go.ours.example t.net.example")


class Zone:
    """Counts how often it is asked; `servers` is its answer, `None` none."""

    def __init__(self, servers):
        self.servers, self.asked = servers, []

    def knows_locally(self, host):
        return host == "localhost"

    async def name_servers(self, domain, _timeout_s):
        self.asked.append(domain)
        return self.servers


async def settled(zones):
    async with asyncio.timeout(20):
        await asyncio.gather(*zones._asking.values())


async def test_name_servers_are_known_after_the_first_question_and_asked_for_once():
    zone = Zone(("b.dns.example", "a.dns.example"))
    zones = NameServers(zone)
    assert zones.of("www.shop.example") == ""
    await settled(zones)
    assert zones.of("www.shop.example") == zones.of("shop.example") == "a.dns.example b.dns.example"
    assert zone.asked == ["shop.example"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "com"])
async def test_what_has_no_zone_is_not_asked_for(host):
    zone = Zone(("a.dns.example",))
    zones = NameServers(zone)
    assert zones.of(host) == ""
    await settled(zones)
    assert not zone.asked


async def test_a_zone_that_nobody_could_tell_of_is_empty():
    zones = NameServers(Zone(None))
    zones.of("shop.example")
    await settled(zones)
    assert zones.of("shop.example") == ""


@pytest.mark.parametrize(
    ("wanted", "found"), [("SERVFAIL", None), ("NXDOMAIN", ()), (["ns1.dns.example."], ("ns1.dns.example",))]
)
async def test_the_resolver_tells_a_zone_without_name_servers_from_one_that_nobody_knows(name_server, wanted, found):
    resolver = Resolver(name_server({"shop.example": wanted, "*": "NXDOMAIN"}).address)
    try:
        assert await resolver.name_servers("shop.example", 5.0) == found
    finally:
        resolver.close()
