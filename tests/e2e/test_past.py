"""The past, from the store alone: what the lists, the Overview and an incident said at an earlier moment, also after a restart."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

from street import kill_hub, lines, losswatch, make_home, until


def now():
    return datetime.now(UTC).isoformat(timespec="seconds")


def shop(home, *words):
    return next(row for row in lines(losswatch(home, "sites", "--json", *words)) if row["name"] == "shop")


def numbers(home, *words):
    return [one["id"] for one in lines(losswatch(home, "incidents", "--json", *words))]


def test_every_moment_of_an_outage_can_be_looked_at_afterwards(tmp_path, street, started):
    home = make_home(tmp_path / "h", street, ["shop", "spare"], interval="1s")
    started(home)
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: shop(home)["state"] == "ok")
    before = now()
    time.sleep(1.1)  # moments are whole seconds
    street.ill["shop"] = 500
    assert until(lambda: numbers(home))
    [number] = numbers(home)
    during = now()
    time.sleep(1.1)
    assert losswatch(home, "incidents", "ack", str(number)).returncode == 0
    del street.ill["shop"]
    assert until(lambda: not numbers(home))
    kill_hub(home)
    assert losswatch(home, "hub", "start").returncode == 0

    assert (shop(home, "--at", before)["state"], numbers(home, "--at", before)) == ("ok", [])
    then = shop(home, "--at", during)
    assert (then["state"], then["cause"], then["incident"]) == ("failing", "http.5xx", number)
    assert "f" in then["strip"]
    [incident] = lines(losswatch(home, "incidents", "--json", "--at", during))
    assert (incident["state"], incident["acknowledged_by"], incident["closed_at"]) == ("new", "", None)
    assert until(lambda: shop(home)["state"] == "ok")

    told = losswatch(home, "incidents", "show", str(number), "--at", during).stdout
    assert "opened" in told
    assert "acknowledged" not in told
    assert "acknowledged" in losswatch(home, "incidents", "show", str(number)).stdout
    assert losswatch(home, "incidents", "show", str(number), "--at", before).returncode == 3

    picture = json.loads(losswatch(home, "--json", "--at", during).stdout)
    assert (picture["sites"]["counts"]["failing"], [one["id"] for one in picture["incidents"]]) == (1, [number])
    assert losswatch(home, "sites", "--at", "2199-01-01").returncode == 64


def test_what_is_left_of_an_incident_is_a_report_a_table_and_figures(tmp_path, street, started):
    extra = '[[checklists]]\ncauses = ["http."]\nitems = ["tell the desk", "look at the origin"]\n'
    home = make_home(tmp_path / "h", street, ["shop"], interval="1s", extra=extra)
    started(home)
    street.ill["shop"] = 500
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: numbers(home))
    [number] = numbers(home)
    assert losswatch(home, "incidents", "tick", str(number), "1").stdout.strip() == "ticked: tell the desk"
    assert losswatch(home, "incidents", "tick", str(number), "9").returncode == 64
    report = lambda: losswatch(home, "incidents", "report", str(number)).stdout  # noqa: E731  # shortest form
    assert until(lambda: "- [x] tell the desk" in report())
    page = report()
    assert f"# Incident #{number}: " in page
    assert "- [ ] look at the origin" in page

    def exported():
        assert losswatch(home, "incidents", "export", "--out", str(tmp_path / "all.csv")).returncode == 0
        return (tmp_path / "all.csv").read_text().splitlines()[1:]

    assert until(exported)[0].startswith(f"{number},SEV")
    figures = lambda: lines(losswatch(home, "incidents", "stats", "--by", "cause", "--json"))[0]  # noqa: E731  # same
    by_cause = lambda: [(row["name"], row["count"], row["open"]) for row in figures()["rows"]]  # noqa: E731  # same
    assert until(lambda: by_cause() == [("http.5xx", 1, 1)]), by_cause()
    assert figures()["total"]["detect_s"] >= 0
    assert "http.5xx" in losswatch(home, "incidents", "stats").stdout
    assert losswatch(home, "incidents", "stats", "--since", "yesterday").returncode == 64
