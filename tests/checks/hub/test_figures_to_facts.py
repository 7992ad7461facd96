"""Deliveries and postbacks become facts once, whatever is killed, read again or told by two."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from checks.feeds.memory import Memory
from checks.hub.figures_to_facts import Delivered, FiguresToFacts
from data.config.rates import Rates
from data.config.settings import Feed, Partner, Settings
from data.model.delivery import Postback
from data.model.fact import Fact, PartnerStat, Receipt
from data.model.ids import PartnerId, TeamId
from data.model.principal import EVERYTHING, Scope
from data.model.target import TargetKind, target_id
from data.store import facts
from data.store.store import Store

NOW = datetime(2026, 11, 17, 14, 30, tzinfo=UTC)
TODAY, YESTERDAY = date(2026, 11, 17), date(2026, 11, 16)
TEAM, P03 = TeamId("baltic"), PartnerId("P03")
API = Feed("p03-api", TEAM, P03, "affilka", base_url="https://a.example", secret="k")
CALLS = Feed("p03-calls", TEAM, P03, "postback")
LOG = Feed("go", TEAM, P03, "clicklog", path="go.log")
HOUR = timedelta(hours=1)


class House:
    """A hub of a store, a clock and feeds; `deliver` is what a pull does, `facts` what then stands in the store."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now, self.baselines = folder, NOW, {}
        self.settings = Settings(folder, rates=Rates("EUR"), feeds=(API, CALLS, LOG), partners=(Partner(P03, "Torvane", report_lag_s=1200.0),))  # fmt: skip
        self.store = Store.open(folder / "x.duckdb", None)
        self.room()

    def room(self) -> None:
        """The room as after a start: nothing remembered."""
        feeds = SimpleNamespace(partner=lambda _feed: self.settings.partners[0], baseline=self.baselines.get)
        home = SimpleNamespace(spool=self.folder)
        self.hub = SimpleNamespace(
            settings=self.settings, store=self.store, clock=SimpleNamespace(now=lambda: self.now), keeping=SimpleNamespace(owed={}), home=home, pulls=SimpleNamespace(feeds=feeds),
        )  # fmt: skip
        self.desk = FiguresToFacts(self.hub)

    def configure(self, **changes) -> None:
        self.settings = replace(self.settings, **changes)
        self.room()

    def write(self, *rows) -> None:
        self.store.write(rows).result()

    def deliver(self, stats, *, feed=API, read_at=None, covered=None, stored=True):
        covered = covered or (self.now - timedelta(minutes=20)).replace(minute=0, second=0)
        telling = self.desk.of_report(feed, Delivered(stats, (), covered, read_at), self.now)
        if stored:
            self.write(*telling.facts, *telling.receipts)
        return telling

    def call(self):
        telling = self.desk.of_calls(CALLS, self.now)
        self.write(*telling.facts, *telling.receipts)
        return telling

    def sums(self, day=None, scope=EVERYTHING, **where):
        frame = facts.frame(self.store, scope, datetime(2026, 1, 1, tzinfo=UTC))
        for name, value in where.items():
            frame = frame.filter(frame[name] == value)
        if day:
            frame = frame.filter(frame["hour"].dt.date() == day)
        counts = (int(frame[name].sum()) for name in ("clicks", "regs", "ftd"))
        return (*counts, round(float(frame["revenue"].sum()), 2))


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.store.close()


def day(on, clicks=200, regs=20, ftd=5, money=500, currency="EUR", feed=API, **dims):
    given = {"clicks": clicks, "registrations": regs, "ftd_count": ftd, "commission_total": money}
    measures = {name: Decimal(figure) for name, figure in given.items()}
    return PartnerStat(feed.name, feed.team, feed.partner, on, dims, measures, currency, NOW)


def clicks(hours=60, each=10):
    """Our own log: clicks to P03 from two sites, hour by hour until now."""
    first = NOW.replace(minute=0) - hours * HOUR
    return [
        Fact(first + n * HOUR, first + (n + 1) * HOUR, TEAM, P03, "casino", geo, site, clicks=each, source="go")
        for n in range(hours)
        for geo, site in (("PL", "s1"), ("CZ", "s2"))
    ]


def test_a_delivery_is_told_once_also_by_a_hub_that_was_killed_before_or_after_it_stored_it(house):
    rows = [day(YESTERDAY), day(TODAY, regs=12, ftd=3, money=300)]
    lost = house.deliver(rows, stored=False)
    house.room()
    again = house.deliver(rows)
    assert again == lost, "the same news is told the same way"
    assert house.sums() == (400, 32, 8, 800.0)
    house.room()
    assert house.deliver(rows).facts == ()
    assert house.sums() == (400, 32, 8, 800.0)


