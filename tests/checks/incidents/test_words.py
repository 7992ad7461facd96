from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from checks.incidents import explain
from checks.incidents.desk import IncidentDesk
from checks.incidents.routing import owner_role, owner_team
from checks.incidents.severity import grade, is_blind
from data.model.cause import CAUSES, words_of
from data.model.incident import Severity
from data.model.money import NO_LOSS, Loss


@pytest.mark.parametrize(
    ("cause", "per_hour", "members", "was", "severity"),
    [
        ("link.inactive", "200.01", 1, None, "SEV1"),
        ("link.inactive", "200", 1, None, "SEV2"),
        ("link.inactive", "170", 1, "SEV1", "SEV1"),
        ("link.inactive", "150", 1, "SEV1", "SEV2"),
        ("link.inactive", "50", 1, None, "SEV2"),
        ("link.inactive", "49.99", 1, None, "SEV3"),
        ("link.inactive", "45", 1, "SEV2", "SEV2"),
        ("link.inactive", "39", 1, "SEV2", "SEV3"),
        ("tls.expiring", "60", 1, None, "SEV2"),
        ("feed.auth", "0", 4, None, "SEV4"),
        ("feed.scale", "0", 1, None, "SEV4"),
        ("feed.restated", "0", 1, None, "SEV3"),
        ("revenue.blind", "0", 1, None, "SEV4"),
        ("parser.field_dead", "0", 1, None, "SEV4"),
        ("page.no_results", "0", 9, None, "SEV4"),
        ("page.no_results", "400", 9, None, "SEV4"),
        ("parser.field_dead", "0", 24, None, "SEV3"),
        ("edge.error", "0", 1, None, "SEV2"),
        ("tcp.refused", "0", 1, None, "SEV3"),
        ("tcp.refused", "0", 3, None, "SEV2"),
        ("slow.total", "0", 9, None, "SEV4"),
        ("seo.noindex", "0", 1, None, "SEV3"),
    ],
)
def test_severity_follows_the_money_and_without_a_price_what_is_known(cause, per_hour, members, was, severity):
    assert grade(cause, Loss(per_hour=Decimal(per_hour)), members, was=was and Severity(was)) == severity


def test_a_clock_that_a_plan_stopped_is_a_price_and_not_the_lack_of_one():
    stopped = Loss(lost=Decimal(300), per_hour=Decimal(0))
    assert grade("link.inactive", stopped, 30, was=Severity.SEV1) is Severity.SEV3


def test_compliance_is_always_sev1():
    assert grade("link.wrong_target", NO_LOSS, 1, compliance=True) is Severity.SEV1


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_a_grade_an_owner_and_three_plans(cause):
    assert grade(cause, NO_LOSS, 1) in Severity
    assert isinstance(owner_role(cause), str)
    assert [plan.letter for plan in explain.plans(cause)] == ["A", "B", "C"]


def test_a_cause_nobody_registered_has_no_owner_and_no_plan():
    assert (owner_role("x.y"), explain.plans("x.y")) == ("", ())


def test_one_team_owns_its_own_and_several_share():
    assert (owner_team(["a", "a"]), owner_team(["a", "b"])) == ("a", "*")


def test_blind_is_not_dead(story):
    assert is_blind("feed.auth")
    assert not is_blind("feed.restated")
    desk = IncidentDesk()
    incident = desk.open(story.finding("feed:p10", "feed.auth", partner="P10"), story.at(1)).incidents[0]
    said = explain.statements(incident, desk.members(1))
    assert next(line.text for line in said if line.certainty == "unknown").startswith("whether any money is lost")
    assert incident.severity is Severity.SEV4


@pytest.mark.parametrize(("lost", "asks"), [(0, True), (300, False)])
def test_what_it_costs_is_unknown_only_while_nothing_has_a_price(story, lost, asks):
    desk = IncidentDesk()
    incident = desk.open(story.finding("link:l1", "link.inactive", partner="P02"), story.at(1)).incidents[0]
    stopped = replace(incident, loss=Loss(lost=Decimal(lost), per_hour=Decimal(0)))
    said = [line.text for line in explain.statements(stopped, desk.members(1))]
    assert any(text.startswith("what it costs: there is no expectation") for text in said) is asks


@pytest.mark.parametrize(
    ("findings", "where"),
    [
        ([("link:a1-p02", "link.inactive", {"partner": "P02", "site": "a1"})], "P02 a1-p02"),
        (
            [(f"link:l{n}", "link.inactive", {"partner": "P02", "site": f"s{n // 2}"}) for n in range(7)],
            "P02: 7 links of 4 sites",
        ),
        (
            [(f"link:l{n}", "geo.blocked", {"partner": "P05", "geo": "DE", "site": f"s{n}"}) for n in range(2)],
            "P05 DE: 2 links of 2 sites",
        ),
        ([(f"site:s{n}", "edge.error", {"edge": "Halyard Edge"}) for n in range(3)], "Halyard Edge: 3 sites"),
        ([("site:s1", "tcp.refused", {"host": "s1.example", "site": "s1"})], "s1"),
        (
            [(f"parser:p{n}", "parser.field_dead", {"host": "serp.example"}) for n in range(2)],
            "serp.example: 2 parsers",
        ),
        (
            [
                ("link:l1", "link.inactive", {"partner": "P02", "site": "s1"}),
                ("slice:partner=P02", "revenue.silence", {"partner": "P02"}),
            ],
            "P02: 1 link and 1 slice",
        ),
    ],
)
def test_an_incident_says_where_it_is_in_a_few_words(story, findings, where):
    desk = IncidentDesk()
    for target, cause, labels in findings:
        desk.open(story.finding(target, cause, **labels), story.at(1))
    (incident,) = desk.open_incidents
    assert incident.where == where
    assert incident.title == words_of(incident.cause)


def test_statements_are_facts_then_guesses_then_what_is_unknown(story):
    desk = IncidentDesk()
    for number in range(3):
        desk.open(story.finding(f"site:s{number}", "edge.error", edge="Halyard Edge"), story.at(1))
    said = explain.statements(desk.open_incidents[0], desk.members(1))
    order = [line.certainty for line in said]
    assert order == sorted(order, key=["fact", "guess", "unknown"].index)
    assert set(order) == {"fact", "guess", "unknown"}
    assert any("one common cause" in line.text for line in said if line.certainty == "guess")
