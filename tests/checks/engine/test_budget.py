"""The pace of requests to a host, the line before it, and what the schedule wants of it: seconds are injected."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.budget import LONGEST_SILENCE_S, Budget, Demand, Line, first_host, hosts_of, silence_s
from data.model.ids import TargetId

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
A, B = "a.example", "b.example:8080"


def run(line, until_s, step_s=0.05, start_s=0.0):
    """Let the line go on for a while; gives (second, target) of everything that leaves it."""
    ticks = range(round((until_s - start_s) / step_s) + 1)
    return [(start_s + tick * step_s, target) for tick in ticks for target in line.leave(start_s + tick * step_s)]


def crowd(line, names, hosts, now_s=0.0):
    """Everybody enters; gives who may go at once."""
    return [name for name in names if line.enter(TargetId(name), hosts, now_s)]


@given(st.integers(1, 3000), st.integers(1, 300))
def test_in_any_minute_a_host_gets_no_more_than_its_budget(per_minute, checks):
    line = Line(Budget(per_minute))
    went = [(0.0, name) for name in crowd(line, [str(n) for n in range(checks)], [A])]
    went += run(line, 200.0, 0.5)
    times = [second for second, _ in went]
    for begin in times:
        in_a_minute = sum(begin <= second < begin + 60.0 for second in times)
        assert in_a_minute <= per_minute + max(per_minute // 120, 1), "a look every half second may bunch that many"


def test_what_exceeds_the_budget_waits_evenly_and_in_order_and_none_is_lost():
    line, names = Line(Budget(60)), [f"link:{n}" for n in range(30)]
    assert crowd(line, names, [A]) == ["link:0"]
    went = run(line, 40.0)
    assert [name for _, name in went] == names[1:]
    assert [round(second) for second, _ in went] == list(range(1, 30))
    assert len(line) == 0


def test_a_host_does_not_wait_for_another_and_none_waits_without_a_budget():
    line = Line(Budget(6))
    assert crowd(line, ["1", "2"], [A]) == ["1"]
    assert crowd(line, ["3"], [B]) == ["3"]
    assert crowd(Line(Budget(0)), ["1", "2", "3"], [A]) == ["1", "2", "3"]


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "127.9.0.4", "localhost", "localhost:81", "[::1]:8080"])
def test_this_machine_needs_no_protection(host):
    assert crowd(Line(Budget(1)), ["1", "2"], [host]) == ["1", "2"]


@pytest.mark.parametrize("host", ["127.0.0.1.evil.example", "localhost.example", "[::2]", "10.0.0.1"])
def test_what_only_looks_like_this_machine_has_a_budget(host):
    assert crowd(Line(Budget(1)), ["1", "2"], [host]) == ["1"]


def test_every_hop_of_a_chain_counts_and_so_do_two_at_one_host():
    line = Line(Budget(60))
    assert crowd(line, ["1"], [A, A, A, B]) == ["1"]
    assert crowd(line, ["2"], [B]) == []
    assert crowd(line, ["3"], [A]) == []
    assert [(round(second), name) for second, name in run(line, 5.0)] == [(1, "2"), (3, "3")]


def test_requests_nobody_foresaw_are_a_debt_that_later_ones_pay():
    line = Line(Budget(60))
    line.budget.spend(A, 10, 0.0)
    assert crowd(line, ["1"], [A]) == []
    assert [(round(second), name) for second, name in run(line, 15.0)] == [(10, "1")]


def test_what_was_granted_and_not_used_comes_back():
    line = Line(Budget(6))
    assert crowd(line, ["1"], [A, A, A]) == ["1"]
    line.budget.spend(A, -3, 1.0)
    assert crowd(line, ["2"], [A], 1.0) == ["2"]


def test_nobody_starves_between_two_busy_hosts():
    line = Line(Budget(60))
    line.budget.spend(B, 1, -0.5)  # the two free up at different times for ever
    crowd(line, ["a0", "b0"], [A], 0.0)
    assert not line.enter(TargetId("both"), [A, B], 0.0)
    left = []
    for second in range(12):
        line.enter(TargetId(f"a{second + 1}"), [A], second)
        line.enter(TargetId(f"b{second + 1}"), [B], second)
        left += [name for _, name in run(line, second + 1.0, 0.25, second + 0.25)]
    assert "both" in left


@given(st.lists(st.tuples(st.sampled_from([(A,), (B,), (A, B), (B, A, A)]), st.floats(0, 3)), max_size=40))
def test_whoever_enters_comes_out_exactly_once(arrivals):
    line, now, gone = Line(Budget(120)), 0.0, []
    for number, (hosts, later) in enumerate(arrivals):
        now += later
        gone += line.leave(now)
        if line.enter(TargetId(str(number)), hosts, now):
            gone.append(str(number))
    gone += [name for _, name in run(line, now + 120.0, 0.5, now)]
    assert sorted(gone) == sorted(str(number) for number in range(len(arrivals)))
    assert len(line) == 0


def test_a_host_that_wants_silence_gets_it_and_waiting_for_it_is_nobodys_lateness():
    line = Line(Budget(600))
    line.budget.silence(A, 30.0)
    line.budget.silence(A, 10.0)
    assert crowd(line, ["1", "2"], [A]) == []
    assert line.waits_for_silence(TargetId("1"))
    assert run(line, 29.9) == []
    assert [name for _, name in run(line, 31.0, start_s=29.95)] == ["1", "2"]
    assert not line.waits_for_silence(TargetId("1"))


def test_silence_asked_for_while_others_stand_in_line_holds_for_them_too():
    line = Line(Budget(60))
    crowd(line, ["1", "2"], [A])
    assert line.silence(A, 20.0) == ["2"]
    assert line.waits_for_silence(TargetId("2"))
    assert run(line, 19.9) == []
    assert [name for _, name in run(line, 21.0, start_s=19.95)] == ["2"]


def test_a_check_of_one_that_waits_for_pace_is_late_not_excused():
    line = Line(Budget(6))
    crowd(line, ["1", "2"], [A])
    assert not line.waits_for_silence(TargetId("2"))


def test_a_removed_target_leaves_the_line_and_holds_nobody_up():
    line = Line(Budget(60))
    crowd(line, ["1", "2", "3"], [A])
    line.forget(TargetId("2"))
    assert [(round(second), name) for second, name in run(line, 5.0)] == [(1, "3")]


def test_hosts_at_rest_are_forgotten():
    budget = Budget(60)
    for number in range(50_000):
        budget.spend(f"h{number}.example", 1, number * 0.01)
    assert len(budget._next) < 25_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0), (" 7 ", 7.0), ("0", 0.0), ("99999999999999999999", LONGEST_SILENCE_S), ("7200", LONGEST_SILENCE_S),
        ("Mon, 05 Jan 2026 12:01:30 GMT", 90.0), ("Mon, 05 Jan 2026 11:00:00 GMT", 0.0),
        ("Tue, 06 Jan 2026 12:00:00 GMT", LONGEST_SILENCE_S), ("soon", 0.0), ("", 0.0), ("-5", 0.0), ("1.5", 0.0),
        ("Mon, 05 Jan 2026 12:01:30", 0.0), ("Mon, 99 Jan 99999 12:01:30 GMT", 0.0), ("٣", 0.0),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_an_hour_at_most(text, seconds):
    assert silence_s(text, NOW) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_breaks_anything(text):
    assert 0.0 <= silence_s(text, NOW) <= LONGEST_SILENCE_S


def test_hosts_are_written_as_the_probe_writes_them():
    assert first_host("HTTPS://Bücher.Example:443/x") == "xn--bcher-kva.example"
    assert first_host("http://a.example:8080/") == hosts_of(["http://a.example:8080/y?z"])[0] == "a.example:8080"
    assert first_host("no url") == ""


def wanted(allowed, count, per_minute=1.0, host="go.tracker.example"):
    demand = Demand(allowed)
    for number in range(count):
        demand.put(TargetId(f"link:{number}"), (host,), per_minute)
    return demand


def test_more_than_allowed_is_told_and_just_enough_is_not():
    assert wanted(60, 80).too_much() == [("go.tracker.example", pytest.approx(80.0))]
    assert wanted(60, 60).too_much() == []
    assert wanted(0, 80).too_much() == []
    assert wanted(60, 80, host="127.0.0.1:81").too_much() == []


def test_demand_follows_what_is_added_changed_and_removed():
    demand = wanted(60, 80)
    for number in range(30):
        demand.remove(TargetId(f"link:{number}"))
    assert demand.too_much() == []
    demand.put(TargetId("link:40"), ("go.tracker.example", "p.example"), 70.0)
    assert demand.too_much() == [("go.tracker.example", pytest.approx(119.0)), ("p.example", pytest.approx(70.0))]
    assert demand.hosts(TargetId("link:40")) == ("go.tracker.example", "p.example")
    demand.allow(100)
    assert [host for host, _ in demand.too_much()] == ["go.tracker.example"]
    demand.allow(0)
    assert demand.too_much() == []
