"""A hub without a socket over a real store, whose clock a test moves, and the made-up company's facts in it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from checks.engine.clock import FakeClock
from checks.hub import hub as hubs
from data.config.home import Home
from data.config.settings import Company, Partner, Settings, Team
from data.model.fact import Receipt
from data.secrets import open_secrets
from data.store import facts
from data.store.store import Store
from tests.checks.revenue.conftest import PARTNERS, World

DAY = 24
BEGAN = 14 * DAY + 9
"""Hour at which P07 falls silent."""


def silent_world() -> World:
    """16 days of the company; P07, which team cedar works with alone, earns nothing at the end."""
    world = World(days=16, seed=3, sites=1)
    world.thin(BEGAN, world.hours, 0.0, partner="P07")
    return world


class House:
    """Hubs over one store, one after the other."""

    def __init__(self, root, world: World, monkeypatch, targets=()) -> None:
        self.targets = tuple(targets)
        self.world, self.clock = world, FakeClock(world.at(BEGAN - 2))
        monkeypatch.setattr(hubs, "clock_from", lambda _settings: self.clock)
        self.home = Home.find(str(root))
        self.store = Store.open(root / "losswatch.duckdb", None)
        self.store.write_facts(facts.columns(world.facts())).result()
        rows = world.receipts().iter_rows(named=True)
        self.store.write([Receipt(row["partner"], _utc(row["hour"]), _utc(row["seen_at"])) for row in rows]).result()
        self.hub = self.started()

    def started(self) -> hubs.Hub:
        """A hub that knows what the store knows, and has looked at nothing yet."""
        teams = tuple(Team(name, name.title()) for name in sorted({row[4] for row in self.world.leaves}))
        partners = tuple(Partner(name, f"House of {name}") for name in PARTNERS)
        settings = Settings(self.home.state, Company("Corvane"), teams=teams, partners=partners, targets=self.targets)
        self.hub = hubs.Hub(self.home, settings, {}, self.store, open_secrets(self.home, create=True))
        return self.hub

    def look(self, until: int, since: int | None = None) -> None:
        """Look at the revenue soon after every hour up to `until`."""

        async def looks() -> None:
            first = since if since is not None else int((self.clock.at - self.world.at(0)).total_seconds() // 3600) + 1
            for hour in range(first, until + 1):
                self.clock.at = self.world.at(hour + 0.05)
                await self.hub.revenue.look()

        asyncio.run(looks())

    def close(self) -> None:
        self.store.close()


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
