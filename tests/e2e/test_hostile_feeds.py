"""Partners whose APIs answer anything at all, under one running hub: each says what is wrong, and no figure is touched."""

from __future__ import annotations

import gzip
import json
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, zip_longest
from pathlib import Path

import httpx
import pytest
from street import hub_pid, losswatch, until

from data.model.principal import EVERYTHING
from data.store import partner_stats
from data.store.store import Store

HEAD = """[company]
name = "Street"
[hub]
probes = 1
min_free = "1MB"
encrypt = false
[[teams]]
id = "cedar"
name = "Cedar"
[[partners]]
id = "P01"
name = "Quillspin"
"""
FEED = """[[feeds]]
name = "{name}"
team = "cedar"
partner = "P01"
preset = "{preset}"
base_url = "http://127.0.0.1:{port}"
interval = "1s"
[feeds.options]
auth = "none"
path = "/{name}"
min_gap_s = "0.01"
timeout_s = "2"
reread = "never"
{more}"dim.tracker" = "tracker"
"""
FORMS = {"json": 'rows = "data"\n', "csv": "", "xml": 'rows = "row"\n', "steady": 'rows = "data"\n'}
MOST_RSS = 500
"""MiB that the hub may ever have held."""


def records():
    today = datetime.now(UTC).date()
    return [
        {
            "date": str(today - timedelta(days=back)), "tracker": f"go-{n}", "clicks": 90 + 7 * n, "registrations": 12 + n,
            "ftd_count": 3 + n, "commission_total": f"{38.07 * (3 + n):.2f}",
        }
        for back in range(3) for n in range(8)
    ]  # fmt: skip


ROWS = records()
SUM = sum(Decimal(row["commission_total"]) for row in ROWS)
JSON = json.dumps({"data": [row | {"commission_total": float(row["commission_total"])} for row in ROWS]}).encode()
CSV = "\n".join([",".join(ROWS[0]), *(",".join(map(str, row.values())) for row in ROWS)]).encode() + b"\n"
XML = (
    b"<r>" + b"".join(b"<row>" + b"".join(b"<%s>%s</%s>" % (k.encode(), str(v).encode(), k.encode()) for k, v in row.items()) + b"</row>" for row in ROWS) + b"</r>"
)  # fmt: skip
GOOD = {"json": JSON, "steady": JSON, "csv": CSV, "xml": XML}
TYPES = {"json": "application/json", "steady": "application/json", "csv": "text/csv", "xml": "text/xml"}
FIRST = f'"commission_total": {float(ROWS[0]["commission_total"])}'.encode()


