"""The funnel of a slice as the hub knows it: the book's steps, and the partner's own count between them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from checks.hub.funnels import funnel_of, guess
from checks.hub.shared_book import SharedBook
from checks.revenue.funnel import COMMISSION, OWN, PARTNER, REGISTRATIONS
from data.config.settings import Feed, Settings
from data.model.fact import Fact, PartnerStat
from data.model.ids import PartnerId, TeamId
from data.model.principal import EVERYTHING, MoneyRight, Scope
from data.store.store import Store
from tests.checks.revenue.conftest import World

TEAM, P07 = TeamId("cedar"), PartnerId("P07")
API = Feed("p07", TEAM, P07, "smartico", base_url="https://a.example")
WHERE = {"partner": "P07"}
NOW_H = 30 * 24 + 20
DAY_H = 24 * 30


@pytest.fixture(scope="module")
def made():
    return World(32)


@pytest.fixture(scope="module")
def hub(made, tmp_path_factory):
    book = SharedBook({}, "EUR")
    book.add(made.facts())
    book.add_receipts(made.receipts())
    book.tick(made.at(NOW_H - 24))
    book.tick(made.at(NOW_H))
    store = Store.open(tmp_path_factory.mktemp("store") / "x.duckdb", None)
    own = made.clicks[made.inside(partner="P07")].sum(0)
    at = made.at
    store.write(
        [Fact(at(h), at(h + 1), TEAM, P07, "casino", "BR", "s", clicks=int(own[h]), source="go") for h in range(NOW_H)]
    ).result()
    yield SimpleNamespace(book=book, store=store, settings=Settings(Path(), feeds=(API,)), at=at, own=own)
    store.close()


def count(hub, share_today):
    """The partner counts nine of ten of our clicks, and today `share_today`."""
    rows = []
    for day in range(31):
        share = share_today if day == 30 else 0.9
        clicks = round(share * int(hub.own[day * 24 : min(day * 24 + 24, NOW_H)].sum()))
        day_of = hub.at(day * 24).date()
        rows.append(PartnerStat("p07", TEAM, P07, day_of, {}, {"clicks": Decimal(clicks)}, "EUR", hub.at(NOW_H)))
    hub.store.write(rows).result()


def told(hub, scope=EVERYTHING, where=WHERE):
    return funnel_of(hub, where, scope, hub.at(DAY_H), hub.at(NOW_H))


def step(found, name):
    return next(one for one in found.steps if one.name == name)


def test_without_a_report_nobody_counts_the_partners_clicks(hub):
    found = told(hub)
    assert step(found, PARTNER).seen is None
    assert step(found, OWN).seen > 1000
    assert found.step == ""
    assert guess(hub, WHERE, EVERYTHING, hub.at(DAY_H), hub.at(NOW_H)) == ""


def test_a_partner_that_counts_fewer_of_our_clicks_points_at_tracking(hub):
    count(hub, 0.9)
    assert told(hub).step == ""
    count(hub, 0.4)
    found = told(hub)
    assert found.step == PARTNER
    assert found.owner == "developer on call"
    assert step(found, PARTNER).seen == pytest.approx(0.4 * step(found, OWN).seen, rel=0.02)
    assert "tracking" in guess(hub, WHERE, EVERYTHING, hub.at(DAY_H), hub.at(NOW_H))


def test_reports_know_no_country_so_a_country_has_no_count_of_theirs(hub):
    assert step(told(hub, where={"partner": "P07", "geo": "BR"}), PARTNER).seen is None


def test_who_may_not_see_money_sees_commission_as_a_share(hub):
    shown = step(told(hub, Scope(None, MoneyRight.NONE)), COMMISSION)
    assert shown.expected == 1.0
    assert 0 < shown.seen < 3
    assert step(told(hub), COMMISSION).seen > 100


def test_a_reader_of_another_team_learns_nothing(hub):
    assert told(hub, Scope(frozenset({TeamId("baltic")}), MoneyRight.FULL)) is None
    assert told(hub, where={"partner": "P99"}) is None
    assert step(told(hub, Scope(frozenset({TEAM}), MoneyRight.FULL)), REGISTRATIONS).seen > 10
