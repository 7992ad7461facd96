"""Time lines of what a person closed, and of owners that rules name: each with a restart before every event, too."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.incidents.explain import statements
from checks.incidents.holds import still_failing
from data.model.incident import IncidentState
from tests.checks.incidents.test_stories import MONEY, P02, A, B, Stage

BY_HAND = [
    ("what recovers soon after stays closed", [f"0 + {A}", "5 hand 1 tom", "30 look link:a", "31 - link:a", "90 tick"], ["1 closed by tom"]),
    ("what is seen to fail on half an hour later opens again", [f"0 + {A}", "5 hand 1 tom", "35 look link:a", "36 tick"], ["1 new link.inactive: link:a"]),
    ("a minute before that nobody is asked again", [f"0 + {A}", "5 hand 1 tom", "34 look link:a", "90 tick"], ["1 closed by tom link:a"]),
    ("what nobody looked at since stays closed however long", [f"0 + {A}", "5 hand 1 tom", "4000 tick"], ["1 closed by tom link:a"]),
    ("one member that fails on is enough", [f"0 + {A}", f"1 + {B}", "5 hand 1 tom", "10 - link:a", "40 look link:b", "41 tick"], ["1 new link.inactive: link:b"]),
    ("it opens in the hands it was in", [f"0 + {A}", "1 ack 1 maria", "5 hand 1 tom", "40 look link:a", "41 tick"], ["1 acknowledged maria link.inactive: link:a"]),
    ("what opened again ends by itself", [f"0 + {A}", "5 hand 1 tom", "40 look link:a", "41 tick", "50 - link:a"], ["1 closed"]),
    ("closed a second time it has as long again", [f"0 + {A}", "5 hand 1 tom", "40 look link:a", "41 tick", "42 hand 1 tom", "71 look link:a", "72 tick"], ["1 closed by tom link:a"]),
    ("money has two hours, for it lags behind its clicks", [f"0 + {MONEY}", "5 hand 1 tom", f"100 look {P02}", "101 tick"], ["1 closed by tom slice:partner=P02"]),
    ("money that is missing on after two hours opens it", [f"0 + {MONEY}", "5 hand 1 tom", f"125 look {P02}", "126 tick"], ["1 new revenue.drop: slice:partner=P02"]),
    ("others that fail meanwhile are another and stay so", [f"0 + {A}", "5 hand 1 tom", f"9 + {B}", "40 look link:a", "41 tick"], ["1 new link.inactive: link:a", "2 new link.inactive: link:b"]),
    ("what is closed by itself is not asked about", [f"0 + {A}", "5 - link:a", "80 look link:a", "81 tick"], ["1 closed"]),
]  # fmt: skip


@pytest.mark.parametrize("restarts", [False, True], ids=["", "restarts"])
@pytest.mark.parametrize(("events", "outcome"), [story[1:] for story in BY_HAND], ids=[story[0] for story in BY_HAND])
def test_what_a_person_closed(events, outcome, restarts):
    assert Stage(restarts=restarts).play(*events).outcome == outcome


@pytest.mark.parametrize("restarts", [False, True], ids=["", "restarts"])
def test_its_row_says_how_many_still_fail_and_its_timeline_when_none_does(restarts):
    stage = Stage(restarts=restarts).play(f"0 + {A}", f"1 + {B}", "5 hand 1 tom", "9 - link:a")
    row = stage.incidents[1]
    assert (row.state, row.closed_by, row.open_members, row.members) == (IncidentState.CLOSED, "tom", 1, 2)
    stage.play("12 - link:b")
    assert stage.incidents[1].open_members == 0
    assert stage.told(1)[-2:] == [
        "closed by hand with 2 still affected",
        "all 2 members recovered, after tom had closed it",
    ]


def test_why_it_opened_again_is_told():
    stage = Stage(restarts=True).play(f"0 + {A}", f"1 + {B}", "5 hand 1 tom", "9 - link:a", "40 look link:b", "41 tick")
    assert stage.told(1)[-1] == "reopened: 1 of 2 members still fail, 36m after tom closed it"


def test_what_is_known_of_it_says_who_closed_it_what_fails_and_until_when_that_holds():
    stage = Stage(restarts=False).play(f"0 + {A}", f"1 + {B}", "5 hand 1 tom")
    row, members = stage.incidents[1], [*stage.findings.values()]
    said = [one.text for one in statements(row, members)]
    assert "closed by tom: 2 of 2 members still fail; seen to fail after 11:55Z, it opens again" in said
    stage.play("6 - link:a", "7 - link:b")
    assert not [text for text in (one.text for one in statements(stage.incidents[1], members)) if "closed by" in text]


@pytest.mark.parametrize(("minutes", "state"), [(124, IncidentState.CLOSED), (125, IncidentState.NEW)])
def test_money_opens_again_when_it_was_said_to(minutes, state):
    stage = Stage(restarts=False).play(f"0 + {MONEY}", "5 hand 1 tom")
    assert still_failing(stage.incidents[1]) == "it still fails; seen to fail after 13:25Z, it opens again"
    stage.play(f"{minutes} look {P02}", "126 tick")
    assert stage.incidents[1].state is state


def test_a_row_of_before_such_counts_were_kept_is_put_right():
    stage = Stage(restarts=True).play(f"0 + {A}", "5 hand 1 tom")
    finding = stage.findings.popitem()[1]
    stage.findings[finding.id] = type(finding)(**{**_fields(finding), "closed_at": stage.story.at(9)})
    stage.play("10 tick")
    assert stage.incidents[1].open_members == 0
    assert stage.incidents[1].closed_at == stage.story.at(5)


def _fields(record):
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


OWNED = [
    ("without a rule the cause says whose it is", [f"0 + {A}"], "affiliate manager"),
    ("a rule's word counts from the beginning", ["0 rules cause=link,owner=traffic", f"1 + {A}"], "traffic"),
    ("a rule that does not apply says nothing", ["0 rules cause=edge,owner=traffic", f"1 + {A}"], "affiliate manager"),
    ("the topmost rule's word is for everything", ["0 rules owner=noc", f"1 + {A}"], "noc"),
    ("of several rules the first that applies", ["0 rules partner=P03,owner=x partner=P02,owner=y cause=link,owner=z", f"1 + {A}"], "y"),
    ("a rule without an owner leaves it to the cause", ["0 rules owner= cause=link,team=aurora", f"1 + {A}"], "affiliate manager"),
    ("of rules that go on the first one that names somebody", ["0 rules cause=link,continue=yes partner=P02,owner=y", f"1 + {A}"], "y"),
    ("a rule that is new changes it", [f"0 + {A}", "1 rules cause=link,owner=traffic"], "traffic"),
    ("a rule that is gone gives it back", ["0 rules cause=link,owner=traffic", f"1 + {A}", "2 rules"], "affiliate manager"),
    ("another cause has another owner", ["0 rules cause=geo,owner=lawyer", f"1 + {A}", "2 ~ link:a geo.blocked"], "lawyer"),
    ("a member of another partner may give it one", ["0 rules partner=P09,owner=p9", "0 + link:a http.5xx host=go partner=P02", "1 + link:b http.5xx host=go partner=P09"], "p9"),
    ("what is closed keeps the owner it had", [f"0 + {A}", "1 - link:a", "2 rules cause=link,owner=traffic"], "affiliate manager"),
]  # fmt: skip


@pytest.mark.parametrize("restarts", [False, True], ids=["", "restarts"])
@pytest.mark.parametrize(("events", "owner"), [story[1:] for story in OWNED], ids=[story[0] for story in OWNED])
def test_whose_an_incident_is(events, owner, restarts):
    assert Stage(restarts=restarts).play(*events).incidents[1].owner_role == owner


def test_another_owner_is_a_line_and_the_first_one_is_not():
    stage = Stage(restarts=False).play("0 rules owner=noc", f"1 + {A}", "2 rules owner=night", "3 tick")
    assert [what for what in stage.told(1) if "owner" in what] == ["owner is now night, was noc"]


def test_a_rule_that_changed_while_nobody_was_there_counts_at_the_next_look():
    stage = Stage(restarts=True).play(f"0 + {A}")
    stage.root = type(stage.root)(owner="noc")
    stage.play("5 tick")
    assert stage.incidents[1].owner_role == "noc"


VERBS = st.sampled_from(["+ a", "+ b", "- a", "- b", "hand", "look a", "look b", "tick"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(VERBS, st.sampled_from([1, 6, 20, 40])), max_size=14))
def test_a_row_never_lies_about_how_many_fail_whatever_people_do(moves):
    stage, minute, failing = Stage(restarts=True), 0, set()
    for verb, later in moves:
        minute += later
        word, _, name = verb.partition(" ")
        running = sorted(number for number, row in stage.incidents.items() if row.state is not IncidentState.CLOSED)
        if (
            (word == "hand" and not running)
            or (word == "+" and name in failing)
            or (word == "-" and name not in failing)
        ):
            continue
        failing = failing | {name} if word == "+" else failing - {name} if word == "-" else failing
        text = {
            "+": f"{minute} + {A if name == 'a' else B}",
            "-": f"{minute} - link:{name}",
            "hand": f"{minute} hand {running[0] if running else 0} tom",
            "look": f"{minute} look link:{name}",
        }.get(word, f"{minute} tick")
        stage.play(text)
        for number, row in stage.incidents.items():
            open_ones = [one for one in stage.findings.values() if one.incident == number and one.closed_at is None]
            assert row.open_members == len(open_ones)
            assert row.state is IncidentState.CLOSED or open_ones
