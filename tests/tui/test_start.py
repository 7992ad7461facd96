from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("polars", "duckdb", "httpx", "keyring", "apscheduler", "numpy", "pyarrow", "cryptography", "pycurl")
FIRST_FRAME = f"""
import asyncio, sys
from tests.tui.fake import dashboard
async def main():
    async with dashboard().run_test(size=(120, 40)) as pilot:
        await pilot.pause()
asyncio.run(main())
print(",".join(sorted(set(sys.modules) & set({HEAVY!r}))))
"""


def test_nothing_heavy_is_imported_for_the_first_frame():
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == ""


class Tmux:
    """A terminal of its own: a tmux server nobody else knows."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *words: str) -> str:
        command = ["tmux", "-L", self.name, "-f", "/dev/null", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout

    def until(self, wanted: str, seconds: float = 30) -> str:
        """The screen once it shows `wanted`; the last one when it never does."""
        end = time.monotonic() + seconds
        while wanted not in (screen := self("capture-pane", "-p")) and time.monotonic() < end:
            time.sleep(0.1)
        return screen


@pytest.fixture
def tmux():
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed, so there is no real terminal to draw on")
    terminal = Tmux(f"losswatch-{time.time_ns()}")  # a name used before may still belong to a server that is leaving
    yield terminal
    terminal("kill-server")


PICTURE = "from tests.tui.fake import dashboard; from tests.tui import corvane; import sys; sys.exit(dashboard({snapshot}, theme='').run())"


def start(tmux, snapshot="corvane.BURNING", size=(120, 40), environment=""):
    script = PICTURE.format(snapshot=snapshot)
    tmux("new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), "-c", str(ROOT), "sh")
    tmux("send-keys", f'{environment} {sys.executable} -c "{script}"; echo "left with $?"', "Enter")


def test_a_real_terminal_shows_the_overview_follows_its_size_and_gets_its_shell_back(tmux):
    start(tmux)
    assert "Halyard Edge" in tmux.until("Halyard Edge")
    tmux("resize-window", "-x", "80", "-y", "24")
    assert "1 Sites & links ✖" in tmux.until("1 Sites & links ✖")
    tmux("send-keys", "q")
    assert "left with 0" in tmux.until("left with 0")


@pytest.mark.parametrize("environment", ["TERM=screen NO_COLOR=1", "TERM=linux", "TERM=xterm-256color LC_ALL=C LANG=C"])
def test_poor_terminals_are_served_too(tmux, environment):
    start(tmux, environment=environment)
    assert "Halyard Edge" in tmux.until("Halyard Edge")
    tmux("send-keys", "q")
    assert "left with 0" in tmux.until("left with 0")


def test_a_burst_of_keys_is_taken_whole(tmux):
    start(tmux)
    assert "Halyard Edge" in tmux.until("Halyard Edge")
    tmux("send-keys", "1", "1")
    assert "by state" in tmux.until("by state")
    tmux("send-keys", "-l", "/aurora-004")
    assert "filter: aurora-004" in tmux.until("1 of 1,180")


def test_hostile_names_reach_no_real_terminal(tmux):
    start(tmux, "corvane.HOSTILE")
    assert "[red]not markup" in tmux.until("[red]not markup")
    raw = tmux("capture-pane", "-p", "-e")
    assert "\x1b[2J" not in raw
    assert "aGFja2Vk" not in tmux("show-buffer")
