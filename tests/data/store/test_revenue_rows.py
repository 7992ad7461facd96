"""What is kept of the revenue detector."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from data.config.settings import HubSettings
from data.model.alarm import AlarmEntry
from data.model.fact import Baseline, Fact
from data.model.money import Loss, cents
from data.model.principal import EVERYTHING, MoneyRight, Scope
from data.store import alarms, baselines, expectations, retention

T0 = datetime(2026, 11, 17, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
CEDAR = Scope(frozenset({"cedar"}), MoneyRight.NONE)
LOSS = Loss(*(cents(number) for number in range(1, 10)))


def entry(alarm="r2026111706-1", at=T0, status="open", **known):
    made = AlarmEntry(
        alarm, at, "aurora", "slice:partner=P02", "regs", "revenue.silence", T0, T0 - HOUR, None, status, 16.5, 2.0, 4,
        0.0, 14.5, "links of P02 fail", LOSS,
    )  # fmt: skip
    return replace(made, **known)


def test_every_word_of_an_alarm_is_kept_and_the_last_one_holds(store, put):
    words = [entry(), entry(at=T0 + HOUR, nats=20.0), entry(at=T0 + 2 * HOUR, status="closed", end=T0 + HOUR)]
    put(*words)
    assert alarms.words(store, EVERYTHING, "r2026111706-1") == words[::-1]
    assert alarms.words(store, EVERYTHING, "r2026111706-1", T0 + HOUR) == words[1::-1]
    assert alarms.running(store, EVERYTHING) == []
    assert alarms.lasting(store, EVERYTHING, T0, T0 + HOUR) == [words[1]]
    assert alarms.lasting(store, EVERYTHING, T0, T0 + 9 * HOUR) == [words[2]]
    assert alarms.lasting(store, EVERYTHING, T0 + 2 * HOUR, T0 + 9 * HOUR) == []
    assert alarms.all_words(store, EVERYTHING, T0) == words
    assert alarms.all_words(store, EVERYTHING, T0 + HOUR) == []


def test_alarms_that_run_are_found_again_and_other_teams_see_none_of_them(store, put):
    put(entry(), entry("r2026111706-2", team="cedar"), entry("r2026111706-3", team="*"))
    assert [one.id for one in alarms.running(store, EVERYTHING)] == [f"r2026111706-{n}" for n in (1, 2, 3)]
    assert [one.id for one in alarms.running(store, CEDAR)] == ["r2026111706-2"]
    assert alarms.words(store, CEDAR, "r2026111706-1") == []
    assert alarms.lasting(store, CEDAR, T0, T0)[0].team == "cedar"
    assert {one.team for one in alarms.all_words(store, CEDAR, T0)} == {"cedar"}


def foretold(hour, rate=0.02, team="cedar", made_at=None):
    return {
        "hour": hour, "made_at": made_at or hour + HOUR, "partner": "P07", "offer": "casino", "geo": "BR", "site": "s",
        "team": team, "ftd_rate": rate, "reg_rate": 0.1, "value": 40.0, "common": 0.5,
    }  # fmt: skip


def test_what_was_foretold_once_is_not_foretold_again(store):
    first = pl.DataFrame([foretold(T0), foretold(T0 + HOUR)])
    assert expectations.append(store, first).result() == 2
    again = pl.DataFrame([foretold(T0, 0.9), foretold(T0 + HOUR, 0.9), foretold(T0 + 2 * HOUR)])
    assert expectations.append(store, again).result() == 1
    assert expectations.last_hour(store) == T0 + 2 * HOUR


def test_nothing_was_foretold_of_an_empty_store(store):
    assert expectations.last_hour(store) is None


@pytest.fixture
def told(store, put):
    fact = Fact(T0, T0 + HOUR, "cedar", "P07", "casino", "BR", "s", clicks=100)
    other = replace(fact, team="aurora", clicks=7)
    late = replace(fact, clicks=0, ftd=2, revenue=cents(80), seen_at=T0 + 3 * HOUR)
    put(fact, other, late, replace(fact, hour=T0 + HOUR, seen_at=T0 + 2 * HOUR, clicks=10))
    expectations.append(store, pl.DataFrame([foretold(T0)])).result()
    return store


def test_what_came_stands_beside_what_was_foretold_as_it_was_known_then(told):
    def read(seen_until, scope=EVERYTHING, **where):
        frame = expectations.seen_and_due(told, scope, where, T0, T0 + 2 * HOUR, seen_until)
        return [(row["clicks"], row["ftd"], row["ftd_due"], row["revenue_due"]) for row in frame.iter_rows(named=True)]

    assert read(T0 + 3 * HOUR, partner="P07") == [(107, 2, 1.0, 40.0), (10, 0, 0, 0)]
    assert read(T0 + HOUR, partner="P07") == [(107, 0, 1.0, 40.0)]
    assert read(T0, partner="P07") == []
    assert read(T0 + 3 * HOUR, CEDAR, geo="BR")[0][0] == 100
    assert read(T0 + 3 * HOUR, partner="P07", geo="DE") == []
    assert read(T0 + 3 * HOUR, team="aurora") == [(7, 0, 0, 0)]


def test_how_much_of_the_clicks_anything_was_foretold_of_is_told(told):
    frame = expectations.seen_and_due(told, EVERYTHING, {}, T0, T0 + 2 * HOUR, T0 + 3 * HOUR)
    assert frame["foretold"].to_list() == pytest.approx([100 / 107, 0])


def test_old_expectations_memories_and_alarms_are_forgotten_and_running_alarms_are_not(store, put):
    now, old = T0 + timedelta(days=900), T0 - timedelta(days=1)
    expectations.append(store, pl.DataFrame([foretold(T0), foretold(now - HOUR)])).result()
    put(entry(), entry("r-2", at=old), entry("r-2", at=now))
    put(*(Baseline("slice:", "", now + number * HOUR, bytes([number])) for number in range(5)))
    put(*(Baseline("site:a", "aurora", now + number * HOUR, bytes([number])) for number in range(5)))
    retention.prune(store, HubSettings(), now)
    assert expectations.seen_and_due(store, EVERYTHING, {}, T0, now, now).is_empty()
    assert expectations.last_hour(store) == now - HOUR
    assert alarms.words(store, EVERYTHING, "r2026111706-1") == []
    assert [one.at for one in alarms.words(store, EVERYTHING, "r-2")] == [now, old]
    assert baselines.latest(store, EVERYTHING, "slice:").body == bytes([4])
    with store.cursor() as cursor:
        kept = dict(cursor.execute("SELECT target, count(*) FROM baseline GROUP BY target").fetchall())
    assert kept == {"slice:": 2, "site:a": 5}
