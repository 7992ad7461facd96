"""Which uses of plans stop the clock of which slices."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from checks.hub.moves import Moves
from checks.hub.plans import Plans
from checks.hub.sharing import Move
from data.model.ids import IncidentId, TeamId
from data.model.observation import Observation
from data.model.plan import Adapter, Plan, Switch, SwitchState
from data.model.state import State
from data.model.target import Target, TargetKind
from data.store.store import Store

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


def test_whoever_is_sent_elsewhere_is_a_guest_there_whatever_it_is_for():
    gone = replace(USED, id="swap@2", incident=IncidentId(2), state=SwitchState.REVERTED, ended_at=LATER)
    there = {"partner": "P01", "geo": "DE"}
    moves = seen(USED, gone)
    assert moves.guests([replace(PLAN, geo="DE", project="kestrel")]) == (
        Move(there, NOON, None),
        Move(there, NOON, LATER),
    )
    assert moves.guests([replace(PLAN, to={})]) == ()


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


LINK = Target("link:p02", TargetKind.LINK, TeamId("aurora"), "p02", "http://x.example/", partner="P02", geo="DE")


def look(cause="link.wrong_target", at=LATER, state=State.FAILING, **evidence):
    return Observation(LINK.id, LINK.team, TargetKind.LINK, at, state, cause, "lands on p01.example", evidence=evidence)


def test_a_link_that_leads_to_the_standby_says_nothing_of_where_it_usually_leads():
    found = seen(USED).rewrite(look(), LINK, [PLAN])
    assert (found.state, found.evidence) == (State.UNKNOWN, {"seen": "link.wrong_target"})
    assert found.detail == "plan B sends its visitors elsewhere since 12:00Z; seen: lands on p01.example"


@pytest.mark.parametrize(
    "told",
    [
        look("http.5xx"),
        look("tls.expired"),
        look(compliance="P01 is not licensed in DE"),
        look(at=NOON - timedelta(minutes=1)),
        look("", state=State.OK),
    ],
)
def test_a_standby_that_fails_or_may_not_be_shown_there_is_told_as_ever(told):
    assert seen(USED).rewrite(told, LINK, [PLAN]) is told


@pytest.mark.parametrize("plan", [replace(PLAN, geo="AT"), replace(PLAN, partner=""), replace(PLAN, to={})])
def test_a_link_whose_visitors_go_where_they_always_went_is_judged_as_ever(plan):
    told = look()
    assert seen(USED).rewrite(told, LINK, [plan]) is told


def test_a_plan_that_was_taken_back_excuses_nothing():
    told = look()
    gone = replace(USED, state=SwitchState.REVERTED, at=LATER, ended_at=LATER)
    assert seen(USED, gone).rewrite(told, LINK, [PLAN]) is told


async def test_a_clock_that_stood_still_does_so_after_a_restart(tmp_path):
    store = Store.open(tmp_path / "losswatch.duckdb", None)
    early = NOON - timedelta(hours=3)
    older = replace(USED, id="swap@0", at=early, asked_at=early, applied_at=early)
    over = replace(older, state=SwitchState.REVERTED, at=NOON, ended_at=NOON)
    for version in (older, over, USED):
        store.write([version]).result()
    plans = Plans(SimpleNamespace(store=store))
    await plans.restore()
    moves = plans.moves.of(ONE, [PLAN])
    assert [(move.since, move.until) for move in moves] == [(NOON - timedelta(hours=3), NOON), (NOON, None)]
    store.close()
