"""Plans in a real hub: a dry run touches nothing, a switch is seen in the file, and it ends whatever happens to the hub."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest
from street import kill_hub, lines, losswatch, make_home, until

PLAN = """
[[plans]]
id = "spare"
letter = "B"
title = "send the visitors to the spare shop"
causes = ["http."]
site = "shop"
standby = ["site:spare"]
"""
REDIRECTS = PLAN + 'does = "redirects"\noptions = {file = "go.map"}\nset = {"/go" = "http://spare.example/"}\n'
SLEEPER = '[adapters]\nallow = ["/bin/sleep", "/bin/true"]\n' + PLAN + (
    'does = "command"\nrun = ["/bin/sleep", "60"]\nundo = ["/bin/true"]\n'
)  # fmt: skip
BEFORE, AFTER = "# go links\n/go http://shop.example/;\n", "# go links\n/go http://spare.example/;\n"


@pytest.fixture
def shop(tmp_path, street, started):
    """`shop(plans)` gives a home whose hub runs, in which the shop fails and the spare one does not, and the incident's number."""

    def running(plans):
        home = make_home(tmp_path / "h", street, ["shop", "spare"], extra=plans, interval="1s")
        (home / "go.map").write_text(BEFORE)
        started(home)
        street.ill["shop"] = 500
        assert losswatch(home, "hub", "start").returncode == 0
        assert until(lambda: lines(losswatch(home, "incidents", "--json")))
        [incident] = lines(losswatch(home, "incidents", "--json"))
        assert until(lambda: site(home, "spare")["state"] == "ok")
        return home, str(incident["id"])

    return running


def site(home, name):
    return next(row for row in lines(losswatch(home, "sites", "--json")) if row["name"] == name)


def told(home, number):
    return losswatch(home, "incidents", "show", number).stdout


def uses(home):
    [book] = lines(losswatch(home, "plans", "--json"))
    return [use["state"] for use in book["uses"]]


def at(home):
    return (home / "go.map").read_text()


def test_a_plan_is_tried_on_paper_used_and_taken_back(shop):
    home, number = shop(REDIRECTS)
    ran = losswatch(home, "plans", "dry", "B", "--incident", number)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "- /go http://shop.example/;" in ran.stdout
    assert "+ /go http://spare.example/;" in ran.stdout
    assert "ok  green: spare ok" in ran.stdout
    assert at(home) == BEFORE
    assert losswatch(home, "plans", "use", "B", "--incident", number).returncode == 64  # nobody is there to be asked
    assert at(home) == BEFORE
    ran = losswatch(home, "plans", "use", "B", "--incident", number, "--yes")
    assert (ran.returncode, "is applied until" in ran.stdout) == (0, True), ran.stdout + ran.stderr
    assert at(home) == AFTER
    assert until(lambda: "applied plan B send the visitors to the spare shop until" in told(home, number))
    again = losswatch(home, "plans", "use", "spare", "--incident", number, "--yes")
    assert again.returncode == 64
    assert "it is applied since" in again.stderr
    assert losswatch(home, "plans", "undo", "spare").returncode == 0
    assert at(home) == BEFORE
    assert until(lambda: uses(home) == ["reverted"])


def test_a_standby_that_fails_too_refuses_the_plan(shop, street):
    home, number = shop(REDIRECTS)
    street.ill["spare"] = 503
    assert until(lambda: site(home, "spare")["state"] == "failing")
    ran = losswatch(home, "plans", "use", "B", "--incident", number, "--yes")
    assert ran.returncode == 64
    assert "spare failing" in ran.stderr
    assert at(home) == BEFORE


def test_what_is_applied_ends_by_itself_also_when_the_hub_was_killed_meanwhile(shop):
    home, number = shop(REDIRECTS + 'expires = "8s"\n')
    assert losswatch(home, "plans", "use", "B", "--incident", number, "--yes").returncode == 0
    kill_hub(home)
    assert at(home) == AFTER
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: at(home) == BEFORE)
    assert until(lambda: uses(home) == ["reverted"])
    assert until(lambda: "losswatch: took plan B" in told(home, number))


def test_what_a_crash_leaves_in_the_middle_is_not_guessed(shop):
    home, number = shop(SLEEPER)
    asking = subprocess.Popen(
        [sys.executable, "-m", "tui.cli.main", "--home", str(home), "plans", "use", "B", "--incident", number, "--yes"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert until(lambda: uses(home) == ["applying"])
    kill_hub(home)
    asking.wait(30)
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: uses(home) == ["stuck"])
    assert until(lambda: "needs a person: the hub was stopped in the middle" in told(home, number))
    assert losswatch(home, "plans", "settle", "spare").returncode == 0
    assert until(lambda: uses(home) == ["withdrawn"])


def test_an_automatic_plan_goes_off_only_while_its_rehearsal_is_fresh(shop):
    home, number = shop(REDIRECTS + f"auto = true\nrehearsed = {date.today():%Y-%m-%d}\n")  # noqa: DTZ011 - a day
    assert until(lambda: at(home) == AFTER)
    assert until(lambda: "losswatch: applied plan B" in told(home, number))


def test_a_drill_applies_and_takes_back_and_counts_as_the_rehearsal(shop):
    home, _ = shop(REDIRECTS)
    ran = losswatch(home, "plans", "drill", "spare", "--yes")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert at(home) == BEFORE

    def rehearsed():
        [book] = lines(losswatch(home, "plans", "--json"))
        return book["plans"][0]["fresh"] and book["plans"][0]["rehearsed"]

    assert until(rehearsed)
