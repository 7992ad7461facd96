"""From dead sites to missing money with a real hub: one incident, though no fact names a site, and through a restart."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import polars as pl
import pytest

from checks.revenue.lending import WEIGHTS
from data.model.cause import state_of
from data.model.ids import CauseId, PartnerId, TeamId
from data.model.incident import IncidentState
from data.model.observation import Observation
from data.model.target import Target, TargetKind, target_id
from tests.checks.hub.revenue_house import BEGAN, House, silent_world

MONEY = "slice:partner=P07"
SITES = ("kiel", "oslo", "bonn")
FED = {"P07": SITES, "P03": ("kiel", "riga", "linz")}


def fleet():
    """Three sites, a link of P07 on each; of P03's links only one stands there."""
    team, sites = TeamId("cedar"), TargetKind.SITE
    yield from (Target(target_id(sites, name), sites, team, name, f"https://{name}.example/") for name in SITES)
    for partner, places in FED.items():
        for site in places:
            name = f"{partner}-{site}"
            link = target_id(TargetKind.LINK, name)
            yield Target(
                link, TargetKind.LINK, team, name, "https://go.example/", site=site, partner=PartnerId(partner)
            )


@pytest.fixture
def company(tmp_path, monkeypatch):
    """Its partners do not say through which site a player came."""
    world = silent_world()
    told = world.facts
    world.facts = lambda: told().with_columns(site=pl.lit(""))
    house = House(tmp_path, world, monkeypatch, fleet())
    yield house
    house.close()


def see(house, cause, hour):
    """Three looks at each site behind the edge."""
    why = CauseId(cause)

    async def look():
        for part in range(3):
            at = house.world.at(hour) + timedelta(minutes=part)
            house.clock.at = at
            await house.hub.intake.take(
                Observation(
                    target_id(TargetKind.SITE, name),
                    TeamId("cedar"),
                    TargetKind.SITE,
                    at,
                    state_of(why),
                    why,
                    evidence={"edge": "Halyard"},
                )
                for name in SITES
            )

    asyncio.run(look())


def tidied(house):
    asyncio.run(house.hub.housekeeping.price())


def running(house):
    """Targets of each open incident."""
    return {
        one.id: sorted(known.target for known in house.hub.desk.members(one.id) if known.closed_at is None)
        for one in house.hub.desk.open_incidents
    }


ALL = [f"site:{name}" for name in sorted(SITES)]


def test_money_of_sites_behind_one_edge_is_one_incident_with_them_and_its_alarm_borrows(company):
    company.look(BEGAN)
    see(company, "edge.error", BEGAN + 0.1)
    tidied(company)
    assert list(running(company).values()) == [ALL]
    (number,) = running(company)
    company.look(BEGAN + 6, BEGAN + 1)
    tidied(company)
    (alarm,) = [one for one in company.hub.revenue.alarmed.values() if one.status == "open"]
    assert (alarm.target, alarm.slice) == (MONEY, {"partner": "P07"})
    assert alarm.prior_nats > 2
    assert "100% of the clicks of P07 pass sites that fail" in alarm.why
    assert running(company) == {number: [*ALL, MONEY]}
    incident = company.hub.desk.get(number)
    assert incident.cause == "edge.error"
    assert incident.loss.per_hour > 0

    company.started()
    assert running(company) == {number: [*ALL, MONEY]}
    company.look(BEGAN + 8, BEGAN + 7)
    tidied(company)
    assert running(company) == {number: [*ALL, MONEY]}


def test_sites_that_fail_hours_after_the_money_did_explain_none_of_it(company):
    company.look(BEGAN + 6)
    assert list(running(company).values()) == [[MONEY]]
    company.started()
    company.look(BEGAN + 7, BEGAN + 7)
    see(company, "edge.error", BEGAN + 7.2)
    tidied(company)
    assert running(company) == {1: [MONEY], 2: ALL}


def test_money_that_stays_away_after_the_edge_is_back_is_a_story_of_its_own(company):
    company.look(BEGAN)
    see(company, "edge.error", BEGAN + 0.1)
    tidied(company)
    company.look(BEGAN + 6, BEGAN + 1)
    see(company, "", BEGAN + 6.2)
    tidied(company)
    (number,) = running(company)
    company.look(BEGAN + 9, BEGAN + 7)
    tidied(company)
    assert company.hub.desk.get(number) is None or company.hub.desk.get(number).state is IncidentState.CLOSED
    assert list(running(company).values()) == [[MONEY]]


def test_a_deploy_that_was_pushed_lends_through_a_restart_and_opens_nothing(company):
    company.look(BEGAN - 1)
    now = company.clock.at
    deploy = {"at": (now - timedelta(hours=1)).isoformat(), "site": "kiel", "what": "release 8f31c0"}
    assert asyncio.run(company.hub.spool.take_deploys(json.dumps(deploy).encode())) == 1
    (prior,) = [one for one in company.hub.fusion.priors(now) if one.slice == {"site": "kiel"}]
    assert (prior.nats, prior.why[:14]) == (WEIGHTS["deploy"], "deploy of site")
    company.started()
    assert prior in company.hub.fusion.priors(now)
    company.look(BEGAN - 1, BEGAN - 1)
    tidied(company)
    assert running(company) == {}