def test_what_is_new_since_the_last_reading_is_of_the_hours_since(house):
    house.write(*clicks())
    house.deliver([day(TODAY, regs=12, ftd=3, money=300)])
    house.now, before = NOW + 2 * HOUR, house.now
    more = house.deliver([day(TODAY, regs=15, ftd=4, money=400)], read_at=before)
    assert {one.hour for one in more.facts} <= {
        NOW.replace(minute=0),
        NOW.replace(minute=0) + HOUR,
        NOW.replace(minute=0) + 2 * HOUR,
    }
    assert sum(one.regs for one in more.facts) == 3


def test_a_restated_day_is_lowered_where_it_was_told(house):
    house.deliver([day(YESTERDAY)])
    less = house.deliver([day(YESTERDAY, regs=18, ftd=3, money=290)])
    assert (sum(one.regs for one in less.facts), sum(one.ftd for one in less.facts)) == (-2, -2)
    assert all(one.hour.date() == YESTERDAY for one in less.facts)
    assert house.sums() == (200, 18, 3, 290.0)


def test_our_own_clicks_are_not_doubled_by_the_partners_count(house):
    house.deliver([day(TODAY)])
    assert house.sums()[0] == 200, "nobody else counts them yet"
    assert house.desk.second_hand() == {"P03"}
    house.write(*clicks())
    house.deliver([day(TODAY)])
    assert house.sums(source="p03-api") == (0, 20, 5, 500.0)
    assert house.sums(source="go")[0] == 1200
    house.room()
    assert house.desk.second_hand() == set()


def test_conversions_lie_where_our_clicks_are(house):
    house.write(*clicks())
    house.deliver([day(YESTERDAY, regs=400, ftd=100, money=9000)])
    assert house.sums(site="s1")[1] > 100
    assert house.sums(site="s2")[1] > 100
    assert house.sums(site="s1", source="p03-api")[1] + house.sums(site="s2", source="p03-api")[1] == 400


def test_money_without_a_rate_waits_and_says_so_and_is_told_once_there_is_one(house):
    held = house.deliver([day(YESTERDAY, currency="PLN")])
    assert (held.facts, held.receipts) == ((), ()), "hours without a receipt are waited for, not silent"
    assert house.desk.lines() == ("p03-api: figures held, no rate for PLN",)
    house.configure(rates=Rates("EUR", {"PLN": ((YESTERDAY, Decimal("0.25")),)}))
    told = house.deliver([day(YESTERDAY, currency="PLN")])
    assert house.sums() == (200, 20, 5, 125.0)
    assert len(told.receipts) == 24, "what was waited for is here"
    assert house.desk.lines() == ()


@pytest.mark.parametrize("absurd", [{"regs": 10**12}, {"clicks": 10**9}, {"money": -(10**13)}])
def test_a_figure_that_cannot_be_true_is_held_and_said(house, absurd):
    assert house.deliver([day(YESTERDAY, **absurd)]).facts == ()
    assert "beyond" in house.desk.lines()[0]
    assert house.deliver([day(YESTERDAY)]).facts


def test_conversions_that_somebody_pushes_win_and_what_was_told_before_is_withdrawn(house):
    house.deliver([day(TODAY)])
    house.write(Fact(NOW - 5 * HOUR, NOW, TEAM, P03, "casino", "PL", "s1", regs=11, ftd=2, source=""))
    own = house.deliver([day(TODAY)])
    assert not own.tells
    assert house.sums() == (0, 11, 2, 0.0)
    house.room()
    assert house.desk.is_pushed(API), "also before the feed was read again"


def test_another_teams_pushed_conversions_are_not_ours(house):
    house.write(Fact(NOW - 5 * HOUR, NOW, TeamId("cedar"), P03, "casino", "BR", "s9", regs=11, ftd=2))
    assert house.deliver([day(TODAY)]).tells
    assert house.sums(team="baltic") == (200, 20, 5, 500.0)
    assert house.sums(scope=Scope(frozenset({TeamId("cedar")})))[1] == 11


def test_facts_wait_while_what_is_pushed_waits_or_the_store_is_full(house):
    (house.folder / "history.parquet").write_bytes(b"")
    assert house.deliver([day(TODAY)]).facts == ()
    (house.folder / "history.parquet").unlink()
    house.hub.keeping.owed["x"] = object()
    held = house.deliver([day(TODAY)])
    assert (held.facts, held.receipts, held.tells) == ((), (), True)
    house.hub.keeping.owed.clear()
    assert house.deliver([day(TODAY)]).facts


