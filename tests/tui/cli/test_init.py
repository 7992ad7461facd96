from __future__ import annotations

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pexpect
import pytest

from data.config.home import Home
from data.config.load import load

ROOT = Path(__file__).parents[3]
SITEMAP = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>{}</loc></url><url><loc>{}more</loc></url></urlset>'


class _Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<html><title>Casino</title><body>" + b"<p>The best bonuses of the North.</p>" * 40 + b"</body></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings(tmp_path):
    return lambda: load(Home.find(str(tmp_path)))


def test_one_url_becomes_a_home_that_loads_and_a_site_that_was_looked_at(run, site, settings, tmp_path):
    done = run("init", "--url", site, "--team", "Team Nord")
    assert (done.code, done.err) == (0, "")
    assert f"● {site}" in done.out
    assert done.out.splitlines()[-1] == "Next: losswatch"
    made = settings()
    assert [(target.url, target.team) for target in made.targets] == [(site, "team-nord")]
    assert made.teams[0].name == "Team Nord"
    assert (tmp_path / "vault.key").stat().st_mode & 0o777 == 0o600


def test_a_site_that_is_down_does_not_stop_the_first_run(run, settings):
    done = run("init", "--url", "http://127.0.0.1:1/", "--json")
    assert done.code == 0
    answer = json.loads(done.out)
    assert (answer["sites"], answer["checked"]["state"], answer["checked"]["cause"]) == (1, "failing", "tcp.refused")
    assert len(settings().targets) == 1


@pytest.mark.parametrize("way", ["file", "stdin"])
def test_a_sitemap_comes_from_a_file_or_a_pipe(run, site, settings, tmp_path, way):
    text = SITEMAP.format(site, site)
    (tmp_path / "map.xml").write_text(text)
    done = run("init", "--from", str(tmp_path / "map.xml")) if way == "file" else run("init", "--from", "-", stdin=text)
    assert done.code == 0
    assert [target.url for target in settings().targets] == [site, f"{site}more"]


def test_a_csv_with_teams_makes_those_teams(run, site, settings):
    done = run("init", "--from", "-", stdin=f"url,team,tier\n{site},Aurora,1\n{site}b,Cedar,2\n")
    assert done.code == 0
    assert [team.id for team in settings().teams] == ["aurora", "cedar"]
    assert [target.tier for target in settings().targets] == [1, 2]


def test_what_was_left_out_is_told(run, site):
    done = run("init", "--from", "-", stdin=f"{site}\njavascript:alert(1)\n")
    assert done.code == 0
    assert "left out: 'javascript:alert(1)' does not start with http://" in done.err


def test_nothing_is_overwritten_unasked(run, site, tmp_path):
    assert run("init", "--url", site).code == 0
    before = (tmp_path / "losswatch.toml").read_bytes()
    (tmp_path / "losswatch.toml").write_bytes(before + b"# mine\n")
    done = run("init", "--url", f"{site}other")
    assert done.code == 64
    assert "give --yes to replace" in done.err
    assert (tmp_path / "losswatch.toml").read_bytes() == before + b"# mine\n"
    assert run("init", "--url", f"{site}other", "--yes").code == 0
    assert (tmp_path / "losswatch.toml.bak").read_bytes() == before + b"# mine\n"


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        ((), "", "nothing to watch. Try: losswatch init --url"),
        (("--url", "javascript:x"), "", "does not start with http://"),
        (("--url", "http://h\x1b[31m/"), "", "another character that no URL has"),
        (("--from", "-"), "", "holds no URL"),
        (("--from", "-"), "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><urlset/>", "document type"),
        (("--from", "absent.xml"), "", "absent.xml: cannot be read: no such file or directory"),
        (("--from", "/tmp"), "", "is a directory"),
        (("--from", "https://a.example/sitemap.xml"), "", "download it first"),
        (("--from", "-", "--team", "!!"), "http://127.0.0.1:1/", "cannot name a team"),
        (("--frm", "-"), "", "unrecognized arguments"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_writes_nothing(run, tmp_path, arguments, stdin, words):
    done = run("init", *arguments, stdin=stdin)
    assert done.code == 64
    assert words in done.err
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "losswatch.toml").exists()


def test_a_bad_cell_in_a_csv_is_left_out_and_named(run, settings):
    done = run("init", "--from", "-", "--json", stdin="url,tier\nhttp://127.0.0.1:1/,9\n")
    assert done.code == 0
    assert json.loads(done.out)["not_carried_over"] == ["127.0.0.1:1: tier '9' is not 1, 2 or 3; left out"]
    assert settings().targets[0].tier == 3


def _terminal(tmp_path, *arguments: str) -> pexpect.spawn:
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color"}
    command = ["-m", "tui.cli.main", "--home", str(tmp_path), *arguments]
    return pexpect.spawn(sys.executable, command, cwd=ROOT, env=environment, encoding="utf-8", timeout=30)


def test_at_a_terminal_it_asks_for_what_it_needs(site, settings, tmp_path):
    child = _terminal(tmp_path, "init")
    child.expect("Sitemap, CSV or URL")
    child.sendline(site)
    child.expect("Team that owns them")
    child.sendline("")
    child.expect("Company")
    child.sendline("Corvane Media")
    child.expect("Next: losswatch")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert settings().company.name == "Corvane Media"
    assert settings().teams[0].id == "main"


def test_at_a_terminal_no_means_no(site, run, tmp_path):
    assert run("init", "--url", site).code == 0
    child = _terminal(tmp_path, "init", "--url", site)
    child.expect(r"Replace, and keep what was there as .bak\? \(y/N\)")
    child.sendline("n")
    child.expect("nothing was written")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 64


def test_a_secret_typed_at_a_terminal_is_never_echoed(tmp_path):
    child = _terminal(tmp_path, "secrets", "set", "p01-token")
    for question in ("Value of p01-token: ", "Once more: "):
        child.expect(question)
        child.sendline("canary-8f2c61")
    child.expect("p01-token is stored")
    child.expect(pexpect.EOF)
    assert "canary" not in str(child.before)
    child.close()
    assert child.exitstatus == 0
