from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from checks.engine.clock import FakeClock
from checks.hub import crowd as crowds
from checks.hub import hub as hubs
from data.config.home import Home
from data.config.settings import Company, Settings, Team
from data.model.cause import cause
from data.model.ids import IncidentId, TeamId
from data.model.observation import Observation
from data.model.principal import EVERYTHING, MoneyRight, Principal, Scope
from data.model.state import State
from data.model.target import Target, TargetKind, target_id
from data.secrets import open_secrets
from data.store.store import Store

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
FIRST = IncidentId(1)
ADMIN = Principal("root", 0, "admin", EVERYTHING)
CEDAR = Scope(frozenset([TeamId("cedar")]), MoneyRight.NONE)


def site(number, team="aurora"):
    name = f"s{number:02}"
    target = target_id(TargetKind.SITE, name)
    return Target(target, TargetKind.SITE, TeamId(team), name, f"https://go.example/{name}")


SITES = [site(number, "cedar" if number % 3 == 0 else "aurora") for number in range(12)]


class House:
    def __init__(self, hub):
        self.hub, self.crowds = hub, hub.details.crowds

    def fall(self, *sites):
        for minute in (0, 1):
            at = NOON + timedelta(minutes=minute)
            why = cause("tcp.refused")
            self.hub.intake.take([Observation(one.id, one.team, one.kind, at, State.FAILING, why) for one in sites])

    async def see(self, scope=EVERYTHING):
        return await self.crowds.of(self.hub.desk.get(FIRST), scope, NOON)


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(hubs, "clock_from", lambda _settings: FakeClock(NOON + timedelta(minutes=10)))
    home, store = Home.find(str(tmp_path)), Store.open(tmp_path / "losswatch.duckdb", None)
    teams = Team("aurora", "Aurora"), Team("cedar", "Cedar")
    settings = Settings(home.state, Company("Corvane"), teams=teams, targets=tuple(SITES))
    yield House(hubs.Hub(home, settings, {}, store, open_secrets(home, create=True)))
    store.close()


async def test_a_few_members_are_walked_over_at_every_look(house):
    house.fall(*SITES[:6])
    assert len((await house.see()).members) == 6
    house.fall(*SITES[6:8])
    assert len((await house.see()).members) == 8


async def test_very_many_are_walked_over_again_only_after_a_rest(house, monkeypatch):
    monkeypatch.setattr(crowds, "MANY", 6)
    monkeypatch.setattr(crowds, "REST", 1e9)
    house.fall(*SITES[:6])
    seen = await house.see()
    house.fall(*SITES[6:8])
    assert await house.see() is seen
    monkeypatch.setattr(crowds, "REST", -1.0)
    house.crowds._kept.clear()
    await house.see()
    house.fall(*SITES[8:10])
    assert len((await house.see()).members) == 10


async def test_a_walk_that_is_remembered_still_tells_what_the_incident_itself_says_now(house, monkeypatch):
    monkeypatch.setattr(crowds, "MANY", 6)
    house.fall(*SITES[:6])
    await house.hub.details.incident(ADMIN, FIRST)
    house.fall(*SITES[6:8])
    house.hub.intake.settle(house.hub.desk.note(FIRST, "maria", "they are on it", NOON))
    detail = await house.hub.details.incident(ADMIN, FIRST)
    assert detail.incident.members == 8
    assert "8 of 8 still affected" in [one.text for one in detail.statements]


async def test_all_who_ask_at_once_wait_for_one_walk(house):
    house.fall(*SITES)
    first, *others = await asyncio.gather(*(house.see() for _ in range(5)))
    assert all(one is first for one in others)
    assert not house.crowds._walking


async def test_each_scope_has_its_own_members_and_whoever_sees_no_money_no_band(house, monkeypatch):
    monkeypatch.setattr(crowds, "MANY", 1)
    house.fall(*SITES)
    everybody, mine = await house.see(), await house.see(CEDAR)
    assert dict(everybody.teams) == {"aurora": 8, "cedar": 4}
    assert (dict(mine.teams), mine.band) == ({"cedar": 4}, ())
    assert {one.team for one in mine.members} == {"cedar"}


async def test_only_so_many_crowds_are_remembered(house, monkeypatch):
    monkeypatch.setattr(crowds, "MANY", 1)
    house.fall(*SITES)
    for number in range(crowds._KEPT + 5):
        await house.see(Scope(frozenset([TeamId("aurora"), TeamId(f"t{number}")]), MoneyRight.NONE))
    assert len(house.crowds._kept) == crowds._KEPT
