"""Incidents that turn out to be one, and one that turns out to be several, told through observations."""

from __future__ import annotations

from random import Random

import pytest

from data.model.incident import IncidentState
from data.model.state import State
from data.model.target import TargetKind
from tests.checks.incidents.conftest import HALYARD, fine, street


def test_incidents_that_began_apart_are_merged_and_their_story_is_told(town):
    behind = street(town, 5, edge=HALYARD, team="aurora")
    town.fail(behind[0], 0)
    town.write(town.desk.acknowledge(1, "maria", town.story.at(0.8)))
    town.fail(behind[1], 0.2)
    town.write(town.desk.acknowledge(2, "tom", town.story.at(0.75)))
    for target in behind[2:]:
        town.fail(target, 0.3)
    town.tick(2)
    (incident,) = town.open
    assert (incident.id, incident.members) == (1, 5)
    assert (incident.state, incident.acknowledged_by) == (IncidentState.ACKNOWLEDGED, "tom")
    assert town.incidents[2].state is IncidentState.CLOSED
    assert town.told(2)[-1] == "merged into #1: they share the edge provider Halyard Edge"
    assert any(line.startswith("took in #2") for line in town.told(1))
    assert any(line.startswith("upstream is Halyard Edge: ") for line in town.told(1))
    assert {finding.incident for finding in town.findings.values()} == {1}


def test_a_merged_incident_costs_nothing_and_is_not_reopened(town):
    behind = street(town, 5, edge=HALYARD)
    for target in behind:
        town.fail(target, 0)
    merged = [row for row in town.incidents.values() if row.state is IncidentState.CLOSED]
    assert merged
    assert {(row.open_members, row.loss.lost, row.closed_by) for row in merged} == {(0, 0, "losswatch")}
    assert {(row.is_merged, row.reason) for row in merged} == {(True, "merged into #1")}
    town.restart()
    for target in behind:
        for minutes in (3, 4, 5):
            town.look(target, minutes)
    town.fail(behind[1], 7)
    assert [(row.id, row.open_members) for row in town.open] == [(1, 1)]


def test_a_late_joiner_joins_by_what_it_shares_and_the_incident_closes_with_its_last_member(town):
    behind = street(town, 12, edge=HALYARD)
    for target in behind[:10]:
        town.fail(target, 0)
    town.tick(1)
    for target in behind[10:]:
        town.fail(target, 55, "tcp.timeout")
    assert [row.members for row in town.open] == [12]
    for minutes in (60, 61, 62):
        for target in behind:
            town.look(target, minutes)
    assert not town.open
    assert town.told(1)[-1] == "closed: all 12 members recovered"


def test_a_site_that_fails_after_its_edge_recovered_is_its_own_incident(town):
    behind = street(town, 30, edge=HALYARD)
    for target in behind[:29]:
        town.fail(target, 0)
    town.tick(1)
    for minutes in (20, 21, 22):
        for target in behind[1:]:
            town.look(target, minutes)
    town.fail(behind[29], 24)
    assert town.groups == {frozenset([behind[0]]), frozenset([behind[29]])}


def test_a_member_that_goes_on_failing_long_after_the_recovery_is_split_off(town):
    behind = street(town, 30, edge=HALYARD)
    for target in behind:
        town.fail(target, 0)
    for minutes in (20, 21, 22):
        for target in behind[1:]:
            town.look(target, minutes)
    town.look(behind[0], 24, "edge.error")
    town.tick(25)
    assert [row.id for row in town.open] == [1]
    town.look(behind[0], 40, "edge.error")
    town.tick(41)
    (incident,) = town.open
    assert incident.id > 1
    assert incident.started_at == town.story.at(0)
    assert incident.reason == "still fails while Halyard Edge recovered: 29 of 30 are fine again"
    assert town.told(1)[-2:] == [f"1 split off: {incident.reason}", "closed: nothing else fails behind Halyard Edge"]
    town.restart()
    town.look(behind[0], 45, "edge.error")
    town.tick(46)
    assert [row.id for row in town.open] == [incident.id]


