from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.incidents.census import Census, mark_after, mark_of, slot_of
from checks.incidents.labels import compatible, labels_of
from checks.incidents.lifecycle import advance
from data.model.target import TargetKind
from tests.checks.incidents.conftest import Story

LABELS = [("edge", "A"), ("edge", "B"), ("host", "h"), ("issuer", "CA"), ("ns", "zone.example")]
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["put", "saw", "saw", "saw", "forget"]),
        st.integers(0, 5),
        st.sets(st.sampled_from(LABELS)),
        st.sampled_from(["o", "f", "u", "d", "p"]),
        st.sampled_from(["edge.error", "dns.nxdomain", "tls.expired"]),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(ACTS)
def test_counts_kept_step_by_step_are_those_counted_from_scratch(acts):
    story, census, labels, marks = Story(), Census(), {}, {}
    for minute, (act, number, some, letter, cause) in enumerate(acts):
        target = f"site:s{number}"
        if act == "put":
            labels[target] = tuple(sorted(some))
            census.put(target, labels[target])
        elif act == "forget":
            labels.pop(target, None)
            marks.pop(target, None)
            census.forget(target)
        elif target in labels:
            seen = story.seen(letter, minute, cause=cause if letter == "f" else "")
            object.__setattr__(seen, "target", target)
            census.saw(seen)
            marks[target] = mark_after(seen, marks.get(target, mark_of(story.state())))
    for label in LABELS:
        members = [target for target, known in labels.items() if label in known]
        tally = census.tally(label)
        if tally is None:
            assert len(members) < 2
            continue
        known = [marks[target] for target in members if target in marks]
        assert tally.members == len(members)
        assert tally.fine == Counter(mark.fine for mark in known if mark.fine)
        failed = [mark.failed for mark in known if mark.failed and compatible(label[0], mark.cause)]
        assert tally.failed == Counter(failed)
    failing = {target: some for some in census.failing(0) for target in some.targets}
    assert set(failing) == {one for one, mark in marks.items() if mark.failed}
    assert census.failures == len(failing)
    for target, some in failing.items():
        shared = tuple(label for label in labels[target] if census.tally(label))
        speaking = tuple(label for label in shared if compatible(label[0], some.mark.cause))
        assert (some.mark, some.labels, some.speaking) == (marks[target], shared, speaking)
    kinds = [(some.labels, some.mark) for some in census.failing(0)]
    assert len(set(kinds)) == len(kinds), "what is alike stands together"


@pytest.mark.parametrize(
    ("letters", "fine", "failing"),
    [("o", True, False), ("f", False, True), ("fu", False, True), ("ou", False, False), ("fo", True, False)],
)
def test_unknown_speaks_for_neither_side(town, story, letters, fine, failing):
    target = town.add("a1", edge="Halyard Edge")
    for at, letter in enumerate(letters):
        town.census.saw(story.seen(letter, at))
    mark = town.census.mark(target)
    assert (bool(mark.fine), bool(mark.failed)) == (fine, failing)


def test_a_run_of_failures_counts_from_its_beginning(town, story):
    target = town.add("a1")
    for minute in (3, 4, 9):
        town.census.saw(story.seen("f", minute))
    assert town.census.mark(target).failed == slot_of(story.at(3))


def test_a_timeout_does_not_forget_what_the_last_answer_showed(story):
    state = story.state()
    for letter, minute, evidence in (("o", 0, {"edge": "Halyard Edge", "ip": "192.0.2.7"}), ("f", 5, {}), ("f", 6, {})):
        state = advance(state, story.seen(letter, minute, evidence=evidence)).state
    assert state.traits == {"edge": "Halyard Edge", "ip": "192.0.2.7"}
    moved = advance(state, story.seen("o", 9, evidence={"edge": "Fastly"})).state
    assert moved.traits == {"edge": "Fastly"}


def test_equal_traits_are_one_object_and_an_unchanged_target_keeps_its_own(story):
    one = advance(story.state(), story.seen("o", 0, evidence={"edge": "Halyard Edge"})).state
    other = advance(story.state(name="a2"), story.seen("o", 0, evidence={"edge": "Halyard Edge"})).state
    assert one.traits is other.traits
    assert advance(one, story.seen("o", 5, evidence={"edge": "Halyard Edge"})).state.traits is one.traits


def test_labels_leave_out_what_is_missing_or_proves_nothing(town):
    bare = town.targets[town.add("a")]
    assert labels_of(bare, {"ip": "127.0.0.9", "network": "127.0.0.0/24"}) == (("host", "a.example"),)
    link = town.targets[town.add("l", TargetKind.LINK, geo="DE", partner="P05", offer="welcome")]
    assert set(labels_of(link, {"ns": "ns1.zone.example ns2.zone.example", "tracker": "t.example u.example"})) == {
        ("host", "l.example"), ("host", "t.example"), ("host", "u.example"), ("ns", "zone.example"),
        ("partner", "P05"), ("partner+geo", "P05 / DE"), ("partner+offer", "P05 / welcome"),
    }  # fmt: skip
