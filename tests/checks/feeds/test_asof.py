"""A partner's figures over a bad day: what was known at each moment stays what was known, to the cent."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import zstandard

from checks.feeds import preset as presets
from checks.feeds.canonical import canonical
from checks.feeds.exchange import with_rates
from checks.feeds.judge import judge, read_again
from checks.feeds.pull import Pulled
from checks.feeds.quarantine import kept, release, reread
from checks.feeds.report import read
from data.config.rates import Rates
from data.config.settings import Feed
from data.errors import UsageError
from data.model.delivery import Outcome, RestatedAs
from data.model.fact import Exchange, Payload
from data.model.principal import EVERYTHING, Scope
from data.store import deliveries, partner_stats, payloads, restatements
from data.store.store import Store

START = datetime(2026, 11, 17, 6, tzinfo=UTC)
STEP = timedelta(minutes=15)


class Account:
    """One Smartico account whose answers a test writes, read into a real database as the hub does it."""

    def __init__(self, store) -> None:
        self.store, self.preset = store, presets.load("smartico")
        self.feed = Feed("zef", "cedar", "P06", "smartico", "http://127.0.0.1", options={"currency": "BRL"}, days=4)
        self.baseline = None
        self.known_then: dict[datetime, dict] = {}

    def answer(self, now, *, minor=False, shaved=Decimal(1), without=()):
        """Four days of six trackers; today grows with the hour."""
        times = 100 if minor else 1
        rows = []
        for back in range(4):
            day = (now - timedelta(days=back)).date()
            for n in range(6):
                if n in without:
                    continue
                ftd = 3 + n if back else int((3 + n) * (now.hour + now.minute / 60) / 24)
                share = shaved if back else Decimal(1)
                money = (Decimal("38.07") * ftd * share * times).quantize(Decimal("0.01"))
                rows.append({
                    "dt": f"{day}T00:00:00Z", "brand_name": "Zefirion", "afp": f"go-{n}", "visit_count": 90 + 7 * n,
                    "registration_count": 12 + n, "ftd_count": int(ftd * share), "net_pl": float(money) * 1.3,
                    "commissions_total": float(money), "deposit_total": float(money) * 2,
                })  # fmt: skip
        return json.dumps({"meta": {}, "data": rows}).encode()

    def pull(self, now, body):
        rows = canonical(read(body, "application/json", self.preset).records, self.preset)
        rows = tuple(replace(row, currency="BRL") for row in rows)
        payload = Payload(f"h{now:%d%H%M}", "zef", "cedar", now, "application/json", zstandard.compress(body))
        found = Pulled("127.0.0.1", (now - timedelta(days=3)).date(), now.date(), (payload,), rows)
        held = deliveries.quarantined(self.store, EVERYTHING, "zef")
        outcome = judge(self.feed, self.preset, found, self.baseline, self.current(), now, held=held)
        return self.take(outcome, now)

    def take(self, outcome, now):
        self.baseline = outcome.baseline
        self.store.write(outcome.rows)
        self.store.flush()
        self.known_then[now] = figures(self.current())
        return outcome

    def current(self):
        return partner_stats.current(self.store, EVERYTHING, "zef", START.date() - timedelta(days=45))

    def quarantine(self):
        waiting = deliveries.quarantined(self.store, EVERYTHING, "zef")
        bodies = {name: payloads.get(self.store, EVERYTHING, name) for one in waiting for name in one.payloads}
        there, missing = kept(waiting, bodies)
        assert missing == 0
        return there

    def release(self, now, *, trusted=False):
        made = release(
            self.feed, self.preset, self.quarantine(), self.baseline, self.current(), now, "maria", trusted=trusted
        )
        return self.take(made, now)


def figures(stats):
    return {(s.day, s.currency, tuple(sorted(s.dims.items()))): s.measures for s in stats}


@pytest.fixture
def account(tmp_path):
    store = Store.open(tmp_path / "losswatch.duckdb", "a key")
    yield Account(store)
    store.close()


def bad_morning(account):
    """Fine from 06:00, minor units from 09:15; returns the moment of the last pull."""
    now = START
    while now < START + timedelta(hours=5):
        account.pull(now, account.answer(now, minor=now >= START + timedelta(hours=3, minutes=15)))
        now += STEP
    return now - STEP


def unchanged(account):
    """Every state that was known at some moment is still what is known as of that moment."""
    for moment, then in account.known_then.items():
        assert figures(partner_stats.as_of(account.store, EVERYTHING, "zef", moment)) == then, moment


def test_minor_units_are_held_back_mapped_and_replayed_and_every_earlier_state_is_reproducible(account):
    last = bad_morning(account)
    before = figures(account.current())
    assert max(stat.measures["commission_total"] for stat in account.current()) < 1000
    assert len(account.quarantine()) == 1, "later deliveries of the same days take the place of earlier ones"
    with pytest.raises(UsageError, match="held back again"):
        account.release(last + timedelta(minutes=1))
    account.feed = replace(account.feed, options={**account.feed.options, "unit": "minor"})
    made = account.release(last + timedelta(minutes=2))
    assert [one.outcome for one in made.deliveries] == [Outcome.RELEASED]
    assert made.restatements == (), "a unit that we had wrong is nobody's restatement"
    after = figures(account.current())
    today = last.date()
    assert {key: value for key, value in after.items() if key[0] != today} == {
        key: value for key, value in before.items() if key[0] != today
    }
    assert after != before, "today's growth since 09:15 is there"
    unchanged(account)


def test_a_claw_back_is_stored_beside_what_was_said_before(account):
    now = START
    for _ in range(8):
        account.pull(now, account.answer(now))
        now += STEP
    outcome = account.pull(now, account.answer(now, shaved=Decimal("0.8")))
    assert outcome.observation.cause == "feed.restated"
    ledger = restatements.of_feed(account.store, EVERYTHING, "zef")
    commission = [entry for entry in ledger if entry.measure == "commission_total"]
    assert {entry.kind for entry in commission} == {RestatedAs.CLAW_BACK}
    assert {entry.day for entry in commission} == {now.date() - timedelta(days=back) for back in (1, 2, 3)}
    was = {entry.day: entry.was for entry in commission}
    told = partner_stats.as_of(account.store, EVERYTHING, "zef", now - STEP)
    assert was == {day: sum(s.measures["commission_total"] for s in told if s.day == day) for day in was}
    unchanged(account)


def test_what_is_accepted_is_stored_as_it_is_and_becomes_what_is_usual(account):
    last = bad_morning(account)
    account.release(last + timedelta(minutes=1), trusted=True)
    assert max(stat.measures["commission_total"] for stat in account.current()) > 10_000
    now = last + STEP
    assert account.pull(now, account.answer(now, minor=True)).observation.cause == ""
    unchanged(account)


def test_a_later_good_delivery_of_the_same_days_settles_the_quarantine(account):
    last = bad_morning(account)
    assert account.quarantine()
    account.pull(last + STEP, account.answer(last + STEP))
    assert not account.quarantine()
    outcomes = [one.outcome for one in deliveries.of_feed(account.store, EVERYTHING, "zef")]
    assert Outcome.SUPERSEDED in outcomes
    unchanged(account)


def test_rows_that_are_no_longer_delivered_are_gone_now_and_there_before(account):
    now = START
    for _ in range(4):
        account.pull(now, account.answer(now))
        now += STEP
    account.pull(now, account.answer(now, without=(4, 5)))
    assert not any(stat.dims["tracker"] == "go-5" for stat in account.current())
    before = partner_stats.as_of(account.store, EVERYTHING, "zef", now - STEP)
    assert sum(stat.dims["tracker"] == "go-5" for stat in before) == 4
    assert {e.kind for e in restatements.of_feed(account.store, EVERYTHING, "zef") if e.measure == "ngr"} == {
        RestatedAs.DELETION
    }
    account.pull(now + STEP, account.answer(now + STEP))
    assert sum(stat.dims["tracker"] == "go-5" for stat in account.current()) == 4
    unchanged(account)


def test_equal_deliveries_are_recorded_once(account):
    body = account.answer(START)
    outcomes = [account.pull(START + timedelta(seconds=step), body) for step in range(5)]
    assert [len(outcome.deliveries) for outcome in outcomes] == [1, 0, 0, 0, 0]


def test_a_mapping_that_was_wrong_is_read_again_without_blaming_the_partner(account):
    now = START
    account.pull(now, account.answer(now))
    account.feed = replace(account.feed, options={**account.feed.options, "field.ngr": "deposit_total:money"})
    there, _ = kept(
        deliveries.of_feed(account.store, EVERYTHING, "zef"),
        {name: payloads.get(account.store, EVERYTHING, name) for name in ("h170600",)},
    )
    pulled = reread(account.feed, account.preset, there)
    stats = read_again(account.feed, account.preset, pulled, account.current(), now + STEP)
    account.store.write(stats)
    account.store.flush()
    assert all(s.measures["ngr"] == s.measures["deposit_amount"] for s in account.current())
    assert restatements.of_feed(account.store, EVERYTHING, "zef") == []
    unchanged(account)


def test_another_team_sees_none_of_it(account):
    bad_morning(account)
    stranger = Scope(frozenset({"aurora"}))
    assert deliveries.of_feed(account.store, stranger, "zef") == []
    assert deliveries.quarantined(account.store, stranger) == []
    assert partner_stats.versions(account.store, stranger, "zef", START.date(), START.date()) == []


def test_a_figure_keeps_the_rate_it_was_worth_when_it_was_seen(account):
    early = Rates("EUR", {"BRL": ((START.date(), Decimal("0.16")),)})
    late = Rates("EUR", {"BRL": ((START.date(), Decimal("0.17")),)})
    account.pull(START, account.answer(START))
    seen = [replace(stat, observed_at=START + STEP, measures={"clicks": Decimal(1)}) for stat in account.current()]
    account.store.write(with_rates(seen, early))
    account.store.flush()
    account.store.write(with_rates([replace(stat, observed_at=START + 2 * STEP) for stat in seen], late))
    account.store.flush()
    today = [stat for stat in account.current() if stat.day == START.date()]
    assert {stat.exchange for stat in today} == {Exchange(Decimal("0.16"), START.date())}
    assert {stat.exchange for stat in account.current() if stat.day < START.date()} == {None}
