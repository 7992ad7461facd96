from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.hub.domains import DOMAINS, Domains
from checks.hub.hygiene import HygieneRoom
from checks.sites.hygiene.domains import Registration, read_registration, warning
from data.config.settings import Hygiene
from data.model.ids import TargetId, TeamId
from data.model.observation import Hop, Observation
from data.model.state import State
from data.model.target import Target, TargetKind

NOW = datetime(2026, 11, 17, 12, tzinfo=UTC)


def answer(days=400, status=("active",), registrar="Hollow Names Ltd"):
    ends = (NOW + timedelta(days=days)).isoformat()
    card = ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", registrar]]]
    return {
        "objectClassName": "domain",
        "events": [
            {"eventAction": "registration", "eventDate": "2011-01-01"},
            {"eventAction": "expiration", "eventDate": ends},
        ],
        "status": list(status),
        "entities": [{"roles": ["abuse"]}, {"roles": ["registrar"], "vcardArray": card}],
        "nameservers": [{"ldhName": "NS2.HOST.EXAMPLE."}, {"ldhName": "ns1.host.example"}],
    }


def test_an_answer_is_read_to_its_end_registrar_name_servers_and_status():
    found = read_registration(answer(10))
    assert found == Registration(
        NOW + timedelta(days=10), "Hollow Names Ltd", ("ns1.host.example", "ns2.host.example"), ("active",)
    )


@pytest.mark.parametrize(
    "rubbish", [None, [], "x", {}, {"objectClassName": "entity"}, {"events": 3, "status": "ok", "entities": [1]}]
)
def test_what_is_no_registration_is_none(rubbish):
    assert read_registration(rubbish) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["events", "roles", "vcardArray", "eventAction", "eventDate", "status", "entities", "nameservers", "ldhName"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)
@given(json_values)
def test_whatever_a_registry_answers_reading_it_ends(value):
    read_registration(value)


@pytest.mark.parametrize(
    ("days", "status", "state", "words"),
    [
        (400, ("active",), None, ""),
        (29, ("active",), State.DEGRADED, "ends in 29 days (warning at 30 days)"),
        (5, ("active",), State.DEGRADED, "(warning at 14 days)"),
        (-2, ("active",), State.DEGRADED, "ended 2 days ago (warning at 3 days)"),
        (400, ("client hold",), State.FAILING, "clientHold"),
        (400, ("active", "redemption period"), State.FAILING, "redemptionPeriod"),
        (400, ("pending delete",), State.FAILING, "pendingDelete"),
    ],
)
def test_a_registration_is_warned_of_by_the_threshold_it_crossed(days, status, state, words):
    found = warning("quill.example", read_registration(answer(days, status)), (30, 14, 3), NOW)
    assert (found.state if found else None) == state
    assert not found or (words in found.detail and "quill.example" in found.detail)


def client():
    """One that keeps no connection: the server closes each after its answer, and an early next request would be lost."""
    return httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


class Registry:
    """A real RDAP server on loopback; `/domain/X` redirects to it from a bootstrap path, as rdap.org does."""

    def __init__(self, serve, http):
        self.http, self.now = http, NOW
        self.raw = {}
        self.server = serve(self._behave)
        self.settings = Hygiene(domains=True, rdap=self.server.url("/boot/"))

    def _behave(self, connection, request):
        where, _, domain = request.path.rpartition("/")
        if where == "/boot/domain":
            connection.sendall(self.http("", "302 Found", location=f"/real/domain/{domain}", connection="close"))
        else:
            connection.sendall(self.raw.get(domain, self.http("{}", "404 Not Found")))

    def knows(self, domain, **how):
        self.raw[domain] = self.http(json.dumps(answer(**how)), content_type="application/rdap+json")

    @property
    def asked(self):
        return [request.path.rpartition("/")[2] for request in self.server.requests if "/real/" in request.path]

    def room(self, body=b""):
        domains = Domains(client(), self.settings, lambda: self.now)
        if body:
            domains.restore(body)
        return HygieneRoom(self.settings, domains=domains)

    def steps(self, room, n):
        async def run():
            async with client() as room.domains.client:
                for _ in range(n):
                    await room.domains.step()

        asyncio.run(run())


@pytest.fixture
def registry(serve, http):
    return Registry(serve, http)


