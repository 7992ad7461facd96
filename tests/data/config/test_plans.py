"""`[[plans]]` and `[adapters]`: read whole, or refused with the line, the value and what is allowed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from data.model.plan import Adapter, Needs, Plan

BASE = """\
[[teams]]
id = "aurora"
[[partners]]
id = "P02"
[[partners]]
id = "P11"
[adapters]
allow = ["/bin/true"]
"""
LINKS = "link,url,team,partner,geo\nP11-DE,http://go.example/11,aurora,P11,DE\n"


@pytest.fixture
def house(company):
    company.csv("links.csv", LINKS)

    def told(text, base=BASE):
        company.toml(base + text)
        return company

    return told


WHOLE = """\
[[plans]]
id = "p02-to-p11"
letter = "B"
title = "send P02's traffic to P11"
causes = ["link.inactive", "content."]
team = "aurora"
partner = "P02"
geo = "de"
does = "redirects"
options = {file = "/etc/nginx/go.map"}
set = {"/go/lumenjack" = "https://ostrel.example/live"}
run = ["/bin/true", "-s", "reload"]
needs = ["green", "licence", "cap", "independent"]
standby = ["link:P11-DE"]
to = {partner = "P11", geo = "DE"}
cap = 15
recovers = 0.8
approve = "lead"
two_over = 200
expires = "90m"
rehearsed = 2026-10-01
auto = true
"""


def test_a_whole_plan_is_read(house):
    assert house(WHOLE).load().plans == (
        Plan(
            "p02-to-p11", "B", "send P02's traffic to P11", ("link.inactive", "content."), "aurora", "P02", "DE",
            does=Adapter.REDIRECTS, options={"file": "/etc/nginx/go.map"},
            sets={"/go/lumenjack": "https://ostrel.example/live"}, run=("/bin/true", "-s", "reload"), needs=tuple(Needs),
            standby=("link:P11-DE",), to={"partner": "P11", "geo": "DE"}, cap=15, recovers=0.8, approve="lead",
            two_over=Decimal("200.0"), expires_s=5400.0, rehearsed=date(2026, 10, 1), auto=True, line=9,
        ),
    )  # fmt: skip


def test_a_plan_in_words_needs_little(house):
    [made] = (
        house('[[plans]]\nid = "call"\nletter = "A"\ntitle = "call the manager"\ncauses = ["link."]\n').load().plans
    )
    assert (made.does, made.needs, made.expires_s) == (Adapter.WORDS, (Needs.GREEN, Needs.INDEPENDENT), 7200.0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('letter = "B"', 'letter = "D"', "names no known letter"),
        ('"content."', '"contents."', "is no cause and no family"),
        ('partner = "P02"\n', 'partner = "P20"\n', "names no known partner"),
        ('does = "redirects"', 'does = "redirect"', "names no known adapter"),
        ('options = {file = "/etc/nginx/go.map"}', "", "has no 'file', which redirects needs"),
        ('go.map"}', 'go.map", flie = "x"}', "did you mean 'file'"),
        ('"https://ostrel.example/live"', '"https://x.example/; } evil"', "cannot stand in a map file"),
        ('set = {"/go/lumenjack" = "https://ostrel.example/live"}', "", "would change nothing"),
        ('run = ["/bin/true"', 'run = ["/bin/false"', "is no program of the allow list"),
        ('"cap", ', '"caps", ', "names no known precondition"),
        ('standby = ["link:P11-DE"]', 'standby = ["link:P11-ED"]', "did you mean 'link:P11-DE'"),
        ('to = {partner = "P11"', 'to = {partner = "P12"', "names no known partner"),
        ('approve = "lead"', 'approve = "leed"', "did you mean 'lead'"),
        ("recovers = 0.8", "recovers = 80", "is out of range"),
        ("rehearsed = 2026-10-01", 'rehearsed = "2026-10-01"', "a day without quotes"),
        ("rehearsed = 2026-10-01", "rehearsed = 2026-10-01T00:00:00Z", "has a time of day"),
        ("auto = true", "auto = true\nspeed = 3", "speed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(house, old, new, said):
    text = WHOLE.replace(old, new)
    assert text != WHOLE
    [problem] = house(text).complaints()
    assert said in problem
    assert problem.startswith("losswatch.toml:")


@pytest.mark.parametrize(
    ("does", "rest", "said"),
    [
        ("command", 'run = ["/bin/true"]', "and undo are both needed"),
        ("http", 'options = {url = "http://a.example/?token=abc"}', "has no 'revert_url'"),
        ("http", 'options = {url = "ftp://a.example/", revert_url = "http://a.example/"}', "does not start with"),
        ("http", 'options = {url = "http://a.example/", revert_url = "http://a.example/", method = "BREW"}', "is no method"),
        ("keitaro", 'options = {url = "http://a.example", secret = "t"}\nset = {"12" = "off"}', "stream number and state"),
        ("words", "auto = true", "is for plans that switch something"),
        ("words", 'run = ["/bin/true"]', "is not for words"),
    ],
)  # fmt: skip
def test_each_adapter_says_what_it_lacks(house, does, rest, said):
    text = f'[[plans]]\nid = "x"\nletter = "B"\ntitle = "t"\ncauses = ["link."]\ndoes = "{does}"\n{rest}\n'
    assert said in str(house(text).complaints())


def test_a_key_in_a_wrong_address_is_not_repeated(house):
    text = '[[plans]]\nid = "x"\nletter = "B"\ntitle = "t"\ncauses = ["link."]\ndoes = "http"\n'
    text += 'options = {url = "ftp://a.example/?token=topsecret99", revert_url = "http://a.example/"}\n'
    assert "topsecret99" not in str(house(text).complaints())


def test_a_program_that_is_not_there_cannot_be_allowed(house):
    base = BASE.replace("/bin/true", "/no/such/program")
    assert "names no program" in str(house("", base).complaints())
    assert "is not an absolute path" in str(house("", BASE.replace("/bin/true", "true")).complaints())


def test_a_name_twice_is_refused(house):
    assert "is used twice" in str(house(WHOLE + WHOLE).complaints())
