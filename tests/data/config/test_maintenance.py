"""`[[maintenance]]` and the budgets of `[network]`: read whole, or refused with the line and what is allowed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from data.config.settings import Maintenance

BASE = """\
[company]
timezone = "Europe/Malta"
[[teams]]
id = "aurora"
[[partners]]
id = "P01"
"""
SITES = "site,url,team\nkiel,http://kiel.example/,aurora\nkiel-2,http://kiel.example/2,aurora\n"
FIRST = BASE.count("\n") + 1


@pytest.fixture
def house(company):
    company.csv("sites.csv", SITES)

    def told(text):
        company.toml(BASE + text)
        return company

    return told


def window(body):
    return f'[[maintenance]]\nreason = "move to the new rack"\n{body}\n'


def test_a_window_that_comes_once_has_its_moments_in_utc(house):
    text = window("start = 2026-03-01T10:00:00+02:00\nend = 2026-03-01T12:00:00Z\nsite = 'kiel'")
    [made] = house(text).load().maintenance
    assert (made.reason, made.site, made.timezone) == ("move to the new rack", "kiel", "Europe/Malta")
    assert made.start == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert made.end == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_weekly_window_has_days_a_time_and_a_length_in_its_time_zone(house):
    text = window(
        "weekdays = ['sun', 'Monday']\nat = '02:30'\nlength = '90m'\ntimezone = 'Europe/Berlin'\nteam = 'aurora'"
    )
    assert house(text).load().maintenance == (
        Maintenance("move to the new rack", "aurora", weekdays=(0, 6), at="02:30", length_s=5400.0,
                    timezone="Europe/Berlin"),
    )  # fmt: skip


def test_a_weekly_window_without_days_comes_every_day_in_the_company_s_zone(house):
    [made] = house(window("at = '02:30'\nlength = '1h'\ntargets = ['site:kiel*']")).load().maintenance
    assert (made.weekdays, made.timezone, made.targets) == (tuple(range(7)), "Europe/Malta", ("site:kiel*",))


ONCE = "start = 2026-03-01T10:00:00Z\nend = 2026-03-01T12:00:00Z\n"
WEEKLY = "at = '02:30'\nlength = '1h'\n"
BAD = [
    (ONCE, 1, ["stands in a window for nothing", "team, site, partner or targets"]),
    (ONCE + "site = 'kile'", 4, ["names no known site", "did you mean 'kiel'?"]),
    (ONCE + "team = 'arora'", 4, ["names no known team", "did you mean 'aurora'?"]),
    (ONCE + "partner = 'P02'", 4, ["names no known partner"]),
    (ONCE + "targets = ['site:kile']", 4, ["names no known target", "did you mean 'site:kiel'?"]),
    (ONCE + "targets = ['link:*']", 4, ["names no known target"]),
    (ONCE + "targets = []", 4, ["targets is empty"]),
    ("end = 2026-03-01T10:00:00Z\nsite = 'kiel'", 0, ["lacks 'start'"]),
    ("start = 2026-03-01T10:00:00\nend = 2026-03-01T12:00:00Z\nsite = 'kiel'", 2, ["has no time zone"]),
    ("start = 2026-03-01T12:00:00Z\nend = 2026-03-01T12:00:00Z\nsite = 'kiel'", 3, ["is not after the start"]),
    (WEEKLY + "weekdays = ['funday']\nsite = 'kiel'", 4, ["holds no day of the week", "sun"]),
    ("at = '2:30'\nlength = '1h'\nsite = 'kiel'", 2, ["is not a time of day", "02:30"]),
    ("at = '24:00'\nlength = '1h'\nsite = 'kiel'", 2, ["is not a time of day"]),
    ("at = '02:30'\nsite = 'kiel'", 0, ["lacks 'length'"]),
    ("length = '1h'\nsite = 'kiel'", 0, ["lacks 'at'"]),
    ("at = '02:30'\nlength = '8d'\nsite = 'kiel'", 3, ["is too long"]),
    (WEEKLY + "timezone = 'Europe/Maltese'\nsite = 'kiel'", 4, ["is not a time zone"]),
    (WEEKLY + "end = 2026-03-01T12:00:00Z\nsite = 'kiel'", 4, ["for a window that comes once"]),
    (ONCE + "site = 'kiel'\nresaon = 'x'", 5, ["unknown key", "did you mean 'reason'?"]),
]


@pytest.mark.parametrize(("body", "line", "parts"), BAD, ids=[str(index) for index in range(len(BAD))])
def test_a_window_that_would_protect_nothing_is_refused_with_its_line_and_the_way_out(house, body, line, parts):
    (complaint,) = house(window(body)).complaints()
    assert complaint.startswith(f"losswatch.toml:{FIRST + line}: ")
    assert [part for part in parts if part not in complaint] == []


def test_the_budgets_of_the_network_are_read_and_their_limits_told(house):
    text = "[network]\nper_host_minute = 6\nper_edge = 0\nmax_skew = '90s'\nmobile_agent = 'phone'"
    made = house(text).load().network
    assert (made.per_host_minute, made.per_edge, made.max_skew_s, made.mobile_agent) == (6, 0, 90.0, "phone")
    (complaint,) = house("[network]\nper_host_minute = -1").complaints()
    assert "0 to 100000" in complaint
    (complaint,) = house("[network]\nmax_skew = '0s'").complaints()
    assert "too short" in complaint
