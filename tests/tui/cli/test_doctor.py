from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import pytest

from data.config.home import Home
from data.model.audit import AuditChain, AuditEntry
from data.model.ids import TeamId
from data.model.snapshot import PROTOCOL, Hello, Problem
from data.secrets import open_secrets, store_key
from data.store.store import Store

HELLO = Hello(
    PROTOCOL, "0.1.0", "Corvane Media", "maria", "senior", ("*",), "full", "EUR", 77, datetime(2026, 1, 1, tzinfo=UTC)
)
WELL = '[network]\ncanaries = ["https://a.example/", "https://b.example/", "https://c.example/"]\n[[teams]]\nid = "aurora"\n'


@pytest.fixture
def examined(run, tmp_path):
    """The doctor's findings by name, and the exit code."""
    (tmp_path / "losswatch.toml").write_text(WELL)
    tmp_path.chmod(0o700)
    run("secrets", "set", "used", stdin="value-1")

    def examine(**env: str):
        done = run("doctor", "--json", **env)
        items = [json.loads(line) for line in done.out.splitlines()]
        assert done.err == ""
        return {item["name"]: item for item in items}, done.code

    return examine


def test_a_healthy_home_is_ok_throughout(examined, canned_hub):
    canned_hub({"/v1/hello": HELLO, "/v1/audit": AuditChain(1234, "f" * 64)})
    items, code = examined()
    assert {name: item["state"] for name, item in items.items() if item["state"] != "ok"} == {}
    assert code == 0
    assert "pid 77; you are maria (senior)" in items["hub"]["detail"]
    assert items["audit"]["detail"] == "1,234 entries, chain whole, the newest is ffffffffffffffff"


def test_every_line_for_a_person_has_glyph_word_and_name(run, tmp_path):
    out = run("doctor").out
    assert "● ok   versions" in out
    assert "✖ bad  config" in out
    assert "Start with: losswatch init" in out
    assert "next: losswatch hub start" in out


def test_a_broken_file_is_bad_and_named_by_line(examined, tmp_path):
    (tmp_path / "losswatch.toml").write_text("[company]\nnmae = 1\n")
    items, code = examined()
    assert code == 2
    assert items["config"]["state"] == "bad"
    assert "losswatch.toml:2: unknown key in company" in items["config"]["detail"]


def test_a_feed_without_its_key_is_a_warning_with_the_command(examined, canned_hub, tmp_path):
    canned_hub({"/v1/hello": HELLO})
    feed = '[[partners]]\nid = "P"\n[[feeds]]\nname = "f"\nteam = "aurora"\npartner = "P"\npreset = "affilka"\n'
    (tmp_path / "losswatch.toml").write_text(WELL + feed + 'base_url = "https://p.example"\nsecret = "f-token"\n')
    items, code = examined()
    assert code == 1
    assert items["secrets"]["next"] == "losswatch secrets set f-token"


def test_a_home_that_others_can_change_is_a_warning(examined, canned_hub, tmp_path):
    canned_hub({"/v1/hello": HELLO})
    tmp_path.chmod(0o777)
    items, _ = examined()
    assert items["paths"]["state"] == "warn"
    assert items["paths"]["next"] == f"chmod go-w {tmp_path}"


def test_a_resolver_that_does_not_answer_is_bad(examined, tmp_path):
    (tmp_path / "losswatch.toml").write_text(WELL.replace("[network]", '[network]\nresolver = "127.0.0.1:1"'))
    items, code = examined()
    assert code == 2
    assert items["resolver"]["state"] == "bad"
    assert "127.0.0.1:1 does not answer" in items["resolver"]["detail"]


def test_a_country_without_a_vantage_is_a_warning(examined, tmp_path):
    (tmp_path / "losswatch.toml").write_text(WELL + '[[vantages]]\ncountry = "DE"\nproxy = "http://127.0.0.1:1"\n')
    (tmp_path / "inventory").mkdir()
    rows = "link,url,team,geo\na,https://a.example/,aurora,DE\nb,https://b.example/,aurora,FI\n"
    (tmp_path / "inventory" / "links.csv").write_text(rows)
    items, _ = examined()
    assert "no vantage in FI" in items["vantages"]["detail"]


