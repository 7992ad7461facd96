"""Lists and panes over targets and states say what they would say over rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.hub.board import Board
from checks.hub.filters import row_filter, sort_rows
from checks.hub.keeping import as_stored
from checks.hub.lists import Asked, Lists
from data.model.observation import Hop, Observation, TargetState, Timing
from data.model.principal import EVERYTHING, MoneyRight, Scope
from data.model.state import State
from data.model.target import Target, TargetKind, target_id

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SITE = TargetKind.SITE
CEDAR = Scope(frozenset({"cedar"}), MoneyRight.FULL)

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["aurora", "cedar"]), st.sampled_from(list(State)), st.sampled_from([1, 2, 3]),
        st.sampled_from([None, 0, 5, 80]), st.sampled_from(["", "DE", "SE"]),
    ),
    max_size=12,
)  # fmt: skip


def board_of(given_rows) -> Board:
    board = Board()
    for number, (team, state, tier, loss, geo) in enumerate(given_rows):
        one = target_id(SITE, f"n{number * 7 % 12:02}")
        board.put_target(Target(one, SITE, team, one[5:], tier=tier, geo=geo, paused=state is State.PAUSED))
        cause = "http.5xx" if state is State.FAILING else ""
        board.put_state(TargetState(one, team, SITE, state, cause, last_at=NOON + timedelta(seconds=number)))
        if loss is not None:
            board.loss_of[one] = Decimal(loss)
    return board


@settings(deadline=None)
@given(
    ROWS,
    st.sampled_from([EVERYTHING, CEDAR]),
    st.sampled_from(["", "state=failing", "state!=ok", "geo=de", "!n0", "5xx", "cause=http team=cedar", "tier=1"]),
    st.sampled_from(["", "name", "state", "loss_per_hour", "last_at", "p95_ms", "geo"]),
    st.booleans(),
)
def test_a_list_is_the_same_whether_rows_are_made_of_all_or_only_of_those_in_sight(rows, scope, words, sort, down):
    board = board_of(rows)
    keep = row_filter(words)
    wanted = sort_rows([row for row in board.rows(SITE, scope) if keep(row)], sort, descending=down)
    total, shown = Lists(board).window(Asked(SITE, scope, words, sort, down), NOON, 0, 100)
    assert [row.name for row in shown] == [row.name for row in wanted]
    assert total == len(wanted)


@given(ROWS, st.lists(st.tuples(st.integers(0, 11), st.sampled_from(list(State))), max_size=10))
def test_the_worst_come_first_however_the_states_moved(rows, moves):
    board = board_of(rows)
    for number, state in moves:
        if (known := board.states.get(target_id(SITE, f"n{number:02}"))) is not None:
            board.put_state(replace(known, state=state))
    wanted = sort_rows(list(board.rows(SITE, EVERYTHING)), "", descending=False)
    assert [row.name for row in board.worst(SITE, EVERYTHING, 5)] == [row.name for row in wanted[:5]]


def test_without_the_right_to_money_no_order_tells_it():
    board = board_of([("aurora", State.FAILING, 3, 80, ""), ("aurora", State.FAILING, 1, None, "")])
    scope = Scope(None, MoneyRight.NONE)
    assert [row.tier for row in board.worst(SITE, scope, 2)] == [1, 3]
    _, shown = Lists(board).window(Asked(SITE, scope, "", "", False), NOON, 0, 9)
    assert [(row.tier, row.loss_per_hour) for row in shown] == [(1, None), (3, None)]


def test_a_target_that_goes_leaves_the_ranking():
    board = board_of([("aurora", State.FAILING, 1, None, "")])
    board.remove_target(target_id(SITE, "n00"))
    assert board.worst(SITE, EVERYTHING, 5) == []


SEEN = Observation(
    target_id(SITE, "a"), "aurora", SITE, NOON, State.OK, total_ms=83.27, timing=Timing(1.0), hops=(Hop("https://a"),),
    evidence={"ip": "192.0.2.1"},
)  # fmt: skip
WELL = TargetState(SEEN.target, "aurora", SITE, State.OK, last_at=NOON - timedelta(minutes=5))


def test_a_site_that_goes_on_being_fine_is_stored_without_what_it_says_every_time():
    at = next(at for at in (NOON, NOON + timedelta(hours=1)) if _slim(at))
    kept = as_stored(replace(SEEN, started_at=at), replace(WELL, last_at=at - timedelta(minutes=5)))
    assert (kept.hops, kept.evidence, kept.timing) == ((), {}, Timing())
    assert (kept.state, kept.started_at, kept.total_ms) == (State.OK, at, 83.3)


def _slim(at):
    return not as_stored(replace(SEEN, started_at=at), replace(WELL, last_at=at - timedelta(minutes=5))).hops


@pytest.mark.parametrize(
    ("seen", "before"),
    [
        (replace(SEEN, state=State.FAILING), WELL),
        (replace(SEEN, state=State.DEGRADED), WELL),
        (replace(SEEN, state=State.UNKNOWN), WELL),
        (SEEN, replace(WELL, state=State.FAILING)),
        (SEEN, replace(WELL, fails=1)),
        (SEEN, replace(WELL, last_at=None)),
        (SEEN, replace(WELL, last_at=NOON - timedelta(hours=6))),
        (replace(SEEN, kind=TargetKind.PARSER), WELL),
    ],
)
def test_what_tells_something_is_stored_whole(seen, before):
    assert as_stored(seen, before) is seen


def test_within_six_hours_a_healthy_site_is_stored_whole_once():
    times = [NOON + timedelta(minutes=5 * number) for number in range(72 * 4)]
    assert sum(not _slim(at) for at in times) == 4
