"""What the report says of plans and of who was told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from checks.demo.audit import Books
from checks.demo.inbox import Heard
from checks.demo.telling import questions
from checks.demo.truth import Relief, Truth
from data.model.ids import IncidentId, TeamId
from data.model.notice import Notice, NoticeKind, NoticeState
from tests.checks.demo.conftest import DAY
from tests.checks.demo.test_audit import event
from tests.checks.demo.test_report import found

NOON = DAY.replace(hour=12)
OPEN = found(1, "link.wrong_target", DAY)
OVER = found(1, "link.wrong_target", DAY, closed=NOON - timedelta(hours=1))
CLOCK, TOLD, READ = (
    "did the money clock stop when the plan was applied?",
    "was each channel told once, and that it is over?",
    "did nobody read what they may not?",
)


def notice(channel, kind, number=1, state=NoticeState.SENT, after_min=10):
    at, mine = DAY + timedelta(minutes=after_min), (IncidentId(number),)
    name = f"{channel}-{kind}-{number}-{after_min}"
    return Notice(name, kind, channel, (TeamId("aurora"),), mine, (), "g", "r", channel, at, at, state)


def asked(incident=OPEN, *, notices=None, rates=None, relief=None, heard=()):
    truth = Truth(NOON, 90.0, DAY, (), (), heard)
    books = Books({}, {}, rates={"F1": rates} if rates else {}, notices=notices)
    return {one.asked: one for one in questions(replace(event("F1"), relief=relief), truth, [incident], books)}


RELIEF = Relief(DAY + timedelta(minutes=34), None, 94.2, 0.0)


@pytest.mark.parametrize(("rates", "yes"), [(("80", "0"), True), (("80", "40"), False), (("0", "0"), False)])
def test_the_clock_stopped_when_little_is_left_of_what_was_lost_an_hour(rates, yes):
    answer = asked(rates=tuple(map(Decimal, rates)), relief=RELIEF)[CLOCK]
    assert answer.yes is yes
    assert answer.detail == f"06:34Z, {rates[0]} an hour before and {rates[1]} after, in truth 94 and 0"


def test_before_its_effect_can_be_seen_nothing_is_said_and_without_a_plan_nothing_is_asked():
    assert asked(relief=RELIEF)[CLOCK].yes is None
    assert CLOCK not in asked()


OPENED = notice("war-room", NoticeKind.OPENING)
ENDED = notice("war-room", NoticeKind.RESOLVED, after_min=240)


@pytest.mark.parametrize(
    ("incident", "notices", "yes", "words"),
    [
        (OPEN, [OPENED], True, "war-room first, 06:10Z"),
        (OVER, [OPENED, ENDED], True, "war-room first, 06:10Z"),
        (OVER, [OPENED], False, "war-room did not hear that #1 is over"),
        (OPEN, [OPENED, notice("war-room", NoticeKind.OPENING, after_min=50)], False, "#1 was told twice to war-room"),
        (
            OPEN,
            [OPENED, notice("juniors", NoticeKind.UPDATE, state=NoticeState.DEAD)],
            False,
            "#1 did not reach juniors",
        ),
        (OPEN, [notice("war-room", NoticeKind.OPENING, number=2)], None, ""),
    ],
)
def test_each_channel_is_told_once_and_that_it_is_over(incident, notices, yes, words):
    answer = asked(incident, notices=notices)[TOLD]
    assert (answer.yes, answer.detail) == (yes, words)


def test_what_ended_a_moment_ago_may_still_be_on_its_way():
    just = found(1, "link.wrong_target", DAY, closed=NOON - timedelta(minutes=5))
    assert asked(just, notices=[OPENED])[TOLD].yes is True


def test_somebody_who_read_what_they_may_not_is_named():
    heard = [Heard(NOON, "juniors", "x", (1,), ("EUR 3",)), Heard(NOON, "war-room", "x", (2,), ("quillspin",))]
    answer = asked(notices=[OPENED], heard=tuple(heard))[READ]
    assert (answer.yes, answer.of, answer.detail) == (False, 1, "juniors read EUR 3")
    clean = asked(notices=[OPENED], heard=(Heard(NOON, "juniors", "x", (1,)),))[READ]
    assert clean.yes is True
