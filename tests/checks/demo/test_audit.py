"""What the report says of earlier states, blindness and disputed sums."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from checks.demo.audit import Books, answers, moments
from checks.demo.report import Found
from checks.demo.script import BY_ID
from checks.demo.told import MEASURES, State
from checks.demo.truth import EventTruth, Truth
from data.model.delivery import RestatedAs
from data.model.feed_view import RestatementRow
from data.model.ids import CauseId, IncidentId, TargetId, TeamId
from data.model.incident import Incident, IncidentState, Severity
from data.model.money import Loss
from data.model.snapshot import TargetRow
from data.model.state import State as Health
from data.model.target import kind_of, name_of

DAY = datetime(2026, 11, 17, 6, tzinfo=UTC)
TODAY = date(2026, 11, 17)


def at(hour, minute=0):
    return DAY.replace(hour=hour, minute=minute)


def sums(clicks):
    return dict.fromkeys(MEASURES, Decimal(0)) | {"clicks": Decimal(clicks), "ngr": Decimal("10.01")}


HELD = (
    State("P06", at(9), {TODAY: sums(10)}),
    State("P06", at(9, 30), {}, held=True),
    State("P06", at(10, 6), {TODAY: sums(12)}),
)
RIGHT = {at(9): {TODAY: sums(10)}, at(9, 30): {TODAY: sums(10)}, at(10, 6): {TODAY: sums(12)}}


def truth(*states):
    return Truth(at(22), 90.0, DAY - timedelta(minutes=20), (), states)


def event(name):
    script = BY_ID[name]
    return EventTruth(
        name, script.kind, script.title, script.expected_causes, script.reach, script.began(DAY), script.ended(DAY), 0.0
    )


def told(name, *, states=(), found=(), known=None, ledger=None):
    books = Books(known or {}, ledger or {})
    return {answer.asked: answer for answer in answers(event(name), truth(*states), found, books)}


def yes(said):
    return [answer.yes for answer in said.values()]


def test_every_moment_of_a_partner_is_looked_at():
    assert moments(truth(*HELD), "P06") == [at(9), at(9, 30), at(10, 6)]
    assert moments(truth(*HELD), "P05") == []


def test_states_that_are_still_there_are_reproducible():
    said = told("F4", states=HELD, known={"P06": RIGHT})
    assert yes(said) == [True, True, True]
    assert next(iter(said.values())).of == 3


@pytest.mark.parametrize(
    ("moment", "wrong", "expected"),
    [
        (at(9), {TODAY: sums(11)}, [False, True, True]),
        (at(9), {TODAY: sums(10) | {"ngr": Decimal("10.02")}}, [False, True, True]),
        (at(9), {}, [False, True, True]),
        (at(9), {TODAY: sums(10), TODAY - timedelta(days=1): sums(1)}, [False, True, True]),
        (at(9, 30), {TODAY: sums(10) | {"ngr": Decimal(1001)}}, [False, False, True]),
        (at(10, 6), {TODAY: sums(10)}, [False, True, False]),
    ],
)
def test_a_state_that_is_another_is_none(moment, wrong, expected):
    assert yes(told("F4", states=HELD, known={"P06": RIGHT | {moment: wrong}})) == expected


def test_nothing_is_said_of_what_has_not_happened():
    assert yes(told("F4", states=HELD[:1])) == [None, None, None]
    early = replace(event("F4"), began_at=None)
    assert answers(early, truth(), (), Books({}, {})) == ()


def found(cause, target, started, **loss):
    incident = Incident(
        id=IncidentId(7), team=TeamId("delta"), teams=(TeamId("delta"),), cause=CauseId(cause), severity=Severity.SEV4,
        state=IncidentState.NEW, title="", where="", blame="", owner_role="", started_at=started, detected_at=started,
        loss=Loss(**{name: Decimal(value) for name, value in loss.items()}),
    )  # fmt: skip
    identity = TargetId(target)
    row = TargetRow(
        target=identity, kind=kind_of(identity), team=TeamId("delta"), name=name_of(identity), state=Health.FAILING,
        cause=CauseId(cause), detail="", since=None, last_at=None,
    )  # fmt: skip
    return Found(incident, (row,))


BLIND = found("feed.auth", "feed:p10-ambervolt", at(13, 15), unseen="37.50")


@pytest.mark.parametrize(
    ("incidents", "expected"),
    [
        ((BLIND,), [True, True]),
        ((), [None, True]),
        ((found("feed.auth", "feed:p10-ambervolt", at(13, 15), lost="37.50"),), [False, True]),
        ((BLIND, found("revenue.silence", "slice:partner=P10", at(13, 50))), [True, False]),
        ((BLIND, found("revenue.silence", "slice:partner=P10", at(18))), [True, True]),
        ((BLIND, found("revenue.silence", "slice:partner=P1", at(13, 50))), [True, True]),
    ],
)
def test_blind_is_unseen_and_sets_no_alarm_about_money_off(incidents, expected):
    assert yes(told("F7", found=incidents)) == expected


def entry(day, was, now, kind=RestatedAs.CLAW_BACK):
    return RestatementRow(day, "commission_total", "EUR", Decimal(was), Decimal(now), None, kind, 1, at(21), 3)


CLAWED = [entry(TODAY - timedelta(days=n), 2636, Decimal(2636) - part) for n, part in ((1, 250), (2, 251), (3, 251))]


@pytest.mark.parametrize(
    ("ledger", "expected"),
    [
        (CLAWED, [None, True, True]),
        ([*CLAWED, entry(TODAY - timedelta(days=9), 10, 1)], [None, True, True]),
        (CLAWED[:2], [None, True, False]),
        ([replace(CLAWED[0], kind=RestatedAs.CORRECTION), *CLAWED[1:]], [None, False, True]),
        ([], [None, None, None]),
    ],
)
def test_a_disputed_sum_is_what_was_taken_back(ledger, expected):
    assert yes(told("F15", ledger={"P05": ledger})) == expected


def test_a_correction_is_in_the_ledger_as_one():
    day = TODAY - timedelta(days=2)
    assert yes(told("D7", ledger={"P02": [entry(day, 100, 99, RestatedAs.CORRECTION)]})) == [True]
    assert yes(told("D7", ledger={"P02": [entry(day, 100, 99)]})) == [False]


def test_a_jackpot_is_a_note_and_its_lack_is_told_after_a_while():
    def said(notes, moment):
        asked = answers(event("D6"), replace(truth(), at=moment), (), Books({}, {}, notes))
        return asked[0].yes

    assert said({"P05": ("-33,400.00 on 2026-11-16",)}, at(7)) is True
    assert said({"P05": ()}, at(7)) is None
    assert said({"P05": ()}, at(9)) is False
