"""`losswatch check site|link` as a person or a script runs it, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

KEYS = {"url", "state", "cause", "detail", "hops", "timing", "checked_at"}
MORE_KEYS = {"params", "evidence"}
HOP_KEYS = {"url", "ip", "status", "ms", "location", "cert_days_left", "cause"}
MORE_HOP_KEYS = {"issuer", "cert_ends", "client_side", "edge", "params"}


def losswatch(*words, **env):
    return subprocess.run(
        [sys.executable, "-m", "tui.cli.main", "check", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **env},
    )


def test_json_is_exactly_the_one_object_of_the_contract(serve, http, page):
    url = serve(http(page)).url()
    done = losswatch("site", url, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 1, "")
    assert KEYS <= set(found) <= KEYS | MORE_KEYS
    assert set(found["hops"][0]) == HOP_KEYS | MORE_HOP_KEYS
    assert set(found["timing"]) == {"dns_ms", "connect_ms", "tls_ms", "ttfb_ms", "total_ms"}
    assert (found["url"], found["state"], found["cause"], found["hops"][0]["status"]) == (url, "ok", "", 200)
    assert found["checked_at"].endswith("Z")


@pytest.mark.parametrize(
    ("body", "status", "options", "code"),
    [
        ("page", "200 OK", (), 0),
        ("page", "200 OK", ("--slow", "0.000001"), 1),
        ("page", "404 Not Found", (), 2),
        ("page", "404 Not Found", ("--status", "200,404"), 0),
        ("page", "429 Slow Down", (), 3),
        ("page", "200 OK", ("--expect", "honest", "--forbid", "liar"), 0),
        ("page", "200 OK", ("--forbid", "honest"), 2),
        ("page", "200 OK", ("--max-body", "10"), 2),
    ],
)
def test_the_exit_code_is_the_states(serve, http, page, body, status, options, code):
    assert losswatch("site", serve(http(page, status=status)).url(), *options).returncode == code


@pytest.mark.parametrize(
    "url", ["http://", "garbage", "javascript:alert(1)", "http://a b/", "http://u:p@h/", "http://h:99999/", ""]
)
def test_a_url_that_is_none_is_an_answer_with_exit_3(url):
    done = losswatch("link", url, "--json")
    assert (done.returncode, json.loads(done.stdout)["cause"], done.stderr) == (3, "config.url", "")


@pytest.mark.parametrize(
    "words",
    [
        ("--timeout", "0"),
        ("--timeout", "soon"),
        ("--status", "banana"),
        ("--status", "99"),
        ("--max-body", "-1"),
        ("--resolver", "nowhere"),
        ("--resolver", "127.0.0.1:0"),
        ("--ca", "/no/such/file.pem"),
        ("--no-such-option",),
    ],
)
def test_a_wrong_option_is_a_sentence_and_64(words):
    done = losswatch("site", "http://127.0.0.1:1/", *words)
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_people_see_the_hops_and_the_guilty_one_marked(serve, http):
    def behave(connection, request):
        location = b"HTTP/1.1 302 Found\r\nlocation: /land\r\ncontent-length: 0\r\n\r\n"
        connection.sendall(location if request.path == "/go" else http("x", status="500 Oops"))

    done = losswatch("link", serve(behave).url("/go"), PYTHONIOENCODING="utf-8")
    lines = done.stdout.splitlines()
    assert lines[0].split()[:2] == ["1", "302"]
    assert lines[1].split()[:3] == ["✖", "2", "500"]
    assert lines[2].startswith("✖ failing  http.5xx (server error)")


def test_a_terminal_without_utf_8_gets_plain_marks(serve, http):
    done = losswatch("site", serve(http("x", status="500 Oops")).url(), PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.stdout.isascii()
    assert "x failing" in done.stdout


def test_a_hostile_title_or_location_sends_no_escape_code_to_the_terminal(serve, http):
    def behave(connection, request):
        evil = b"HTTP/1.1 302 Found\r\nlocation: /\x1b]52;c;ZXZpbA==\x07\r\ncontent-length: 0\r\n\r\n"
        connection.sendall(
            evil if request.path == "/go" else http("<title>\x1b[2J\u202e</title>", status="500 \x1b[31m")
        )

    done = losswatch("link", serve(behave).url("/go"), PYTHONIOENCODING="utf-8")
    assert done.returncode == 2
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_an_endless_body_takes_no_memory(serve):
    def endless(connection, _request):
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n")
        while True:
            connection.sendall(b"x" * 262_144)

    program = textwrap.dedent("""
        import resource, sys
        from checks.sites.oneshot import check_site
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        first = check_site(sys.argv[1]).cause
        before = peak()
        causes = {check_site(sys.argv[1]).cause for _ in range(15)}
        print(first, causes == {first}, peak() - before)
    """)
    done = subprocess.run(
        [sys.executable, "-c", program, serve(endless).url()], capture_output=True, text=True, timeout=60, check=True
    )
    cause, same, grown_kib = done.stdout.split()
    assert (cause, same) == ("proto.oversize", "True")
    assert int(grown_kib) < 8 * 1024


def test_a_check_starts_nothing_of_the_hub(serve, http, page):
    program = "import sys; from checks.sites.oneshot import check_site; check_site(sys.argv[1]); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program, serve(http(page)).url()], capture_output=True, text=True, timeout=60, check=True
    )
    assert not {"duckdb", "polars", "httpx", "keyring", "textual", "numpy"} & set(done.stdout.split())


def to(location, **headers):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 302 Found\r\nlocation: {location}\r\n{lines}content-length: 0\r\n\r\n".encode()


class TestLink:
    def test_json_says_of_every_kept_parameter_what_became_of_it_and_who_did_it(self, routes, http, page):
        server = routes(
            {"/go": to("/mid?btag=abc-123-XYZ&sub=1"), "/mid": to("/land?btag=abc-123&sub=1"), "/land": http(page)}
        )
        done = losswatch("link", server.url("/go?btag=abc-123-XYZ&sub=1"), "--keep", "btag", "--keep", "sub", "--json")
        found = json.loads(done.stdout)
        assert (done.returncode, found["cause"]) == (2, "link.param_lost")
        hop = f"127.0.0.1:{server.port}"
        assert found["params"] == {
            "btag": {"state": "truncated", "hop": hop, "was": "abc-123-XYZ", "now": "abc-123"},
            "sub": {"state": "present", "hop": "", "was": "1", "now": "1"},
        }
        assert [hop["params"] for hop in found["hops"]] == ["", "cuts the parameter btag from 11 to 7 characters", ""]

    def test_people_see_one_aligned_line_a_parameter(self, routes, http, page):
        server = routes({"/go": to("/land?subid=9"), "/land": http(page)})
        done = losswatch("link", server.url("/go?btag=abc&subid=9"), "--keep", "btag", "--keep", "subid")
        lines = done.stdout.splitlines()
        btag, subid = (next(line for line in lines if line.split()[:1] == [name]) for name in ("btag", "subid"))
        assert btag.split() == ["btag", "missing", f"127.0.0.1:{server.port}", "abc", "->", "(nothing)"]
        assert subid.split() == ["subid", "present", "9"]
        assert btag.index("missing") == subid.index("present")

    def test_brand_locale_device_and_depth_are_options(self, routes, http):
        page = '<html lang="de"><title>Quillspin</title><body>' + "Slots und Bonus. " * 40
        server = routes({"/go": to("/land"), "/land": http(page)})
        url = server.url("/go")
        assert losswatch("link", url, "--brand", "Quillspin", "--locale", "de-AT", "--device", "mobile").returncode == 0
        assert "mobile" in server.requests[-1].headers["user-agent"].lower()
        assert losswatch("link", url, "--brand", "Marlow").returncode == 2
        assert losswatch("link", url, "--locale", "fr").returncode == 2
        assert losswatch("link", url, "--depth", "1").returncode == 0

    @pytest.mark.parametrize(
        "words", [("--locale", "german"), ("--depth", "-1"), ("--depth", "deep"), ("--device", "watch")]
    )
    def test_a_wrong_option_of_a_link_is_a_sentence_and_64(self, words):
        done = losswatch("link", "http://127.0.0.1:1/", *words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (64, "", 1)
