from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.duequeue import DueQueue, phase_s

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
IDS = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=30, unique=True)


def at(seconds):
    return START + timedelta(seconds=seconds)


def filled(ids, interval_s, now=START):
    queue = DueQueue()
    for name in ids:
        queue.put(name, interval_s, now)
    return queue


def drive(queue, seconds, step_s, takes_s=0.0):
    """Run the queue for a while; gives (second, target) of every run."""
    runs, ends = [], []
    for tick in range(int(seconds / step_s)):
        now = at(tick * step_s)
        for end, name in [entry for entry in ends if entry[0] <= tick * step_s]:
            queue.done(name, now)
            ends.remove((end, name))
        for name in queue.due(now, 1000):
            runs.append((tick * step_s, name))
            ends.append((tick * step_s + takes_s, name))
    return runs


@given(IDS, st.floats(5, 120))
def test_every_target_runs_once_an_interval(ids, interval_s):
    runs = Counter(name for _, name in drive(filled(ids, interval_s), 4 * interval_s, interval_s / 50))
    assert set(runs) == set(ids)
    assert set(runs.values()) <= {3, 4, 5}


@given(IDS, st.floats(5, 120), st.integers(0, 10**6))
def test_a_restart_keeps_every_targets_phase(ids, interval_s, later_s):
    first, second = filled(ids, interval_s), filled(ids, interval_s, at(later_s))

    def phases(queue, now):
        return {entry: (queue._entries[entry].slot - phase_s(entry, interval_s)) / interval_s for entry in ids}

    for queue, now in ((first, START), (second, at(later_s))):
        for number in phases(queue, now).values():
            assert number == pytest.approx(round(number), abs=1e-3)


def test_many_new_targets_are_spread_over_the_interval():
    queue = filled([f"site:{n}" for n in range(10_000)], 100.0)
    firsts = Counter(int(entry.slot - START.timestamp()) for entry in queue._entries.values())
    assert len(firsts) >= 99
    assert max(firsts.values()) < 200, "100 a second would be even"


@given(IDS, st.floats(1, 60), st.lists(st.tuples(st.floats(0, 200), st.booleans()), max_size=60))
def test_no_target_ever_runs_twice_at_once(ids, interval_s, steps):
    queue, running, now = filled(ids, interval_s), set(), 0.0
    for step, finish in steps:
        now += step
        if finish and running:
            name = running.pop()
            queue.done(name, at(now))
        if step > 100:
            queue.soon(ids[0], at(now))
        for name in queue.due(at(now), 7):
            assert name not in running
            running.add(name)
    assert queue.running() == len(running)


def test_a_slow_target_misses_slots_that_are_counted_and_not_made_up_for():
    queue = filled(["site:a"], 10.0)
    runs = drive(queue, 200, 1.0, takes_s=25.0)
    assert len(runs) in {6, 7}
    assert queue.missed in range(11, 15)
    gaps = [after - before for (before, _), (after, _) in pairwise(runs)]
    assert min(gaps) >= 25.0


def test_a_stall_of_ours_is_late_and_missed_and_makes_one_run_only():
    queue = filled(["site:a"], 10.0)
    assert queue.due(at(95), 10) == ["site:a"]
    queue.begun("site:a", at(95))
    assert queue.late == 1
    assert queue.missed >= 8
    queue.done("site:a", at(95))
    assert queue.due(at(95.5), 10) == []


def test_a_run_in_time_is_not_late():
    queue = filled(["site:a"], 10.0)
    for name in queue.due(at(10.01), 10):
        queue.begun(name, at(10.01))
    assert (queue.late, queue.missed) == (0, 0)


def test_a_confirmation_is_an_extra_run_and_the_regular_ones_stay():
    queue = filled(["site:a"], 1000.0)
    regular = queue.next_at()
    queue.soon("site:a", at(1))
    assert queue.due(at(1), 10) == ["site:a"]
    queue.done("site:a", at(2))
    assert queue.next_at() == regular


def test_a_confirmation_asked_for_during_a_run_waits_for_its_end():
    queue = filled(["site:a"], 1000.0)
    queue.soon("site:a", START)
    assert queue.due(START, 1) == ["site:a"]
    queue.soon("site:a", at(1))
    assert queue.due(at(2), 10) == []
    queue.done("site:a", at(3))
    assert queue.due(at(3), 10) == ["site:a"]


def test_a_removed_target_never_runs_again():
    queue = filled(["site:a", "site:b"], 10.0)
    queue.remove("site:a")
    assert {name for _, name in drive(queue, 100, 1.0)} == {"site:b"}
    assert "site:a" not in queue
    queue.done("site:a", at(5))
    queue.soon("site:a", at(5))
    assert len(queue) == 1


