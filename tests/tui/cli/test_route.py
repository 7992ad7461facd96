"""`losswatch route` and `losswatch notices`: who would be told, without a hub and with one."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime

import pytest

from data.model.ids import IncidentId
from data.model.incident import IncidentState, Severity
from data.model.notice import ChannelRow, Mute, Notice, NoticeKind, NoticePage, NoticeState, Told
from data.model.snapshot import PROTOCOL, CommandReply, Hello
from data.text import cells

AT = datetime(2026, 11, 16, 12, tzinfo=UTC)
RULES = """\
[[teams]]
id = "aurora"
[[teams]]
id = "cedar"
[[partners]]
id = "P05"
name = "Quillspin"
[notify]
to = ["ops"]
[[channels]]
name = "ops"
kind = "alertmanager"
url = "http://127.0.0.1:{port}/hook"
role = "senior"
[[channels]]
name = "ana-phone"
secret = "ana-url"
role = "junior"
teams = ["aurora"]
[[people]]
name = "ana"
channels = ["ana-phone"]
timezone = "Europe/Malta"
quiet = "22:00-07:00"
[[people]]
name = "ben"
channels = ["ops"]
[[rota]]
name = "devs"
timezone = "Europe/Malta"
[[rota.layers]]
people = ["ana", "ben"]
start = 2026-11-16
[[routes]]
cause = "edge"
to = ["devs"]
escalate = ["ben"]
owner = "edge team"
"""
LINE = RULES[: RULES.index("[[routes]]")].count("\n") + 1


@pytest.fixture
def rules(tmp_path):
    (tmp_path / "losswatch.toml").write_text(RULES.format(port=9))
    tmp_path.chmod(0o700)


@pytest.mark.usefixtures("rules")
def test_a_dry_run_names_the_rule_and_who_gets_it_now(run):
    done = run(
        "route", "test", "cause=edge.error", "team=aurora", "severity=SEV1", "--at", "2026-11-16T23:00Z", "--json"
    )
    (found,) = map(json.loads, done.out.splitlines())
    assert (found["rule"], found["owner"], done.code) == (f"losswatch.toml:{LINE}", "edge team", 0)
    assert [(one["receiver"], one["channel"], one["refused"]) for one in found["told"]] == [
        ("devs: ana", "ana-phone", "")
    ]
    assert [(step["name"], step["after_s"], step["told"][0]["channel"]) for step in found["escalate"]] == [
        ("ben", 300.0, "ops")
    ]


@pytest.mark.usefixtures("rules")
def test_whoever_sleeps_is_told_in_the_morning_and_that_is_said(run):
    out = run("route", "test", "cause=edge.error", "team=aurora", "severity=sev3", "--at", "2026-11-16T23:00Z").out
    assert "devs: ana on ana-phone, asleep: told at 17 Nov 06:00Z" in out


@pytest.mark.usefixtures("rules")
def test_what_nobody_may_see_is_told_to_nobody_and_the_exit_code_says_so(run):
    done = run("route", "test", "cause=edge.error", "team=cedar", "--at", "2026-11-17T12:00Z")
    assert "not told: ana-phone may not see team cedar" in done.out
    assert done.code == 2


@pytest.mark.usefixtures("rules")
def test_what_no_rule_takes_goes_by_the_topmost(run):
    out = run("route", "test", "cause=link.inactive", "team=aurora", "partner=P05", "geo=de").out
    assert out.startswith("losswatch.toml:8\n")
    assert "owner  affiliate manager" in out


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["cause=egde.error", "team=aurora"], "did you mean 'edge.error'?"),
        (["cause=edge.error", "team=arora"], "did you mean 'aurora'?"),
        (["cause=edge.error", "team=aurora", "severity=SEV7"], "no severity 'SEV7'"),
        (["cause=edge.error", "team=aurora", "partner=P06"], "did you mean 'P05'?"),
        (["cause=edge.error"], "team=.. is missing"),
        (["couse=edge.error", "team=aurora"], "did you mean 'cause'?"),
        (["edge.error"], "is no LABEL=VALUE"),
        (["cause=edge.error", "team=aurora", "--at", "tomorrow"], "is no time"),
    ],
)
def test_a_name_that_nothing_has_is_an_error_and_no_silent_default(run, words, told):
    done = run("route", "test", *words)
    assert (done.code, done.out) == (64, "")
    assert told in done.err


@pytest.mark.usefixtures("rules")
def test_who_is_on_call_until_when_and_who_is_next(run):
    out = run("route", "oncall", "--at", "2026-11-17T12:00Z").out
    assert out == "devs: ana (layer 1), until Mon 23 Nov 08:00Z, then ben\n"
    (found,) = map(json.loads, run("route", "oncall", "--at", "2026-11-24T12:00Z", "--json").out.splitlines())
    assert (found["person"], found["until"], found["next"]) == ("ben", "2026-11-30T08:00:00Z", "ana")


def test_without_channels_it_says_that_nobody_is_told(run, tmp_path):
    (tmp_path / "losswatch.toml").write_text('[[teams]]\nid = "aurora"\n')
    done = run("route", "test", "cause=edge.error", "team=aurora")
    assert done.code == 64
    assert "nobody is told anything" in done.err


ROW = Told(IncidentId(7), IncidentState.NEW, Severity.SEV1, "edge.error", "t", "w", "aurora", "", AT, AT)
SENT = Notice(
    "abc", NoticeKind.OPENING, "ops", ("aurora",), (IncidentId(7),), (ROW,), "g", "losswatch.toml:4", "devs: ana", AT, AT,
    NoticeState.SENT, attempts=1, sent_at=AT,
)  # fmt: skip
DEAD = Notice(
    "def", NoticeKind.RESOLVED, "ops", ("aurora",), (IncidentId(7),), (ROW,), "g", "losswatch.toml:4", "\x1b[2Jops", AT, AT,
    NoticeState.DEAD, attempts=99, problem="answered 413",
)  # fmt: skip
PAGE = NoticePage(
    2, (SENT, DEAD), AT, {"dead": 1}, (ChannelRow("ops", "alertmanager", 0, 0, 1, "answered 413"),),
    (Mute("m1", ("*",), {"cause": "edge"}, "rebuild", "ana", AT, AT),),
)  # fmt: skip


def test_the_list_shows_what_arrived_what_did_not_and_why(run, canned_hub):
    hub = canned_hub({"/v1/notices": PAGE})
    done = run("notices", "--state", "dead")
    assert hub.asked[-1][1]["state"] == ["dead"]
    assert done.code == 2
    assert "resolved #7: answered 413" in done.out
    assert "ops: 0 wait, 0 late, 1 given up: answered 413" in done.out
    assert "\x1b" not in done.out
    assert all(cells(line) < 400 for line in done.out.splitlines())
    assert [json.loads(line)["id"] for line in run("notices", "--json").out.splitlines()] == ["abc", "def"]


def test_commands_reach_the_hub_as_they_were_meant(run, canned_hub):
    hub = canned_hub(
        {f"/v1/commands/{name}": CommandReply(ok=True, message="done") for name in ("mute", "unmute", "notice_try", "notice_retry", "snooze", "assign")}
    )  # fmt: skip
    run("route", "mute", "cause=edge", "geo=DE", "--for", "2h", "--reason", "rebuild")
    run("route", "unmute", "m1")
    run("route", "try", "ops")
    run("notices", "retry", "def")
    run("incidents", "snooze", "7", "--for", "30m")
    run("incidents", "assign", "7", "ben")
    assert [(path.rpartition("/")[2], told) for path, told in hub.told] == [
        ("mute", {"matchers": {"cause": "edge", "geo": "DE"}, "for": "2h", "reason": "rebuild", "dry_run": False}),
        ("unmute", {"mute": "m1"}),
        ("notice_try", {"channel": "ops"}),
        ("notice_retry", {"notice": "def"}),
        ("snooze", {"incident": 7, "for": "30m", "reason": ""}),
        ("assign", {"incident": 7, "to": "ben"}),
    ]


def test_mutes_are_listed_with_their_reason(run, canned_hub):
    canned_hub({"/v1/notices": PAGE})
    assert run("route", "mutes").out == "m1  until 16 Nov 12:00Z  cause=edge  ana: rebuild\n"


HELLO = Hello(PROTOCOL, "0.1.0", "C", "maria", "senior", ("*",), "full", "EUR", 77, AT)


def test_the_doctor_names_a_channel_that_cannot_be_reached_and_one_without_its_key(run, canned_hub, tmp_path):
    canned_hub({"/v1/hello": HELLO})
    run("secrets", "set", "other", stdin="value-1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        (tmp_path / "losswatch.toml").write_text(RULES.format(port=server.getsockname()[1]))
        tmp_path.chmod(0o700)
        well = run("doctor").out
    silent = run("doctor").out
    assert "ops: its address answers" in well
    assert "ana-phone: No secret named 'ana-url'" in well
    assert "ops cannot be reached: 127.0.0.1:" in silent
