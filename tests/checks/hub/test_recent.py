from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.hub.pricing import Pricing
from checks.hub.recent import Recent
from checks.incidents.desk import IncidentDesk
from data.model.cause import cause
from data.model.ids import FindingId, TargetId, TeamId
from data.model.incident import Finding
from data.model.money import Loss, cents
from data.model.principal import EVERYTHING, Scope
from data.model.target import Target, TargetKind

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
AURORA = TeamId("aurora")
KIEL = TargetId("site:kiel")
TARGETS = {KIEL: Target(KIEL, TargetKind.SITE, AURORA, "kiel", interval_s=600.0)}


@pytest.fixture
def desk():
    return IncidentDesk()


@pytest.fixture
def recent(desk):
    return Recent(desk, Pricing(None, TARGETS.get, lambda: "EUR"))


def fall(desk):
    finding = Finding(FindingId("site:kiel@x"), KIEL, AURORA, TargetKind.SITE, cause("tcp.refused"), NOON, NOON)
    (incident,) = desk.open(finding, NOON).incidents
    return finding, incident


def test_an_open_incident_explains_its_slices_until_now_and_a_little_beyond(desk, recent):
    fall(desk)
    (span,) = recent.asked(NOON + timedelta(hours=1))()
    assert (span.slices, span.start) == (({"site": "kiel"},), NOON)
    assert span.end > NOON + timedelta(hours=1)


def test_an_incident_that_ended_goes_on_explaining_the_time_it_lasted(desk, recent):
    finding, _ = fall(desk)
    (over,) = desk.close(finding.id, NOON + timedelta(hours=2)).incidents
    recent.closed(over, desk.members(over.id), NOON + timedelta(hours=2))
    (span,) = recent.asked(NOON + timedelta(hours=20))()
    assert NOON + timedelta(hours=2) < span.end < NOON + timedelta(hours=6)


def test_what_an_ended_one_accounts_for_is_found_beside_the_loop_and_once(desk, recent, monkeypatch):
    finding, _ = fall(desk)
    (over,) = desk.close(finding.id, NOON + timedelta(hours=2)).incidents
    found = []
    explained = recent.pricing.explained
    monkeypatch.setattr(Pricing, "explained", lambda _, *given: found.append(given) or explained(*given))
    recent.closed(over, desk.members(over.id), NOON + timedelta(hours=2))
    assert found == []
    once, again = (recent.asked(NOON + timedelta(hours=hours))() for hours in (3, 20))
    assert (once, len(found)) == (again, 1)


def test_what_is_asked_beside_the_loop_is_what_was_open_when_the_question_was_put(desk, recent):
    finding, _ = fall(desk)
    asked = recent.asked(NOON + timedelta(hours=1))
    desk.close(finding.id, NOON + timedelta(hours=1))
    (span,) = asked()
    assert span.slices == ({"site": "kiel"},)


def test_what_it_cost_counts_from_midnight_for_those_who_may_see_it(desk, recent):
    finding, _ = fall(desk)
    (over,) = desk.close(finding.id, NOON + timedelta(hours=2)).incidents
    over = replace(over, loss=Loss(cents(120)))
    recent.closed(over, [], NOON + timedelta(hours=2))
    assert recent.lost_since(NOON - timedelta(hours=12), EVERYTHING) == cents(120)
    assert recent.lost_since(NOON + timedelta(hours=12), EVERYTHING) == cents(0)
    assert recent.lost_since(NOON - timedelta(hours=12), Scope(frozenset())) == cents(0)


def test_what_ended_days_ago_is_forgotten(desk, recent):
    finding, _ = fall(desk)
    (over,) = desk.close(finding.id, NOON + timedelta(hours=2)).incidents
    recent.closed(over, desk.members(over.id), NOON + timedelta(hours=2))
    later = NOON + timedelta(days=3)
    recent.closed(replace(over, id=over.id + 1, closed_at=later), desk.members(over.id), later)
    assert len(recent.asked(later)()) == 1


def test_an_incident_that_reopens_is_counted_once(desk, recent):
    finding, _ = fall(desk)
    (over,) = desk.close(finding.id, NOON + timedelta(hours=2)).incidents
    recent.closed(replace(over, loss=Loss(cents(120))), [], NOON + timedelta(hours=2))
    recent.reopened(over.id)
    assert recent.lost_since(NOON - timedelta(hours=12), EVERYTHING) == cents(0)
