from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from data.model.cause import cause
from data.model.incident import Incident, IncidentState, Severity, TimelineEntry
from data.model.money import Loss
from data.model.snapshot import (
    PROTOCOL,
    CommandReply,
    Hello,
    IncidentDetail,
    IncidentPage,
    ListPage,
    PlanRow,
    Problem,
    StateCount,
    Statement,
    TargetRow,
)
from data.model.state import State
from data.model.target import TargetKind

NOW = datetime(2026, 11, 17, 11, 30, tzinfo=UTC)
HELLO = Hello(PROTOCOL, "0.1.0", "Corvane Media", "maria", "senior", ("*",), "full", "EUR", 1, NOW, 90.0)
STATUS = {"now": NOW.isoformat(), "state": "ok", "anything": [1]}


def row(name: str, state: State = State.OK, **more) -> TargetRow:
    more = {
        "cause": cause("edge.error") if state is State.FAILING else "",
        "detail": "",
        "since": NOW,
        "last_at": NOW,
    } | more
    return TargetRow(f"site:{name}", TargetKind.SITE, "aurora", name, state, **more)


def page(*rows: TargetRow, total: int | None = None) -> ListPage:
    return ListPage(1, len(rows) if total is None else total, 0, rows, StateCount())


def hub_with(canned_hub, kind: str, *rows: TargetRow, total: int | None = None):
    return canned_hub({"/v1/hello": HELLO, "/v1/status": STATUS, f"/v1/targets/{kind}": page(*rows, total=total)})


def test_sites_are_a_table_with_glyph_word_age_and_loss(canned_hub, run):
    hub_with(
        canned_hub,
        "site",
        row(
            "shop-de",
            State.FAILING,
            since=NOW - timedelta(minutes=6),
            detail="503 at the edge",
            loss_per_hour=Decimal("1390.00"),
            incident=412,
        ),
        row("shop-fr", p95_ms=410.0, uptime=0.9958, loss_per_hour=Decimal(0)),
    )
    done = run("sites")
    head, first, second = done.out.splitlines()
    assert head.split() == ["state", "name", "team", "geo", "since", "p95", "24", "h", "lost/h", "#", "seen"]
    assert first.split() == [
        "✖",
        "FAILING",
        "shop-de",
        "aurora",
        "—",
        "6m",
        "—",
        "—",
        "€1,390",
        "412",
        "503",
        "at",
        "the",
        "edge",
    ]
    assert "410 ms" in second
    assert "99.58%" in second
    assert done.err == ""


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ((), 0),
        ((State.OK, State.PAUSED), 0),
        ((State.OK, State.UNKNOWN), 3),
        ((State.UNKNOWN, State.DEGRADED), 1),
        ((State.DEGRADED, State.FAILING, State.UNKNOWN), 2),
    ],
)
def test_the_exit_code_is_that_of_the_worst_state_shown(canned_hub, run, states, code):
    hub_with(canned_hub, "site", *(row(f"s{index}", state) for index, state in enumerate(states)))
    assert run("sites").code == code


def test_json_is_one_object_a_line(canned_hub, run):
    hub_with(canned_hub, "slice", row("a", loss_per_hour=Decimal("12.34")), row("b"))
    lines = [json.loads(line) for line in run("revenue", "--json").out.splitlines()]
    assert [line["name"] for line in lines] == ["a", "b"]
    assert lines[0]["loss_per_hour"] == "12.34"


def test_options_become_the_hub_s_filter(canned_hub, run):
    hub = hub_with(canned_hub, "feed")
    assert run("feeds", "--state", "failing", "--team", "aurora", "--filter", "geo=DE !x&y").out == "nothing matches\n"
    assert hub.asked[1][1]["filter"] == ["state=failing team=aurora geo=DE !x&y"]


def test_long_lists_are_read_in_pages_and_say_what_was_left(canned_hub, run):
    rows = [row(f"s{index}") for index in range(1_000)]
    hub = hub_with(canned_hub, "site", *rows, total=2_500)
    done = run("sites", "--limit", "2000")
    assert done.out.splitlines()[-1] == "2,000 of 2,500; more with --limit 2500"
    asked = [query for path, query in hub.asked if path == "/v1/targets/site"]
    assert [(query["offset"], query["limit"]) for query in asked] == [(["0"], ["1000"]), (["1000"], ["1000"])]


def test_without_the_right_to_see_money_there_are_no_figures(canned_hub, run):
    answers = {
        "/v1/hello": HELLO.__class__(**{**{name: getattr(HELLO, name) for name in HELLO.__slots__}, "money": "none"})
    }
    canned_hub(answers | {"/v1/status": STATUS, "/v1/targets/slice": page(row("a", value=12.0, expected=15.0))})
    out = run("revenue").out
    assert "12" not in out
    assert "€" not in out


INCIDENT = Incident(
    id=412,
    team="aurora",
    teams=("aurora", "cedar"),
    cause=cause("edge.error"),
    severity=Severity.SEV1,
    state=IncidentState.NEW,
    title="Halyard Edge answers errors",
    where="Halyard Edge: 412 sites",
    blame="Halyard Edge",
    owner_role="developer on call",
    started_at=NOW - timedelta(minutes=10),
    detected_at=NOW,
    members=412,
    reason="same edge within 30 minutes",
    loss=Loss(lost=Decimal(139), per_hour=Decimal(1390)),
)
DETAIL = IncidentDetail(
    1,
    INCIDENT,
    (Statement("fact", "412 sites answer 503."), Statement("guess", "The edge provider fails.")),
    (TimelineEntry(412, NOW, "losswatch", "opened"),),
    (row("shop-de", State.FAILING, detail="503 at the edge"),),
    (),
    (PlanRow("A", "wait with a status note"), PlanRow("B", "move DNS", Decimal(900))),
)


