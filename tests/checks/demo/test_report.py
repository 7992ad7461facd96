from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from checks.demo.ledger import Ledger
from checks.demo.report import Found, report, unexplained
from checks.demo.script import Script
from checks.demo.traffic import Traffic
from checks.demo.truth import Truth, truth_at
from data.model.codec import from_json, to_json
from data.model.ids import CauseId, IncidentId, TargetId, TeamId
from data.model.incident import Incident, IncidentState, Severity
from data.model.money import Loss
from data.model.snapshot import TargetRow
from data.model.state import State
from data.model.target import kind_of, name_of

DAY = datetime(2026, 11, 17, 6, tzinfo=UTC)


def at(hour, minute=0):
    return DAY.replace(hour=hour, minute=minute)


@pytest.fixture
def truth(world):
    ledger = Ledger(world, Traffic(world, Script(DAY)))
    ledger.history(at(20))
    return truth_at(at(20), world, Script(DAY), ledger, opened=DAY, speed=90.0)


def found(number, cause, started, *members, blame="", closed=None, lost="100.00"):
    loss = Loss(lost=Decimal(lost), lost_lo=Decimal(lost) / 2, lost_hi=Decimal(lost) * 2)
    incident = Incident(
        id=IncidentId(number),
        team=TeamId("aurora"),
        teams=(TeamId("aurora"),),
        cause=CauseId(cause),
        severity=Severity.SEV2,
        state=IncidentState.CLOSED if closed else IncidentState.NEW,
        title="",
        where="",
        blame=blame,
        owner_role="",
        started_at=started,
        detected_at=started + timedelta(minutes=4),
        loss=loss,
        closed_at=closed,
    )
    return Found(incident, members)


def member(target, partner="", geo="", team="aurora"):
    identity = TargetId(target)
    return TargetRow(
        target=identity,
        kind=kind_of(identity),
        team=TeamId(team),
        name=name_of(identity),
        state=State.FAILING,
        cause=CauseId(""),
        detail="",
        since=None,
        last_at=None,
        partner=partner,
        geo=geo,
    )


def row(truth, event, *incidents):
    return next(each for each in report(truth, incidents) if each.id == event)


LINK_P02 = member("link:x-p02", partner="P02")
LINK_P05 = member("link:x-p05-de", partner="P05", geo="DE")


@pytest.mark.parametrize(
    ("event", "incident"),
    [
        ("F1", found(1, "link.wrong_target", at(6, 14), LINK_P02)),
        ("F1", found(1, "revenue.silence", at(7), member("slice:partner=P02"))),
        ("F3", found(1, "geo.blocked", at(8, 40), LINK_P05)),
        ("F3", found(1, "geo.blocked", at(8, 40), blame="www.drakkenspin.example")),
        ("F4", found(1, "feed.scale", at(9, 20), member("feed:p06-zefirion", partner="P06"))),
        ("F4", found(1, "feed.scale", at(9, 20), member("feed:p06-zefirion"))),
        ("F5", found(1, "edge.error", at(11, 22), blame="Halyard Edge")),
        ("F5", found(1, "edge.error", at(11, 22), member("site:a"), member("site:b"))),
        ("F6", found(1, "tls.expired", at(12, 4), blame="go.cedar.example")),
        ("F12", found(1, "parser.field_dead", at(17, 40), member("parser:serp-de-freispiele"))),
    ],
)
def test_a_failure_is_found_by_an_incident_with_an_expected_cause_in_its_reach(truth, event, incident):
    line = row(truth, event, incident)
    assert (line.ok, line.incidents, line.cause) == (True, 1, incident.incident.cause)
    assert line.found_at == incident.incident.detected_at
    assert (line.loss, line.loss_lo, line.loss_hi) == (100.0, 50.0, 200.0)
    assert not unexplained(truth, [incident])


@pytest.mark.parametrize(
    ("event", "incident"),
    [
        ("F1", found(1, "link.wrong_target", at(6, 14), member("link:x-p01", partner="P01"))),
        ("F1", found(1, "link.wrong_target", at(5), LINK_P02, closed=at(5, 30))),
        ("F1", found(1, "link.wrong_target", at(11), LINK_P02)),
        ("F5", found(1, "tcp.refused", at(11, 22), member("site:a"))),
        ("F7", found(1, "feed.auth", at(13, 20), member("feed:p06-zefirion", partner="P06"))),
    ],
)
def test_an_incident_elsewhere_or_at_another_time_is_not_the_failures(truth, event, incident):
    line = row(truth, event, incident)
    assert (line.ok, line.incidents, line.found_at, line.cause) == (False, 0, None, None)


