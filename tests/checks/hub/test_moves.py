"""Which uses of plans stop the clock of which slices."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.hub.moves import Moves
from checks.hub.sharing import Move
from data.model.ids import IncidentId, TeamId
from data.model.plan import Adapter, Plan, Switch, SwitchState

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=2)
ONE = IncidentId(1)
PLAN = Plan("swap", "B", "swap", ("link.",), partner="P02", does=Adapter.REDIRECTS, to={"partner": "P01"})
USED = Switch(
    "swap@1", "swap", "B", "swap", TeamId("aurora"), ONE, SwitchState.APPLIED, NOON, "ana", NOON, applied_at=NOON
)  # fmt: skip


def seen(*versions):
    moves = Moves()
    for one in versions:
        moves.see(one)
    return moves


def test_what_is_applied_moves_the_slice_of_its_plan():
    assert seen(USED).of(ONE, [PLAN]) == (Move({"partner": "P02"}, NOON, None),)
    assert seen(USED).of(IncidentId(2), [PLAN]) == ()


def test_what_was_taken_back_moved_it_until_then():
    gone = replace(USED, state=SwitchState.REVERTED, at=LATER, ended_at=LATER)
    assert seen(USED, gone).of(ONE, [PLAN]) == (Move({"partner": "P02"}, NOON, LATER),)


@pytest.mark.parametrize(
    "used",
    [
        replace(USED, state=SwitchState.ASKED, applied_at=None),
        replace(USED, state=SwitchState.FAILED, applied_at=None, ended_at=NOON),
        replace(USED, drill=True, state=SwitchState.REVERTED, ended_at=NOON),
        replace(USED, incident=None),
    ],
)
def test_what_never_moved_anybody_is_no_move(used):
    assert seen(used).of(ONE, [PLAN]) == ()


def test_a_plan_that_does_not_say_where_visitors_go_is_judged_by_its_targets():
    assert seen(USED).of(ONE, [replace(PLAN, to={})]) == ()


def test_a_plan_that_is_declared_no_longer_moves_nobody():
    assert seen(USED).of(ONE, []) == ()
