from __future__ import annotations

import asyncio
import csv
import ssl
import tomllib

import dns.message
import dns.rcode
import pytest

from checks.demo.install import SimulatedClock, install
from checks.demo.town import source_of
from checks.feeds.preset import sources
from data.config.home import Home
from data.errors import ConfigError


def link_of(demo, partner, geo=""):
    return next(link for link in demo.company.town.world.links if link.partner == partner and link.geo == geo)


async def follow(demo, link, source=None):
    """Status of the last page and the hosts on the way."""
    answer = await demo.get(f"go.{link.team}.example", f"/out/{link.name}?btag={link.btag}", tls=True, source=source)
    hosts = []
    while answer.status == 302:
        host, _, path = answer.headers["location"].removeprefix("http://").partition("/")
        hosts.append(host.partition(":")[0])
        answer = await demo.get(hosts[-1], f"/{path}", source=source)
        assert link.btag in path
    return answer, hosts


async def test_a_healthy_link_goes_by_the_tracker_to_its_partner_with_its_tag(open_demo):
    answer, hosts = await follow(open_demo, link_of(open_demo, "P01"))
    assert answer.status == 200
    assert hosts == ["trk.quillspin.example", "www.quillspin.example"]


async def test_a_paused_offer_lands_on_another_brand(open_demo):
    open_demo.at(6, 30)
    answer, hosts = await follow(open_demo, link_of(open_demo, "P02"))
    assert (answer.status, hosts[-1]) == (200, "top.offerlane.example")
    open_demo.at(9, 40)
    assert (await follow(open_demo, link_of(open_demo, "P02")))[1][-1] == "www.lumenjack.example"


@pytest.mark.parametrize(("country", "status"), [("DE", 451), ("AT", 200)])
async def test_a_legal_block_depends_on_the_country(open_demo, country, status):
    open_demo.at(8, 30)
    answer, _ = await follow(open_demo, link_of(open_demo, "P05", country), source_of(country))
    assert answer.status == status


async def test_from_nowhere_in_particular_a_legal_block_is_not_seen(open_demo):
    open_demo.at(8, 30)
    assert (await follow(open_demo, link_of(open_demo, "P05", "DE")))[0].status == 200


async def test_a_cms_update_drops_the_tag_on_the_page_and_nowhere_else(open_demo):
    world = open_demo.company.town.world
    link = next(link for link in world.links if link.name in world.untagged)
    tagged = f"/out/{link.name}?btag=".encode()
    host = world.site_named(link.site).host
    assert tagged in (await open_demo.get(host, tls=True)).body
    open_demo.at(7, 40)
    page = (await open_demo.get(host, tls=True)).body
    assert tagged not in page
    assert f"/out/{link.name}".encode() in page
    assert (await follow(open_demo, link))[0].status == 200
    open_demo.at(9, 10)
    assert tagged in (await open_demo.get(host, tls=True)).body


async def test_a_cap_that_is_reached_shows_a_waiting_list_with_200(open_demo):
    open_demo.at(15, 5)
    answer, _ = await follow(open_demo, link_of(open_demo, "P09"))
    assert (answer.status, b"waiting list" in answer.body) == (200, True)


async def test_most_deep_links_of_one_partner_come_to_land_on_home(open_demo):
    world = open_demo.company.town.world
    lost = next(link for link in world.links if link.name in world.shallow)
    kept = next(link for link in world.links if link.partner == "P07" and link.name not in world.shallow)
    assert b"| Home" not in (await follow(open_demo, lost))[0].body
    open_demo.at(16, 0)
    assert b"| Home" in (await follow(open_demo, lost))[0].body
    assert b"| Home" not in (await follow(open_demo, kept))[0].body


@pytest.mark.parametrize(
    ("agent", "country", "status"),
    [("Mobile Safari", "PL", 403), ("losswatch", "PL", 200), ("Mobile Safari", "CZ", 200)],
)
async def test_a_firewall_challenges_phones_in_one_country(open_demo, agent, country, status):
    open_demo.at(16, 45)
    headers = [f"User-Agent: {agent}"]
    answer = await open_demo.get("www.korrigan.example", "/welcome", headers=headers, source=source_of(country))
    assert answer.status == status


