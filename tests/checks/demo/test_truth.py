"""The simulator's truth is what a perfect observer would call lost by now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl

from checks.demo.ledger import Ledger
from checks.demo.script import BY_ID, EVENTS, Script
from checks.demo.spool import fact_frame
from checks.demo.traffic import Traffic
from tests.checks.demo.conftest import DAY


def ledger_of(world, events=EVENTS):
    return Ledger(world, Traffic(world, Script(DAY, events)))


def frame(ledger, now):
    return fact_frame(ledger, ledger.history(now))


def test_a_loss_grows_with_the_people_it_takes_and_not_a_minute_before(ledger):
    began, ended = BY_ID["F1"].began(DAY), BY_ID["F1"].ended(DAY)
    ledger.history(ended + timedelta(hours=1))
    losses = [ledger.true_loss("F1", began + timedelta(minutes=30 * n)) for n in range(8)]
    assert losses[0] == 0
    assert losses == sorted(losses)
    assert losses[-1] == ledger.true_loss("F1", ended + timedelta(hours=5))


def test_people_who_stay_at_home_on_a_holiday_are_nobodys_loss(world):
    """With the holiday, failures that hit Norwegians take fewer of them than without it."""
    without = tuple(each for each in EVENTS if each.id != "D1")
    losses = []
    for events in (EVENTS, without):
        ledger = ledger_of(world, events)
        ledger.history(DAY + timedelta(hours=9))
        assert ledger.true_loss("D1", DAY + timedelta(hours=9)) == 0
        losses.append(ledger.true_loss("F1", DAY + timedelta(hours=9)))
    assert losses[0] < 0.99 * losses[1]


def test_whom_the_edge_has_taken_the_certificate_cannot(world):
    both, alone = (tuple(each for each in EVENTS if each.id not in left_out) for left_out in ((), ("F5",)))
    losses = []
    for events in (both, alone):
        ledger = ledger_of(world, events)
        ledger.history(DAY + timedelta(hours=9))
        losses.append(ledger.true_loss("F6", DAY + timedelta(hours=9)))
    assert losses[0] < 0.9 * losses[1]


def test_bots_click_six_times_as_often_as_people_on_one_page_and_do_nothing_else(world):
    ledger, now = ledger_of(world), DAY + timedelta(hours=11)
    facts = frame(ledger, now).filter(pl.col("site") == world.flooded)
    began, ended = BY_ID["D3"].began(DAY), BY_ID["D3"].ended(DAY)
    inside = facts.filter(
        pl.col("hour").is_between(began + timedelta(minutes=30), ended - timedelta(minutes=30), closed="left")
    )
    hours = [began + timedelta(minutes=30) - timedelta(days=7 * back) for back in (1, 2, 3)]
    usual = [facts.filter(pl.col("hour").is_between(hour, hour + timedelta(hours=3), closed="left")) for hour in hours]
    clicks = sum(week["clicks"].sum() for week in usual) / 3
    regs = sum(week["regs"].sum() for week in usual) / 3
    assert 4.5 <= inside["clicks"].sum() / clicks <= 7.5
    assert inside["regs"].sum() <= 2 * regs + 5
    assert ledger.true_loss("D3", now) == 0


def test_the_flooded_page_is_one_of_auroras_that_nothing_else_happens_to(world):
    site = world.site_named(world.flooded)
    assert (site.team, site.tier, site.edge) == ("aurora", 1, False)
    assert site.name not in {world.hub, world.challenged}


def test_the_day_without_its_bots_has_the_same_people(world):
    calm = tuple(replace(each, traffic="") if each.id == "D3" else each for each in EVENTS)
    sums = [
        frame(ledger_of(world, events), DAY + timedelta(hours=8)).select(pl.col("regs", "ftd").sum()).row(0)
        for events in (EVENTS, calm)
    ]
    assert sums[0] == sums[1]


def test_an_event_that_has_not_begun_has_taken_nothing(ledger):
    ledger.history(DAY)
    assert all(ledger.true_loss(each.id, datetime(2026, 11, 17, 6, tzinfo=DAY.tzinfo)) == 0 for each in EVENTS)
