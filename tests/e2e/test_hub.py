"""The hub as people meet it: processes, signals, accounts, files that are wrong."""

from __future__ import annotations

import asyncio
import grp
import json
import os
import pwd
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from street import hub_pid, kill_hub, lines, losswatch, make_home, opened, sites, status, until

from data.model.principal import EVERYTHING
from data.store import facts, incidents
from tui.client import HubClient

NAMES = ["kiel", "oslo", "turku"]


@pytest.fixture
def home(tmp_path, street, started):
    made = make_home(tmp_path / "h", street, NAMES)
    started(made)
    return made


def test_a_site_that_falls_opens_one_incident_and_its_recovery_closes_it(home, street):
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: sites(home) == dict.fromkeys(NAMES, "ok"))
    street.ill["kiel"] = 503
    found = until(lambda: lines(losswatch(home, "incidents", "--json")))
    assert [(one["cause"], one["state"], one["members"]) for one in found] == [("http.5xx", "new", 1)]
    assert losswatch(home, "incidents", "ack", "1").returncode == 0
    del street.ill["kiel"]
    closed = until(lambda: lines(losswatch(home, "incidents", "--state", "closed", "--json")))
    assert [(one["id"], one["acknowledged_by"] != "") for one in closed] == [(1, True)]


def test_a_second_hub_on_the_same_home_says_who_holds_it(home):
    losswatch(home, "hub", "start")
    second = losswatch(home, "hub", "run")
    assert second.returncode == 3
    assert f"pid {hub_pid(home)}" in second.stderr


def test_a_killed_hub_loses_nothing_that_was_acknowledged_and_doubles_nothing(home, street):
    street.ill["oslo"] = 500
    losswatch(home, "hub", "start")
    assert until(lambda: lines(losswatch(home, "incidents", "--json")))
    told = 0
    for kill in range(3):
        client = HubClient(home / "hub.sock")
        for number in range(5):
            fact = {"hour": "2026-01-05T10:00:00Z", "seen_at": datetime.now(UTC).isoformat(), "team": "aurora",
                    "partner": "P01", "offer": "", "geo": "DE", "site": "kiel", "clicks": 10 * kill + number}  # fmt: skip
            told += asyncio.run(client.post_ndjson("/v1/facts", [json.dumps({"fact": fact}).encode()]))
        kill_hub(home)
        assert losswatch(home, "hub", "start").returncode == 0
    found = until(lambda: lines(losswatch(home, "incidents", "--json")))
    assert [(one["id"], one["cause"]) for one in found] == [(1, "http.5xx")]
    losswatch(home, "hub", "stop")
    with opened(home) as store:
        assert store.warnings == ()
        kept = facts.frame(store, EVERYTHING, datetime(2026, 1, 1, tzinfo=UTC))
        assert sorted(kept["clicks"]) == sorted(10 * kill + number for kill in range(3) for number in range(5))
        assert told == kept.height == 15
        assert incidents.page(store, EVERYTHING, state="all")[0] == 1


def test_a_stream_outlives_its_hub_and_says_hello_again(home):
    async def watch():
        seen = []
        for _ in range(2):
            async for line in HubClient(home / "hub.sock").events():
                seen.append(line.kind)
                if line.kind == "snapshot":
                    break
            if len(seen) < 4:
                await asyncio.to_thread(kill_hub, home)
                await asyncio.to_thread(losswatch, home, "hub", "start")
        return seen

    losswatch(home, "hub", "start")
    assert asyncio.run(watch()) == ["hello", "snapshot", "hello", "snapshot"]


def test_stopping_is_clean_and_can_be_asked_for_twice(home):
    losswatch(home, "hub", "start")
    assert losswatch(home, "hub", "stop").stdout == "the hub has stopped\n"
    assert not (home / "hub.sock").exists()
    assert "no hub was running" in losswatch(home, "hub", "stop").stdout


