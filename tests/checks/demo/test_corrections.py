"""What partners take back, add and tell, to the cent, and what had to be known after each of their answers."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from checks.demo.corrections import clawed_back_days
from checks.demo.figures import DayFigure, Desk
from checks.demo.partners import BY_ID
from checks.demo.script import Script
from checks.demo.told import Told

DAY = datetime(2026, 11, 17, 6, tzinfo=UTC)
TUESDAY = DAY.date()


def at(hour, minute=0):
    return DAY.replace(hour=hour, minute=minute)


def back(days):
    return TUESDAY - timedelta(days=days)


@pytest.fixture(scope="module")
def books(world):
    from checks.demo.ledger import Ledger
    from checks.demo.traffic import Traffic

    ledger = Ledger(world, Traffic(world, Script(DAY)))
    ledger.history(at(22))
    return ledger


def net(books, partner, day, moment):
    """(first deposits, net revenue, commission) of a day as the partner shows them."""
    rows = list(Desk(BY_ID[partner], books).days(day, day, moment))
    return (
        sum(each.ftd + each.correction.ftd for each in rows),
        sum(Decimal(f"{each.net_revenue:.2f}") + Decimal(f"{each.correction.net_revenue:.2f}") for each in rows),
        sum(Decimal(f"{each.commission:.2f}") + Decimal(f"{each.correction.commission:.2f}") for each in rows),
    )


def test_p05_takes_back_nine_players_and_752_euros_of_commission(books):
    days = clawed_back_days(Script(DAY))
    assert set(days) == {back(1), back(2), back(3)}
    lost = [0, Decimal(0), Decimal(0)]
    for day in days:
        was, now = (net(books, "P05", day, moment) for moment in (at(20, 59), at(21)))
        assert was[0] - now[0] == 3
        lost = [sum_ + before - after for sum_, before, after in zip(lost, was, now, strict=True)]
    assert lost == [9, Decimal("1880.00"), Decimal("752.00")]
    assert net(books, "P05", back(4), at(20, 59)) == net(books, "P05", back(4), at(21))


def test_a_jackpot_costs_the_operator_and_neither_players_nor_commission(books):
    players, revenue, commission = net(books, "P05", back(1), at(7))
    assert revenue < -30_000
    assert revenue + 40_000 == pytest.approx(commission * Decimal("2.5"), abs=1)
    assert players > 20
    assert not net(books, "P05", back(1), at(5, 59))[0], "the day is not there before the platform's daily run"


def test_p02_lowers_a_day_of_two_days_ago_by_a_little_over_a_hundredth(books):
    was, now = (net(books, "P02", back(2), moment) for moment in (at(7, 59), at(8)))
    assert (was[0], was[2]) == (now[0], now[2])
    assert float(now[1] / was[1]) == pytest.approx(0.988, abs=1e-4)


def figure(day, clicks):
    return DayFigure(day, "de-1", "DE", clicks, 1, 1, 10.0)


def test_what_is_told_becomes_a_state_only_where_it_differs():
    told = Told()
    told.note("P05", at(7), [figure(back(1), 100)])
    told.note("P05", at(7, 15), [figure(back(1), 100)])
    told.note("P05", at(7, 30), [figure(back(1), 101), figure(back(2), 50)])
    told.note("P01", at(7, 30), [figure(back(1), 7)])
    states = told.states("P05")
    assert [(state.at, {day: int(sums["clicks"]) for day, sums in state.changed.items()}) for state in states] == [
        (at(7), {back(1): 100}),
        (at(7, 30), {back(1): 101, back(2): 50}),
    ]
    assert not told.states("P01"), "nobody audits P01"


def test_answers_of_one_pull_are_one_state():
    told = Told()
    told.note("P05", at(7), [figure(date(2026, 10, 31), 40)])
    told.note("P05", at(7, 1), [figure(date(2026, 11, 1), 41)])
    (state,) = told.states("P05")
    assert (state.at, len(state.changed)) == (at(7, 1), 2)


def test_what_is_held_back_is_known_with_the_first_answer_after_its_release():
    told = Told()
    for minute, clicks in ((0, 10), (20, 20), (40, 30)):
        told.note("P06", at(9, minute), [figure(TUESDAY, clicks), figure(back(1), 99)])
    told.note("P06", at(10, 6), [figure(TUESDAY, 31)])
    waiting = told.states("P06", at(9, 15), None)
    assert [(state.held, len(state.changed)) for state in waiting] == [(False, 2), (True, 0), (True, 0), (True, 0)]
    known = told.states("P06", at(9, 15), at(10, 5))
    assert [(state.held, len(state.changed)) for state in known] == [(False, 2), (True, 0), (True, 0), (False, 1)]
    assert known[-1].changed[TUESDAY]["clicks"] == 31


async def test_netrefer_shows_what_was_adjusted_beside_what_was_reported(open_demo):
    open_demo.at(21, 5)
    secret = open_demo.company.tokens["P05"]
    client, client_secret, user, password = secret.split(":")
    form = {
        "grant_type": "password", "client_id": client, "client_secret": client_secret, "username": user, "password": password,
        "scope": f"api://{client}/Reports.Read",
    }  # fmt: skip
    host = BY_ID["P05"].api_host
    body = "&".join(f"{name}={value}" for name, value in form.items()).replace("://", "%3A%2F%2F").encode()
    granted = json.loads((await open_demo.get(host, "/oauth2/v2.0/token", method="POST", body=body)).body)
    header = [f"Authorization: Bearer {granted['access_token']}"]
    rows = json.loads((await open_demo.get(host, "/dpm/v1/DAR/4711/2026-11-14/2026-11-16", headers=header)).body)
    assert sum(row["FirstDeposits"]["Adjustment"] for row in rows) == -9
    assert round(sum(row["RevShare"]["Adjustment"] for row in rows), 2) == -752.0
    assert (await open_demo.get(host, "/dpm/v1/DAR/4711/2026-10-31/2026-11-16", headers=header)).status == 400
    assert (await open_demo.get(host, "/dpm/v1/DAR/4711/2026-11-14/2026-11-16")).status == 401
