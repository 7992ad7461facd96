from __future__ import annotations

from datetime import UTC, datetime

import pytest

from checks.hub.aspects import aspects
from data.model.cause import cause, state_of
from data.model.ids import TeamId
from data.model.observation import Hop, Observation, TargetState
from data.model.state import State
from data.model.target import Expect, Target, TargetKind, target_id

AT = datetime(2026, 11, 17, 12, tzinfo=UTC)
OK, BAD, UNKNOWN = State.OK, State.FAILING, State.UNKNOWN
EXPECT = Expect(text=("18+",), final_host="partner.example", final_path="/de", keep=("tag",), slow_ms=2000)


def rows(cause_name="", *, status=200, expect=EXPECT, origin="", url="https://www.partner.example/de/x", **evidence):
    target = Target(
        target_id(TargetKind.LINK, "one"), TargetKind.LINK, TeamId("a"), "one", expect=expect, origin=origin
    )
    name = cause(cause_name) if cause_name else ""
    seen = Observation(
        target.id, target.team, target.kind, AT, state_of(name), name, "", total_ms=120.0, evidence=evidence,
        hops=(Hop("https://go.example/", "198.51.100.1", 302, 10.0, cert_days_left=90.0), Hop(url, "198.51.100.2", status, 20.0, cert_days_left=12.0)),
    )  # fmt: skip
    state = TargetState(target.id, target.team, target.kind, seen.state, name, fails=7, oks=3)
    return {row.name: row for row in aspects(target, state, seen, 21)}


def test_a_good_check_shows_every_expectation_met():
    assert {row.state for row in rows().values()} == {OK}
    assert list(rows()) == ["DNS", "TLS", "GET /de/x", "final host", "final path", "keeps tag", "text “18+”", "speed"]
    assert rows()["TLS"].value == "12 d left"


@pytest.mark.parametrize(
    ("name", "status", "failing"),
    [
        ("http.5xx", 503, "GET /de/x"), ("edge.error", 503, "GET /de/x"), ("dns.nxdomain", 0, "DNS"), ("tls.expired", 0, "TLS"),
        ("link.param_lost", 200, "keeps tag"),
    ],
)  # fmt: skip
def test_the_row_at_fault_fails_and_what_it_kept_from_being_seen_is_unknown(name, status, failing):
    found = rows(name, status=status)
    assert [row.name for row in found.values() if row.state is BAD] == [failing]
    expected = OK if name == "link.param_lost" else UNKNOWN
    assert found["text “18+”"].state is expected


def test_a_text_that_is_missing_is_the_row_that_fails():
    found = rows("content.missing_keyword", missing="18+")
    assert (found["text “18+”"].state, found["text “18+”"].value) == (BAD, "missing")


def test_the_wrong_host_and_path_stand_beside_the_expected_ones():
    found = rows("link.wrong_target", url="https://other.example/")
    assert (found["final host"].state, found["final host"].value, found["final host"].expect) == (
        BAD,
        "other.example",
        "partner.example",
    )
    assert found["final path"].state is BAD


def test_the_answer_counts_how_often_in_a_row():
    assert rows("http.5xx", status=503)["GET /de/x"].streak == 7
    assert rows()["GET /de/x"].streak == 3


def test_an_origin_that_answers_directly_is_a_row_of_its_own():
    assert rows("edge.error", status=503, origin="192.0.2.1").keys() >= {"origin"}
    assert rows("edge.error", status=503, origin="192.0.2.1")["origin"].state is UNKNOWN
    states = [
        rows("edge.error", status=503, origin="192.0.2.1", origin_state=word)["origin"].state
        for word in ("fine", "failing")
    ]
    assert states == [OK, BAD]


def test_nothing_observed_is_no_table():
    target = Target(target_id(TargetKind.SITE, "one"), TargetKind.SITE, TeamId("a"), "one")
    assert aspects(target, TargetState(target.id, target.team, target.kind), None, 21) == ()
