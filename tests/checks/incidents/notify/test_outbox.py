"""What is said when: stories on a clock that is moved by hand, each with everything that is said in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest

from data.config.notifying import Layer, Person, Rota, Route
from data.model.incident import Severity
from data.model.notice import NoticeKind
from tests.checks.incidents.notify.play import CHANNELS, PEOPLE, Play, at, rules

HOUR = 3_600
ROOT = Route(to=("chat",), place="losswatch.toml:1")
CHAIN = replace(ROOT, escalate=("ana", "ben", "lea"))
OFTEN = replace(ROOT, repeat_interval_s=600.0)
GAP = Rota("nobody", "UTC", (Layer(("ben",), date(2030, 1, 1)),))
NIGHT = Person("ana", ("ana-phone",), "Europe/Malta", quiet=(time(22), time(7)))
TO_ANA = replace(rules(Route(to=("ana",), place="losswatch.toml:1")), people=(NIGHT, *PEOPLE[1:]))
EVENING = 10 * HOUR  # 22:00Z, 23:00 in Malta
MORNING = 18 * HOUR  # 06:00Z, 07:00 in Malta
BOTH = replace(
    ROOT,
    routes=(
        Route(to=("chat",), causes=("edge",), goes_on=True, place="losswatch.toml:5"),
        Route(to=("mail",), place="losswatch.toml:9"),
    ),
)
SAME = replace(BOTH, routes=(BOTH.routes[0], replace(BOTH.routes[1], to=("chat",))))
MAIL = rules(replace(ROOT, to=("mail",)))
NO_CHAT = replace(MAIL, channels=CHANNELS[1:])

OPEN = (0, "opens", 1)
FIRST = (30, "opening", "chat", [1])

STORIES = {
    "an opening waits for its group and is told once": (ROOT, [OPEN], 300, [FIRST]),
    "three that fall within the wait are one message": (
        ROOT, [OPEN, (10, "opens", 2), (20, "opens", 3)], 300, [(30, "opening", "chat", [1, 2, 3])],
    ),
    "what is over before the wait ends is never told": (ROOT, [OPEN, (20, "closes", 1)], HOUR, []),
    "a new member joins at the next interval": (
        ROOT, [OPEN, (60, "opens", 2)], 600, [FIRST, (330, "opening", "chat", [2, 1])],
    ),
    "what opens and ends between two tellings is never told": (
        ROOT, [OPEN, (60, "opens", 2), (100, "closes", 2)], HOUR, [FIRST],
    ),
    "what is over is told at the next interval": (
        ROOT, [OPEN, (100, "closes", 1)], HOUR, [FIRST, (330, "resolved", "chat", [1])],
    ),
    "the last message names all that were told": (
        ROOT, [OPEN, (0, "opens", 2), (60, "closes", 1), (400, "closes", 2)], HOUR,
        [(30, "opening", "chat", [1, 2]), (330, "update", "chat", [1, 2]), (630, "resolved", "chat", [2, 1])],
    ),
    "nothing new is said again after the repeat interval": (
        OFTEN, [OPEN], 1_300, [FIRST, (630, "repeat", "chat", [1]), (1_230, "repeat", "chat", [1])],
    ),
    "what somebody has is told at once and not repeated": (
        OFTEN, [OPEN, (100, "acks", 1)], 3_000, [FIRST, (110, "acknowledged", "chat", [1])],
    ),
    "what somebody has before it is told is told with its name, once": (ROOT, [OPEN, (10, "acks", 1)], 3_000, [FIRST]),
    "what gets urgent is told at once": (
        ROOT, [OPEN, (100, "rises", 1, "SEV1")], 600, [FIRST, (110, "update", "chat", [1])],
    ),
    "what gets worse and is not urgent waits for the interval": (
        ROOT, [(0, "opens", 1, "SEV4"), (100, "rises", 1, "SEV3")], 600, [FIRST, (330, "update", "chat", [1])],
    ),
    "what gets better is no news": (ROOT, [(0, "opens", 1, "SEV2"), (100, "rises", 1, "SEV3")], 3_000, [FIRST]),
    "another urgent one waits no longer than the first": (
        ROOT, [OPEN, (60, "opens", 2, "SEV1")], 300, [FIRST, (90, "opening", "chat", [2, 1])],
    ),
    "what is muted is told when the mute ends": (
        ROOT, [(0, "hush", 1), OPEN, (400, "unhush", 1)], HOUR, [(630, "opening", "chat", [1])],
    ),
    "what is muted and over before the mute ends is never told": (
        ROOT, [(0, "hush", 1), OPEN, (300, "closes", 1), (400, "unhush", 1)], HOUR, [],
    ),
    "a mute does not swallow the end": (
        ROOT, [OPEN, (100, "hush", 1), (200, "closes", 1)], HOUR, [FIRST, (330, "resolved", "chat", [1])],
    ),
    "a mute does not swallow that somebody has it": (
        ROOT, [OPEN, (100, "hush", 1), (200, "acks", 1)], HOUR, [FIRST, (210, "acknowledged", "chat", [1])],
    ),
    "a mute holds back repeats": (OFTEN, [OPEN, (100, "hush", 1)], 3_000, [FIRST]),
    "what falls again after its end was told is told anew": (
        ROOT, [OPEN, (100, "closes", 1), (400, "reopens", 1)], 600,
        [FIRST, (330, "resolved", "chat", [1]), (410, "opening", "chat", [1])],
    ),
    "what falls again before its end was told goes on silently": (
        ROOT, [OPEN, (100, "closes", 1), (200, "reopens", 1)], HOUR, [FIRST],
    ),
    "a merged one is over for who was told": (
        ROOT, [OPEN, (0, "opens", 2), (60, "merges", 2, 1)], 600,
        [(30, "opening", "chat", [1, 2]), (330, "update", "chat", [2, 1])],
    ),
    "a channel is told nothing of teams it may not see": (replace(ROOT, to=("cedar",)), [OPEN], HOUR, []),
    "with continue two rules tell two channels": (
        BOTH, [OPEN, (100, "closes", 1)], HOUR,
        [FIRST, (30, "opening", "mail", [1]), (330, "resolved", "chat", [1]), (330, "resolved", "mail", [1])],
    ),
    "two rules to one channel tell it once": (
        SAME, [OPEN, (100, "closes", 1)], HOUR, [FIRST, (330, "resolved", "chat", [1])],
    ),
    "without labels to group by everything is one group": (
        replace(ROOT, group_by=()), [OPEN, (10, "opens", 2)], 300, [(30, "opening", "chat", [1, 2])],
    ),
    "grouped by incident each is told by itself": (
        replace(ROOT, group_by=("incident",)), [OPEN, (10, "opens", 2)], 300, [FIRST, (40, "opening", "chat", [2])],
    ),
    "a restart within the wait loses no opening and doubles none": (ROOT, [OPEN, (20, "restarts")], 300, [FIRST]),
    "a restart after the opening says nothing again": (ROOT, [OPEN, (100, "restarts")], HOUR, [FIRST]),
    "an end just before a restart is told after it": (
        ROOT, [OPEN, (100, "closes", 1), (100, "restarts")], HOUR, [FIRST, (330, "resolved", "chat", [1])],
    ),
    "a restart between the end told in part and the end of all forgets nobody": (
        ROOT, [OPEN, (0, "opens", 2), (60, "closes", 1), (400, "restarts"), (400, "closes", 2)], HOUR,
        [(30, "opening", "chat", [1, 2]), (330, "update", "chat", [1, 2]), (630, "resolved", "chat", [2, 1])],
    ),
    "an acknowledgement just before a restart is told after it": (
        ROOT, [OPEN, (100, "acks", 1), (100, "restarts")], 3_000, [FIRST, (110, "acknowledged", "chat", [1])],
    ),
    "an acknowledgement that was told is not told again after a restart": (
        ROOT, [OPEN, (100, "acks", 1), (200, "restarts")], 3_000, [FIRST, (110, "acknowledged", "chat", [1])],
    ),
    "repeats go on after a restart as if nothing had been": (
        OFTEN, [OPEN, (500, "restarts")], 1_300, [FIRST, (630, "repeat", "chat", [1]), (1_230, "repeat", "chat", [1])],
    ),
    "a muted one stays untold across a restart": (ROOT, [(0, "hush", 1), OPEN, (100, "restarts")], 3_000, []),
    "what fell while nobody was there is told at once": (
        ROOT, [OPEN, (0, "sleeps", 7_200), (0, "restarts")], 7_300, [(7_210, "opening", "chat", [1])],
    ),
    "new rules tell the new channel, and the end both": (
        ROOT, [OPEN, (100, "obeys", MAIL), (500, "closes", 1)], HOUR,
        [FIRST, (130, "opening", "mail", [1]), (730, "resolved", "mail", [1]), (730, "resolved", "chat", [1])],
    ),
    "a channel that is gone is told nothing": (
        ROOT, [OPEN, (100, "obeys", NO_CHAT), (500, "closes", 1)], HOUR,
        [FIRST, (130, "opening", "mail", [1]), (730, "resolved", "mail", [1])],
    ),
    "what nobody has goes up the chain, a deadline a step": (
        CHAIN, [(0, "opens", 1, "SEV1")], HOUR,
        [FIRST, (330, "escalation", "ana-phone", [1]), (630, "escalation", "ben-phone", [1]),
         (930, "escalation", "lea-phone", [1])],
    ),
    "a SEV2 has a quarter of an hour": (
        CHAIN, [(0, "opens", 1, "SEV2")], 1_000, [FIRST, (930, "escalation", "ana-phone", [1])],
    ),
    "a SEV3 goes nowhere": (CHAIN, [OPEN], HOUR, [FIRST]),
    "an acknowledgement stops the chain, and all who were told hear of it": (
        CHAIN, [(0, "opens", 1, "SEV1"), (400, "acks", 1)], HOUR,
        [FIRST, (330, "escalation", "ana-phone", [1]), (410, "acknowledged", "chat", [1]),
         (410, "acknowledged", "ana-phone", [1])],
    ),
    "a mute stops the chain": (CHAIN, [(0, "opens", 1, "SEV1"), (100, "hush", 1)], HOUR, [FIRST]),
    "an end stops the chain, and all who were told hear of it": (
        CHAIN, [(0, "opens", 1, "SEV1"), (400, "closes", 1)], HOUR,
        [FIRST, (330, "escalation", "ana-phone", [1]), (630, "resolved", "chat", [1]), (630, "resolved", "ana-phone", [1])],
    ),
    "a restart between two steps keeps their time": (
        CHAIN, [(0, "opens", 1, "SEV1"), (400, "restarts")], 700,
        [FIRST, (330, "escalation", "ana-phone", [1]), (630, "escalation", "ben-phone", [1])],
    ),
    "after an hour in which nobody looked the steps have their time again": (
        CHAIN, [(0, "opens", 1, "SEV1"), (100, "sleeps", HOUR), (100, "restarts")], 4_100,
        [FIRST, (3_710, "escalation", "ana-phone", [1]), (4_010, "escalation", "ben-phone", [1])],
    ),
    "a step without anybody on call is passed over at once": (
        replace(CHAIN, escalate=("nobody", "ben")), [(0, "opens", 1, "SEV1")], 500,
        [FIRST, (330, "escalation", "ben-phone", [1])],
    ),
    "what gets urgent late climbs from then on": (
        CHAIN, [OPEN, (1_000, "rises", 1, "SEV1")], 1_400,
        [FIRST, (1_010, "update", "chat", [1]), (1_310, "escalation", "ana-phone", [1])],
    ),
    "where nobody is on call the topmost rule's receivers are told": (
        replace(ROOT, routes=(Route(to=("nobody",), place="losswatch.toml:5"),)), [OPEN], 300, [FIRST],
    ),
    "where nobody at all is on call the first of the chain is told": (
        replace(CHAIN, to=("nobody",)), [OPEN], 300, [(30, "opening", "ana-phone", [1])],
    ),
    "a SEV3 waits for the morning of whoever is to hear it": (
        TO_ANA, [(EVENING, "opens", 1)], MORNING + 600, [(MORNING + 30, "opening", "ana-phone", [1])],
    ),
    "a SEV1 wakes people": (
        TO_ANA, [(EVENING, "opens", 1, "SEV1")], EVENING + 600, [(EVENING + 30, "opening", "ana-phone", [1])],
    ),
    "what is over before the morning is never told": (
        TO_ANA, [(EVENING, "opens", 1), (EVENING + HOUR, "closes", 1)], MORNING + HOUR, [],
    ),
    "the end of what was told in the evening waits for the morning": (
        TO_ANA, [(EVENING - 2 * HOUR, "opens", 1), (EVENING + HOUR, "closes", 1)], MORNING + 600,
        [(EVENING - 2 * HOUR + 30, "opening", "ana-phone", [1]), (MORNING + 30, "resolved", "ana-phone", [1])],
    ),
    "what gets urgent at night wakes people": (
        TO_ANA, [(EVENING, "opens", 1), (EVENING + HOUR, "rises", 1, "SEV1")], EVENING + 2 * HOUR,
        [(EVENING + HOUR + 30, "opening", "ana-phone", [1])],
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_story(story):
    given, script, end, expected = STORIES[story]
    settings = replace(rules(given, rotas=(GAP,)) if isinstance(given, Route) else given, rotas=(GAP,))
    assert Play(settings).runs(script, end) == expected


@pytest.mark.parametrize("second", range(0, 1_300, 50))
def test_a_restart_at_any_moment_changes_nothing_that_is_said(second):
    script = [
        (0, "opens", 1, "SEV1"), (40, "opens", 2), (250, "rises", 2, "SEV2"), (420, "acks", 1), (700, "closes", 2),
        (900, "closes", 1),
    ]  # fmt: skip
    plain = Play(rules(CHAIN)).runs(script, 2_000)
    broken = sorted([*script, (second, "restarts")], key=lambda step: step[0])
    assert sorted(Play(rules(CHAIN)).runs(broken, 2_000)) == sorted(plain)


def test_a_thousand_that_fall_together_are_told_in_few_parts_and_their_end_too():
    play = Play(rules(ROOT))
    for number in range(1, 1_001):
        play.opens(number)
    play.until(60, step=1)
    assert {len(one.told) for one in play.said} == {100}
    assert sorted(number for one in play.said for number in one.incidents) == list(range(1, 1_001))
    for number in range(1, 1_001):
        play.closes(number)
    play.until(450, step=1)
    over = [one for one in play.said if one.kind is NoticeKind.RESOLVED]
    assert len({number for one in over for number in one.incidents}) == 1_000
    assert not play.outbox.pending


def test_one_more_among_a_thousand_is_one_message():
    play = Play(rules(ROOT))
    for number in range(1, 1_001):
        play.opens(number)
    play.until(60, step=1)
    before = len(play.said)
    play.opens(1_001)
    play.until(400)
    (more,) = play.said[before:]
    assert more.incidents[0] == 1_001
    assert len(more.told) == 100


def test_without_a_wait_the_notice_is_stored_with_the_very_change():
    play = Play(rules(replace(ROOT, group_wait_s=0.0)))
    play.opens(1)
    (notice,) = play.outbox.at_once([1], at(0))
    assert (notice.kind, notice.created_at) == (NoticeKind.OPENING, at(0))
    assert play.outbox.due(at(0)) == []


def test_what_is_put_into_somebodys_hands_is_told_to_them_and_so_is_its_end():
    play = Play(rules(ROOT))
    play.opens(1)
    play.until(40)
    play.acks(1, "ben")
    play.said += play.outbox.tell(1, "ben", at(40))
    play.until(60)
    play.closes(1)
    play.until(400)
    assert play.told[1:] == [
        (40, "acknowledged", "ben-phone", [1]),
        (50, "acknowledged", "chat", [1]),
        (350, "resolved", "chat", [1]),
        (350, "resolved", "ben-phone", [1]),
    ]


def test_the_same_decision_has_the_same_name():
    names = []
    for _ in range(2):
        play = Play(rules(ROOT))
        play.opens(1)
        play.until(60)
        names.append([one.id for one in play.said])
    assert names[0] == names[1]


def test_severities_are_ordered_by_their_names():
    assert sorted(Severity) == [Severity.SEV1, Severity.SEV2, Severity.SEV3, Severity.SEV4]


def test_whose_it_is_by_the_rule_stands_in_the_message():
    play = Play(rules(replace(ROOT, routes=(Route(to=("chat",), owner="edge team", place="losswatch.toml:5"),))))
    play.opens(1)
    play.until(60)
    assert play.said[0].told[0].owner == "edge team"
