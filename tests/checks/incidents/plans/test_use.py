"""The life of a switch: two keys, an end, and what a crash leaves behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from checks.incidents.plans import use
from data.access.roles import ROLES
from data.errors import NotAllowed, UsageError
from data.model.plan import Adapter, Needs, Requirement, SwitchState
from data.model.principal import Principal, Scope

SURE = Requirement(Needs.GREEN, held=True, detail="P11-DE ok")
UNSURE = Requirement(Needs.GREEN, held=None, detail="P11-DE is unknown")
NOT = Requirement(Needs.GREEN, held=False, detail="P11-DE failing: 503")


def person(name, role="lead"):
    return Principal(name, 1000, role, Scope(None), ROLES[role].actions)


@pytest.fixture
def real(plan):
    def made(**fields):
        return plan(**({"does": Adapter.REDIRECTS, "two_over": Decimal(100)} | fields))

    return made


@pytest.fixture
def asked(real, now):
    def made(keys=1, role="lead", **fields):
        return use.ask(real(**fields), person("maria", role), now, incident=7, team="aurora", keys=keys)

    return made


@pytest.mark.parametrize(
    ("limit", "moved", "keys"),
    [(0, None, 1), (0, Decimal(9000), 1), (100, Decimal(100), 1), (100, Decimal("100.01"), 2), (100, None, 2)],
)
def test_over_the_limit_and_where_nobody_knows_two_must_say_yes(plan, limit, moved, keys):
    assert use.keys_of(plan(two_over=Decimal(limit)), moved) == keys


def test_one_key_is_enough_below_the_limit(asked, now):
    assert use.is_approved(asked())
    assert use.applying(asked(), {"a": "b"}, now).undo == {"a": "b"}


def test_two_keys_are_two_people(asked, real, now):
    switch = asked(keys=2)
    assert not use.is_approved(switch)
    with pytest.raises(NotAllowed, match="1 of 2"):
        use.applying(switch, {}, now)
    with pytest.raises(NotAllowed, match="maria has said yes already"):
        use.approve(switch, real(), person("maria", "lead"), now)
    assert use.is_approved(use.approve(switch, real(), person("jan", "lead"), now))


def test_a_role_without_the_right_may_ask_and_counts_for_nothing(asked, real, now):
    switch = asked(role="junior")
    assert (switch.approved, switch.asked_by) == ((), "maria")
    with pytest.raises(NotAllowed, match="somebody who may apply plans; jan is mid"):
        use.approve(switch, real(), person("jan", "mid"), now)


def test_who_may_not_approve_may_still_ask(asked, real, now):
    switch = asked(role="mid", approve="lead")
    assert switch.approved == ()
    assert use.waits_for(switch, real(approve="lead")) == "waits for the yes of a lead"
    with pytest.raises(NotAllowed, match="needs the yes of a lead; jan is senior"):
        use.approve(switch, real(approve="lead"), person("jan", "senior"), now)
    assert use.is_approved(use.approve(switch, real(approve="lead"), person("ana", "admin"), now))


@pytest.mark.parametrize(
    ("requires", "running", "why"),
    [
        ([SURE], [], ""),
        ([UNSURE], [], ""),
        ([SURE, NOT], [], "P11-DE failing: 503"),
    ],
)
def test_a_plan_is_refused_by_what_surely_does_not_hold(real, requires, running, why):
    assert use.refusal(real(), requires, running) == why


@pytest.mark.parametrize("state", list(SwitchState))
def test_one_use_of_a_plan_at_a_time(asked, real, state):
    there = replace(asked(), state=state)
    assert bool(use.refusal(real(), [], [there])) is there.is_running
    assert use.refusal(real(id="other"), [], [there]) == ""


def test_words_are_for_people(plan):
    assert "for people" in use.refusal(plan(), [], [])


@pytest.mark.parametrize(
    ("fields", "requires", "goes"),
    [
        ({"auto": True, "rehearsed": date(2026, 11, 1)}, [SURE], True),
        ({"auto": False, "rehearsed": date(2026, 11, 1)}, [SURE], False),
        ({"auto": True}, [SURE], False),
        ({"auto": True, "rehearsed": date(2026, 1, 1)}, [SURE], False),
        ({"auto": True, "rehearsed": date(2026, 11, 1)}, [SURE, UNSURE], False),
        ({"auto": True, "rehearsed": date(2026, 11, 1)}, [NOT], False),
    ],
)
def test_nothing_goes_off_by_itself_unless_it_says_so_is_fresh_and_sure(real, now, fields, requires, goes):
    assert (use.may_go_by_itself(real(**fields), requires, now) == "") is goes


def test_what_is_applied_ends_when_its_time_is_over(asked, real, now):
    running = use.applied(use.applying(asked(), {}, now), real(expires_s=7200.0), "done", now)
    assert running.expires_at == now + timedelta(hours=2)
    assert use.due([running], now + timedelta(minutes=119)) == ([], [])
    assert use.due([running], now + timedelta(hours=2)) == ([running], [])


def test_what_has_no_end_stays(asked, real, now):
    running = use.applied(use.applying(asked(), {}, now), real(expires_s=0.0), "done", now)
    assert use.due([running], now + timedelta(days=400)) == ([], [])


def test_a_question_nobody_answers_lapses(asked, now):
    assert use.due([asked(keys=2)], now + timedelta(minutes=29)) == ([], [])
    assert use.due([asked(keys=2)], now + timedelta(minutes=30)) == ([], [asked(keys=2)])


STEPS = {
    "approve": lambda switch, plan, now: use.approve(switch, plan, person("jan", "lead"), now),
    "applying": lambda switch, plan, now: use.applying(switch, {}, now),
    "applied": lambda switch, plan, now: use.applied(switch, plan, "done", now),
    "reverting": lambda switch, plan, now: use.reverting(switch, "jan", now),
    "withdraw": lambda switch, plan, now: use.withdraw(switch, "jan", now),
}
MAY = {
    SwitchState.ASKED: {"approve", "applying", "withdraw"},
    SwitchState.APPLYING: {"applied", "reverting"},
    SwitchState.APPLIED: {"reverting"},
    SwitchState.REVERTING: {"reverting"},
    SwitchState.STUCK: {"reverting"},
}


@pytest.mark.parametrize("state", list(SwitchState))
@pytest.mark.parametrize("step", STEPS)
def test_every_state_allows_its_steps_and_no_others(asked, real, now, state, step):
    switch = replace(asked(), state=state)
    if step in MAY.get(state, set()):
        STEPS[step](switch, real(), now)
    else:
        with pytest.raises(UsageError, match=f"is {state.value} since"):
            STEPS[step](switch, real(), now)


def test_what_is_stuck_has_not_ended(asked, now):
    assert use.ended(asked(), SwitchState.STUCK, "nobody knows", now).ended_at is None
    assert use.ended(asked(), SwitchState.FAILED, "refused", now).ended_at == now
