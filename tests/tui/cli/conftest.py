from __future__ import annotations

import os
import socketserver
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from data.model.codec import from_json, to_json
from data.model.snapshot import Problem

ROOT = Path(__file__).parents[3]


@dataclass
class Ran:
    code: int
    out: str
    err: str


def losswatch(home, *arguments: str, stdin: bytes | str = b"", **env: str) -> Ran:
    """The command in a process of its own, without a terminal and with a bare environment."""
    clean = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "TMPDIR"}}
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli.main", "--home", str(home), *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=clean | {"LANG": "C.UTF-8"} | env,
        timeout=60,
    )
    return Ran(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


@dataclass
class CannedHub:
    """A server on a hub's socket that answers each path with a record, and remembers what it was asked."""

    answers: dict[str, object]
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    told: list[tuple[str, object]] = field(default_factory=list)
    refusal: tuple[int, Problem] | None = None
    """Of every command."""
    refused: dict[str, tuple[int, Problem]] = field(default_factory=dict)
    """Of paths."""


def _handler(hub: CannedHub):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            parts = urlsplit(self.path)
            hub.asked.append((parts.path, parse_qs(parts.query)))
            self._answer(parts.path)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            hub.told.append((self.path, from_json(body, dict)))
            self._answer(self.path)

        def _answer(self, path):
            known = hub.answers.get(path)
            status, record = (200, known) if known is not None else (404, Problem(f"nothing at {path}", "not_found"))
            status, record = hub.refused.get(path, (status, record))
            if hub.refusal and self.command == "POST":
                status, record = hub.refusal
            raw = record if isinstance(record, bytes) else to_json(record)
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_):
            pass

    return Handler


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def canned_hub(tmp_path):
    """Call with the answers by path; the hub listens at `tmp_path/hub.sock`."""
    servers = []

    def start(answers: dict[str, object]) -> CannedHub:
        hub = CannedHub(answers)
        server = _Server(str(tmp_path / "hub.sock"), _handler(hub))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return hub

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def run(tmp_path):
    """Run `losswatch --home tmp_path ARGUMENTS`."""
    return lambda *arguments, **options: losswatch(tmp_path, *arguments, **options)
