"""Pages and SPECs that nobody meant well, in a real hub: each is named for what it is, and the others go on."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from street import hub_pid, lines, losswatch, until

SPEC = '[parser]\nitems = "div.offer"\n[parser.fields.name]\ncss = "h2"\n'
OFFERS = "".join(f"<div class=offer><h2>Größe {n}</h2><p>18+ and more of the terms of {n}</p></div>" for n in range(12))
GOOD = f"<html><head><meta charset=utf-8><title>Offers</title></head><body><main>{OFFERS}</main></body></html>"
PAGES = {
    "good": (GOOD.encode(), {}),
    "huge": (b"<p>" + b"x" * 50_000_000, {}),
    "deep": (b"<body>" + b"<div>" * 200_000, {}),
    "attributes": (b"<div " + b" ".join(b"a%d=1" % n for n in range(600_000)) + b">", {}),
    "utf16": (GOOD.encode("utf-16-le"), {}),
    "latin": (GOOD.encode("latin-1"), {}),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(2_000), {}),
    "bomb": (gzip.compress(b"<p>" + bytes(300_000_000)), {"Content-Encoding": "gzip"}),
    "nuls": (bytes(3_000_000), {}),
    "empty": (b"", {}),
    "endless": (b"", {}),
}
SPECS = {
    "selector": ('[parser.fields.name]\ncss = "h2["\n', "h2["),
    "kind": ('[parser.fields.name]\ncss = "h2"\ntype = "colour"\n', "colour"),
    "items": ("[parser]\nitems = 7\n[parser.fields.name]\ncss = 'h2'\n", "items"),
    "toml": ("[parser\n", "not TOML"),
    "bytes": ("\0\0", "not TOML"),
}
SAID = {
    "good": ("ok", ""),
    "utf16": ("ok", ""),
    "latin": ("ok", ""),
    "huge": ("failing", "proto.oversize"),
    "bomb": ("failing", "proto.oversize"),
    "endless": ("failing", "slow.total"),
    "deep": ("failing", "proto.malformed"),
    "attributes": ("failing", "proto.malformed"),
    "png": ("failing", "proto.malformed"),
    "nuls": ("failing", "proto.malformed"),
    "empty": ("failing", "page.empty"),
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.strip("/")
        body, extra = PAGES[name]
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        for pair in extra.items():
            self.send_header(*pair)
        if name != "endless":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
            while name == "endless" and not self.server.closing.wait(0.05):
                self.wfile.write(b"<p>and on")
        except OSError:
            pass

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.closing = threading.Event()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.closing.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def home(tmp_path, site, started):
    root = tmp_path / "h"
    (root / "inventory").mkdir(parents=True)
    (root / "losswatch.toml").write_text(
        '[company]\nname = "Street"\n[hub]\nprobes = 1\nmin_free = "1MB"\n[defaults.parser]\ntimeout = "3s"\n[[teams]]\nid = "aurora"\nname = "Aurora"\n'
    )
    (root / "spec.toml").write_text(SPEC)
    rows = [f"{name},{site}/{name},aurora,spec.toml,2s" for name in PAGES]
    for name in SPECS:
        (root / f"{name}.toml").write_text(SPEC)
        rows.append(f"spec-{name},{site}/good,aurora,{name}.toml,2s")
    (root / "inventory" / "parsers.csv").write_text("\n".join(["parser,url,team,spec,interval", *rows]) + "\n")
    started(root)
    return root


def parsers(home):
    return {one["name"]: one for one in lines(losswatch(home, "parsers", "--json"))}


def told(home):
    seen = parsers(home)
    return {name: (seen[name]["state"], seen[name]["cause"]) for name in PAGES}


def peak_mb(home):
    words = Path(f"/proc/{hub_pid(home)}/status").read_text().split()
    return int(words[words.index("VmHWM:") + 1]) / 1024


def test_hostile_pages_are_named_in_bounded_memory_and_the_good_one_goes_on(home):
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: all(one["last_at"] for one in parsers(home).values()) and len(parsers(home)) == 16)
    for name, (text, _) in SPECS.items():
        (home / f"{name}.toml").write_text(text)
    broken = [f"spec-{name}" for name in SPECS]
    assert until(lambda: all(parsers(home)[name]["state"] == "unknown" for name in broken))
    # a failure counts once it is confirmed, and the endless page takes its time
    assert until(lambda: told(home) == SAID), told(home)
    seen = parsers(home)
    for name, (_, words) in SPECS.items():
        assert words in seen[f"spec-{name}"]["detail"]
    before = seen["good"]["last_at"]
    assert until(lambda: parsers(home)["good"]["last_at"] != before)
    assert parsers(home)["good"]["state"] == "ok"
    assert peak_mb(home) < 1_000
    assert "Traceback" not in "".join(path.read_text() for path in home.rglob("*.log"))


def test_the_command_says_the_same_of_every_page_and_names_what_is_wrong_with_a_spec(tmp_path):
    (tmp_path / "spec.toml").write_text(SPEC)
    (tmp_path / "base.html").write_text(GOOD)
    names = [name for name in PAGES if name not in {"bomb", "endless"}]
    for name in names:
        (tmp_path / f"{name}.html").write_bytes(PAGES[name][0])
    (tmp_path / "bomb.html").write_bytes(PAGES["bomb"][0])
    files = [str(tmp_path / f"{name}.html") for name in (*names, "bomb")]
    check = ("check", "page", "--baseline", str(tmp_path / "base.html"), "--parser")
    ran = losswatch(tmp_path, *check, str(tmp_path / "spec.toml"), "--", *files)
    assert ran.returncode == 2
    said = {Path(one["page"]).stem: one["cause"] for one in lines(ran)}
    wanted = {name: SAID[name][1] for name in names} | dict.fromkeys(("huge", "bomb"), "proto.malformed")
    assert said == wanted
    for text, words in SPECS.values():
        (tmp_path / "wrong.toml").write_text(text)
        refused = losswatch(tmp_path, *check, str(tmp_path / "wrong.toml"), "--", files[0])
        assert (refused.returncode, refused.stdout) == (64, "")
        assert words in refused.stderr
        assert "wrong.toml" in refused.stderr
        assert "Traceback" not in refused.stderr
