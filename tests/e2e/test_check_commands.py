"""`losswatch check ...` from a shell against a hostile world: an answer, an exit code, one sentence; never a traceback."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from tests.checks.sites.conftest import GOOD_PAGE, Authority, NameServer, Server, http

SITE_KEYS = ["url", "state", "cause", "detail", "hops", "timing", "checked_at"]
HOP_KEYS = ["url", "ip", "status", "ms", "location", "cert_days_left", "cause"]
TIMING_KEYS = ["dns_ms", "connect_ms", "tls_ms", "ttfb_ms", "total_ms"]
CHANGE_KEYS = ["payload", "kind", "path", "severity", "was", "now", "n_before", "n_after"]
PAGE_KEYS = ["page", "state", "cause", "detail", "items", "fields", "layout", "witness", "repairs"]
EXIT = {"ok": 0, "degraded": 1, "failing": 2, "unknown": 3}


def check(*words, patience_s=60, **env):
    ran = subprocess.run(
        [sys.executable, "-m", "tui.cli.main", "check", *map(str, words)],
        capture_output=True, timeout=patience_s, check=False, env={**os.environ, "PYTHONIOENCODING": "utf-8", **env},
    )  # fmt: skip
    ran.stdout, ran.stderr = ran.stdout.decode(), ran.stderr.decode()
    assert "Traceback" not in ran.stdout + ran.stderr
    return ran


def one(ran):
    """The one object of a site or link check, its shape and exit code held."""
    assert (ran.stdout.count("\n"), ran.stderr) == (1, "")
    found = json.loads(ran.stdout)
    assert (list(found)[: len(SITE_KEYS)], list(found["timing"])) == (SITE_KEYS, TIMING_KEYS)
    assert all(list(hop)[: len(HOP_KEYS)] == HOP_KEYS for hop in found["hops"])
    assert ran.returncode == EXIT[found["state"]]
    return found


def refused(ran, code=64):
    """One sentence on standard error, nothing on standard output."""
    assert (ran.returncode, ran.stdout) == (code, "")
    assert ran.stderr.startswith("losswatch: ")
    assert ran.stderr.count("\n") == 1
    return ran.stderr


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    made = HostileStreet(tmp_path_factory.mktemp("pki"))
    yield made
    made.close()


class HostileStreet:
    """Servers that are wrong in one way each, and a name server that knows `*.example`."""

    def __init__(self, folder):
        self.pki = Authority(folder)
        self.names = NameServer({"*": ["127.0.0.1"], "gone.example": "NXDOMAIN"})
        self.servers = [self.names]
        self.plain = self.serve(self._answer)

    def serve(self, behave, context=None):
        self.servers.append(Server(behave, context))
        return self.servers[-1]

    def secure(self, **wrong):
        page = lambda connection, _request: connection.sendall(http(GOOD_PAGE))  # noqa: E731  # shortest form
        return self.serve(page, self.pki.context(**wrong)).url(host="shop.example")

    def url(self, path="/", host="127.0.0.1"):
        return self.plain.url(path, host)

    def known(self):
        return "--resolver", self.names.address, "--ca", self.pki.ca_file

    def close(self):
        for server in self.servers:
            server.close()

    def _answer(self, connection, request):
        path = request.path.partition("?")[0]
        if path == "/drip":
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
            while True:
                connection.sendall(b"x")
                time.sleep(0.05)
        if path == "/endless":
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n")
            while True:
                connection.sendall(b"y" * 262_144)
        connection.sendall(ANSWERS.get(path, http(GOOD_PAGE)))


BOMB = zlib.compressobj(9, wbits=31)
ANSWERS = {
    "/loop": http(status="302 Found", location="/loop"),
    "/bomb": http(BOMB.compress(bytes(200_000_000)) + BOMB.flush(), content_encoding="gzip"),
    "/title": http("<title>\x1b]52;c;ZXZpbA==\x07\x1b[2J\u202e[red]</title>" * 40, status="500 \x1b[31m"),
    "/go": http(status="302 Found", location="/land"),
}


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ({"start": -90, "end": -2}, "tls.expired"),
        ({"chain": "self"}, "tls.self_signed"),
        ({"names": ("other.example",)}, "tls.hostname"),
        ({"chain": "foreign"}, "tls.untrusted"),
        ({"chain": "leaf"}, "tls.incomplete_chain"),
    ],
)
def test_each_wrong_certificate_is_failing_with_its_own_cause(street, wrong, cause):
    found = one(check("site", street.secure(**wrong), *street.known(), "--json"))
    assert (found["cause"], found["hops"][0]["cause"], found["hops"][0]["status"]) == (cause, cause, 0)
    assert found["detail"]


def test_a_good_certificate_has_its_days_and_every_phase_its_time(street):
    found = one(check("site", street.secure(), *street.known(), "--json"))
    assert (found["state"], found["cause"]) == ("ok", "")
    assert 88 < found["hops"][0]["cert_days_left"] < 91
    assert None not in found["timing"].values()


def test_a_name_that_does_not_exist_and_a_port_that_nobody_has(street):
    absent = one(check("site", "http://gone.example/", *street.known(), "--json"))
    assert (absent["cause"], absent["state"]) == ("dns.nxdomain", "failing")
    assert "gone.example" in absent["detail"]
    assert one(check("site", "http://127.0.0.1:9/", "--json"))["cause"] == "tcp.refused"


def test_a_redirect_loop_and_a_gzip_bomb_are_told(street):
    assert one(check("link", street.url("/loop"), "--json"))["cause"] == "redirect.loop"
    assert one(check("site", street.url("/bomb"), "--json"))["cause"] == "proto.oversize"


def test_a_dripping_server_does_not_hold_the_command_beyond_its_timeout(street):
    began = time.monotonic()
    found = one(check("site", street.url("/drip"), "--timeout", "2", "--json"))
    assert found["state"] == "failing"
    assert 1_900 < found["timing"]["total_ms"] < 3_500
    assert time.monotonic() - began < 20  # the interpreter's start included, on a machine that does other things


@pytest.mark.parametrize("path", ["/endless", "/bomb"])
def test_a_body_without_end_costs_no_memory(street, path):
    program = (
        "import sys, tui.cli.main as m; code = m.main(sys.argv[1:]);"  # ru_maxrss would count the test's own memory
        "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0], file=sys.stderr); sys.exit(code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, "check", "site", street.url(path), "--json"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ran.returncode, json.loads(ran.stdout)["cause"]) == (2, "proto.oversize")
    assert int(ran.stderr) < 150 * 1024


def test_a_hostile_page_reaches_neither_json_nor_terminal(street):
    for form in ((), ("--json",)):
        ran = check("site", street.url("/title"), *form)
        assert ran.returncode == 2
        assert not {char for char in ran.stdout if char in "\x1b\x07\x9b\u202e"}


def test_people_read_the_verdict_the_cause_in_words_and_the_host_to_blame(street):
    said = check("site", "http://gone.example/", *street.known()).stdout.splitlines()
    assert said[-2].startswith("✖ failing  dns.nxdomain (the name does not exist)")
    assert said[-1].strip() == "the name gone.example does not exist"


@pytest.mark.parametrize(
    "url",
    [
        "", "http://", "javascript:alert(1)", "http://h:99999/", "http://h:0/", "http://h/\x1b[2J\x07", "http://h/a b",
        "http://h/\udcff", "http://" + "h" * 300 + "/", "ftp://h/", "//h/", "http://[::1", "http://user:pw@h/",
        pytest.param("http://h/" + "a" * 100_000, id="100 kB"),
    ],
)  # fmt: skip
def test_what_is_no_url_is_an_answer_with_exit_3(url):
    found = one(check("site", url, "--json"))
    assert (found["state"], found["cause"], found["hops"]) == ("unknown", "config.url", [])
    assert found["detail"]
    assert not {char for char in found["url"] if ord(char) < 32}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--no-such-option",), "--no-such-option"),
        (("--status", "abc"), "--status"),
        (("--status", ""), "--status"),
        (("--timeout", "-1"), "above 0"),
        (("--timeout", "0"), "above 0"),
        (("--timeout", "nan"), "above 0"),
        (("--max-body", "nonsense"), "--max-body"),
        (("--ca", "/no/such.pem"), "/no/such.pem"),
        (("--ca", "/dev/null"), "no PEM certificate"),
        (("--ca", "/"), "directory"),
        (("--resolver", "nowhere"), "resolver"),
        (("--user-agent", "a\r\nx-evil: 1"), "--user-agent"),
    ],
)
def test_a_wrong_option_is_one_sentence_that_names_it(words, named):
    assert named in refused(check("site", "https://127.0.0.1:9/", *words))


def test_a_link_must_keep_its_parameter_and_end_on_its_host(street):
    url = street.url("/go?btag=1", host="click.example")
    kept = ("--json", *street.known())
    assert one(check("link", url, *kept))["state"] == "ok"
    assert one(check("link", url, "--keep", "btag", *kept))["cause"] == "link.param_lost"
    assert one(check("link", url, "--final-host", "casino.example", *kept))["cause"] == "link.wrong_target"
    assert one(check("link", url, "--final-host", "click.example", "--final-path", "/land", *kept))["state"] == "ok"


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────

SPEC = """
[parser]
name = "offers"
items = "div.offer"
[parser.fields.title]
css = "h2"
required = true
[parser.fields.link]
css = "a"
attr = "href"
type = "url"
"""


def offers(count, heading="h2"):
    item = "<div class='offer'><{0}>Offer {1} of the week</{0}><p>A long and honest text.</p><a href='/go/{1}'>go</a></div>"
    rows = "".join(item.format(heading, number) for number in range(count))
    return f"<html><head><title>Offers</title></head><body><main>{rows}</main></body></html>".encode()


@pytest.fixture
def shelf(tmp_path):
    (tmp_path / "spec.toml").write_text(SPEC)
    (tmp_path / "good").mkdir()
    for number in range(4):
        (tmp_path / "good" / f"{number}.html").write_bytes(offers(12 + number))
    return tmp_path


def pages(shelf, *paths):
    ran = check("page", "--parser", shelf / "spec.toml", "--baseline", shelf / "good", "--", *paths)
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert all(list(page) == PAGE_KEYS for page in found)
    return ran, found


def test_pages_that_are_no_pages_are_judged_and_the_good_one_beside_them_is_fine(shelf):
    contents = {
        "fine.html": offers(12), "packed.html.gz": gzip.compress(offers(12)), "empty.html": b"",
        "binary.html": bytes(range(256)) * 400, "dead.html": offers(12, "h3"),
    }  # fmt: skip
    for name, content in contents.items():
        (shelf / name).write_bytes(content)
    ran, found = pages(shelf, *(shelf / name for name in contents))
    states = {Path(page["page"]).name: page["state"] for page in found}
    assert states["fine.html"] == states["packed.html.gz"] == "ok"
    assert states["dead.html"] == "failing"
    assert "ok" not in {states["empty.html"], states["binary.html"]}
    assert (ran.returncode, ran.stderr) == (2, "")


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("", "parser"),
        ("[parser", "spec.toml"),
        (SPEC.replace('css = "h2"', 'css = "h2["'), "h2["),
        (SPEC.replace("required", "requird"), "required"),
        (SPEC.replace('"url"', '"uri"'), "uri"),
    ],
)
def test_a_broken_spec_is_named_by_line_or_value(shelf, spec, named):
    (shelf / "spec.toml").write_text(spec)
    ran = check("page", "--parser", shelf / "spec.toml", "--baseline", shelf / "good", "--", shelf / "good" / "0.html")
    assert (ran.returncode, named in ran.stderr) == (64, True), ran.stderr


def test_files_of_a_page_check_that_are_not_there_are_named(shelf):
    absent = ("page", "--parser", shelf / "none.toml", "--baseline", shelf / "good", "--", shelf / "x.html")
    assert "none.toml" in refused(check(*absent))
    ran = check("page", "--parser", shelf / "spec.toml", "--baseline", shelf / "good", "--", shelf / "x.html")
    assert "x.html" in refused(ran)


def test_a_damaged_pack_is_a_page_that_fails_beside_others(shelf):
    (shelf / "bad.html.gz").write_bytes(gzip.compress(offers(3))[:40])
    ran = check("page", "--parser", shelf / "spec.toml", "--baseline", shelf / "good", "--", shelf / "bad.html.gz")
    assert (ran.returncode, json.loads(ran.stdout)["cause"]) == (2, "proto.truncated")


# ── feeds ────────────────────────────────────────────────────────────────────────────────────────────────────────


def report(scale=1.0, name="revenue"):
    rows = [{"day": f"2026-11-{day:02}", "clicks": 100 + day, name: (40.5 + day) * scale} for day in range(1, 21)]
    return json.dumps({"rows": rows}).encode()


@pytest.fixture
def drawer(tmp_path):
    for number in range(3):
        (tmp_path / f"before{number}.json").write_bytes(report())
    return tmp_path


def feed(drawer, content, name="now.json"):
    (drawer / name).write_bytes(content)
    ran = check("feed", "--baseline", *(drawer / f"before{n}.json" for n in range(3)), "--", drawer / name)
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert all(list(change) == CHANGE_KEYS for change in found)
    return ran, found


def test_nothing_is_said_of_a_report_that_did_not_change_and_a_new_unit_is_breaking(drawer):
    ran, found = feed(drawer, report())
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    ran, found = feed(drawer, report(scale=100.0))
    assert (ran.returncode, [change["kind"] for change in found]) == (2, ["scale-changed"])


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (report()[:-40], "now.json"),
        (b"", "now.json"),
        pytest.param(bytes(range(256)) * 40, "now.json", id="bytes"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(400), "now.png", id="picture"),
        (b"<html><body>Log in</body></html>", "now.json"),
        pytest.param(gzip.compress(report())[:-30], "now.json.gz", id="cut pack"),
        pytest.param(b"[" * 100_000, "now.json", id="deep"),
    ],
)
def test_what_is_no_report_is_unreadable_and_named(drawer, content, name):
    ran, found = feed(drawer, content, name)
    assert (ran.returncode, [one["kind"] for one in found]) == (3, ["payload-unreadable"])
    assert name in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_figures_that_are_none_are_a_change_and_no_crash(drawer):
    ran, found = feed(drawer, report().replace(b"40.5", b"NaN").replace(b"41.5", b"NaN"))
    assert ran.returncode in {0, 1, 2, 3}
    assert found or ran.stderr


def test_two_formats_in_one_comparison_are_told_apart(drawer):
    table = b"day,clicks,revenue\n" + b"".join(b"2026-11-%02d,%d,%.1f\n" % (d, 100 + d, 40.5 + d) for d in range(1, 21))
    ran, _ = feed(drawer, table, "now.csv")
    assert ran.returncode in {0, 1, 2}
    assert ran.stderr == ""
