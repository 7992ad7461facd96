from __future__ import annotations

import json

import pytest
import zstandard

from checks.feeds.fetch import Problem
from checks.feeds.memory import Memory
from checks.feeds.payload import Flaw
from checks.feeds.pull import Pulled
from data.model.cause import cause
from data.model.delivery import Outcome
from data.model.fact import Payload
from data.model.ids import TeamId
from data.model.state import State

from .conftest import NOW
from .story import STEP, Story, day, rows, told


def test_a_required_field_that_is_gone_holds_the_delivery_back_from_the_first_one_on():
    story = Story()
    outcome = story.pull(rows(), lacking={"visit_count": ["clicks"]})
    assert told(outcome) == (State.FAILING, "feed.contract")
    assert outcome.deliveries[0].outcome is Outcome.QUARANTINED
    assert outcome.stats == ()
    assert "visit_count is gone" in outcome.observation.detail


RAGGED = Flaw("row-width-differs", "", "line 3: 4 cells where the header has 3", 1)


def kinds(outcome):
    return {(change.kind, change.severity) for change in outcome.changes}


@pytest.mark.parametrize("path", ["commissions_total", "ftd_count", ""])
def test_a_key_that_stands_twice_with_two_values_holds_a_payload_back_also_the_first_one(path):
    story = Story()
    flaws = (Flaw("key-repeated", path, "twice in one object, with different values", 1),)
    for step in range(2):
        outcome = story.pull(rows(), NOW + step * STEP, flaws=flaws)
        assert told(outcome) == (State.FAILING, "feed.contract")
        assert (outcome.outcome, outcome.stats) == (Outcome.QUARANTINED, ())
        assert kinds(outcome) == {("key-repeated", "breaking")}


def test_a_key_that_stands_twice_where_nobody_reads_is_told_once_and_stored():
    story = Story()
    flaws = (Flaw("key-repeated", "note", "twice in one object, with different values", 1),)
    outcome = story.pull(rows(), flaws=flaws)
    assert (outcome.observation.state, len(outcome.stats)) == (State.DEGRADED, 24)
    assert told(story.pull(rows(), NOW + STEP, flaws=flaws)) == (State.OK, "")


def test_rows_of_another_width_hold_a_table_back_that_had_none_and_not_one_that_always_had():
    story = Story()
    story.pull(rows())
    outcome = story.pull(rows(), NOW + STEP, flaws=(RAGGED,))
    assert (outcome.outcome, kinds(outcome)) == (Outcome.QUARANTINED, {("row-width-differs", "breaking")})
    untidy = Story()
    assert untidy.pull(rows(), flaws=(RAGGED,)).observation.state is State.DEGRADED
    assert told(untidy.pull(rows(), NOW + STEP, flaws=(RAGGED,))) == (State.OK, "")


def test_a_figure_that_is_known_is_not_overwritten_by_a_cell_that_is_none():
    story = Story()
    texts = [row | {"commissions_total": str(row["commissions_total"])} for row in rows()]
    story.pull(texts)
    odd = [row if n != 5 else row | {"commissions_total": "n/a"} for n, row in enumerate(texts)]
    outcome = story.pull(odd, NOW + STEP)
    assert (outcome.outcome, outcome.stats) == (Outcome.QUARANTINED, ())
    assert kinds(outcome) == {("value-unreadable", "breaking")}


def test_cells_that_never_held_a_figure_are_told_once():
    story = Story()
    blank = [row | {"deposit_total": "n/a"} for row in rows()]
    first = story.pull(blank)
    assert kinds(first) == {("value-unreadable", "risky")}
    assert len(first.stats) == 24
    assert told(story.pull(blank, NOW + STEP)) == (State.OK, "")


def test_a_memory_of_before_there_were_flaws_is_still_read():
    story = Story()
    story.pull(rows())
    plain = json.loads(zstandard.decompress(story.baseline))
    for one in plain["contract"]["profiles"]:
        del one["flaws"]
    old = zstandard.compress(json.dumps(plain).encode())
    assert Memory.from_bytes(old).contract == story.contract()


def test_days_that_are_left_out_are_one_change_that_is_open_once_and_closed_when_they_are_back():
    story = Story()
    story.pull(rows())
    today = [row for row in rows() if row["dt"].startswith(day(NOW, 0))]
    firsts = set()
    for step in (1, 2, 3):
        outcome = story.pull(today, NOW + step * STEP)
        (change,) = [one for one in outcome.changes if one.kind == "rows-vanished"]
        firsts.add(change.first_seen)
    assert (change.was, change.now) == (f"figures for {day(NOW, 2)} and 1 more", "day left out")
    assert firsts == {NOW + STEP}
    back = story.pull(rows(), NOW + 4 * STEP)
    assert [one.closed_at for one in back.changes if one.kind == "rows-vanished"] == [NOW + 4 * STEP]


def test_an_empty_report_is_no_report_of_zeros_also_where_no_contract_was_kept():
    story = Story()
    story.pull(rows())
    story.baseline = None
    outcome = story.pull([], NOW + STEP)
    assert (outcome.outcome, outcome.stats) == (Outcome.QUARANTINED, ())
    assert ("rows-vanished", "breaking") in kinds(outcome)


def test_of_bodies_that_are_no_report_one_after_the_other_only_the_first_is_kept():
    story = Story()
    kept = []
    for step in range(3):
        body = Payload(f"h{step}", "p01", TeamId("aurora"), NOW, "application/json", b"")
        today = NOW.date()
        found = Pulled("x", today, today, (body,), problem=Problem(cause("feed.contract"), "not valid JSON"))
        kept += [one.hash for one in story.take(found, NOW + step * STEP).payloads]
    assert kept == ["h0"]
