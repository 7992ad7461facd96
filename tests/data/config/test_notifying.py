"""`[notify]`, `[[routes]]`, `[[channels]]`, `[[people]]` and `[[rota]]`: read whole, or refused with line and way out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from data.config.notifying import Channel, Layer, Override, Person
from data.model.incident import Severity

WHOLE = """\
[company]
timezone = "Europe/Malta"
[[teams]]
id = "aurora"
[[partners]]
id = "P01"
[notify]
to = ["ops"]
ack_sev1 = "3m"
group_wait = "10s"
[[channels]]
name = "ops"
secret = "ops-url"
role = "senior"
fallback = "hook"
[[channels]]
name = "hook"
kind = "alertmanager"
url = "http://127.0.0.1:9095/hook"
role = "junior"
teams = ["aurora"]
per_minute = 5
[[people]]
name = "ana"
channels = ["ops"]
timezone = "Europe/Lisbon"
quiet = "22:00-07:00"
account = "ana"
[[rota]]
name = "devs"
[[rota.layers]]
people = ["ana"]
start = 2026-01-05
at = "10:00"
turn = "3d"
hours = "09:00-17:00"
weekdays = ["mon", "fri"]
[[rota.overrides]]
person = "ana"
start = 2026-02-01T00:00:00Z
end = 2026-02-02T00:00:00Z
reason = "swap"
[[routes]]
cause = ["edge.*", "link.inactive"]
team = "aurora"
severity = ["SEV1", "SEV2"]
geo = "de"
to = ["devs", "ops"]
escalate = ["ana"]
owner = "developer on call"
continue = true
group_by = []
[[routes.routes]]
partner = ["P01"]
repeat_interval = "1h"
"""


def changed(old, new):
    assert old in WHOLE
    return WHOLE.replace(old, new, 1)


def line_of(text, words):
    return text[: text.index(words)].count("\n") + 1


@pytest.fixture
def made(company):
    company.toml(WHOLE)
    return company.load().notify


def test_channels_say_who_may_read_what_there(made):
    assert made.channels == (
        Channel("ops", secret="ops-url", role="senior", fallback="hook", line=11),
        Channel("hook", "alertmanager", url="http://127.0.0.1:9095/hook", role="junior", teams=("aurora",), per_minute=5,
                line=16),
    )  # fmt: skip


def test_people_have_a_night_of_their_own(made):
    assert made.people == (Person("ana", ("ops",), "Europe/Lisbon", "ana", (time(22), time(7)), line=23),)


def test_a_rota_has_the_company_s_time_zone_unless_it_says_otherwise(made):
    (rota,) = made.rotas
    layer = Layer(("ana",), date(2026, 1, 5), time(10), 3, (time(9), time(17)), (0, 4))
    swap = Override("ana", datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC), "swap")
    assert (rota.timezone, rota.layers, rota.overrides) == ("Europe/Malta", (layer,), (swap,))


def test_a_rule_has_what_it_does_not_say_from_the_one_above_it_but_not_its_conditions(made):
    (rule,) = made.root.routes
    (inner,) = rule.routes
    assert (rule.causes, rule.teams, rule.geos, rule.goes_on) == (("edge", "link.inactive"), ("aurora",), ("DE",), True)
    assert (rule.group_by, rule.group_wait_s, rule.place) == (
        (),
        10.0,
        f"losswatch.toml:{line_of(WHOLE, '[[routes]]')}",
    )
    assert (inner.to, inner.escalate, inner.owner, inner.group_by) == (rule.to, rule.escalate, rule.owner, ())
    assert (inner.causes, inner.goes_on, inner.partners, inner.repeat_interval_s) == ((), False, ("P01",), 3600.0)
    assert made.ack_s == {Severity.SEV1: 180.0, Severity.SEV2: 900.0}


def test_without_a_channel_nothing_is_sent(company):
    assert not company.load().notify


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('to = ["ops"]\n', "", ["is missing under [notify]"]),
        ('to = ["ops"]\n', 'to = ["obs"]\n', ["no known channel, person or rota", "did you mean 'ops'?"]),
        ('ack_sev1 = "3m"', 'ack_sev1 = "1s"', ["too short"]),
        ('secret = "ops-url"\n', "", ["lacks 'secret'"]),
        ('secret = "ops-url"\n', 'secret = "ops-url"\nurl = "http://x.example/"\n', ["belongs into the keyring"]),
        ('role = "senior"\n', "", ["lacks 'role'"]),
        ('role = "senior"', 'role = "senor"', ["no known role", "did you mean 'senior'?"]),
        ('fallback = "hook"', 'fallback = "hok"', ["no known channel", "did you mean 'hook'?"]),
        ('fallback = "hook"', 'fallback = "ops"', ["is the channel itself"]),
        ('kind = "alertmanager"', 'kind = "alertmanger"', ["did you mean 'alertmanager'?"]),
        ("9095/hook", "9095/hook?token=abcdefgh", ["holds a secret"]),
        ('url = "http://127.0.0.1:9095/hook"\n', "", ["lacks 'url'"]),
        ('teams = ["aurora"]\n', 'teams = ["arora"]\n', ["did you mean 'aurora'?"]),
        ("per_minute = 5", "per_minute = 0", ["out of range"]),
        ('name = "ana"', 'name = "ops"', ["already the name of a channel"]),
        ('channels = ["ops"]', 'channels = ["opps"]', ["no known channel", "did you mean 'ops'?"]),
        ('channels = ["ops"]', "channels = []", ["nothing would reach them"]),
        ('quiet = "22:00-07:00"', 'quiet = "22:00"', ["is no part of a day", "22:00-07:00"]),
        ('quiet = "22:00-07:00"', 'quiet = "22:00-22:00"', ["is no part of a day"]),
        ('timezone = "Europe/Lisbon"', 'timezone = "Europe/Lisbonne"', ["did you mean 'Europe/Lisbon'?"]),
        ('name = "devs"', 'name = "ana"', ["is used already"]),
        ('people = ["ana"]', 'people = ["anna"]', ["names nobody known", "did you mean 'ana'?"]),
        ("start = 2026-01-05\n", "", ["start is missing"]),
        ("start = 2026-01-05\n", "start = 2026-01-05T00:00:00Z\n", ["has a time of day"]),
        ('turn = "3d"', 'turn = "biweekly"', ["is not the length of a turn", '"weekly"']),
        ('turn = "3d"', 'turn = "0d"', ["is not the length of a turn"]),
        ('turn = "3d"', 'turn = "99999999999999d"', ["is not the length of a turn"]),
        ('weekdays = ["mon", "fri"]', 'weekdays = ["yesterday"]', ["no day of the week"]),
        ("end = 2026-02-02T00:00:00Z", "end = 2026-01-02T00:00:00Z", ["is not after the start"]),
        ('"edge.*"', '"egde.*"', ["no cause and no family", "did you mean 'edge'?"]),
        ('"link.inactive"', '"link.inactiv"', ["did you mean 'link.inactive'?"]),
        ('severity = ["SEV1", "SEV2"]', 'severity = ["SEV9"]', ["no known severity"]),
        ('geo = "de"', 'geo = "Germany"', ["is not a country code"]),
        ("group_by = []", 'group_by = ["colour"]', ["names no label", "partner"]),
        ('repeat_interval = "1h"', 'repeat_interval = "1s"', ["too short"]),
        ("continue = true", "continues = true", ["unknown key", "did you mean 'continue'?"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(company, old, new, words):
    text = changed(old, new)
    company.toml(text)
    complaints = company.complaints()
    assert [complaint for complaint in complaints if not complaint.startswith("losswatch.toml:")] == []
    assert [complaint for complaint in complaints if all(word in complaint for word in words)]


def test_rules_nested_without_end_are_refused(company):
    text = WHOLE + "".join(f"[[{'.'.join(['routes'] * depth)}]]\n" for depth in range(3, 16))
    company.toml(text)
    assert any("nested deeper" in line for line in company.complaints())
