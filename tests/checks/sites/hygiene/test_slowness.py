from __future__ import annotations

import random
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from checks.sites.hygiene.slowness import ENOUGH, Fleet, Pace, spread
from checks.sites.hygiene.slowness import judge as judge_at
from data.model.observation import Timing

TICKS = count(0, 300)


def judge(*answer):
    """Five minutes after the one before."""
    return judge_at(*answer, float(next(TICKS)))


def used_to(ms, n=60, seed=1):
    """A pace learned from answers of about `ms`."""
    pace, rng = Pace(), random.Random(seed)
    for _ in range(n):
        took = ms * rng.uniform(0.9, 1.2)
        judge(pace, Fleet(), "site:x", took, Timing(5.0, 10.0, 20.0, took - 40.0, took))
    return pace


def answers(pace, *times, fleet=None):
    fleet = fleet or Fleet()
    return [judge(pace, fleet, "site:x", took, Timing(5.0, 10.0, 20.0, took - 40.0, took)) for took in times]


def test_three_late_answers_of_five_make_a_target_slow_and_two_do_not():
    assert answers(used_to(200), 900, 200, 900, 200, 200, 900) == [None] * 6
    found = answers(used_to(200), 900, 200, 900, 900)
    assert [one is not None for one in found] == [False, False, False, True]


def test_a_slow_target_is_well_after_four_good_of_five():
    found = answers(used_to(200), 900, 900, 900, 200, 200, 200, 200, 200)
    assert [one is not None for one in found] == [False, False, True, True, True, True, False, False]


def test_a_fast_site_may_double_without_being_slow():
    assert answers(used_to(50), *[150] * 10) == [None] * 10


def test_nothing_is_slow_before_thirty_answers_are_known():
    pace = used_to(200, n=ENOUGH - 10)
    assert answers(pace, *[5000] * 5) == [None] * 5


def test_the_phase_that_grew_is_named():
    found = answers(used_to(200), 2000, 2000, 2000)[-1]
    assert found.cause == "slow.ttfb"
    assert "first byte" in found.detail
    assert "2,000 ms against 2" in found.detail
    pace = used_to(200)
    late = [judge(pace, Fleet(), "site:x", 2000.0, Timing(5.0, 10.0, 1800.0, 150.0, 2000.0)) for _ in range(3)][-1]
    assert (late.cause, "mostly TLS" in late.detail) == ("slow.total", True)
    pace = used_to(200)
    early = [judge(pace, Fleet(), "site:x", 2000.0, Timing(5.0, 10.0, 20.0, 150.0, 2000.0)) for _ in range(3)][-1]
    assert (early.cause, "before the last hop" in early.detail) == ("slow.total", True)


def test_late_answers_do_not_become_the_measure_but_a_day_of_them_does():
    pace = used_to(200)
    assert all(answers(pace, *[900] * 100)[5:])
    assert answers(pace, *[900] * 400)[-1] is None


def test_late_answers_within_a_minute_are_a_hiccup():
    pace, fleet = used_to(200), Fleet()
    start_s = float(next(TICKS))
    for number in range(20):
        assert judge_at(pace, fleet, "site:x", 2000.0, Timing(total_ms=2000.0), start_s + number) is None
    assert judge_at(pace, fleet, "site:x", 2000.0, Timing(total_ms=2000.0), start_s + 61) is not None


def test_when_most_targets_slow_down_together_nobody_is_slow():
    paces, fleet = {f"site:{n}": used_to(200, seed=n) for n in range(40)}, Fleet()
    for _ in range(2):
        for target, pace in paces.items():
            judge(pace, fleet, target, 200.0, Timing(total_ms=200.0))
    found = [
        judge(pace, fleet, target, 1500.0, Timing(total_ms=1500.0)) for _ in range(6) for target, pace in paces.items()
    ]
    assert not any(found)
    for target, pace in paces.items():
        judge(pace, fleet, target, 200.0, Timing(total_ms=200.0))
    assert not fleet.ours


def test_a_few_slow_targets_among_many_are_slow():
    paces, fleet = {f"site:{n}": used_to(200, seed=n) for n in range(40)}, Fleet()
    slow = set()
    for _ in range(5):
        for number, (target, pace) in enumerate(paces.items()):
            took = 1500.0 if number < 5 else 200.0
            if judge(pace, fleet, target, took, Timing(total_ms=took)):
                slow.add(number)
    assert slow == {0, 1, 2, 3, 4}


def test_a_pace_taken_up_after_a_restart_judges_at_once():
    pace = Pace()
    pace.seed(spread(200.0, 320.0))
    assert 180 <= pace.median_ms <= 220
    assert answers(pace, 1500, 1500, 1500)[-1] is not None


@settings(deadline=None)
@given(st.floats(1, 60_000), st.floats(1, 60_000))
def test_a_seed_is_in_order_and_never_empty(p50, p95):
    values = spread(p50, p95)
    assert len(values) == ENOUGH
    assert list(values) == sorted(values)
