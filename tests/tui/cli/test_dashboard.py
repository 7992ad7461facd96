from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.model.codec import to_json
from data.model.snapshot import PROTOCOL, Hello, Snapshot, StreamLine

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 17, 11, 30, tzinfo=UTC)
HEAVY = ("polars", "duckdb", "httpx", "keyring", "apscheduler", "numpy", "pyarrow")


@pytest.fixture
def streaming(canned_hub):
    def start(protocol: int = PROTOCOL):
        hello = Hello(protocol, "0.1.0", "Corvane Media", "maria", "senior", ("*",), "full", "EUR", 1, NOW)
        lines = (
            StreamLine(1, "hello", hello=hello),
            StreamLine(2, "snapshot", snapshot=Snapshot(1, NOW, "Corvane Media")),
        )
        return canned_hub({"/v1/hello": hello, "/v1/events": b"".join(to_json(line) + b"\n" for line in lines)})

    return start


def test_in_a_pipe_the_overview_is_text(streaming, run):
    streaming()
    done = run()
    assert (done.code, done.err) == (0, "")
    assert "Corvane Media" in done.out
    assert "\x1b" not in done.out


def test_in_a_pipe_the_overview_can_be_ascii_or_json(streaming, run):
    streaming()
    assert run("--ascii").out.isascii()
    assert json.loads(run("--json").out)["company"] == "Corvane Media"


def test_a_hub_of_another_version_says_which_side_to_renew(streaming, run):
    streaming(PROTOCOL + 1)
    done = run()
    assert done.code == 3
    assert "update losswatch here" in done.err


def test_an_unknown_option_is_64(run):
    assert run("--no-mice").code == 64


def test_starting_the_dashboard_loads_nothing_heavy():
    code = "import sys, tui.cli.main, tui.cli.dashboard, tui.cli.hub, tui.client, data.config.home; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize("command", ["sites", "incidents", "apply", "doctor", "init", "secrets"])
def test_every_command_explains_itself(run, command):
    done = run(command, "--help")
    assert done.code == 0
    assert done.out.startswith("usage: losswatch")
