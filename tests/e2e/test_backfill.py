"""The history of a feed is read by the hub, newest first, whatever becomes of the terminal or the hub on the way."""

from __future__ import annotations

import json
import threading
import zipfile
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from street import losswatch, until

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
[[feeds]]
name = "zef"
team = "cedar"
partner = "P06"
preset = "json"
base_url = "http://127.0.0.1:{port}"
interval = "1h"
[feeds.options]
auth = "none"
min_gap_s = "0.01"
max_days = "7"
rows = "rows"
"""
TODAY = datetime.now(UTC).date()


def day(back):
    return (TODAY - timedelta(days=back)).isoformat()


class Api(ThreadingHTTPServer):
    """A row for each day asked for. Windows that end before `refused_before` are refused; `held` ones wait for `go`."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.refused_before, self.held, self.go = [], date.min, set(), threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        first, last = (date.fromisoformat(query[name][0]) for name in ("from", "to"))
        self.server.asked.append((first.isoformat(), last.isoformat()))
        if first.isoformat() in self.server.held:
            self.server.go.wait(90)
        days = [first + timedelta(n) for n in range((last - first).days + 1)]
        rows = [
            {"date": str(one), "clicks": 90, "registrations": 9, "ftd_count": 3, "commission_total": 99.5}
            for one in days
        ]
        body = json.dumps({"rows": rows}).encode()
        self.send_response(404 if last < self.server.refused_before else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def api():
    server = Api()
    yield server
    server.go.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def home(tmp_path, api, started):
    root = tmp_path / "h"
    (root / "inventory").mkdir(parents=True)
    (root / "losswatch.toml").write_text(TOML.format(port=api.server_port))
    started(root)
    assert losswatch(root, "hub", "start").returncode == 0
    assert until(lambda: api.asked)
    return root


def told(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def of_backfill(api):
    """Windows asked for, but for those of the feed's own reading of its newest days."""
    return [(first, last) for first, last in api.asked if last <= day(10)]


def backfill(home, *words):
    return losswatch(home, "feeds", "backfill", "zef", *words)


def state(home):
    return told(backfill(home, "--json"))[-1]


def test_windows_are_read_from_the_newest_to_the_oldest_and_each_step_is_told(home, api):
    api.asked.clear()
    done = backfill(home, "--from", day(30), "--to", day(10), "--json")
    assert done.returncode == 0, done.stderr
    last = told(done)[-1]
    assert (last["state"], last["done"], last["windows"], last["rows"], last["left"]) == ("done", 3, 3, 21, None)
    assert of_backfill(api) == [(day(16), day(10)), (day(23), day(17)), (day(30), day(24))]
    pack = home / "pack.zip"
    assert (
        losswatch(home, "feeds", "evidence", "zef", "--from", day(30), "--to", day(10), "--out", str(pack)).returncode
        == 0
    )
    with zipfile.ZipFile(pack) as opened:
        said = "".join(opened.read(name).decode("utf-8", "replace") for name in opened.namelist())
    assert all(day(back) in said for back in range(10, 31))
    plain = backfill(home)
    assert "3/3  done  21 rows" in plain.stdout


def test_a_hub_that_goes_down_on_the_way_reads_only_what_is_left(home, api):
    api.asked.clear()
    api.held.add(day(23))
    assert backfill(home, "--from", day(30), "--to", day(10), "--detach").returncode == 0
    assert until(lambda: (day(23), day(17)) in api.asked)
    assert losswatch(home, "hub", "stop").returncode == 0
    api.go.set()
    assert losswatch(home, "hub", "start").returncode == 0
    done = backfill(home, "--json")
    assert (done.returncode, told(done)[-1]["rows"]) == (0, 21)
    asked = of_backfill(api)
    assert asked.count((day(16), day(10))) == 1
    assert asked[-1] == (day(30), day(24))


def test_one_that_is_cancelled_keeps_what_it_has_and_goes_on_when_it_is_asked_for_again(home, api):
    api.held.add(day(23))
    asked = ("--from", day(30), "--to", day(10))
    assert backfill(home, *asked, "--detach").returncode == 0
    assert until(lambda: (day(23), day(17)) in api.asked)
    twice = backfill(home, *asked)
    assert (twice.returncode, "under way" in twice.stderr) == (64, True)
    assert "1 of 3 windows are stored" in backfill(home, "--cancel").stdout
    assert backfill(home, "--json").returncode == 1
    assert backfill(home, "--cancel").returncode == 64
    api.go.set()
    again = backfill(home, *asked)
    assert (again.returncode, "goes on: 2 windows to read" in again.stdout) == (0, True)
    assert state(home)["rows"] == 21


def test_a_platform_that_keeps_no_more_ends_it_with_its_word_and_what_is_newer_is_stored(home, api):
    api.refused_before = TODAY - timedelta(days=17)
    done = backfill(home, "--from", day(37), "--to", day(10), "--json")
    assert done.returncode == 3
    last = told(done)[-1]
    assert (last["state"], last["done"], last["rows"]) == ("failed", 2, 14)
    assert last["detail"] == f"{day(30)} .. {day(24)}: http.4xx: the API answered 404"


REFUSED = (
    (("--from", "2026-01-01"), "needs both --from DAY and --to DAY"),
    (("--from", "2026-02-01", "--to", "2026-01-01"), "is after the last"),
    (("--from", "2026-01-01", "--to", "2999-01-01"), "is not there yet"),
    (("--from", "1999-01-01", "--to", "2026-01-01"), "five years"),
    (("--cancel",), "no backfill of zef is under way"),
)


def test_days_that_cannot_be_read_are_refused_in_words(home):
    for words, sentence in REFUSED:
        done = backfill(home, *words)
        assert (done.returncode, sentence in done.stderr) == (64, True), done.stderr
    nobody = losswatch(home, "feeds", "backfill", "nobody", "--from", day(9), "--to", day(8))
    assert (nobody.returncode, "no feed 'nobody' in your scope" in nobody.stderr) == (64, True)
