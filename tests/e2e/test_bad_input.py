"""The promises of a running hub, held from outside: broken files, a full disk, lost keys, kills, odd surroundings."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from street import FEED, Street, lines, losswatch, make_home, opened, sites, status, until

from data.config.home import Home
from data.errors import LosswatchError, UsageError
from data.model.principal import EVERYTHING
from data.secrets import open_secrets
from data.store import facts, incidents
from tui.client import HubClient

NAMES = ["kiel", "oslo"]


@pytest.fixture
def home(tmp_path, street, started):
    made = make_home(tmp_path / "h", street, NAMES, interval="1s")
    started(made)
    return made


def one_sentence(ran, code, *words):
    assert (ran.returncode, ran.stdout) == (code, ""), ran
    assert ran.stderr.startswith("losswatch: ")
    assert ran.stderr.count("\n") == 1
    assert not [word for word in words if word not in ran.stderr], ran.stderr


def all_ok(home, names=NAMES):
    return until(lambda: sites(home) == dict.fromkeys(names, "ok"))


def push(home, count, *, spoil=None):
    """Push facts with the clicks 1..count; line `spoil` is broken."""
    fact = {"hour": "2026-01-05T10:00:00Z", "seen_at": "2026-01-05T11:00:00Z", "team": "aurora", "partner": "P01",
            "offer": "", "geo": "DE", "site": "kiel"}  # fmt: skip
    rows = [json.dumps({"fact": {**fact, "clicks": number}}).encode() for number in range(1, count + 1)]
    if spoil:
        rows[spoil - 1] = rows[spoil - 1].replace(b'"clicks"', b'"klicks"')
    return asyncio.run(HubClient(home / "hub.sock", timeout_s=60).post_ndjson("/v1/facts", rows))


def clicks(store):
    return sorted(facts.frame(store, EVERYTHING, datetime(2026, 1, 1, tzinfo=UTC))["clicks"])


# ── configuration ────────────────────────────────────────────────────────────────────────────────────────────────

TOML, CSV = "losswatch.toml", "inventory/sites.csv"


def broken(good, way):
    """A whole file that is wrong in one way."""
    rows = "".join(f"s{number},http://127.0.0.1:9/{number},aurora\n" for number in range(2, 10_002))
    return {
        "a misspelt key": good.replace("interval", "intervall"),
        "a duration that is none": good.replace('"1s"', '"2 fortnights"'),
        "a number for a text": good.replace('name = "Street"', "name = 5"),
        "a table twice": good + "[company]\n",
        "no TOML at all": good + "= = =\n",
        "one bad row among 10,000": "site,url,team\n" + rows.replace("9/7777,", "9/7777 x,"),
        "a team that does not exist": "site,url,team\nkiel,http://127.0.0.1:9/,auroar\n",
        "a column that is missing": "site,team\nkiel,aurora\n",
    }[way]


WAYS = [
    ("a misspelt key", TOML, ("losswatch.toml:7", "'intervall'", "did you mean 'interval'?")),
    ("a duration that is none", TOML, ("losswatch.toml:7", "2 fortnights")),
    ("a number for a text", TOML, ("losswatch.toml:2", "text")),
    ("a table twice", TOML, ("losswatch.toml:12",)),
    ("no TOML at all", TOML, ("losswatch.toml:12",)),
    ("one bad row among 10,000", CSV, ("sites.csv:7777",)),
    ("a team that does not exist", CSV, ("sites.csv:2", "auroar", "did you mean 'aurora'?")),
    ("a column that is missing", CSV, ("sites.csv:1", "url")),
]


def test_every_broken_file_is_named_by_line_changes_nothing_and_the_hub_goes_on(home):
    losswatch(home, "hub", "start")
    assert all_ok(home)
    for way, name, words in WAYS:
        good = (home / name).read_text()
        (home / name).write_text(broken(good, way))
        one_sentence(losswatch(home, "apply", "--dry-run"), 64, *words)
        (home / name).write_text(good)
    (home / TOML).rename(home / "aside")
    (home / TOML).mkdir()
    one_sentence(losswatch(home, "apply", "--dry-run"), 64, TOML, "is a directory")
    assert until(lambda: "not reloaded" in (said := status(home)["detail"]) and "is a directory" in said)
    assert "not reloaded" in losswatch(home).stdout
    (home / TOML).rmdir()
    (home / "aside").rename(home / TOML)
    assert until(lambda: status(home)["state"] == "ok")
    assert set(sites(home)) == set(NAMES)


def test_one_bad_line_among_10_000_facts_is_named_and_nothing_is_stored(home):
    losswatch(home, "hub", "start")
    with pytest.raises(UsageError, match=r"line 7777: .*klicks"):
        push(home, 10_000, spoil=7777)
    assert push(home, 3) == 3
    losswatch(home, "hub", "stop")
    with opened(home) as store:
        assert clicks(store) == [1, 2, 3]


class Partner(Street):
    """Takes one key and answers an empty report to it."""

    async def _answer(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        body = json.dumps({"rows": {"data": []}, "totals": {"data": []}}).encode()
        code = b"200 fine" if b"right-key-77" in head else b"401 no"
        writer.write(b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (code, len(body)))
        writer.write(body)
        await writer.drain()
        writer.close()


def test_a_missing_key_blinds_one_feed_and_is_taken_up_without_a_restart(tmp_path, street, started):
    partner = Partner()
    home = make_home(tmp_path / "h", street, NAMES, extra=FEED.format(every="1s", base=partner.url("").rstrip("/")))
    started(home)
    try:
        losswatch(home, "hub", "start")
        feed = lambda: lines(losswatch(home, "feeds", "--json"))[0]  # noqa: E731  # shortest form
        row = until(lambda: (found := feed())["cause"] and found)
        assert (row["state"], "losswatch secrets set quillspin" in row["detail"]) == ("unknown", True)
        said = status(home)
        assert (said["missing_secrets"], "missing secrets: quillspin" in said["detail"]) == (["quillspin"], True)
        assert all_ok(home)
        assert losswatch(home, "secrets", "set", "quillspin", input="right-key-77\n").returncode == 0
        assert until(lambda: feed()["cause"] != "feed.auth")
        assert until(lambda: status(home)["missing_secrets"] == [])
    finally:
        partner.close()


# ── the store ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MB."""
    if os.getuid() != 0:
        pytest.skip("needs root to mount a small tmpfs")
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], check=False).returncode:
        pytest.skip("this machine does not let us mount a tmpfs")
    yield place
    with (place / "hub.lock").open() as lock:
        pid = int(lock.read() or 0)
    if Path(f"/proc/{pid}/cmdline").exists() and str(place).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: subprocess.run(["umount", str(place)], check=False, capture_output=True).returncode == 0)