def test_a_changed_interval_counts_from_now():
    queue = filled(["site:a"], 1000.0)
    queue.put("site:a", 10.0, at(0))
    assert len(drive(queue, 100, 1.0)) in {9, 10}


def test_putting_the_same_again_changes_nothing():
    queue = filled(["site:a"], 1000.0)
    before = queue.next_at()
    queue.put("site:a", 1000.0, at(30))
    assert queue.next_at() == before


def test_the_limit_holds_and_the_longest_overdue_go_first():
    queue = filled([f"site:{n}" for n in range(50)], 10.0)
    first = queue.due(at(20), 10)
    slots = {name: phase_s(name, 10.0) for name in (f"site:{n}" for n in range(50))}
    assert len(first) == 10
    assert len(queue.due(at(20), 100)) == 40
    assert set(first) <= set(slots)


def test_targets_put_without_a_time_are_placed_at_the_first_look():
    queue = DueQueue()
    queue.put("site:a", 10.0)
    assert queue.next_at() is not None
    assert queue.due(START, 10) == []
    assert START < queue.next_at() <= at(10)


@pytest.mark.parametrize("interval_s", [0, -1, float("nan")])
def test_an_interval_that_is_none_is_refused(interval_s):
    with pytest.raises(ValueError, match="interval"):
        DueQueue().put("site:a", interval_s)


@given(st.lists(st.sampled_from(["put", "remove", "soon", "due", "done"]), max_size=200))
def test_the_heap_never_grows_without_bound(actions):
    queue = DueQueue()
    for number, action in enumerate(actions * 5):
        now = at(number)
        if action == "put":
            queue.put("site:a", 5.0 + number % 3, now)
        elif action == "due":
            queue.due(now, 10)
        elif action == "remove":
            queue.remove("site:a")
        else:
            getattr(queue, action)("site:a", now)
    assert len(queue._heap) <= 4 * 1 + 65


# ── a hundred thousand ───────────────────────────────────────────────────────────────────────────────────────────

MANY, EVERY_S = 100_000, 300.0


def test_a_restart_with_a_hundred_thousand_targets_makes_no_herd():
    queue = filled([f"site:{n}" for n in range(MANY)], EVERY_S)
    even = MANY / EVERY_S
    per_second = []
    for second in range(1, int(EVERY_S) + 1):
        due = queue.due(at(second), MANY)
        per_second.append(len(due))
        for name in due:
            queue.begun(name, at(second))
            queue.done(name, at(second))
    assert sum(per_second) == MANY
    assert max(per_second) < 1.5 * even
    assert min(per_second) > 0.5 * even
    assert queue.lateness.runs(at(EVERY_S)) == 0
    assert queue.lateness.longest_s(at(EVERY_S)) <= 1.0


# ── lateness ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_that_waited_after_it_was_handed_out_is_late_from_its_time_on():
    queue = filled(["site:a"], 10.0)
    [name] = queue.due(at(10), 1)
    queue.waits(name, excused=False)
    queue.due(at(25), 1)
    queue.begun(name, at(25))
    assert queue.late == 1
    assert queue.lateness.runs(at(25)) >= 2, "the late run and the slots it passed"
    assert 15.0 <= queue.lateness.longest_s(at(25)) <= 25.0


def test_a_run_that_waits_because_it_was_asked_to_is_neither_late_nor_missed():
    queue = filled(["site:a"], 10.0)
    [name] = queue.due(at(10), 1)
    queue.waits(name, excused=True)
    for second in range(11, 100):
        assert queue.due(at(second), 1) == []
    queue.begun(name, at(100))
    queue.done(name, at(100))
    assert (queue.late, queue.missed, queue.lateness.runs(at(100))) == (0, 0, 0)
    [name] = queue.due(at(111), 1)
    queue.due(at(140), 1)
    assert queue.missed > 0, "the next run has no excuse"


def test_lateness_is_forgotten_after_an_hour():
    queue = filled(["site:a"], 10.0)
    queue.begun(*queue.due(at(95), 1), at(95))
    assert queue.lateness.runs(at(95)) > 0
    assert queue.lateness.runs(at(95 + 3500)) > 0
    assert queue.lateness.runs(at(95 + 3700)) == 0
    assert queue.lateness.longest_s(at(95 + 3700)) == 0.0


def test_a_run_that_does_not_end_puts_its_target_behind_from_the_first_time_that_passed():
    queue = filled(["site:a"], 10.0)
    [name] = queue.due(at(10), 1)
    queue.begun(name, at(10))
    for second in range(11, 50):
        assert queue.due(at(second), 1) == []
    queue.done(name, at(50))
    assert 30.0 <= queue.lateness.longest_s(at(50)) <= 40.0
    [name] = queue.due(at(60), 1)
    queue.begun(name, at(60))
    queue.done(name, at(61))
    assert queue.lateness.longest_s(at(60 + 3660)) <= 10.0, "a run in time says nothing bad"
