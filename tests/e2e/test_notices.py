"""A hub, real receivers, and people who are told: also when the hub is killed in the middle."""

from __future__ import annotations

import pytest
from receiver import Receiver
from street import kill_hub, lines, losswatch, make_home, until

RULES = """
[notify]
to = ["ops"]
group_wait = "0s"
group_interval = "1s"
[[channels]]
name = "ops"
secret = "ops-url"
role = "senior"
[[channels]]
name = "hook"
kind = "alertmanager"
url = "{hook}"
role = "junior"
[[people]]
name = "ana"
channels = ["ops"]
[[routes]]
cause = "http"
to = ["ops", "hook"]
"""


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def home(tmp_path, street, receiver, started):
    rules = RULES.format(hook=receiver.url("/hook", "http"))
    made = make_home(tmp_path / "h", street, ["kiel", "oslo"], extra=rules)
    told = losswatch(made, "secrets", "set", "ops-url", input=receiver.url("/ops") + "\n")
    assert told.returncode == 0, told.stderr
    started(made)
    return made


def notices(home, *words):
    return lines(losswatch(home, "notices", "--json", *words))


def story(home, *words):
    """What an incident's timeline says."""
    (told,) = lines(losswatch(home, "incidents", *(words or ("show", "1")), "--json"))
    return [one["what"] for one in told["timeline"]]


def told(said, what):
    """Who was told it."""
    whole = [
        one.removeprefix("told ").removesuffix(f" that it {what}") for one in said if one.endswith(f" that it {what}")
    ]
    return {name for names in whole for name in names.split(", ")}


def test_people_and_machines_hear_that_a_site_fell_and_that_it_is_back(home, street, receiver):
    losswatch(home, "hub", "start")
    street.ill["kiel"] = 503
    assert until(lambda: receiver.at("/ops") and receiver.at("/hook"))
    assert "kiel" in receiver.titles("/ops")[0]
    (fired,) = receiver.at("/hook")
    assert (fired["version"], fired["status"], fired["alerts"][0]["labels"]["alertname"]) == ("4", "firing", "http.5xx")
    assert until(
        lambda: {one["state"] for one in notices(home)} == {"sent"}
    )  # arrived is not yet known to have arrived
    losswatch(home, "incidents", "ack", "1")
    assert until(lambda: [one for one in receiver.titles("/ops") if one.startswith("taken")])
    del street.ill["kiel"]
    assert until(lambda: [one for one in receiver.titles("/ops") if one.startswith("over")])
    assert until(lambda: receiver.at("/hook")[-1]["status"] == "resolved")
    assert until(lambda: {one["state"] for one in notices(home)} == {"sent"})
    assert until(lambda: told(story(home), "is over") == {"ops", "hook"})
    assert until(lambda: told(story(home, "report", "1"), "began") == {"ops", "hook"})
    lived = lines(losswatch(home, "incidents", "show", "1", "--json"))[0]["timeline"]
    (acked,) = [one["at"] for one in lived if one["what"] == "acknowledged"]
    then = lambda: story(home, "show", "1", "--at", acked)  # noqa: E731  # shortest form
    assert until(lambda: told(then(), "began") == {"ops", "hook"})
    assert told(then(), "is over") == set()


def test_a_hub_that_is_killed_while_the_receiver_stalls_sends_again_and_says_so(home, street, receiver):
    receiver.answers["/ops"] = "stall"
    losswatch(home, "hub", "start")
    street.ill["kiel"] = 503
    on_the_way = {"ops": "claimed", "hook": "sent"}
    assert until(lambda: {one["channel"]: one["state"] for one in notices(home)} == on_the_way)
    kill_hub(home)
    receiver.answers["/ops"] = 200
    losswatch(home, "hub", "start")
    assert until(lambda: receiver.at("/ops"))
    (title,) = receiver.titles("/ops")
    assert title.startswith("[may be a repeat] #1 ")
    assert until(lambda: [what for what in story(home) if what.startswith("told ops") and "perhaps a repeat" in what])
    assert len(receiver.at("/hook")) == 1


def test_what_was_not_said_before_the_hub_was_killed_is_said_by_the_next(home, street, receiver):
    receiver.answers["/ops"] = 503
    losswatch(home, "hub", "start")
    street.ill["kiel"] = 503
    refused = {"channel": "ops", "state": "waiting"}
    assert until(lambda: [one for one in notices(home) if one | refused == one and one["attempts"]])
    kill_hub(home)
    del street.ill["kiel"]
    losswatch(home, "hub", "start")
    assert until(lambda: lines(losswatch(home, "incidents", "--state", "closed", "--json")))
    receiver.answers.clear()
    assert until(lambda: len(receiver.at("/ops")) >= 2)
    titles = receiver.titles("/ops")
    assert ["over: " in title for title in titles] == [False, True]
    assert not [title for title in titles if "repeat" in title]
    refusal = "could not tell ops that it began: "
    assert until(lambda: [what for what in story(home) if what.startswith(refusal) and "503" in what])


def test_apply_names_the_rules_that_changed(home):
    losswatch(home, "hub", "start")
    file = home / "losswatch.toml"
    file.write_text(file.read_text().replace('cause = "http"', 'cause = "http"\nowner = "seo"'))
    dry = losswatch(home, "apply", "--dry-run").stdout
    assert "~ 1 route changed (owner of 1): cause=http" in dry
    assert "~ 1 route changed (owner of 1): cause=http" in losswatch(home, "apply").stdout
