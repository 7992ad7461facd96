"""The receiver notes what arrived for whom, and what its reader should not have read."""

from __future__ import annotations

import json

import pytest

from checks.demo.http import Request
from checks.demo.inbox import Inbox, leaks
from tests.checks.demo.conftest import DAY


def post(inbox, channel, body, method="POST"):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return inbox.answer(Request(method, "127.0.0.1", f"/told/{channel}", (), {}, raw, "127.0.0.1")).status


def test_a_message_is_noted_with_the_incidents_it_names():
    inbox = Inbox(lambda: DAY)
    assert (
        post(
            inbox,
            "war-room",
            {"title": "2 incidents, worst SEV1", "message": "#12 SEV1 x\n#7 SEV3 y", "type": "warning"},
        )
        == 200
    )
    (heard,) = inbox.heard
    assert (heard.at, heard.channel, heard.title, heard.incidents, heard.leaked) == (
        DAY, "war-room", "2 incidents, worst SEV1", (7, 12), (),
    )  # fmt: skip


def test_a_webhook_is_noted_by_its_summary():
    inbox = Inbox(lambda: DAY)
    assert post(inbox, "client-desk", {"commonAnnotations": {"summary": "#3 SEV2 traffic fell"}, "alerts": []}) == 200
    assert [(one.title, one.incidents) for one in inbox.heard] == [("#3 SEV2 traffic fell", (3,))]


@pytest.mark.parametrize(
    ("channel", "body", "method", "status"),
    [
        ("nobody", {"title": "x"}, "POST", 404),
        ("war-room", {"title": "x"}, "GET", 404),
        ("war-room", {}, "POST", 400),
        ("war-room", b"\xff{", "POST", 400),
        ("war-room", [1], "POST", 400),
        ("client-desk", {"commonAnnotations": 7}, "POST", 400),
    ],
)
def test_what_is_no_message_for_anybody_is_refused(channel, body, method, status):
    inbox = Inbox(lambda: DAY)
    assert post(inbox, channel, body, method) == status
    assert not inbox.heard


@pytest.mark.parametrize(
    ("words", "role", "found"),
    [
        ("EUR 320/h lost at Lumenjack", "lead", ()),
        ("EUR 320/h lost at P02", "developer", ("EUR 3",)),
        ("trk.saltwick.example fails", "developer", ("saltwick",)),
        ("p03-torvane: 401", "client", ("torvane",)),
        ("Lumenjack is paused, 12 €", "junior", ("2 €",)),
        ("P02 is paused, over 200/h", "client", ()),
    ],
)
def test_money_and_names_in_any_form_are_seen_where_the_role_may_not_read_them(words, role, found):
    assert leaks(words, role) == found
