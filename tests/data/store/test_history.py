"""Strips, latency, rollups, uptime and forgetting."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from data.config.settings import HubSettings
from data.model.delivery import Delivery, Outcome
from data.model.fact import Baseline, ParserRun, Payload
from data.model.principal import EVERYTHING, Scope
from data.model.state import State
from data.model.target import Target, TargetKind
from data.store import baselines, observations, parser_runs, payloads, retention, rollups, strips
from data.store.query import rows

T0 = datetime(2026, 11, 17, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CEDAR = Scope(frozenset({"cedar"}))
SITE = Target("site:a", TargetKind.SITE, "aurora", "a", interval_s=60.0)


def count(store, table="observation", where="true"):
    return rows(store, f"SELECT count(*) FROM {table} WHERE {where}")[0][0]


MIXES = [("opfdu", "f"), ("opdu", "d"), ("opu", "u"), ("op", "o"), ("p", "p"), ("", ".")]


@pytest.mark.parametrize(("states", "mark"), MIXES)
def test_the_worst_state_of_a_bucket_wins(store, put, observed, states, mark):
    put(*observed(states, step_s=1))
    strip = observations.buckets(store, EVERYTHING, T0, T0 + HOUR, 3600.0).get("site:a", ".")
    assert strip == mark == rollups.strip(store, EVERYTHING, "site:a", T0, T0 + HOUR, 1)


def test_a_strip_is_oldest_left_and_leaves_gaps_where_nothing_was_observed(store, put, observed):
    put(*observed("of"), *observed("d", start=T0 + 4 * timedelta(minutes=1)))
    until = T0 + timedelta(minutes=6)
    assert observations.buckets(store, EVERYTHING, T0, until, 60.0) == {"site:a": "of..d."}
    assert observations.buckets(store, EVERYTHING, T0 + timedelta(minutes=1), until, 60.0)["site:a"] == "f..d."
    assert observations.buckets(store, EVERYTHING, T0, until - timedelta(seconds=1), 60.0)["site:a"] == "of..d."
    assert rollups.strip(store, EVERYTHING, "site:a", T0, until, 3) == "f.d"


def test_strips_are_of_the_scopes_teams_and_the_targets_asked_for(store, put, observed):
    put(*observed("o"), *observed("f", target="site:b", team="cedar"))
    until = T0 + HOUR
    assert observations.buckets(store, CEDAR, T0, until, 3600.0) == {"site:b": "f"}
    assert observations.buckets(store, EVERYTHING, T0, until, 3600.0, ["site:a"]) == {"site:a": "o"}
    assert observations.buckets(store, CEDAR, T0, until, 3600.0, ["site:a"]) == {}
    assert rollups.strip(store, CEDAR, "site:a", T0, until, 2) == ".."


def test_strips_are_of_one_kind_when_asked_for(store, put, observed):
    put(*observed("o"), *(replace(one, target="parser:p", kind=TargetKind.PARSER) for one in observed("f")))
    parsers = observations.buckets(store, EVERYTHING, T0, T0 + HOUR, 3600.0, kind=TargetKind.PARSER)
    assert parsers == {"parser:p": "f"}


def test_marks_outside_a_strip_are_left_out():
    assert strips.strip(3, [(-1, 4), (0, 1), (3, 4)]) == "o.."
    assert strips.buckets_between(T0, T0 + HOUR, 7 * 60) == 9
    assert strips.buckets_between(T0 + HOUR, T0, 60) == 0


def test_latency_is_median_and_95th_percentile_of_each_bucket_that_has_any(store, put, observed):
    put(*observed("o" * 21, step_s=1, ms=100.0), *observed("o", start=T0 + HOUR, ms=7.0))
    put(replace(observed("f", start=T0 + 2 * HOUR)[0], total_ms=None))
    found = observations.latency(store, EVERYTHING, "site:a", T0, T0 + 3 * HOUR, 1800.0)
    assert found == [(T0, 110.0, 119.0), (T0 + HOUR, 7.0, 7.0)]
    assert observations.latency(store, CEDAR, "site:a", T0, T0 + 3 * HOUR, 1800.0) == []


def test_observations_of_a_target_come_newest_first_up_to_a_limit(store, put, observed):
    put(*observed("ofd"))
    assert [seen.state for seen in observations.of_target(store, EVERYTHING, "site:a", limit=2)] == [
        State.DEGRADED,
        State.FAILING,
    ]


def hours(store):
    return rows(store, "SELECT start, ok, degraded, failing, unknown, paused FROM rollup_hour ORDER BY start, target")


def test_an_hour_is_rolled_up_once_it_ended(store, put, observed):
    put(SITE, *observed("oodfup"), *observed("o", start=T0 + HOUR))
    rollups.run(store, T0 + HOUR - timedelta(seconds=1))
    assert hours(store) == []
    rollups.run(store, T0 + HOUR)
    rollups.run(store, T0 + HOUR)
    assert hours(store) == [(datetime(2026, 11, 17, 6), 2, 1, 1, 1, 1)]  # noqa: DTZ001  # as the database keeps it


def test_an_observation_that_arrives_late_still_enters_its_hour(store, put, observed):
    put(*observed("o"))
    rollups.run(store, T0 + HOUR)
    put(*observed("f", start=T0 + timedelta(minutes=30)))
    rollups.run(store, T0 + 2 * HOUR)
    assert [row[1:4] for row in hours(store)] == [(1, 0, 1)]


def test_rolling_up_nothing_is_no_error(store):
    rollups.run(store, T0)
    assert hours(store) == []
    assert retention.prune(store, HubSettings(), T0) == 0


def test_each_observation_speaks_until_the_next_but_at_most_two_intervals(store, put, observed):
    """60 s ok, 60 s failing, then ok for 120 s: the silence after it is not known time."""
    put(SITE, *observed("ofo"))
    until = T0 + 3 * HOUR
    assert rollups.uptime(store, EVERYTHING, None, T0, until) == {"site:a": pytest.approx(1 - 60 / 240)}
    rollups.run(store, until)
    assert rollups.uptime(store, EVERYTHING, ["site:a"], T0, until) == {"site:a": pytest.approx(1 - 60 / 240)}


def test_quick_confirmations_of_a_failure_do_not_weigh_more_than_their_time(store, put, observed):
    put(SITE, *observed("o" * 58), *observed("ffff", start=T0 + timedelta(minutes=58), step_s=2))
    put(*observed("o", start=T0 + timedelta(minutes=59)))
    share = rollups.uptime(store, EVERYTHING, None, T0, T0 + HOUR)["site:a"]
    assert share == pytest.approx(1 - 60 / 3600)


def test_unknown_and_paused_are_neither_up_nor_down(store, put, observed):
    put(SITE, *observed("upupup"))
    assert rollups.uptime(store, EVERYTHING, None, T0, T0 + HOUR) == {}
    put(*observed("o", start=T0 + timedelta(minutes=6)))
    assert rollups.uptime(store, EVERYTHING, None, T0, T0 + HOUR) == {"site:a": 1.0}


def test_uptime_is_of_the_scopes_teams_and_the_targets_asked_for(store, put, observed):
    put(*observed("of"), *observed("o", target="site:b", team="cedar"))
    assert rollups.uptime(store, CEDAR, None, T0, T0 + HOUR) == {"site:b": 1.0}
    assert rollups.uptime(store, CEDAR, ["site:a"], T0, T0 + HOUR) == {}


def month(observed):
    """Ten days of one observation an hour: ok, but failing once on the third."""
    return [
        seen
        for day in range(10)
        for seen in observed(("o" * 12 + "f" if day == 2 else "o" * 13), start=T0 + day * DAY, step_s=3600)
    ]


def test_raw_observations_go_only_once_they_are_rolled_up_and_those_not_ok_stay_longer(store, put, observed):
    put(*month(observed))
    now = T0 + 10 * DAY
    keep = HubSettings(keep_observations=2 * 86_400.0)
    assert retention.prune(store, keep, now) == 0
    rollups.run(store, now)
    before = rollups.uptime(store, EVERYTHING, None, T0, now)
    assert retention.prune(store, keep, now) == 8 * 13 - 1
    assert count(store) == 2 * 13 + 1
    assert count(store, where="state = 'failing'") == 1
    assert rollups.uptime(store, EVERYTHING, None, T0, now) == before
    rollups.run(store, now + HOUR)
    assert count(store, "rollup_day") == 10
    assert retention.prune(store, keep, now + 30 * DAY) > 0
    assert count(store, where="state = 'failing'") == 0


def test_a_strip_of_months_is_drawn_from_the_days_and_of_today_from_what_is_raw(store, put, observed):
    put(*month(observed))
    now = T0 + 10 * DAY
    rollups.run(store, now)
    retention.prune(store, HubSettings(keep_observations=86_400.0), now)
    put(*observed("d", start=now - HOUR))
    assert rollups.strip(store, EVERYTHING, "site:a", T0 - 2 * DAY, now, 12) == "..oofooooood"
    assert rollups.strip(store, EVERYTHING, "site:a", now - 5 * HOUR, now, 5) == "....d"


def test_closed_days_are_sorted_by_target_and_lose_nothing(store, put, observed):
    put(*observed("ooo", target="site:b"), *observed("of", target="site:a"), *observed("o", start=T0 + DAY))
    rollups.run(store, T0 + DAY)
    retention.prune(store, HubSettings(), T0 + DAY)
    kept = [
        target
        for (target,) in rows(store, "SELECT target FROM observation WHERE started_at < '2026-11-18' ORDER BY rowid")
    ]
    assert kept == ["site:a", "site:a", "site:b", "site:b", "site:b"]
    assert count(store) == 6


def test_old_payloads_runs_and_baselines_go_and_quarantined_bodies_stay(store, put):
    payload = Payload("h1", "p", "aurora", T0, "", b"x")
    put(payload, replace(payload, hash="h2"), replace(payload, hash="h3", received_at=T0 + 40 * DAY))
    put(Delivery("p", "aurora", T0, T0.date(), T0.date(), ("h2",), 1, Outcome.QUARANTINED, "feed.scale", ""))
    put(ParserRun("x", "aurora", T0, "", "", 0, "ok"), ParserRun("x", "aurora", T0 + 40 * DAY, "", "", 0, "ok"))
    put(*(Baseline("feed:p", "aurora", T0 + number * HOUR, b"%d" % number) for number in range(15)))
    retention.prune(store, HubSettings(), T0 + 41 * DAY)
    assert [name for name in ("h1", "h2", "h3") if payloads.get(store, EVERYTHING, name)] == ["h2", "h3"]
    assert len(parser_runs.history(store, EVERYTHING, "x")) == 1
    assert count(store, "baseline") == 10
    assert baselines.latest(store, EVERYTHING, "feed:p").body == b"14"
