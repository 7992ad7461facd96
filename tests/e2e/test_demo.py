from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path

from checks.demo.script import EVENTS


def losswatch(*words, env=None):
    return subprocess.run(
        [sys.executable, "-m", "tui.cli.main", *words],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=env,
    )


def test_a_folder_with_something_else_in_it_is_refused(tmp_path):
    (tmp_path / "precious").write_text("mine")
    ran = losswatch("demo", "--home", str(tmp_path), "--for", "1s")
    assert (ran.returncode, "left alone" in ran.stderr) == (3, True)
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_duration_that_is_none_is_a_usage_error(tmp_path):
    ran = losswatch("demo", "--home", str(tmp_path), "--for", "soon")
    assert (ran.returncode, "not a duration" in ran.stderr) == (64, True)
    assert not any(tmp_path.iterdir())


def test_a_speed_beyond_reason_is_a_usage_error(tmp_path):
    assert losswatch("demo", "--home", str(tmp_path), "--speed", "0").returncode == 64


def test_a_moment_that_is_none_is_a_usage_error(tmp_path):
    ran = losswatch("demo", "--home", str(tmp_path), "--at", "25:00")
    assert (ran.returncode, "25:00" in ran.stderr) == (64, True)
    assert not any(tmp_path.iterdir())


def test_a_report_without_a_demo_says_how_to_start_one(tmp_path):
    ran = losswatch("demo", "report", "--home", str(tmp_path))
    assert (ran.returncode, "losswatch demo" in ran.stderr) == (3, True)


def processes_of(home):
    """Pids of live processes whose command line names `home`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                if str(home).encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def test_a_short_demo_runs_reports_and_leaves_nothing_behind(tmp_path):
    home = tmp_path / "demo"
    ran = losswatch("demo", "--home", str(home), "--for", "8s", "--json")
    assert ran.returncode == 0, ran.stderr
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [row["id"] for row in rows] == [event.id for event in EVENTS]
    wait_for(lambda: not processes_of(home))
    after = losswatch("demo", "report", "--home", str(home), "--json")
    assert [json.loads(line)["id"] for line in after.stdout.splitlines()] == [row["id"] for row in rows]


def test_company_and_hub_end_when_the_demo_is_killed(tmp_path):
    home = tmp_path / "demo"
    demo = subprocess.Popen(
        [sys.executable, "-m", "tui.cli.main", "demo", "--home", str(home), "--for", "10m"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for((home / "hub.sock").exists)
        children = {pid: os.pidfd_open(pid) for pid in processes_of(home) if pid != demo.pid}
        assert len(children) >= 2
    finally:
        demo.kill()
        demo.wait()
    try:
        for handle in children.values():
            assert select.select([handle], [], [], 60)[0]
    finally:
        for handle in children.values():
            os.close(handle)


def test_company_hub_and_dashboard_end_when_the_terminal_is_gone(tmp_path):
    home = tmp_path / "demo"
    ours, theirs = os.openpty()
    termios.tcsetwinsize(ours, (24, 80))
    demo = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-m", "tui.cli.main", "demo", "--home", str(home), "--lite"],
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    try:
        seen = bytearray()

        def shows_the_day():
            while select.select([ours], [], [], 0)[0]:
                seen.extend(os.read(ours, 65536))
            return b"LIVE" in seen

        wait_for(shows_the_day)
        os.close(ours)  # as when an SSH session breaks off
        wait_for(lambda: demo.poll() is not None)
        wait_for(lambda: not processes_of(home))
    finally:
        demo.kill()
        demo.wait()


def wait_for(condition):
    """Poll until `condition()`; the file system has no other way to say so."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
