"""A partner's API goes wrong under a running hub: what came is held back, a person decides, nothing said before is lost."""

from __future__ import annotations

import json
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from street import lines, losswatch, until

TOML = """[company]
name = "Street"
[hub]
probes = 1
min_free = "1MB"
[[teams]]
id = "cedar"
name = "Cedar"
[[partners]]
id = "P06"
name = "Zefirion"
[[feeds]] # their Smartico
name = "zef"
team = "cedar"
partner = "P06"
preset = "smartico"
base_url = "http://127.0.0.1:{port}"
interval = "1s"
[feeds.options]
min_gap_s = "0.01"  # ours is a test
"""


@pytest.fixture
def api():
    """A Smartico account: three days of six trackers, money times `times`, yesterday and before times `kept`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"meta": {}, "data": list(rows(server))}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.times, server.kept = 1, 1.0
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def rows(server):
    for back in range(3):
        day = (datetime.now(UTC) - timedelta(days=back)).date()
        for n in range(6):
            money = round(38.07 * (3 + n) * server.times * (server.kept if back else 1), 2)
            yield {
                "dt": f"{day}T00:00:00Z", "brand_name": "Zefirion", "afp": f"go-{n}", "visit_count": 90 + 7 * n,
                "registration_count": 12 + n, "ftd_count": 3 + n, "net_pl": money * 2, "commissions_total": money,
                "deposit_total": money * 3,
            }  # fmt: skip


@pytest.fixture
def home(tmp_path, api, started):
    root = tmp_path / "h"
    (root / "inventory").mkdir(parents=True)
    (root / "losswatch.toml").write_text(TOML.format(port=api.server_port))
    started(root)
    return root


def feed(home):
    return next(iter(lines(losswatch(home, "feeds", "--json"))), {"state": "", "last_at": "", "cause": ""})


def watched(home):
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: feed(home)["state"] == "ok")


def held_back(home):
    """A delivery was judged, and is where people can decide about it."""
    assert until(lambda: feed(home)["cause"] == "feed.scale")
    assert until(lambda: " in quarantine: " in losswatch(home, "feeds", "show", "zef").stdout)


def test_minor_units_are_held_back_until_a_person_maps_them(home, api):
    watched(home)
    api.times = 100
    held_back(home)
    refused = losswatch(home, "feeds", "replay", "zef")
    assert refused.returncode != 0
    assert "would be held back again" in refused.stderr
    tried = losswatch(home, "feeds", "map", "zef", "unit=minor", "--dry-run")
    assert tried.returncode == 0, tried.stderr
    assert "commission_total: 376,893 -> 3,768.93" in tried.stdout
    assert feed(home)["cause"] == "feed.scale", "a dry run changes nothing"
    mapped = losswatch(home, "feeds", "map", "zef", "unit=minor", "--yes")
    assert "unit=minor is in force" in mapped.stdout, mapped.stderr
    assert until(lambda: feed(home)["state"] == "ok")
    text = (home / "losswatch.toml").read_text()
    assert 'unit = "minor"' in text
    assert "# their Smartico" in text
    assert "# ours is a test" in text
    assert 'unit = "minor"' not in (home / "losswatch.toml.bak").read_text()


def test_what_is_right_after_all_is_accepted(home, api):
    watched(home)
    api.times = 100
    held_back(home)
    alone = losswatch(home, "feeds", "accept", "zef", stdin=-3)
    assert alone.returncode == 64
    assert "--yes" in alone.stderr
    assert losswatch(home, "feeds", "accept", "zef", "--yes").returncode == 0
    assert until(lambda: feed(home)["state"] == "ok")


def test_a_claw_back_leaves_a_ledger_and_a_pack_of_evidence(home, api, tmp_path):
    watched(home)
    first = feed(home)["last_at"]
    assert until(lambda: feed(home)["last_at"] > first)
    api.kept = 0.8
    assert until(lambda: feed(home)["cause"] == "feed.restated")
    assert until(lambda: "claw back" in losswatch(home, "feeds", "ledger", "zef").stdout)
    out = tmp_path / "pack.zip"
    packed = losswatch(home, "feeds", "evidence", "zef", "--out", str(out))
    assert packed.returncode == 0, packed.stderr
    with zipfile.ZipFile(out) as pack:
        names = pack.namelist()
        assert {"summary.md", "restatements.csv", "versions.csv", "SHA256SUMS"} <= set(names)
        assert "claw_back" in pack.read("restatements.csv").decode()
        bodies = [name for name in names if name.startswith("bodies/")]
        assert len(bodies) >= 2
        assert all(json.loads(pack.read(name))["data"] for name in bodies)
    month = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m")
    invoiced = losswatch(home, "feeds", "invoice", "zef", month, "1.00")
    assert invoiced.returncode == 2
    assert "it does not fit" in invoiced.stdout
    signed = losswatch(home, "feeds", "sign", "zef", "--reference", "D-17")
    assert "acknowledged" in signed.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("map", "zef", "unit"), "is not NAME=VALUE"),
        (("map", "zef", "unti=minor", "--yes"), "did you mean 'unit'"),
        (("map", "zef", "unit=cents", "--yes"), "allowed: major, minor"),
        (("map", "nobody", "unit=minor", "--yes"), "no feed"),
        (("replay", "zef"), "nothing of zef is quarantined"),
        (("replay", "zef", "--from", "2026-13-01"), "--from"),
        (("invoice", "zef", "2026-13", "1"), "write it as 2026-01"),
        (("invoice", "zef", "2026-10", "1.000,00"), "write it as 12345.67"),
    ],
)
def test_a_decision_that_cannot_be_is_one_sentence(shared, words, told):
    done = losswatch(shared, "feeds", *words)
    assert done.returncode == 64, done.stdout
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    root = tmp_path_factory.mktemp("feeds") / "h"
    (root / "inventory").mkdir(parents=True)
    (root / "losswatch.toml").write_text(TOML.format(port=9))
    assert losswatch(root, "hub", "start").returncode == 0
    yield root
    losswatch(root, "hub", "stop")