def site(host):
    return Target(TargetId(f"site:{host}"), TargetKind.SITE, TeamId("a"), host, f"https://{host}/")


def seen(*hosts, state=State.OK):
    hops = tuple(Hop(f"https://{host}/") for host in hosts)
    return Observation(TargetId("site:x"), TeamId("a"), TargetKind.SITE, NOW, state, hops=hops)


def test_a_domain_that_ends_soon_degrades_whoever_passes_through_it(registry):
    registry.knows("quill.example", days=9)
    registry.knows("tracker.example", days=500)
    room = registry.room()
    room.domains.watch([site("www.quill.example")])
    registry.steps(room, 1)
    told = room.rewrite(seen("www.tracker.example", "go.quill.example"))
    assert (told.state, told.cause, told.blame) == (State.DEGRADED, "dns.expiring", "quill.example")
    assert told.detail == "the registration of quill.example at Hollow Names Ltd ends in 9 days (warning at 14 days)"
    assert told.evidence["registrar"] == "Hollow Names Ltd"
    registry.steps(room, 1)
    assert registry.asked == ["quill.example", "tracker.example"]
    assert room.rewrite(seen("www.tracker.example")).state is State.OK


def test_every_domain_is_asked_once_a_day_one_at_each_step(registry):
    room = registry.room()
    for name in ("a", "b", "c"):
        registry.knows(f"{name}.example")
    room.domains.watch([site(f"{sub}.{name}.example") for name in ("a", "b", "c") for sub in ("www", "m")])
    registry.steps(room, 2)
    assert len(registry.asked) == 2
    registry.steps(room, 5)
    assert sorted(registry.asked) == ["a.example", "b.example", "c.example"]
    registry.now += timedelta(hours=25)
    registry.steps(room, 5)
    assert len(registry.asked) == 6


def test_a_registry_that_asks_for_patience_gets_it_from_all(registry, http):
    room = registry.room()
    registry.raw["a.example"] = http("slow down", "429 Too Many Requests", retry_after="3600")
    registry.knows("b.example")
    room.domains.watch([site("a.example")])
    registry.steps(room, 1)
    room.domains.watch([site("b.example")])
    registry.steps(room, 3)
    assert registry.asked == ["a.example"]
    assert "429" in room.domains.problems["a.example"]
    registry.now += timedelta(seconds=3601)
    registry.steps(room, 2)
    assert sorted(registry.asked[1:]) == ["a.example", "b.example"]


@pytest.mark.parametrize("raw", [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[not json", b"", b"SMTP ready\r\n"])
def test_a_registry_that_cannot_be_asked_is_nobodys_finding(registry, raw):
    room = registry.room()
    registry.raw["a.example"] = raw
    room.domains.watch([site("a.example")])
    registry.steps(room, 2)
    assert room.rewrite(seen("a.example")).state is State.OK
    assert "a.example" in room.domains.problems
    assert len(registry.asked) == 1


def test_what_registries_said_outlives_a_restart_and_is_not_asked_again_the_same_day(registry):
    registry.knows("quill.example", days=2)
    room = registry.room()
    room.domains.watch([site("quill.example")])
    registry.steps(room, 1)
    (kept,) = room.drain(NOW)
    assert kept.target == DOMAINS
    assert room.drain(NOW) == []
    room = registry.room(kept.body)
    room.domains.watch([site("quill.example")])
    registry.steps(room, 3)
    assert registry.asked == ["quill.example"]
    assert room.rewrite(seen("quill.example")).cause == "dns.expiring"


def test_addresses_and_bare_names_have_no_registration(registry):
    room = registry.room()
    room.domains.watch([site("127.0.0.1:8080"), site("localhost"), site("[::1]")])
    registry.steps(room, 3)
    assert registry.asked == []


def test_switched_off_nobody_is_asked_and_nothing_is_said(registry):
    registry.knows("quill.example", days=2)
    room = registry.room()
    room.domains.watch([site("quill.example")])
    registry.steps(room, 1)
    off = Hygiene(domains=False)
    room.settings = room.domains.settings = off
    assert room.rewrite(seen("quill.example")).state is State.OK
    registry.now += timedelta(days=2)
    registry.steps(room, 1)
    assert len(registry.asked) == 1