async def test_a_bulk_edit_points_british_links_at_a_sister_brand(open_demo):
    open_demo.at(18, 20)
    assert (await follow(open_demo, link_of(open_demo, "P04", "GB")))[1] == ["www.saltwickroyal.example"]
    assert (await follow(open_demo, link_of(open_demo, "P04", "IE")))[1][-1] == "www.saltwick.example"


async def test_a_deploy_forbids_indexing_on_one_site(open_demo):
    host = f"{open_demo.company.town.world.hub}.example"
    assert "x-robots-tag" not in (await open_demo.get(host, tls=True)).headers
    open_demo.at(19, 10)
    assert (await open_demo.get(host, tls=True)).headers["x-robots-tag"] == "noindex"


async def test_two_landing_pages_take_turns_while_they_are_tried_out(open_demo):
    open_demo.at(10, 0)
    seen = set()
    for _ in range(2):
        answer = await open_demo.get("trk.quillspin.example", "/c?btag=cm_x")
        seen.add(answer.headers["location"].partition("?")[0].rpartition("/")[2])
    assert seen == {"welcome", "welcome-b"}


async def test_a_site_that_moves_names_its_new_host_as_canonical_and_stays_there(open_demo):
    host = f"{min(open_demo.company.town.world.migrating)}.example"
    for hour, new in ((13, False), (14, True), (23, True)):
        open_demo.at(hour)
        page = (await open_demo.get(host, tls=True)).body
        assert (f"//new-{host}".encode() in page) is new