def test_an_hour_is_reported_when_each_account_of_the_partner_has_reported_it(house):
    other = replace(API, name="p03-two", team=TeamId("kestrel"), account="2")
    house.configure(feeds=(API, other))
    house.baselines[target_id(TargetKind.FEED, "p03-two")] = Memory(
        covered_until=NOW.replace(hour=10, minute=0)
    ).to_bytes()
    told = house.deliver([day(TODAY)])
    assert max(one.hour for one in told.receipts) == NOW.replace(hour=9, minute=0)
    house.baselines[target_id(TargetKind.FEED, "p03-api")] = Memory(
        covered_until=NOW.replace(hour=14, minute=0)
    ).to_bytes()
    rest = house.deliver([day(TODAY, feed=other)], feed=other)
    assert [one.hour.hour for one in rest.receipts] == [10, 11, 12, 13]


def called(event, at, n):
    return Postback("p03-calls", TEAM, P03, at, None, event, f"c{n}", f"t{n}", None, "")


def test_postbacks_are_told_at_once_and_the_report_counts_them_once(house):
    house.write(
        *clicks(),
        *(called("registration", NOW - 3 * HOUR, n) for n in range(9)),
        *(called("ftd", NOW - 2 * HOUR, n) for n in range(2)),
    )
    assert sum(one.regs for one in house.call().facts) == 9
    assert house.call().facts == ()
    behind = house.deliver([day(TODAY, regs=4, ftd=1, money=100)])
    assert sum(one.regs for one in behind.facts) == 0, "the report is slower"
    house.now = NOW + 2 * HOUR
    house.deliver([day(TODAY, regs=11, ftd=2, money=210)])
    assert house.sums(source="p03-calls")[1:3] == (9, 2)
    assert house.sums(TODAY)[1:3] == (11, 2)
    house.now = NOW + 24 * HOUR
    house.deliver([day(TODAY, regs=8, ftd=2, money=210)])
    assert house.sums(TODAY)[1:] == (8, 2, 210.0), "a settled day is the report's"


def test_a_postback_is_worth_what_a_first_deposit_usually_is(house):
    house.write(*clicks())
    house.now = NOW - timedelta(days=5)
    house.deliver([day(house.now.date(), regs=40, ftd=10, money=900)])
    house.now = NOW
    house.write(*(called("ftd", NOW - HOUR, n) for n in range(3)))
    assert sum(one.revenue for one in house.call().facts) == 270


def test_hours_are_covered_by_postbacks_up_to_the_last_one_where_they_usually_tell_all(house):
    rows = [called("registration", NOW - timedelta(days=4, minutes=n), 1000 + n) for n in range(20)]
    rows += [called("ftd", NOW - timedelta(days=4, minutes=n), 1000 + n) for n in range(8)]
    house.write(*clicks(), *rows)
    house.now = NOW - timedelta(days=3)
    house.call()
    house.deliver([day(date(2026, 11, 13), regs=20, ftd=8, money=800)])
    house.now = NOW
    house.write(called("registration", NOW - 3 * HOUR, 1))
    covered = [one.hour for one in house.call().receipts]
    assert max(covered) == NOW.replace(hour=10, minute=0), "of the three silent hours since then nobody knows"


def test_a_feed_may_be_kept_out_of_the_facts(house):
    house.configure(feeds=(replace(API, options={"facts": "pushed"}), CALLS))
    assert not house.deliver([day(TODAY)], feed=house.settings.feeds[0]).tells
    assert house.sums() == (0, 0, 0, 0.0)


def test_a_withdrawn_mode_takes_back_what_its_calls_told(house):
    house.write(*(called("registration", NOW - 3 * HOUR, n) for n in range(9)))
    house.call()
    house.configure(feeds=(replace(API, options={"facts": "report"}), CALLS))
    house.call()
    assert house.sums()[1] == 0


def test_a_backfill_says_of_its_own_days_alone_that_they_are_here(house):
    old = date(2026, 10, 20)
    told = house.deliver([day(old), day(old + timedelta(days=1))])
    hours = [one.hour for one in told.receipts]
    assert (hours[0].date(), hours[-1].date(), len(hours)) == (old, old + timedelta(days=1), 48)


def test_receipts_are_given_once(house):
    first = house.deliver([day(TODAY)])
    assert first.receipts[0] == Receipt(P03, NOW.replace(hour=0, minute=0), NOW)
    assert house.deliver([day(TODAY)]).receipts == ()
