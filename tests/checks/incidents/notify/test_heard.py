"""Who was told of an incident, as lines of its story: of the outbox's own notices and of notices in every state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checks.incidents.notify.delivery import DeliveryFailed, failed, sent
from checks.incidents.notify.heard import heard
from data.model.incident import IncidentState, Severity
from data.model.notice import Notice, NoticeKind, NoticeState
from tests.checks.incidents.notify.play import at, incident, labels_of


def notice(seconds=0, kind=NoticeKind.OPENING, channel="chat", receiver="", name="", number=1, **row):
    from checks.incidents.notify.words import told
    from data.model.principal import EVERYTHING

    one = incident(number, **row)
    return Notice(
        name or f"{channel}-{seconds}", kind, channel, ("aurora",), (number,), (told(one, labels_of(one), EVERYTHING),),
        "g", "losswatch.toml:1", receiver or channel, at(seconds), at(seconds),
    )  # fmt: skip


def lines(*notices, until=10**6, number=1):
    return [f"{(one.at - at(0)).total_seconds():.0f} {one.what}" for one in heard(notices, number, at(until))]


OVER = {"state": IncidentState.CLOSED, "closed_at": at(900)}
TAKEN = {"acknowledged_by": "maria", "acknowledged_at": at(50), "state": IncidentState.ACKNOWLEDGED}


@pytest.mark.parametrize(
    ("notices", "expected"),
    [
        ([sent(notice(), at(2))], ["2 told chat that it began"]),
        ([sent(notice(receiver="devs: ana"), at(2))], ["2 told devs: ana on chat that it began"]),
        ([notice()], ["0 not told yet: chat that it began, late already"]),
        ([sent(notice(), at(1)), sent(notice(channel="mail"), at(1))], ["1 told chat, mail that it began"]),
        ([sent(notice(), at(1)), sent(notice(channel="mail"), at(4))], ["4 told chat, mail that it began"]),
        ([sent(notice(), at(1)), sent(notice(channel="mail"), at(7))], ["1 told chat that it began", "7 told mail that it began"]),
        ([sent(notice(), at(1)), sent(notice(60, NoticeKind.ACKNOWLEDGED, **TAKEN), at(61))], ["1 told chat that it began", "61 told chat that maria has it"]),
        ([sent(notice(), at(1)), sent(notice(900, NoticeKind.RESOLVED, **OVER), at(901))], ["1 told chat that it began", "901 told chat that it is over"]),
        ([sent(notice(), at(1)), sent(notice(60, NoticeKind.UPDATE, severity=Severity.SEV1), at(61))], ["1 told chat that it began", "61 told chat that it is SEV1"]),
        ([sent(notice(), at(1)), sent(notice(60, NoticeKind.OPENING), at(61))], ["1 told chat that it began"]),
        ([sent(notice(), at(1)), sent(notice(60, NoticeKind.REPEAT), at(61))], ["1 told chat that it began", "61 told chat that it goes on"]),
        ([sent(notice(300, NoticeKind.ESCALATION, receiver="lea"), at(300))], ["300 told lea on chat because nobody has it"]),
        ([sent(replace(notice(), repeated=True, attempts=2), at(5))], ["5 told chat that it began, at the 2. try, perhaps a repeat"]),
        ([sent(notice(), at(3_600))], ["3600 told chat that it began, 1h late"]),
        ([sent(notice(900, NoticeKind.RESOLVED, **OVER), at(901)), sent(notice(2_000), at(2_001))], ["901 told chat that it is over", "2001 told chat that it began"]),
    ],
)  # fmt: skip
def test_each_notice_is_a_line_of_what_was_new_in_it(notices, expected):
    assert lines(*notices) == expected


def test_what_failed_says_when_why_and_what_became_of_it():
    refused = failed(replace(notice(), attempts=1), DeliveryFailed("answered 503"), at(2), "").notice
    assert lines(refused) == ["2 could not tell chat that it began: answered 503"]
    again = failed(replace(refused, attempts=2), DeliveryFailed("timed out"), at(9), "").notice
    arrived = sent(replace(again, attempts=3), at(40))
    assert lines(arrived) == [
        "2 could not tell chat that it began: timed out",
        "40 told chat that it began, at the 3. try",
    ]


def test_what_was_given_up_says_so_and_the_second_channel_says_for_whom():
    outcome = failed(replace(notice(name="n1"), attempts=1), DeliveryFailed("answered 413", final=True), at(2), "mail")
    assert outcome.second is not None
    assert lines(outcome.notice, sent(replace(outcome.second, attempts=1), at(3))) == [
        "2 could not tell chat that it began: answered 413",
        "2 gave up telling chat that it began after one try",
        "3 told chat on mail that it began, because chat did not take it",
    ]


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (-1, []),
        (1, ["0 not told yet: chat that it began"]),
        (2, ["2 could not tell chat that it began: no"]),
        (39, ["2 could not tell chat that it began: no"]),
        (40, ["2 could not tell chat that it began: no", "40 told chat that it began, at the 2. try"]),
    ],
)
def test_the_past_knows_only_what_had_happened_by_then(until, expected):
    refused = failed(replace(notice(), attempts=1), DeliveryFailed("no"), at(2), "").notice
    assert lines(sent(replace(refused, attempts=2), at(40)), until=until) == expected


def test_a_notice_about_others_has_no_line():
    assert lines(sent(notice(number=2), at(1)), number=1) == []


def test_who_was_told_on_many_channels_at_once_is_named_up_to_six():
    (line,) = lines(*(sent(notice(channel=f"c{n}"), at(1)) for n in range(9)))
    assert line == "1 told c0, c1, c2, c3, c4, c5 and 3 more that it began"


def test_what_was_for_a_channel_that_is_gone_was_never_told():
    gone = replace(notice(), state=NoticeState.DEAD, problem="there is no channel 'chat' any longer")
    assert lines(gone) == ["0 never told chat that it began: there is no channel 'chat' any longer"]
