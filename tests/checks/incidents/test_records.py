"""Incidents looked at afterwards: times, checklists, figures over many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from checks.incidents.records import checklist_of, provider_of, tallies, times_of
from data.config.settings import Checklist
from data.model.incident import Incident, IncidentState, Severity, TimelineEntry
from data.model.money import Loss
from data.model.plan import Switch, SwitchState
from data.model.verdict import Verdict

T0 = datetime(2026, 11, 17, 12, tzinfo=UTC)


def after(minutes):
    return None if minutes is None else T0 + timedelta(minutes=minutes)


def incident(number=1, detected=5, acknowledged=None, closed=None, lost="100", **fields):
    made = {
        "id": number, "team": "aurora", "teams": ("aurora",), "cause": "http.5xx", "severity": Severity.SEV2,
        "state": IncidentState.NEW if closed is None else IncidentState.CLOSED, "title": "t", "where": "w", "blame": "",
        "owner_role": "developer on call", "started_at": T0, "detected_at": after(detected),
        "acknowledged_at": after(acknowledged), "closed_at": after(closed), "loss": Loss(lost=Decimal(lost)),
    }  # fmt: skip
    return Incident(**(made | fields))


def switch(applied, *, drill=False, state=SwitchState.APPLIED):
    return Switch("s", "p", "B", "t", "aurora", 1, state, T0, "maria", T0, applied_at=after(applied), drill=drill)


@pytest.mark.parametrize(
    ("one", "switches", "minutes"),
    [
        (incident(), [], (5, None, None, None)),
        (incident(acknowledged=8), [], (5, 3, None, None)),
        (incident(closed=65), [], (5, None, 60, 60)),
        (incident(closed=65), [switch(25)], (5, None, 20, 60)),
        (incident(closed=65), [switch(35), switch(25)], (5, None, 20, 60)),
        (incident(closed=65), [switch(None, state=SwitchState.FAILED)], (5, None, 60, 60)),
        (incident(closed=65), [switch(25, drill=True)], (5, None, 60, 60)),
        (incident(closed=15), [switch(25)], (5, None, 10, 10)),
        (incident(detected=0, started_at=after(3)), [], (0, None, None, None)),
        (incident(acknowledged=4), [], (5, 0, None, None)),
    ],
)
def test_each_step_counts_from_the_one_before(one, switches, minutes):
    times = times_of(one, switches)
    found = (times.to_detect, times.to_acknowledge, times.to_mitigate, times.to_resolve)
    assert found == tuple(None if each is None else each * 60 for each in minutes)


LISTS = (
    Checklist(("http.", "edge."), ("tell the desk", "look at the origin")),
    Checklist(("http.5xx",), ("look at the origin", "ask the host")),
    Checklist(("link.",), ("ask the manager",)),
)


def said(what, minute=0, who="maria"):
    return TimelineEntry(1, after(minute), who, what)


def test_a_cause_has_the_items_of_all_its_lists_once_and_in_their_order():
    assert [one.text for one in checklist_of(LISTS, "http.5xx", ())] == [
        "tell the desk",
        "look at the origin",
        "ask the host",
    ]
    assert checklist_of(LISTS, "tls.expired", ()) == ()


def test_the_last_tick_of_an_item_counts():
    told = [said("ticked: ask the host"), said("ticked: tell the desk", 1), said("unticked: ask the host", 2, "jan"),
            said("noted: ticked: look at the origin", 3), said("ticked: something else", 4)]  # fmt: skip
    assert [(one.done_by, one.done_at) for one in checklist_of(LISTS, "http.5xx", told)] == [
        ("maria", after(1)), ("", None), ("", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("upstream", "provider"),
    [
        ("edge=Halyard Edge", "Halyard Edge"),
        ("partner=P02", ""),
        ("", ""),
        ("edge+geo=Halyard Edge in DE", "Halyard Edge in DE"),
    ],
)
def test_a_provider_is_whose_service_broke(upstream, provider):
    assert provider_of(incident(upstream=upstream)) == provider


def counted(incidents, by="cause", **known):
    given = {"partners": {}, "switches": {}, "reopened": {}, "now": after(100)} | known
    return tallies(incidents, by, **given)


def test_a_merged_incident_is_counted_where_it_went():
    merged = incident(2, closed=9, lost="40", reason="merged into #1: one edge")
    [row], total = counted([incident(), merged])
    assert (row.count, row.merged, row.lost, total.lost) == (1, 1, Decimal(100), Decimal(100))


def test_money_a_minute_runs_from_the_beginning_to_the_end_or_to_now():
    [row], _ = counted([incident(closed=50, lost="100"), incident(2, lost="200")])
    assert row.lost_per_minute == Decimal("2.00")  # 300 over 50 and 100 minutes


def test_medians_leave_out_what_has_not_happened():
    [row], _ = counted([incident(acknowledged=7), incident(2, acknowledged=9), incident(3)])
    assert (row.acknowledge_s, row.mitigate_s) == (180, None)


def test_what_cost_most_comes_first_and_months_in_their_order():
    some = [incident(lost="1"), incident(2, cause="dns.servfail", lost="9"), incident(3, cause="tls.expired", lost="9")]
    assert [row.name for row in counted(some)[0]] == ["dns.servfail", "tls.expired", "http.5xx"]
    late = incident(4, detected_at=T0 + timedelta(days=40), lost="99")
    assert [row.name for row in counted([late, incident()], "month")[0]] == ["2026-11", "2026-12"]


def test_every_grouping_has_a_name_for_what_has_none():
    for by, name in {
        "partner": "-",
        "provider": "-",
        "severity": "SEV2",
        "owner": "developer on call",
        "team": "aurora",
    }.items():
        assert [row.name for row in counted([incident()], by)[0]] == [name]
    assert [row.name for row in counted([incident()], "partner", partners={1: "P02"})[0]] == ["P02"]
    assert counted([incident()], reopened={1: 3})[1].reopened == 3


def test_nothing_has_figures_of_nothing():
    rows, total = counted([])
    assert (rows, total.count, total.detect_s, total.lost_per_minute) == ((), 0, None, Decimal("0.00"))


def test_what_people_said_is_counted_and_of_what_was_merged_away_it_is_not():
    verdicts = {1: Verdict.RIGHT, 2: Verdict.FALSE, 3: Verdict.FALSE, 4: Verdict.NOT_OURS, 5: Verdict.FALSE}
    merged = incident(5, closed=9, reason="merged into #1: one edge")
    [row], total = counted([*(incident(number) for number in range(1, 5)), incident(6), merged], verdicts=verdicts)
    assert (row.right, row.false, row.not_ours, row.count) == (1, 2, 1, 5)
    assert (total.right, total.false, total.not_ours) == (1, 2, 1)
