"""Prices are found beside the loop: what happens meanwhile is neither held up nor forgotten."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from checks.engine.clock import FakeClock
from checks.hub import hub as hubs
from checks.hub.pricing import Priced
from data.config.home import Home
from data.config.settings import Company, Settings, Team
from data.model.cause import cause
from data.model.ids import TeamId
from data.model.money import Loss
from data.model.observation import NO_CAUSE, Observation
from data.model.principal import EVERYTHING
from data.model.state import State
from data.model.target import Target, TargetKind, target_id
from data.secrets import open_secrets
from data.store import incidents
from data.store.store import Store

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
TEN = Loss(per_hour=Decimal(10), currency="EUR")


def site(name):
    return Target(target_id(TargetKind.SITE, name), TargetKind.SITE, TeamId("aurora"), name, f"https://{name}.example/")


class SlowPrices:
    """Each open incident costs ten an hour, of which each running member has a part; the answer waits for `go`."""

    def __init__(self):
        self.asked, self.go = threading.Event(), threading.Event()

    def share_out(self, _held):
        return {}

    def price(self, _incident, members, _now, _taken):
        self.asked.set()
        assert self.go.wait(30)
        return Priced(TEN, {one.target: Decimal(5) for one in members if one.closed_at is None})

    def explained(self, *_):
        return ()


class House:
    def __init__(self, hub):
        self.hub, self.prices = hub, SlowPrices()
        hub.pricing = hub.recent.pricing = self.prices
        hub.revenue.ready = True

    def see(self, name, state, *minutes):
        why = cause("http.5xx") if state is State.FAILING else NO_CAUSE
        for minute in minutes:
            at = NOON + timedelta(minutes=minute)
            one = site(name)
            self.hub.intake.take([Observation(one.id, one.team, one.kind, at, state, why)])

    async def priced(self, meanwhile):
        """Price while `meanwhile` happens."""
        pricing = asyncio.create_task(self.hub.housekeeping.price())
        async with asyncio.timeout(30):
            while not self.prices.asked.is_set():  # noqa: ASYNC110  # the event is a thread's
                await asyncio.sleep(0.001)
        meanwhile()
        self.prices.go.set()
        await pricing


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(hubs, "clock_from", lambda _settings: FakeClock(NOON + timedelta(minutes=10)))
    home, store = Home.find(str(tmp_path)), Store.open(tmp_path / "losswatch.duckdb", None)
    sites = tuple(map(site, ("kiel", "graz", "brno")))
    settings = Settings(home.state, Company("Corvane"), teams=(Team("aurora", "Aurora"),), targets=sites)
    yield House(hubs.Hub(home, settings, {}, store, open_secrets(home, create=True)))
    store.close()


async def test_what_opens_while_prices_are_found_is_priced_the_next_time(house):
    house.see("kiel", State.FAILING, 0, 1)
    await house.priced(lambda: house.see("graz", State.FAILING, 2, 3))
    assert [one.loss.per_hour for one in house.hub.desk.open_incidents] == [10, 0]
    await house.hub.housekeeping.price()
    assert [one.loss.per_hour for one in house.hub.desk.open_incidents] == [10, 10]
    house.hub.store.flush()
    assert {one.loss.per_hour for one in incidents.open_incidents(house.hub.store, EVERYTHING)} == {10}


async def test_what_ends_while_prices_are_found_loses_nothing_any_more(house):
    house.see("kiel", State.FAILING, 0, 1)
    house.see("graz", State.FAILING, 0, 1)
    await house.priced(lambda: house.see("kiel", State.OK, 4, 5, 6))
    assert house.hub.board.loss_of == {site("graz").id: 5}
    (left,) = house.hub.desk.open_incidents
    assert (left.where, left.loss) == ("graz", TEN)


async def test_nothing_is_priced_before_the_book_has_looked_at_its_facts(house):
    house.see("kiel", State.FAILING, 0, 1)
    house.hub.revenue.ready = False
    await house.hub.housekeeping.price()
    assert not house.prices.asked.is_set()
    assert replace(house.hub.desk.open_incidents[0].loss, currency="") == replace(Loss(), currency="")


async def test_what_the_desk_decided_is_stored_though_prices_cannot_be_found(house, monkeypatch):
    hub, number = house.hub, 1
    house.see("kiel", State.FAILING, 0, 1)
    await hub.keeping.keep(hub.intake.settle(hub.desk.close_by(number, "maria", hub.clock.now())))
    hub.clock.at = NOON + timedelta(minutes=50)
    house.see("kiel", State.FAILING, 45)

    def broken(*_):
        raise ArithmeticError

    monkeypatch.setattr(house.prices, "price", broken)
    with pytest.raises(ArithmeticError):
        await hub.housekeeping.price()
    hub.store.flush()
    assert [one.id for one in incidents.open_incidents(hub.store, EVERYTHING)] == [number]