def fill(place):
    """Leave not a byte."""
    for size in (1 << 16, 512):
        try:
            with (place / f"fill{size}").open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(size))
        except OSError:
            pass


def test_on_a_full_disk_checks_and_alarms_go_on_from_memory_and_are_stored_when_there_is_room(small_disk, street):
    home = make_home(small_disk, street, NAMES, interval="1s")
    assert losswatch(home, "hub", "start").returncode == 0
    assert all_ok(home)
    assert push(home, 3) == 3
    fill(small_disk)
    with pytest.raises(LosswatchError, match="No space left for the database"):
        push(home, 5000)
    street.ill["kiel"] = 503
    assert until(lambda: lines(losswatch(home, "incidents", "--json")))
    said = losswatch(home, "incidents", "ack", "1")
    assert (said.returncode, "in memory only" in said.stdout) == (0, True), said
    assert until(lambda: (told := status(home))["state"] == "degraded" and told["store"]["owed"] > 0)
    told = status(home)
    assert "disk" in told["detail"]
    assert "disk" in losswatch(home).stdout
    for hog in small_disk.glob("fill*"):
        hog.unlink()
    assert until(lambda: (told := status(home))["state"] == "ok" and told["store"]["owed"] == 0)
    assert push(home, 2) == 2
    assert losswatch(home, "hub", "stop").returncode == 0
    with opened(home) as store:
        assert store.warnings == ()
        assert clicks(store) == [1, 1, 2, 2, 3]
        [kept] = incidents.page(store, EVERYTHING, state="all", offset=0, limit=9)[1]
        assert (kept.cause, kept.acknowledged_by != "") == ("http.5xx", True)


def test_a_hub_stops_cleanly_on_a_full_disk(small_disk, street):
    home = make_home(small_disk, street, NAMES, interval="1s")
    losswatch(home, "hub", "start")
    assert all_ok(home)
    assert push(home, 3) == 3
    fill(small_disk)
    street.ill["kiel"] = 503
    assert until(lambda: status(home)["state"] == "degraded")
    assert losswatch(home, "hub", "stop").stdout == "the hub has stopped\n"
    for hog in small_disk.glob("fill*"):
        hog.unlink()
    with opened(home) as store:
        assert clicks(store) == [1, 2, 3]


def test_a_database_that_somebody_else_holds_is_told_with_the_process(home):
    with opened(home):
        one_sentence(losswatch(home, "hub", "start"), 3, f"process {os.getpid()}")
    assert losswatch(home, "hub", "start").returncode == 0


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda home: (home / "vault.key").chmod(0o644), ("vault.key", "chmod 600")),
        (lambda home: (home / "vault.key").write_bytes(Fernet.generate_key()), ("vault.key", "does not open", "Put back")),
        (lambda home: (home / "vault.key").write_text("nonsense"), ("vault.key", "no master key")),
        (lambda home: (home / "vault.key").unlink(), ("vault.key", "Put back")),
        (lambda home: (home / "vault.json").write_text("{"), ("vault.json", "Put back a copy")),
        (lambda home: (home / "vault.json").unlink(), ("does not open with this key", "secrets list")),
    ],
)  # fmt: skip
def test_a_vault_that_is_not_right_is_a_sentence_with_the_next_step(home, spoil, words):
    open_secrets(Home.find(str(home)), create=True).set("some", "value-1234")
    with opened(home):
        pass
    spoil(home)
    one_sentence(losswatch(home, "hub", "start"), 3, *words)