def test_a_call_that_turns_out_wrong_is_taken_back(town):
    """Five seldom checked sites fail first; then hundreds of their neighbours turn out to be fine."""
    behind = street(town, 300, edge=HALYARD)
    for target in behind[:5]:
        town.fail(target, 0)
    town.tick(1)
    assert [row.members for row in town.open] == [5]
    fine(town, behind[5:], 2)
    town.tick(4)
    assert sorted(map(len, town.groups)) == [1] * 5
    assert {row.upstream for row in town.open} == {""}
    assert any("the failure is its own" in row.reason for row in town.open)


def test_money_of_a_site_follows_it_when_the_outage_turns_out_to_be_none(town):
    behind = street(town, 200, edge=HALYARD)
    for target in behind[:6]:
        town.fail(target, 0, "http.5xx")
    money = town.add("site=s0001", TargetKind.SLICE)
    town.look(money, 3, "revenue.silence", site="s0001")
    town.tick(4)
    assert [row.members for row in town.open] == [7]
    for minutes in (5, 6, 7):
        fine(town, behind[6:], minutes)
        for target in behind[:6]:
            town.look(target, minutes, "http.5xx")
        town.tick(minutes + 1)
    assert sorted(map(sorted, town.groups)) == sorted(
        [[one] for one in behind[:6] if one != "site:s0001"] + [["site:s0001", money]]
    )
    assert {row.upstream for row in town.open if row.members == 1} == {""}
    assert not any(HALYARD in f"{row.upstream}{row.where}{row.blame}" for row in town.open)


def test_what_was_counted_is_written_once_also_where_the_first_to_fail_has_recovered(town):
    """The outage began four minutes after its first member, which is fine again: two beginnings to count from."""
    first, *others = street(town, 40, edge=HALYARD)
    town.fail(first, 0)
    for at, target in enumerate(others):
        town.fail(target, 4 + at / 40)
    town.tick(6)
    for minutes in (6, 6.5, 7):
        town.look(first, minutes)
    town.tick(8)
    (incident,) = town.open
    assert incident.evidence["fails"] == "39 of 40 looked at since 11:20:00Z fail"
    assert town.desk.look_over(town.story.at(9)) == ()


def test_an_outage_that_was_partial_is_told_as_whole_long_after_it_began(town):
    behind = street(town, 30, edge=HALYARD)
    fine(town, behind[12:], -1)
    for target in behind[:12]:
        town.fail(target, 0)
    fine(town, behind[12:], 1)
    town.tick(2)
    assert "partly" in town.open[0].evidence
    for target in behind[12:]:
        town.fail(target, 100)
    town.tick(230)
    assert "partly" not in town.open[0].evidence


def test_an_outage_that_is_narrowed_down_to_a_country_says_nothing_about_its_edge_afterwards(town):
    german = street(town, 20, edge=HALYARD, geo="DE")
    for target in german:
        town.fail(target, 0)
    town.tick(2)
    assert [row.upstream for row in town.open] == [f"edge={HALYARD}"]
    austrian = street(town, 60, 100, edge=HALYARD, geo="AT")
    fine(town, austrian, 3)
    town.tick(5)
    assert [row.upstream for row in town.open] == [f"edge+geo={HALYARD} / DE"]
    for minutes in (6, 7, 8):
        fine(town, german, minutes)
    town.tick(30)
    town.fail(austrian[0], 31)
    assert [row.members for row in town.open] == [1]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_edge_or_country_fails_next_no_failing_site_is_lost(town, seed):
    dice, minute = Random(seed), 0.0
    sites = [
        town.add(f"s{n:03}", edge=dice.choice("ABC"), geo=dice.choice(["DE", "AT", "NO"]), ip=f"203.0.{n % 4}.{n % 6}")
        for n in range(90)
    ]
    for _ in range(30):
        minute += dice.choice([0, 1, 2, 14])
        edge, geo = dice.choice("ABC"), dice.choice(["", "", "DE"])
        behind = [one for one in sites if town.states[one].traits["edge"] == edge and (not geo or town.targets[one].geo == geo)]  # fmt: skip
        some = dice.choice([behind, dice.sample(sites, 12)])
        if dice.random() < 0.5:
            for one in some:
                town.fail(one, minute, dice.choice(["edge.error", "tcp.timeout"]))
        else:
            for part in range(3):
                fine(town, some, minute + part)
        minute += 4
        town.tick(minute)
        failing = {one for one in sites if town.states[one].state is State.FAILING}
        assert set().union(*town.groups) == failing
        assert {row.id for row in town.open} == {one.incident for one in town.findings.values() if not one.closed_at}
