from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

CANARY = "canary-8f2c61-Zäöü"


def test_a_value_goes_in_by_standard_input_and_never_comes_out(run, tmp_path):
    outputs = []
    for arguments in (
        ("secrets", "set", "p01-token"),
        ("secrets", "list"),
        ("secrets", "list", "--json"),
        ("secrets", "test", "p01-token"),
        ("secrets", "rotate-master"),
        ("doctor",),
        ("doctor", "--json"),
    ):
        (tmp_path / "losswatch.toml").write_text("")
        done = run(*arguments, stdin=CANARY)
        assert "Traceback" not in done.err
        outputs.append(done.out + done.err)
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert "canary" not in "".join(outputs)
    assert b"canary" not in files
    assert "p01-token" in outputs[1]


def test_a_list_has_fingerprints_and_moments(run):
    assert run("secrets", "set", "a", stdin="one").out == "a is stored\n"
    assert run("secrets", "set", "b", stdin="one\n").code == 0
    first, second = (json.loads(line) for line in run("secrets", "list", "--json").out.splitlines())
    assert (first["name"], second["name"]) == ("a", "b")
    assert first["fingerprint"] == second["fingerprint"]
    assert first["tested_at"] is None


def test_an_empty_vault_says_how_to_fill_it(run):
    run("secrets", "set", "a", stdin="one")
    assert run("secrets", "delete", "a").code == 0
    assert "Store one: losswatch secrets set NAME" in run("secrets", "list").out


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (("list",), "", 3),
        (("test", "absent"), "", 3),
        (("set",), "", 64),
        (("set", "a"), "", 64),
        (("set", "a"), "nul\0", 64),
        (("set", "a"), b"\xff\xfe", 64),
        (("set", "a"), "x" * 70_000, 64),
        (("set", "a", "value-in-argv"), "", 64),
        ((), "", 64),
        (("frobnicate",), "", 64),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run, arguments, stdin, code):
    done = run("secrets", *arguments, stdin=stdin)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith("losswatch: ")
    assert len(done.err.splitlines()) == 1


class _Partner(BaseHTTPRequestHandler):
    """An affilka-like API that knows one key."""

    def do_GET(self):
        good = self.headers.get("Authorization") == "good-key-1"
        body = b'{"rows": {"data": []}, "totals": {"data": []}}' if good else b'{"error": "unauthorized"}'
        self.send_response(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def partner(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Partner)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    (tmp_path / "losswatch.toml").write_text(
        '[[teams]]\nid = "aurora"\n[[partners]]\nid = "P01"\n[[feeds]]\nname = "p01"\nteam = "aurora"\npartner = "P01"\n'
        f'preset = "affilka"\nbase_url = "http://127.0.0.1:{server.server_port}"\nsecret = "key"\n'
    )
    yield
    server.shutdown()
    server.server_close()


def test_a_key_is_tried_at_the_partner_that_takes_it(run, partner):
    run("secrets", "set", "key", stdin="good-key-1")
    done = run("secrets", "test", "key")
    assert (done.code, done.out) == (0, "● p01  the partner accepts it\n")
    assert json.loads(run("secrets", "list", "--json").out)["tested_at"]


def test_a_key_that_the_partner_refuses_is_failing(run, partner):
    run("secrets", "set", "key", stdin="bad-key-99")
    done = run("secrets", "test", "key", "--json")
    assert done.code == 2
    assert json.loads(done.out)["feeds"]["p01"].startswith("feed.auth: 401")


def test_a_new_key_that_does_not_work_leaves_the_old_one(run, partner):
    run("secrets", "set", "key", stdin="good-key-1")
    done = run("secrets", "rotate", "key", stdin="bad-key-99")
    assert done.code == 3
    assert "does not work for feed p01 (feed.auth: 401" in done.err
    assert "bad-key" not in done.err
    assert run("secrets", "test", "key").code == 0
    assert run("secrets", "rotate", "key", stdin="good-key-1").out == "key is replaced\n"
