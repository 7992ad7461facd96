"""Incidents as they were at an earlier moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.incidents.history import as_of, findings_as_of
from data.model.incident import Finding, Incident, IncidentState, Severity, TimelineEntry
from data.model.target import TargetKind

T0 = datetime(2026, 11, 17, 12, tzinfo=UTC)
OPEN, TAKEN, OVER = IncidentState.NEW, IncidentState.ACKNOWLEDGED, IncidentState.CLOSED


def at(minute):
    return T0 + timedelta(minutes=minute)


def entry(minute, what, who="losswatch"):
    return TimelineEntry(1, at(minute), who, what)


def finding(name, detected, closed=None):
    return Finding(
        name, f"site:{name}", "aurora", TargetKind.SITE, "http.5xx", at(detected - 1), at(detected),
        closed_at=None if closed is None else at(closed), incident=1,
    )  # fmt: skip


FINDINGS = (finding("a", 2, 40), finding("b", 10), finding("c", 70))
TOLD = (
    entry(2, "opened: a, 5xx"), entry(10, "grew to 2 members: one edge"), entry(15, "cause is now edge.error, was http.5xx"),
    entry(20, "acknowledged", "maria"), entry(30, "rose from SEV3 to SEV2"), entry(50, "closed: everything recovered"),
    entry(70, "reopened: it failed again"), entry(75, "rose from SEV2 to SEV1"), entry(90, "closed by hand", "maria"),
)  # fmt: skip
INCIDENT = Incident(
    1, "aurora", ("aurora",), "edge.error", Severity.SEV1, OVER, "t", "w", "", "", at(1), at(2), members=3, open_members=0,
    acknowledged_at=at(20), acknowledged_by="maria", closed_at=at(90), closed_by="maria",
)  # fmt: skip


@pytest.mark.parametrize(
    ("minute", "state", "cause", "severity", "members", "failing"),
    [
        (2, OPEN, "http.5xx", "SEV3", 1, 1),
        (14, OPEN, "http.5xx", "SEV3", 2, 2),
        (15, OPEN, "edge.error", "SEV3", 2, 2),
        (20, TAKEN, "edge.error", "SEV3", 2, 2),
        (30, TAKEN, "edge.error", "SEV2", 2, 2),
        (45, TAKEN, "edge.error", "SEV2", 2, 1),
        (50, OVER, "edge.error", "SEV2", 2, 1),
        (69, OVER, "edge.error", "SEV2", 2, 1),
        (70, TAKEN, "edge.error", "SEV2", 3, 2),
        (80, TAKEN, "edge.error", "SEV1", 3, 2),
        (90, OVER, "edge.error", "SEV1", 3, 2),
    ],
)
def test_each_moment_has_what_was_true_then(minute, state, cause, severity, members, failing):
    found = as_of(INCIDENT, FINDINGS, TOLD, at(minute))
    assert (found.state, found.cause, found.severity, found.members, found.open_members) == (
        state, cause, severity, members, failing,
    )  # fmt: skip


def test_before_it_was_detected_there_was_no_incident():
    assert as_of(INCIDENT, FINDINGS, TOLD, at(1)) is None


def test_who_closed_it_then_is_named_and_who_took_it_later_is_not():
    first = as_of(INCIDENT, FINDINGS, TOLD, at(60))
    assert (first.closed_at, first.closed_by) == (at(50), "losswatch")
    assert as_of(INCIDENT, FINDINGS, TOLD, at(19)).acknowledged_by == ""


def test_what_was_merged_away_was_open_until_then():
    merged = replace(INCIDENT, acknowledged_at=None, acknowledged_by="", closed_at=at(30), reason="merged into #9")
    told = (entry(2, "opened: a"), entry(30, "merged into #9: one edge"))
    assert as_of(merged, FINDINGS, told, at(29)).state is OPEN
    assert as_of(merged, FINDINGS, told, at(30)).state is OVER


def test_a_finding_that_ended_later_had_not_ended():
    assert [(one.id, one.closed_at) for one in findings_as_of(FINDINGS, at(30))] == [("a", None), ("b", None)]
    assert [(one.id, one.closed_at) for one in findings_as_of(FINDINGS, at(40))] == [("a", at(40)), ("b", None)]


def test_the_owner_then_is_the_one_before_the_first_later_change():
    told = (
        entry(2, "opened: a"),
        entry(20, "owner is now noc, was developer on call"),
        entry(30, "owner is now seo, was noc"),
    )
    mine = replace(INCIDENT, owner_role="seo")
    owners = [as_of(mine, FINDINGS, told, at(minute)).owner_role for minute in (2, 19, 20, 29, 30, 99)]
    assert owners == ["developer on call"] * 2 + ["noc"] * 2 + ["seo"] * 2
