"""The story in words: the way from the edge to the money with times, what was done, what is not known yet."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from checks.incidents import story as told
from checks.incidents.desk import IncidentDesk, fallen
from checks.incidents.explain import statements
from checks.incidents.proof import odds
from checks.revenue.alarm import Alarm, detail_of
from data.model.cause import words_of
from data.model.incident import TimelineEntry
from data.model.money import NO_LOSS, Loss


@pytest.fixture
def outage(story):
    """An edge that fails, links behind it, and the money of their partner."""
    money = story.finding("slice:partner=P01", "revenue.drop", 25, partner="P01")
    return [
        *(story.finding(f"site:s{at}", "edge.error", at / 10, edge="Halyard Edge") for at in range(12)),
        *(story.finding(f"link:l{at}", "http.5xx", 1 + at / 10, partner="P01", host="go.example") for at in range(3)),
        replace(money, detail="3 registrations, 15.0 expected since 11-17 11:45Z"),
    ]


def line(story, minutes, what):
    return TimelineEntry(1, story.at(minutes), "losswatch", what)


def test_the_chain_is_told_in_causal_order_with_times(outage):
    assert told.told(told.steps(reversed(outage))) == (
        f"11:20Z edge: 12 sites, {words_of('edge.error')}; 11:21Z link: 3 links, {words_of('http.5xx')}; "
        "11:45Z money: registrations P01 -80 %"
    )


def test_one_stage_is_no_chain(outage):
    assert told.told(told.steps(outage[:12])) == ""


def test_a_stage_that_recovered_says_until_when(story, outage):
    ended = [replace(one, closed_at=story.at(40)) if one.target.startswith("link") else one for one in outage]
    assert "11:21Z link: 3 links, " in told.told(told.steps(ended))
    assert "(until 12:00Z); 11:45Z money" in told.told(told.steps(ended))


@pytest.mark.parametrize(
    ("target", "cause", "labels", "stage"),
    [
        ("site:a", "edge.error", {}, "edge"),
        ("site:a", "tcp.refused", {}, "site"),
        ("link:a", "tls.expired", {"host": "go.example", "tracker": "x.example go.example"}, "tracker"),
        ("link:a", "link.inactive", {"host": "p.example", "tracker": "go.example"}, "link"),
        ("parser:a", "page.blocked", {}, "search"),
        ("feed:a", "postback.silent", {}, "postback"),
        ("feed:a", "feed.auth", {}, "feed"),
        ("slice:partner=P01", "revenue.drop", {}, "money"),
    ],
)
def test_each_finding_has_its_stage(story, target, cause, labels, stage):
    assert told.stage_of(story.finding(target, cause, **labels)) == stage


@pytest.mark.parametrize(("channel", "unit"), [("ftd", "FTD"), ("regs", "registrations"), ("clicks", "own clicks"), ("value", "worthless FTD")])  # fmt: skip
def test_what_a_slice_says_of_its_alarm_is_understood(story, channel, unit):
    at = story.at(0)
    alarm = Alarm(
        "a", channel, "revenue.drop", {"partner": "P01"}, "aurora", at, at, at, None, "open", 9.0, 1250.0, 5000.0
    )
    money = replace(story.finding("slice:partner=P01", "revenue.drop", partner="P01"), detail=detail_of(alarm))
    assert told.steps([money])[0].words == f"{unit} P01 -75 %"


@pytest.mark.parametrize("detail", ["", "0 FTD, 0.0 expected since", "nonsense", "x FTD, y expected"])
def test_money_that_was_not_counted_is_told_by_its_cause(story, detail):
    money = replace(story.finding("slice:partner=P01", "revenue.silence", partner="P01"), detail=detail)
    assert told.steps([money])[0].words == f"{words_of('revenue.silence')} P01"


def test_a_plan_is_told_with_what_it_did_to_the_loss(story):
    lines = [
        line(story, 0, "opened: x"),
        line(story, 5, "applied plan B second edge until 13:32Z: 3 lines"),
        line(story, 7, "loss per hour from 96.00 EUR to 20.00 EUR"),
        line(story, 90, "applied plan C hold page: 1 line"),
    ]
    assert told.plans_told(lines) == [
        "plan B applied 11:25Z, loss per hour from 96.00 EUR to 20.00 EUR",
        "plan C applied 12:50Z",
    ]


def test_a_fall_before_the_plan_is_not_its_doing(story):
    lines = [line(story, 3, "loss per hour from 96 EUR to 20 EUR"), line(story, 5, "applied plan B x")]
    assert told.plans_told(lines) == ["plan B applied 11:25Z"]


@pytest.mark.parametrize(("was", "now", "said"), [(96, 20, True), (96, 48, True), (96, 49, False), (4, 0, False), (0, 0, False), (20, 96, False)])  # fmt: skip
def test_only_a_loss_that_falls_by_half_at_once_is_told(was, now, said):
    assert bool(fallen(Loss(per_hour=Decimal(was)), Loss(per_hour=Decimal(now)))) == said


def test_while_money_may_still_follow_that_is_unknown_and_suspects_come_first_among_guesses(story, outage):
    desk = IncidentDesk()
    for one in outage[12:]:
        desk.open(one, story.at(30))
    for one in outage[12:-1]:
        desk.close(one.id, story.at(50))
    (incident,) = desk.open_incidents
    said = statements(incident, desk.members(incident.id), changes=["4 min before: deploy go.example, r7, by tom"])
    kinds = [one.certainty for one in said]
    assert kinds == sorted(kinds, key=["fact", "guess", "unknown"].index)
    guesses = [one.text for one in said if one.certainty == "guess"]
    assert guesses[0] == "changed 4 min before: deploy go.example, r7, by tom"
    assert "whether the money comes back: the cause ended 12:10Z, conversions follow up to 2 hours later" in [
        one.text for one in said
    ]


@pytest.mark.parametrize(("nats", "said"), [(10.0, "20,000 to 1"), (11.3, "80,000 to 1"), (14.0, "over a million to 1"), (500.0, "over a million to 1"), (0.0, "1 to 1")])  # fmt: skip
def test_odds_are_round_numbers(nats, said):
    assert odds(nats) == f"{said} against chance"


def test_the_price_of_an_incident_falling_is_told_once(story, outage):
    desk = IncidentDesk()
    desk.open(outage[12], story.at(2))
    prices = iter([Loss(per_hour=Decimal(96)), Loss(per_hour=Decimal(20)), Loss(per_hour=Decimal(20)), NO_LOSS])
    lines = [
        entry.what
        for minutes in range(3, 6)
        for change in desk.tick(story.at(minutes), lambda *_: next(prices))
        for entry in change.timeline
        if entry.what.startswith("loss")
    ]
    assert lines == ["loss per hour from 96 EUR to 20 EUR"]