@pytest.mark.parametrize("tls", [False, True])
async def test_a_vantage_carries_requests_from_its_country(open_demo, tls):
    open_demo.at(8, 30)
    town, doors = open_demo.company.town, open_demo.company.doors
    link = link_of(open_demo, "P05", "DE")
    reader, writer = await asyncio.open_connection("127.0.0.1", doors.proxies["DE"])
    if tls:
        place = f"go.aurora.example:{town.ports.https}"
        writer.write(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        context = ssl.create_default_context(cadata=open_demo.company.ca_pem.decode())
        await writer.start_tls(context, server_hostname="go.aurora.example")
        writer.write(f"GET /out/{link.name} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
        expected = b"HTTP/1.1 302"
    else:
        place = f"www.drakkenspin.example:{town.ports.http}"
        writer.write(
            f"GET http://{place}/welcome HTTP/1.1\r\nHost: {place}\r\nProxy-Connection: close\r\n\r\n".encode()
        )
        expected = b"HTTP/1.1 451"
    assert (await reader.read()).startswith(expected)
    writer.close()


async def test_a_vantage_is_no_way_out_of_the_world(open_demo):
    reader, writer = await asyncio.open_connection("127.0.0.1", open_demo.company.doors.proxies["AT"])
    writer.write(b"GET http://localhost:22/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 403")
    writer.close()


async def test_sites_answer_over_tls_with_a_certificate_for_their_name(open_demo):
    sites = [site for site in open_demo.company.town.world.sites if site.https]
    for site in (sites[0], sites[500], sites[-1]):
        answer = await open_demo.get(site.host, tls=True)
        assert answer.status == 200
        assert b"Corvane Media" in answer.body
        assert ("x-halyard-ray" in answer.headers) == site.edge


async def test_an_unknown_name_gets_a_certificate_of_somebody_else(open_demo):
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        await open_demo.get("nobody.example", tls=True)


async def test_the_edge_fails_in_front_of_its_own_sites_only(open_demo):
    open_demo.at(11, 20)
    sites = open_demo.company.town.world.sites
    behind, beside = (next(site for site in sites if site.edge is edge) for edge in (True, False))
    down = await open_demo.get(behind.host, tls=True)
    assert (down.status, "x-halyard-ray" in down.headers) == (503, True)
    assert (await open_demo.get(beside.host, tls=True)).status == 200


async def test_the_redirectors_certificate_is_really_expired_while_it_is_said_to_be(open_demo):
    open_demo.at(11, 59)
    path = f"/out/{link_of(open_demo, 'P06').name}"
    assert (await open_demo.get("go.cedar.example", path, tls=True)).status == 302
    open_demo.at(12, 0)
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        await open_demo.get("go.cedar.example", path, tls=True)
    assert (await open_demo.get("go.aurora.example", "/out/none", tls=True)).status == 404
    open_demo.at(14, 0)
    assert (await open_demo.get("go.cedar.example", path, tls=True)).status == 302


async def test_a_firewall_challenges_one_site(open_demo):
    open_demo.at(9, 0)
    host = f"{open_demo.company.town.world.challenged}.example"
    answer = await open_demo.get(host, tls=True)
    assert (answer.status, answer.headers["cf-mitigated"]) == (403, "challenge")


@pytest.mark.parametrize(
    ("hour", "minute", "low", "high", "titles"), [(7, 0, 10, 12, True), (20, 0, 30, 34, True), (17, 30, 32, 32, False)]
)
async def test_search_results_grow_by_evening_and_lose_their_titles_in_the_new_layout(
    open_demo, hour, minute, low, high, titles
):
    open_demo.at(hour, minute)
    page = (await open_demo.get("www.findly.example", "/search?q=freispiele&gl=DE&num=30")).body
    assert low <= page.count(b'<div class="result"') <= high
    assert (b'<h3 class="title"></h3>' in page) is not titles


async def test_canaries_answer(open_demo):
    for n in (1, 2, 3):
        assert (await open_demo.get(f"canary-{n}.example")).status == 200


@pytest.mark.parametrize(
    "raw", [b"GARBAGE\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n", b"A" * 70_000]
)
async def test_a_server_refuses_what_is_not_http(open_demo, raw):
    reader, writer = await asyncio.open_connection("127.0.0.1", open_demo.company.town.ports.http)
    writer.write(raw)
    assert (await reader.read()).startswith((b"HTTP/1.1 400", b"HTTP/1.1 413"))
    writer.close()


async def resolve(port, name, kind="A"):
    loop = asyncio.get_running_loop()
    reply = loop.create_future()

    class Client(asyncio.DatagramProtocol):
        def datagram_received(self, data, addr):
            reply.set_result(dns.message.from_wire(data))

    transport, _ = await loop.create_datagram_endpoint(Client, remote_addr=("127.0.0.1", port))
    transport.sendto(dns.message.make_query(name, kind).to_wire())
    async with asyncio.timeout(5):
        answer = await reply
    transport.close()
    return answer


async def test_names_of_the_world_resolve_to_loopback_and_others_do_not_exist(open_demo):
    port = open_demo.company.doors.dns
    assert "127.0.0.1" in (await resolve(port, "WWW.Lumenjack.example")).answer[0].to_text()
    assert not (await resolve(port, "www.lumenjack.example", "AAAA")).answer
    assert (await resolve(port, "losswatch.invalid")).rcode() == dns.rcode.NXDOMAIN


async def test_the_company_is_installed_as_any_company_would_be(open_demo, tmp_path):
    company = open_demo.company
    home = Home.find(str(tmp_path))
    install(
        home, company.town, company.doors, SimulatedClock(company.script.day, company.script.day, 90.0), company.ca_pem
    )
    settings = tomllib.loads(home.toml.read_text())
    assert len(settings["feeds"]) == len(settings["partners"]) + 1 == 12, "P03 calls besides"
    assert settings["clock"]["speed"] == 90.0
    counts = {}
    for name in ("sites", "links", "parsers"):
        with (home.inventory / f"{name}.csv").open(newline="") as file:
            counts[name] = sum(1 for _ in csv.DictReader(file))
    assert counts == {"sites": 1180, "links": len(company.town.world.links), "parsers": 24}
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(token.encode() in body for token in company.tokens.values() for body in files)


async def test_the_installation_loads_without_a_complaint(open_demo, tmp_path):
    load = pytest.importorskip("data.config.load", reason="the loader of losswatch.toml is not here yet").load
    company = open_demo.company
    home = Home.find(str(tmp_path))
    install(
        home, company.town, company.doors, SimulatedClock(company.script.day, company.script.day, 90.0), company.ca_pem
    )
    try:
        settings = load(home, presets=sources())
    except ConfigError as problem:
        pytest.fail(str(problem))
    assert len(settings.targets) == 1180 + len(company.town.world.links) + 24 + 12
    assert len(settings.vantages) == 18
