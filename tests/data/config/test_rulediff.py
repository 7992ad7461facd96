"""What `losswatch apply` says that changed beside the targets."""

from __future__ import annotations

import pytest

from data.config.rulediff import rule_changes

BASE = """\
[[teams]]
id = "aurora"
[[partners]]
id = "P01"
[notify]
to = ["ops"]
[[channels]]
name = "ops"
secret = "ops-url"
role = "lead"
[[channels]]
name = "phone"
secret = "phone-url"
role = "lead"
[[people]]
name = "ana"
channels = ["phone"]
[[rota]]
name = "devs"
[[rota.layers]]
people = ["ana"]
start = 2026-01-05
[[routes]]
cause = ["edge", "link.inactive"]
to = ["devs"]
[[routes.routes]]
team = "aurora"
owner = "seo"
[[routes]]
geo = "DE"
to = ["phone"]
[[checklists]]
causes = ["edge."]
items = ["tell the account managers"]
[[parents]]
parent = "site:rack"
child = "site:on-*"
[[plans]]
id = "p01-words"
letter = "B"
title = "call P01"
causes = ["link."]
"""
SITES = "site,url,team\nrack,https://rack.example/,aurora\non-1,https://on-1.example/,aurora\non-2,https://on-2.example/,aurora\n"


@pytest.fixture
def told(company):
    """Lines that a change of the file makes."""
    company.csv("sites.csv", SITES)

    def lines(*changes: tuple[str, str]) -> tuple[str, ...]:
        after = BASE
        for old, new in changes:
            assert old in after
            after = after.replace(old, new, 1)
        loaded = []
        for text in (BASE, after):
            company.toml(text)
            loaded.append(company.load())
        return rule_changes(*loaded)

    return lines


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('owner = "seo"', 'owner = "developer"', "~ 1 route changed (owner of 1): cause=edge,link.inactive > team=aurora"),
        ('geo = "DE"\nto = ["phone"]', 'geo = "DE"\nto = ["ops"]', "~ 1 route changed (to of 1): geo=DE"),
        ('geo = "DE"\nto = ["phone"]', 'geo = "AT"\nto = ["phone"]', "+ 1 route new: geo=AT"),
        ('secret = "phone-url"', 'secret = "other-url"', "~ 1 channel changed (secret of 1): phone"),
        ("start = 2026-01-05", "start = 2026-01-06", "~ 1 rota changed (layers of 1): devs"),
        ('channels = ["phone"]', 'channels = ["ops"]', "~ 1 person changed (channels of 1): ana"),
        ('title = "call P01"', 'title = "write to P01"', "~ 1 plan changed (title of 1): p01-words"),
        ('items = ["tell', 'items = ["ask", "tell', "~ 1 checklist changed (items of 1): edge."),
        ('child = "site:on-*"', 'child = "site:on-1"', "+ 1 parent new: site:rack over site:on-1"),
        ('child = "site:on-*"', 'child = "site:on-*"\nreason = "it stands there"', "~ 1 parent changed (reason of 1): site:rack over site:on-*"),
        ('to = ["ops"]\n', 'to = ["ops"]\nack_sev1 = "3m"\n', "~ SEV1 waits 3m for somebody, was 5m"),
        ('id = "P01"', 'id = "P01"\nepc = 0.5', "~ 1 partner changed (epc of 1): P01"),
        ('[[teams]]\nid = "aurora"', '[[teams]]\nid = "aurora"\n[[teams]]\nid = "cedar"', "+ 1 team new: cedar"),
        ("[[plans]]", '[[users]]\naccount = "maria"\nrole = "senior"\nteams = ["aurora"]\n[[plans]]', "+ 1 user new: maria"),
    ],
)  # fmt: skip
def test_each_kind_of_rule_is_named_with_what_changed_in_it(told, old, new, line):
    assert line in told((old, new))


def test_what_is_gone_is_named_too(told):
    begin = BASE.index("[[checklists]]")
    rest = BASE[begin : BASE.index("[[plans]]")]
    assert told((rest, "")) == (
        "− 1 checklist gone: edge.",
        "− 1 parent gone: site:rack over site:on-*",
    )


def test_a_rule_that_only_moved_down_the_file_is_no_change(told):
    assert told(("[[teams]]", "# a word\n\n[[teams]]")) == ()


def test_rules_that_stand_in_another_order_say_so_since_the_first_one_wins(told):
    last = '[[routes]]\ngeo = "DE"\nto = ["phone"]\n'
    assert told((last, ""), ("[[routes]]\ncause", f"{last}[[routes]]\ncause")) == (
        "~ routes stand in another order: the first that matches wins",
    )


def test_two_rules_of_the_same_conditions_are_told_apart(told):
    more = '[[routes]]\ngeo = "DE"\nto = ["ops"]\n'
    assert told(("[[checklists]]", f"{more}[[checklists]]")) == ("+ 1 route new: geo=DE (2)",)


def test_what_every_rule_has_from_the_topmost_changes_with_it(told):
    (line,) = told(('to = ["ops"]\n', 'to = ["ops"]\nrepeat_interval = "2h"\n'))
    assert line.startswith("~ 4 routes changed (repeat_interval of 4): [notify], cause=")


def test_many_are_counted_and_a_few_named(told):
    more = "".join(f'[[channels]]\nname = "c{number}"\nsecret = "s"\nrole = "lead"\n' for number in range(8))
    assert told(("[[people]]", f"{more}[[people]]")) == ("+ 8 channels new: c0, c1, c2, c3, c4 and 3 more",)
