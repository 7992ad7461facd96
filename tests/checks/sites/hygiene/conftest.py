from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from checks.engine.clock import FakeClock, SystemClock
from checks.hub.hygiene import HygieneRoom
from checks.sites.edges import Edges
from checks.sites.hygiene.pagefacts import PageFacts
from checks.sites.hygiene.registry import registry_of
from checks.sites.hygiene.robots import RobotsFiles
from checks.sites.prober import Prober
from checks.sites.resolver import Resolver
from checks.sites.transport import Transport
from checks.sites.vantages import Vantages
from checks.sites.walk import Network
from data.model.ids import TargetId, TeamId
from data.model.target import Check, Expect, TargetKind

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)


class Watch:
    """One site watched by a real prober and the hub's room, on a clock that the test moves."""

    def __init__(self, **how):
        self.clock = FakeClock(NOON)
        self.links = how.pop("links", ())
        self.how = how
        self.room = HygieneRoom()
        self.room.allowed = registry_of(self.links)[1]

    def look(self, *urls, every_s=300.0, name="hub", kind=TargetKind.SITE, settle=True):
        """Check each URL in turn; returns (raw, rewritten) observations of the last."""
        return asyncio.run(self._look(urls, every_s, name, kind, settle))

    async def _look(self, urls, every_s, name, kind, settle):
        resolver = self.how.get("resolver", "")
        network = Network(Transport(ca_file=str(self.how.get("ca_file", ""))), Resolver(resolver))
        robots = RobotsFiles(network)
        facts = PageFacts(registry=registry_of(self.links)[0], robots=robots)
        prober = Prober(
            network, Edges.of(), Vantages(), self.clock, SystemClock(), facts=facts, **self.how.get("prober", {})
        )
        raw = told = None
        try:
            for url in urls:
                self.clock.advance(every_s)
                target = TargetId(f"{kind}:{name}")
                raw = await prober.run(Check(target, TeamId("a"), kind, url, 5.0, Expect()))
                told = self.room.rewrite(raw)
                if settle:
                    await robots.settle()
        finally:
            network.close()
        return raw, told

    def wait(self, **span):
        self.clock.advance(timedelta(**span).total_seconds())

    def restart(self):
        """Another hub that takes up what this one would have stored."""
        kept = self.room.drain(self.clock.now())
        allowed, covered = self.room.allowed, self.room.covered
        self.room = HygieneRoom(allowed=allowed, covered=covered)
        self.room.restore(kept)
        return kept


@pytest.fixture
def watch():
    return Watch


class Site:
    """A page whose head, headers, body and robots.txt a test may change."""

    def __init__(self, serve, http, context=None):
        self.head, self.headers, self.body, self.status = "", {}, "<h1>Slots</h1><p>" + "honest words " * 60, "200 OK"
        self.robots = http("none", "404 Not Found")
        self.http = http
        self.server = serve(self._behave, context)

    def _behave(self, connection, request):
        if request.path == "/robots.txt":
            connection.sendall(self.robots)
            return
        page = f"<!doctype html><html lang=de><head><title>Slots</title>{self.head}</head><body>{self.body}"
        connection.sendall(self.http(page, self.status, **self.headers))

    @property
    def url(self):
        return self.server.url("/slots/")


@pytest.fixture
def site_page(serve, http):
    return Site(serve, http)