def test_another_cause_in_the_right_place_is_told_and_not_counted_as_found(truth):
    line = row(truth, "F4", found(1, "feed.late", at(9, 20), member("feed:p06-zefirion", partner="P06")))
    assert (line.ok, line.cause, line.incidents) == (False, "feed.late", 1)


def test_the_expected_cause_wins_over_an_earlier_other_one(truth):
    early = found(1, "link.param_lost", at(6, 12), LINK_P02)
    right = found(2, "link.inactive", at(6, 20), LINK_P02)
    line = row(truth, "F1", early, right)
    assert (line.ok, line.cause, line.found_at, line.incidents) == (True, "link.inactive", at(6, 24), 2)


def test_an_edge_failure_told_twice_is_not_ok(truth):
    twice = [found(n, "edge.error", at(11, 22), member(f"site:{n}")) for n in (1, 2)]
    line = row(truth, "F5", *twice)
    assert (line.ok, line.incidents, line.loss) == (False, 2, 200.0)


@pytest.mark.parametrize(
    ("event", "members"),
    [
        ("D1", [member("slice:geo=NO,team=aurora")]),
        ("D2", [member("feed:p04-saltwick", partner="P04", team="delta")]),
        ("D2", [member("slice:partner=P04", team="delta")]),
    ],
)
def test_a_decoy_is_ok_only_while_nothing_is_raised(truth, event, members):
    assert row(truth, event).ok
    line = row(truth, event, found(1, "revenue.traffic", at(9), *members))
    assert (line.ok, line.incidents) == (False, 1)


def test_the_challenged_site_is_a_decoy_and_other_sites_are_not(truth, world):
    loud = found(1, "http.4xx", at(9, 30), member(f"site:{world.challenged}", team="delta"))
    other = found(1, "http.4xx", at(9, 30), member("site:another", team="delta"))
    assert not row(truth, "D4", loud).ok
    assert row(truth, "D4", other).ok
    assert unexplained(truth, [other])


def test_an_incident_that_a_failure_explains_is_no_false_alarm(truth):
    norway = member("slice:partner=P02,geo=NO,team=aurora", partner="P02", geo="NO")
    assert row(truth, "D1", found(1, "revenue.silence", at(7), norway)).ok


def test_a_question_answered_with_no_makes_a_found_failure_not_ok(truth):
    blind = found(1, "feed.auth", at(13, 20), member("feed:p10-ambervolt"))
    loud = found(2, "revenue.silence", at(13, 50), member("slice:partner=P10"))
    unseen = replace(blind, incident=replace(blind.incident, loss=Loss(unseen=Decimal(30))))
    assert row(truth, "F7", unseen).ok
    assert not row(truth, "F7", blind).ok, "blind is not dead"
    assert not row(truth, "F7", unseen, loud).ok


def test_an_event_that_has_not_begun_has_nothing(truth):
    early = replace(truth, events=tuple(replace(each, began_at=None, ended_at=None) for each in truth.events))
    lines = report(early, [found(1, "link.wrong_target", at(6, 14), LINK_P02)])
    assert all(line.began_at is None and line.incidents == 0 for line in lines)


def test_rows_have_the_promised_form(truth):
    line = from_json(to_json(row(truth, "F1")), dict)
    assert list(line) == [
        "id", "kind", "began_at", "expected_causes", "found_at", "cause", "incidents",
        "loss", "loss_lo", "loss_hi", "true_loss", "ok", "answers", "recoverable", "inside",
    ]  # fmt: skip
    assert line["began_at"] == "2026-11-17T06:10:00Z"
    assert line["true_loss"] > 300


def test_the_truth_survives_its_file(truth):
    assert from_json(to_json(truth), Truth) == truth
    losses = {event.id: event.true_loss for event in truth.events}
    assert {name for name, loss in losses.items() if loss} == {"F1", "F2", "F3", "F5", "F6", "F9", "F10", "F11", "F13"}
