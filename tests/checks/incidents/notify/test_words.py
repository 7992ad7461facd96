"""What a message says, to whom, how long it may be, and what is never in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.incidents.notify.delivery import GIVE_UP, DeliveryFailed, failed, sent
from checks.incidents.notify.handover import Shift, note
from checks.incidents.notify.payload import OPEN_END, payload
from checks.incidents.notify.words import as_seen, digest, message, told
from data.access.receivers import scope_of
from data.config.notifying import Channel
from data.model.incident import IncidentState, Severity, TimelineEntry
from data.model.notice import Mute, Notice, NoticeKind, NoticeState
from data.text import register_secret
from tests.checks.incidents.notify.play import PARTNERS, at, incident, labels_of

NAMED = incident(title="Quillspin's edge fails, EUR 320 an hour", where="quillspin.example", cause="edge.error")


def scope(role, teams=("*",)):
    return scope_of(Channel("c", role=role, teams=teams), PARTNERS)


def told_to(role, one=NAMED):
    return told(one, labels_of(one, partners=frozenset({"P05"})), scope(role))


def notice(*rows, kind=NoticeKind.OPENING, **more):
    base = {
        "id": "n1", "kind": kind, "channel": "chat", "teams": ("aurora",), "incidents": tuple(row.incident for row in rows),
        "told": rows, "group": "losswatch.toml:4 team=aurora", "route": "losswatch.toml:4", "receiver": "devs: ana",
        "created_at": at(0), "due_at": at(0),
    }  # fmt: skip
    return Notice(**(base | more))


@pytest.mark.parametrize(
    ("role", "money", "names"),
    [("lead", "EUR 320/h (250 to 410), EUR 80 (60 to 100) so far", True), ("developer", "over 200/h", False),
     ("mid", "over 200/h", True), ("junior", "", True), ("client", "", False), ("seo", "", False),
     ("analyst", "EUR 320/h (250 to 410), EUR 80 (60 to 100) so far", False)],
)  # fmt: skip
def test_money_and_partner_names_only_by_right(role, money, names):
    row = told_to(role)
    said = message(notice(row), at(0), scope(role))
    text = f"{said.title}\n{said.body}"
    assert row.money == money
    assert ("quillspin" in text.lower()) is names
    assert ("320" in text) is (role in {"lead", "analyst"})


def test_rights_that_were_taken_away_before_it_is_sent_count():
    said = message(notice(told_to("lead")), at(0), scope("client"))
    assert "quillspin" not in said.body.lower()
    assert "320" not in said.body + said.title


def test_a_message_names_the_trouble_the_first_step_and_the_rule():
    said = message(notice(told_to("lead")), at(0), scope("lead"))
    assert said.title == "#1 SEV3 Quillspin's edge fails, EUR 320 an hour, quillspin.example"
    assert said.body.split("\n") == [
        "#1 SEV3 Quillspin's edge fails, EUR 320 an hour (edge.error): quillspin.example",
        "  since 16 Nov 12:00Z, team aurora, EUR 320/h (250 to 410), EUR 80 (60 to 100) so far",
        "  for: developer on call; first: wait with a status note",
        "look: losswatch incidents show 1; take: losswatch incidents ack 1",
        "to devs: ana by losswatch.toml:4",
    ]


def test_the_end_says_how_long_it_was_and_what_it_cost():
    over = replace(NAMED, state=IncidentState.CLOSED, closed_at=at(5_400), closed_by="losswatch")
    said = message(
        notice(told_to("lead", over), kind=NoticeKind.RESOLVED, created_at=at(5_400)), at(5_400), scope("lead")
    )
    assert said.is_over
    assert said.title.startswith("over: #1 ")
    assert "over at 13:30Z after 1h30m, cost EUR 80 (60 to 100)" in said.body


def test_what_became_part_of_another_says_of_which():
    over = replace(NAMED, state=IncidentState.CLOSED, closed_at=at(60), reason="merged into #5: they share an edge")
    assert "merged into #5: they share an edge" in message(notice(told_to("lead", over)), at(60), scope("lead")).body


@pytest.mark.parametrize(
    ("more", "now", "mark"),
    [
        ({}, at(60), "#1 "),
        ({}, at(3_600), "[late, of 16 Nov 12:00Z] #1 "),
        ({"repeated": True}, at(60), "[may be a repeat] #1 "),
        ({"instead_of": "n0"}, at(60), "[chat got it for another channel that failed] #1 "),
        ({"kind": NoticeKind.ESCALATION}, at(60), "nobody has it: #1 "),
        ({"kind": NoticeKind.REPEAT}, at(60), "still open: #1 "),
    ],
)
def test_marks_stand_before_everything_else(more, now, mark):
    assert message(notice(told_to("lead"), **more), now, scope("lead")).title.startswith(mark)


@given(st.text(max_size=400), st.integers(60, 4_000), st.integers(1, 60))
def test_whatever_a_website_is_called_a_message_is_calm_and_has_its_size(text, room, many):
    rows = [told_to("lead", incident(number, title=text, where=text)) for number in range(1, many + 1)]
    said = message(notice(*rows), at(0), scope("lead"), room)
    assert len(said.body) <= room
    assert "\n" not in said.title
    assert not {char for char in said.title + said.body if ord(char) < 32} - {"\n"}
    assert "<" not in said.title + said.body


@pytest.mark.parametrize("word", ["<!channel>", "@everyone", "@here", "<https://evil.example|click>", "`x`"])
def test_a_title_calls_nobody_and_hides_no_link(word):
    said = message(notice(told_to("lead", incident(title=word, where=word))), at(0), scope("lead"))
    assert word not in said.title + said.body


def test_secrets_are_in_no_message():
    register_secret("s3cr3t-of-the-partner")
    said = message(notice(told_to("lead", incident(where="https://x.example/?token=abcdefgh s3cr3t-of-the-partner"))), at(0), scope("lead"))  # fmt: skip
    assert "abcdefgh" not in said.body
    assert "s3cr3t" not in said.body


def test_many_messages_become_one_with_the_urgent_first():
    calm = message(notice(told_to("lead", incident(1))), at(0), scope("lead"))
    urgent = message(notice(told_to("lead", incident(2, severity=Severity.SEV1))), at(0), scope("lead"))
    said = digest([calm, urgent])
    assert said.title.startswith("2 messages: #2 SEV1 ")
    assert [line[:7] for line in said.body.split("\n")] == ["#2 SEV1", "#1 SEV3"]
    assert (said.severity, said.is_over) == (Severity.SEV1, False)


def test_a_reader_of_the_list_sees_no_more_than_of_the_incidents():
    both = notice(told_to("lead"), told_to("lead", incident(2, team="cedar", teams=("cedar",))))
    seen = as_seen(both, scope("client", ("aurora",)))
    assert [row.incident for row in seen.told] == [1]
    assert seen.told[0].money == ""
    assert "uillspin" not in seen.told[0].title


def test_a_webhook_gets_what_alertmanager_sends():
    over = replace(incident(2), state=IncidentState.CLOSED, closed_at=at(60))
    one = notice(told_to("junior"), told_to("junior", over))
    sent_body = msgspec.json.decode(payload(one, message(one, at(60), scope("junior")), scope("junior")))
    fired, ended = sent_body["alerts"]
    assert (sent_body["version"], sent_body["status"], sent_body["groupLabels"]) == ("4", "firing", {"team": "aurora"})
    assert sent_body["commonLabels"]["alertname"] == "edge.error"
    assert (fired["status"], fired["startsAt"], fired["endsAt"]) == ("firing", "2026-11-16T12:00:00Z", OPEN_END)
    assert (ended["status"], ended["endsAt"]) == ("resolved", "2026-11-16T12:01:00Z")
    assert fired["fingerprint"] != ended["fingerprint"]
    assert fired["labels"]["partner"] == "P05"
    assert "money" not in fired["annotations"]


def test_a_hand_over_note_has_what_is_open_what_was_done_and_what_is_due():
    shift = Shift("devs", "ana", "ben", at(0), at(-86_400))
    taken = incident(2, acknowledged_at=at(0), acknowledged_by="ana", state=IncidentState.ACKNOWLEDGED)
    done = [TimelineEntry(2, at(-60), "ana", "noted: Quillspin was called")]
    mutes = [Mute("m", ("*",), {"cause": "edge"}, "rebuild", "ana", at(0), at(3_600))]
    text = note(shift, [told_to("junior"), told_to("junior", taken)], done, mutes, scope("client"))
    assert text.startswith("devs: ana -> ben, Mon 16 Nov 12:00Z")
    assert "open: 2\n" in text
    assert "#2 ana: noted: P05 was called" in text
    assert text.endswith("#1 SEV3 nobody has it\n  until 16 Nov 13:00Z muted by ana: cause=edge (rebuild)")


def test_nothing_to_hand_over_is_said_too():
    text = note(Shift("devs", "ana", "ben", at(0), at(-1)), [], [], [], scope("lead"))
    assert text.count("nothing") == 3


# ── after an attempt ─────────────────────────────────────────────────────────────────────────────────────────────


def waits(attempts, problem=None):
    tried = notice(told_to("lead"), attempts=attempts)
    return (failed(tried, problem or DeliveryFailed("no"), at(0), "").notice.due_at - at(0)).total_seconds()


def test_the_wait_doubles_up_to_ten_minutes_with_some_jitter():
    assert all(
        [4.0 <= waits(1) <= 6.0, 8.0 <= waits(2) <= 12.0, 480.0 <= waits(9) <= 720.0, 480.0 <= waits(900) <= 720.0]
    )
    assert waits(1) != (failed(replace(notice(attempts=1), id="n2"), DeliveryFailed("no"), at(0), "").notice.due_at - at(0)).total_seconds()  # fmt: skip


def test_what_the_other_side_asks_for_is_granted_up_to_an_hour():
    assert waits(1, DeliveryFailed("429", retry_after_s=120.0)) == 120.0
    assert waits(1, DeliveryFailed("429", retry_after_s=1e9)) == 3_600.0


def test_the_second_channel_is_told_once_and_says_for_whom():
    copies = [failed(notice(attempts=tries), DeliveryFailed("no"), at(0), "mail").second for tries in (1, 2, 3, 4)]
    assert [copy is not None for copy in copies] == [False, True, False, False]
    assert (copies[1].channel, copies[1].instead_of, copies[1].attempts, copies[1].id) == ("mail", "n1", 0, "n1+2")
    assert failed(replace(copies[1], attempts=2), DeliveryFailed("no"), at(0), "chat").second is None


def test_what_will_never_be_taken_is_dead_at_once_and_goes_to_the_second_channel():
    outcome = failed(notice(attempts=1), DeliveryFailed("413", final=True), at(0), "mail")
    assert (outcome.notice.state, outcome.notice.problem) == (NoticeState.DEAD, "413")
    assert outcome.second.channel == "mail"


def test_after_a_day_it_is_given_up():
    tried = notice(attempts=150)
    assert failed(tried, DeliveryFailed("no"), at(0) + GIVE_UP - timedelta(seconds=1), "").notice.state == "waiting"
    assert failed(tried, DeliveryFailed("no"), at(0) + GIVE_UP, "").notice.state == "dead"


def test_what_may_have_arrived_is_marked_from_then_on():
    after = failed(notice(attempts=1), DeliveryFailed("no answer", uncertain=True), at(0), "").notice
    assert after.repeated
    assert failed(after, DeliveryFailed("refused"), at(0), "").notice.repeated


def test_late_is_what_arrived_late_or_still_waits():
    one = notice()
    assert [one.is_late(at(second)) for second in (600, 601)] == [False, True]
    assert sent(one, at(700)).is_late(at(9_999))
    assert not sent(one, at(500)).is_late(at(9_999))