def incident_hub(canned_hub, *incidents: Incident, **more):
    answers = {"/v1/hello": HELLO, "/v1/status": STATUS, "/v1/incidents": IncidentPage(1, len(incidents), 0, incidents)}
    return canned_hub(answers | more)


def test_incidents_are_listed_with_what_they_cost(canned_hub, run):
    hub = incident_hub(canned_hub, INCIDENT)
    done = run("incidents")
    assert done.code == 2
    words = done.out.splitlines()[1]
    for part in ("412", "SEV1", "NEW", "€1,390", "€139", "10m", "Halyard Edge: 412 sites", "developer on call"):
        assert part in words
    assert hub.asked[1][1]["state"] == ["open"]


def test_the_place_is_printed_once(canned_hub, run):
    incident_hub(canned_hub, INCIDENT)
    assert run("incidents").out.count(INCIDENT.where) == 1


def test_no_incident_is_said_in_words(canned_hub, run):
    incident_hub(canned_hub)
    done = run("incidents", "list")
    assert (done.code, done.out) == (0, "no open incidents at Corvane Media\n")


def test_incidents_of_a_team_are_those_with_a_member_of_it(canned_hub, run):
    incident_hub(canned_hub, INCIDENT)
    assert len(run("incidents", "--team", "cedar", "--json").out.splitlines()) == 1
    assert run("incidents", "list", "--team", "dunes", "--json").out == ""


@pytest.mark.parametrize("arguments", [("incidents", "--state", "all"), ("incidents", "list", "--state", "all")])
def test_the_state_may_stand_before_or_after_the_verb(canned_hub, run, arguments):
    hub = incident_hub(canned_hub)
    run(*arguments)
    assert hub.asked[1][1]["state"] == ["all"]


@pytest.mark.parametrize("ago", ["-90m", "-2h", "-1d"])
def test_so_long_ago_is_no_option_of_its_own(canned_hub, run, ago):
    hub = incident_hub(canned_hub)
    done = run("incidents", "--at", ago)
    assert done.err == ""
    (asked,) = (given["at"] for path, given in hub.asked if path == "/v1/incidents")
    assert datetime.fromisoformat(asked[0]) < NOW


def test_an_incident_is_shown_with_certainty_plans_members_and_story(canned_hub, run):
    incident_hub(canned_hub, INCIDENT, **{"/v1/incidents/412": DETAIL})
    done = run("incidents", "show", "412")
    assert done.code == 2
    for part in (
        "#412  Halyard Edge answers errors",
        "11:20:00Z (10m)",
        "fact  412 sites answer 503.",
        "guess  The edge provider fails.",
        "plan A  wait with a status note",
        "plan B  move DNS  ≈ €900/h",
        "✖ shop-de  503 at the edge",
        "and 411 more",
        "11:30:00Z  losswatch: opened",
    ):
        assert part in done.out


@pytest.mark.parametrize(
    ("arguments", "path", "body"),
    [
        (("ack", "412"), "/v1/commands/acknowledge", {"incident": 412}),
        (("close", "412"), "/v1/commands/close", {"incident": 412}),
        (("note", "412", "called", "Halyard"), "/v1/commands/note", {"incident": 412, "text": "called Halyard"}),
    ],
)
def test_a_verb_becomes_a_command_to_the_hub(canned_hub, run, arguments, path, body):
    hub = incident_hub(canned_hub, **{path: CommandReply(ok=True, message="done by maria")})
    done = run("incidents", *arguments)
    assert (done.code, done.out) == (0, "done by maria\n")
    assert hub.told == [(path, body)]


def test_what_the_hub_refuses_is_its_own_sentence(canned_hub, run):
    hub = incident_hub(canned_hub)
    hub.refusal = (403, Problem("maria (junior) may not close; ask a senior", "not_allowed"))
    done = run("incidents", "close", "412")
    assert (done.code, done.out) == (3, "")
    assert done.err == "losswatch: maria (junior) may not close; ask a senior\n"


@pytest.mark.parametrize(
    "arguments", [("show",), ("show", "x"), ("show", "0"), ("note", "3"), ("frobnicate",), ("--state", "new")]
)
def test_a_usage_error_is_64(run, arguments):
    done = run("incidents", *arguments)
    assert done.code == 64
    assert done.err.startswith("losswatch: ")
    assert "Traceback" not in done.err


def test_without_a_hub_the_next_step_is_said(run):
    done = run("sites")
    assert done.code == 3
    assert "Start one: losswatch hub start" in done.err


@pytest.mark.parametrize("locale", ["C", "en_US.ISO-8859-1", "POSIX"])
def test_a_locale_without_utf8_gets_ascii(canned_hub, run, locale):
    hub_with(canned_hub, "site", row("shop-de", State.FAILING, loss_per_hour=Decimal(5)))
    done = run("sites", LC_ALL=locale)
    assert done.code == 2
    assert done.out.isascii()
    assert "x FAILING" in done.out
    assert "EUR 5" in done.out