def says(body, kind="", status=200, length=None, **headers):
    """An answer with that body; `length` is what it claims to be."""

    def answer(handler):
        handler.send_response(status)
        handler.send_header("Content-Type", kind or TYPES[handler.path.strip("/").partition("?")[0]])
        handler.send_header("Content-Length", str(length or len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def streams(chunks, pause_s=0.0):
    """An answer in chunks, until somebody hangs up."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for chunk in chunks():
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            time.sleep(pause_s)
        handler.wfile.write(b"0\r\n\r\n")

    return answer


def another_each_time():
    """A body cut at another place each time it is asked for."""
    turns = count()

    def answer(handler):
        says(JSON[: -30 - next(turns) % 200])(handler)

    return answer


LAUGHS = (
    b'<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "'
    + b"&a;" * 1000
    + b'"><!ENTITY c "'
    + b"&b;" * 1000
    + b'">]><r><row>&c;</row></r>'
)
PAGE = b"<!doctype html><html><body><form action=/login>Please sign in</form></body></html>"
ILL = {
    "json": {
        "cut short": (says(JSON[:-40]), "feed.contract", "not valid JSON"),
        "empty": (says(b""), "feed.contract", "empty body"),
        "an empty list": (says(b'{"data": []}'), "feed.contract", "0 rows"),
        "a page": (says(PAGE), "feed.auth", "HTML page"),
        "a key twice": (says(JSON.replace(FIRST, FIRST + b', "commission_total": 0', 1)), "feed.contract", "twice"),
        "NaN": (says(JSON.replace(FIRST, b'"commission_total": NaN', 1)), "feed.contract", "not valid JSON"),
        "1e400": (says(JSON.replace(FIRST, b'"commission_total": 1e400', 1)), "feed.contract", "out of range"),
        "10^400": (says(JSON.replace(FIRST, b'"commission_total": 1' + b"0" * 400, 1)), "feed.contract", "commission_total"),
        "nested": (says(b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "feed.contract", "nested"),
        "no objects": (says(b'{"data": [1, "two", null]}'), "feed.contract", "no object"),
        "half a letter": (says(JSON.replace(FIRST, b'"commission_total": "\\ud83d"', 1)), "feed.contract", "commission_total"),
        "many objects": (says(b'{"data": [' + b"{}," * 4_000_000 + b"{}]}"), "feed.contract", "objects and lists"),
        "gigantic": (streams(lambda: (b" " * 1_000_000 for _ in range(200))), "proto.oversize", "16 MiB"),
        "changing": (another_each_time(), "feed.contract", "not valid JSON"),
    },
    "csv": {
        "one row too wide": (says(CSV.replace(b"go-1,", b"go-1,Acme,", 1)), "feed.contract", "cells"),
        "a row cut short": (says(CSV[:-12]), "feed.contract", "cells"),
        "a header alone": (says(CSV.partition(b"\n")[0] + b"\n"), "feed.contract", "0 rows"),
        "another charset": (says(CSV, "text/csv; charset=utf-16-le"), "feed.contract", ""),
        "NaN in a cell": (says(CSV.replace(b",114.21\n", b",NaN\n", 1)), "feed.contract", "no figure"),
        "zeros": (says(CSV + bytes(2_000)), "feed.contract", "binary"),
        "an open quote": (says(CSV.replace(b"go-3", b'"go-3', 1)), "feed.contract", "never closed"),
        "a bomb": (says(gzip.compress(b"," * 100_000_000, 9), Content_Encoding="gzip"), "proto.oversize", "16 MiB"),
        "a page": (says(PAGE, "text/html"), "feed.auth", "HTML page"),
        "truncated": (says(CSV[:300], length=len(CSV)), "proto.truncated", "early"),
    },
    "xml": {
        "laughs": (says(LAUGHS), "feed.contract", "document type"),
        "a foreign entity": (says(b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><r><row/></r>'), "feed.contract", "document type"),
        "cut short": (says(XML[:-40]), "feed.contract", "not valid XML"),
        "nested": (says(b"<a>" * 100_000), "feed.contract", "nested"),
        "a login": (says(b"", status=302, Location="/login?next=x"), "feed.auth", "login page"),
        "a slow drip": (streams(lambda: (b"<" for _ in range(10_000)), 0.05), "tcp.timeout", "2 s"),
        "endless chunks": (streams(lambda: (b"<r>" + b"x" * 100_000 for _ in count())), "proto.oversize", "16 MiB"),
        "an error": (says(b"<r>no</r>", status=500), "http.5xx", "500"),
    },
}  # fmt: skip


@pytest.fixture
def server():
    """One account a path; what `ill` says of it, else its good report."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.close_connection = True
            name = self.path.strip("/").partition("?")[0]
            with suppress(ConnectionError):
                server.ill.get(name, says(GOOD[name]))(self)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.ill = {}
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def home(tmp_path, server, started):
    root = tmp_path / "h"
    (root / "inventory").mkdir(parents=True)
    preset = {"steady": "json"}
    feeds = [FEED.format(name=n, preset=preset.get(n, n), port=server.server_port, more=FORMS[n]) for n in FORMS]
    (root / "losswatch.toml").write_text(HEAD + "".join(feeds))
    started(root)
    assert losswatch(root, "hub", "start").returncode == 0
    return root


def seen(client):
    """What the hub says of each feed."""
    return {row["name"]: row for row in client.get("/v1/targets/feed").json()["rows"]}


def matches(row, cause, words):
    return row["state"] == "failing" and row["cause"] == cause and words in row["detail"]


def peak_mib(home):
    status = Path(f"/proc/{hub_pid(home)}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def test_whatever_an_api_answers_is_a_cause_with_words_and_never_a_figure(home, server):
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(home / "hub.sock")), base_url="http://hub") as client:
        well = partial(_well, client)
        assert until(well, every_s=0.1), seen(client)
        for turn in zip_longest(*(ILL[form].items() for form in ILL)):
            ill = {form: case for form, case in zip(ILL, turn, strict=True) if case}
            server.ill.update({form: answer for form, (_, (answer, _, _)) in ill.items()})
            told = {form: (what, cause, words) for form, (what, (_, cause, words)) in ill.items()}
            ok = until(partial(_all_told, client, told), every_s=0.1)
            assert ok, [(told[form], seen(client)[form]) for form in told]
            assert until(lambda: seen(client)["steady"]["state"] == "ok"), seen(client)
            server.ill.clear()
            assert until(well, every_s=0.1), (told, seen(client))
    assert peak_mib(home) < MOST_RSS
    assert losswatch(home, "hub", "stop").returncode == 0
    store = Store.open(home / "losswatch.duckdb", None)
    try:
        for name in FORMS:
            known = partner_stats.versions(store, EVERYTHING, name, *_days())
            assert sum(stat.measures["commission_total"] for stat in known) == SUM
            assert {stat.version for stat in known} == {1}
    finally:
        store.close()


def _well(client):
    rows = seen(client)
    return len(rows) == len(FORMS) and all(row["state"] == "ok" for row in rows.values())


def _all_told(client, told):
    rows = seen(client)
    return all(matches(rows[form], cause, words) for form, (_, cause, words) in told.items())


def _days():
    days = [datetime.fromisoformat(row["date"]).date() for row in ROWS]
    return min(days), max(days)