def test_a_broken_file_is_named_by_line_and_the_last_good_configuration_goes_on(home, street):
    losswatch(home, "hub", "start")
    assert until(lambda: sites(home) == dict.fromkeys(NAMES, "ok"))
    good = (home / "inventory" / "sites.csv").read_text()
    (home / "inventory" / "sites.csv").write_text(good + "bergen,htp://nowhere,aurora\n")
    assert until(lambda: "sites.csv:5" in status(home)["detail"]), status(home)
    assert set(sites(home)) == set(NAMES)
    (home / "inventory" / "sites.csv").write_text(good + f"bergen,{street.url('bergen')},aurora\n")
    assert until(lambda: "bergen" in sites(home))


def audited(home):
    """The doctor's line about the audit, and the exit code."""
    ran = losswatch(home, "doctor", "--json")
    return next(line for line in lines(ran) if line["name"] == "audit"), ran.returncode


def test_an_entry_of_the_audit_that_was_altered_is_named_by_the_doctor_with_and_without_a_hub(home):
    assert losswatch(home, "hub", "start").returncode == 0
    inventory = home / "inventory" / "sites.csv"
    inventory.write_text(inventory.read_text().replace("turku", "tampere"))
    assert losswatch(home, "apply").returncode == 0
    assert until(lambda: audited(home)[0]["detail"].startswith("1 entry, chain whole"))
    assert losswatch(home, "hub", "stop").returncode == 0
    assert "chain whole" in audited(home)[0]["detail"]
    with opened(home) as store:
        store.work(lambda cursor: cursor.execute("UPDATE audit SET who = 'nobody' WHERE number = 1")).result()
    assert "chain broken: entry 1 is" in audited(home)[0]["detail"]
    assert losswatch(home, "hub", "start").returncode == 0
    broken, code = audited(home)
    assert ("chain broken: entry 1 is" in broken["detail"], code) == (True, 2)


def test_a_hub_that_cannot_start_says_why_on_one_line(home):
    (home / "losswatch.toml").write_text("[compny]\n")
    ran = losswatch(home, "hub", "start")
    assert (ran.returncode, "losswatch.toml:1" in ran.stderr, "company" in ran.stderr) == (64, True, True)
    assert "Traceback" not in ran.stderr


OTHER = "daemon"
"""An account that every Debian has and that runs nothing here."""


BECOME = """
import os, sys, tui.cli.main, tui.cli.listing, tui.cli.hub, tui.client, encodings.idna, msgspec
import data.model.snapshot, tui.cli.dashboard, tui.cli.hubtime, tui.cli.table, tui.cli.paper, tui.cli.options
os.setgroups([int(sys.argv[2])]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[1]))
sys.exit(tui.cli.main.main(sys.argv[3:]))
"""
"""Becomes the account after everything is imported: the interpreter itself may lie where only we can read."""


def as_other(home, *words):
    ids = str(pwd.getpwnam(OTHER).pw_uid), str(grp.getgrnam("users").gr_gid)
    return subprocess.run(
        [sys.executable, "-c", BECOME, *ids, "--home", str(home), *words],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another account")
def test_an_account_that_is_not_configured_is_told_what_to_do_and_one_that_is_sees_its_own_team(street, started):
    place = Path("/tmp/losswatch-two-accounts")
    shutil.rmtree(place, ignore_errors=True)
    home = make_home(place, street, NAMES)
    text = (home / "losswatch.toml").read_text().replace("[hub]\n", '[hub]\ngroup = "users"\n')
    (home / "losswatch.toml").write_text(text)
    started(home)
    try:
        losswatch(home, "hub", "start")
        refused = as_other(home, "sites", "--json")
        assert refused.returncode == 3
        assert f'[[users]] account = "{OTHER}"' in refused.stderr
        (home / "losswatch.toml").write_text(
            text + '[[teams]]\nid = "baltic"\nname = "Baltic"\n'
            f'[[users]]\naccount = "{OTHER}"\nrole = "junior"\nteams = ["baltic"]\n'
        )
        rows = (home / "inventory" / "sites.csv").read_text()
        (home / "inventory" / "sites.csv").write_text(rows + f"riga,{street.url('riga')},baltic\n")
        assert until(lambda: sorted(row["name"] for row in lines(as_other(home, "sites", "--json"))) == ["riga"])
        assert set(sites(home)) == {*NAMES, "riga"}
    finally:
        losswatch(home, "hub", "stop")
        shutil.rmtree(place, ignore_errors=True)
