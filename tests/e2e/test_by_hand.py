"""Whose an incident is and what a person closed while it failed, over a real hub that is killed in between."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from street import kill_hub, lines, losswatch, make_home, until

RULES = """
[clock]
sim_start = {now}
wall_start = {now}
speed = 120.0
[notify]
to = ["ops"]
[[channels]]
name = "ops"
kind = "alertmanager"
url = "http://127.0.0.1:9/hook"
role = "senior"
[[routes]]
cause = "http"
owner = "night desk"
"""


@pytest.fixture
def home(tmp_path, street, started):
    rules = RULES.format(now=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    made = make_home(tmp_path / "h", street, ["kiel", "oslo"], extra=rules, interval="4m")
    started(made)
    return made


def first(home, state="all"):
    found = [one for one in lines(losswatch(home, "incidents", "--state", state, "--json")) if one["id"] == 1]
    return found[0] if found else {}


def said(home):
    (told,) = lines(losswatch(home, "incidents", "show", "1", "--json"))
    return [one["what"] for one in told["timeline"]]


def test_the_owner_follows_the_rule_and_what_is_closed_while_it_fails_opens_again(home, street):
    losswatch(home, "hub", "start")
    street.ill["kiel"] = 503
    assert until(lambda: first(home).get("owner_role") == "night desk")
    file = home / "losswatch.toml"
    file.write_text(file.read_text().replace("night desk", "day desk"))
    assert until(lambda: first(home).get("owner_role") == "day desk")
    assert until(lambda: "owner is now day desk, was night desk" in said(home))
    rehearsed = losswatch(home, "route", "test", "cause=http.5xx", "team=aurora", "--json")
    assert [one["owner"] for one in lines(rehearsed)] == ["day desk"]
    closing = losswatch(home, "incidents", "close", "1", "--verdict", "false").stdout
    assert "it still fails; seen to fail after " in closing
    closed = until(lambda: first(home, "closed"))
    assert (closed["closed_by"], closed["open_members"]) == ("root", 1)
    kill_hub(home)
    losswatch(home, "hub", "start")
    assert until(lambda: first(home, "open"))
    assert until(lambda: [what for what in said(home) if what.startswith("reopened: it still fails, ")])
    del street.ill["kiel"]
    assert until(lambda: first(home, "closed").get("open_members") == 0)
    assert "right" in losswatch(home, "incidents", "verdict", "1", "wrong").stderr
    assert losswatch(home, "incidents", "verdict", "1", "right").stdout == "incident #1: right, says root\n"
    assert losswatch(home, "incidents", "verdict", "99", "right").returncode != 0
    verdicts = lambda: [what for what in said(home) if what.startswith("verdict")]  # noqa: E731  # shortest form
    assert until(lambda: verdicts() == ["verdict: false alarm", "verdict: right"]), verdicts()
    total = lambda: lines(losswatch(home, "incidents", "stats", "--json"))[0]["total"]  # noqa: E731  # same
    assert until(lambda: (total()["right"], total()["false"]) == (1, 0)), total()
    assert until(lambda: "| verdict | right |" in losswatch(home, "incidents", "report", "1").stdout)