def test_a_user_without_an_account_is_a_warning(examined, tmp_path):
    users = '[[users]]\naccount = "nobody-of-that-name"\nrole = "lead"\n[[users]]\naccount = "4711"\nrole = "seo"\n'
    (tmp_path / "losswatch.toml").write_text(WELL + users)
    items, _ = examined()
    assert "no account 'nobody-of-that-name'" in items["users"]["detail"]


def test_a_database_from_the_future_means_the_clock_went_back(examined, tmp_path):
    database = tmp_path / "losswatch.duckdb"
    database.write_bytes(b"")
    os.utime(database, (4_000_000_000, 4_000_000_000))
    items, code = examined()
    assert (items["clock"]["state"], code) == ("bad", 2)


def test_a_socket_nobody_listens_on_is_told(examined, canned_hub, tmp_path):
    (tmp_path / "hub.sock").write_text("")
    items, _ = examined()
    assert items["hub"]["state"] == "warn"
    assert items["hub"]["next"] == "losswatch hub start"


def test_the_doctor_tells_what_the_hub_says_of_itself(examined, canned_hub):
    busy = "go.tracker.example: 80 checks/min wanted, 60 allowed"
    status = {"detail": busy, "late": 1234, "late_s": 95.4, "maintenance": 12, "vantages": {}, "registries": {}}
    canned_hub({"/v1/hello": HELLO, "/v1/status": status})
    items, code = examined()
    assert (items["hub"]["state"], items["hub"]["detail"]) == ("warn", busy)
    assert "1,234 checks" in items["late"]["detail"]
    assert "1m35s at worst" in items["late"]["detail"]
    assert "12 targets" in items["maintenance"]["detail"]
    assert code == 1


def test_an_audit_that_the_hub_finds_broken_is_bad(examined, canned_hub):
    chain = AuditChain(9, "f" * 64, "entry 3 is not what was written (now: nobody close #4)")
    canned_hub({"/v1/hello": HELLO, "/v1/audit": chain})
    items, code = examined()
    assert (items["audit"]["state"], code) == ("bad", 2)
    assert items["audit"]["detail"] == f"9 entries, chain broken: {chain.broken}"
    assert "backup" in items["audit"]["next"]


def test_whoever_sees_some_teams_only_hears_nothing_of_the_audit(examined, canned_hub):
    hub = canned_hub({"/v1/hello": HELLO})
    hub.refused = {"/v1/audit": (403, Problem("maria (senior) may not; ask an admin", "not_allowed"))}
    items, code = examined()
    assert ("audit" in items, code) == (False, 0)


@pytest.fixture
def audited(examined, tmp_path):
    """`audited(sql)`: the database of a hub that is down, with three entries of the audit, after `sql`."""

    def run_on(sql=""):
        place = Home.find(str(tmp_path))
        store = Store.open(place.database, store_key(open_secrets(place)))
        try:
            at = datetime(2026, 1, 5, tzinfo=UTC)
            store.write([AuditEntry(at, "maria", TeamId("aurora"), "close", f"#{n}") for n in range(3)]).result()
            if sql:
                store.work(lambda cursor: cursor.execute(sql)).result()
        finally:
            store.close()

    return run_on


def test_without_a_hub_the_audit_is_read_from_the_database(examined, audited):
    audited()
    items, code = examined()
    assert (items["audit"]["state"], items["hub"]["state"], code) == ("ok", "warn", 1)
    assert items["audit"]["detail"].startswith("3 entries, chain whole, the newest is ")


def test_an_entry_that_was_altered_in_the_database_is_named(examined, audited):
    audited("UPDATE audit SET who = 'nobody' WHERE number = 2")
    items, code = examined()
    assert (items["audit"]["state"], code) == ("bad", 2)
    assert items["audit"]["detail"] == "3 entries, chain broken: entry 2 is not what was written (now: nobody close #1)"


def test_a_database_that_is_open_elsewhere_is_left_alone(examined, audited, tmp_path):
    audited()
    place = Home.find(str(tmp_path))
    store = Store.open(place.database, store_key(open_secrets(place)))
    try:
        items, code = examined()
    finally:
        store.close()
    assert (items["audit"]["state"], code) == ("warn", 1)
    assert f"process {os.getpid()}" in items["audit"]["detail"]


def test_a_doctor_makes_no_database(examined, tmp_path):
    items, _ = examined()
    assert "audit" not in items
    assert not (tmp_path / "losswatch.duckdb").exists()
