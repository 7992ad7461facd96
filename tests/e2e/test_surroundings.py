"""What happens around a hub: kills, a home that goes away, lost time, odd terminals and places."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from street import hub_pid, lines, losswatch, make_home, sites, status, until

NAMES = ["kiel", "oslo"]


@pytest.fixture
def home(tmp_path, street, started):
    made = make_home(tmp_path / "h", street, NAMES, interval="1s")
    started(made)
    return made


def all_ok(home, names=NAMES):
    return until(lambda: sites(home) == dict.fromkeys(names, "ok"))


# ── kills and losses ─────────────────────────────────────────────────────────────────────────────────────────────


def ended(pid):
    return until(lambda: not alive(pid))


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(pid):
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_hub_whose_home_was_deleted_ends_when_told_and_by_itself(tmp_path, street):
    for told in (True, False):
        home = make_home(tmp_path / f"h{told}", street, NAMES, interval="1s")
        losswatch(home, "hub", "start")
        assert all_ok(home)
        pid = hub_pid(home)
        below = children(pid)
        shutil.rmtree(home, ignore_errors=True)
        if told:
            os.kill(pid, signal.SIGTERM)
        assert ended(pid)
        assert not [child for child in below if alive(child)]


def test_a_hub_that_leaves_does_not_take_the_socket_of_the_next_one_in_the_same_place(tmp_path, street, started):
    home = make_home(tmp_path / "h", street, NAMES)
    losswatch(home, "hub", "start")
    old = hub_pid(home)
    home.rename(tmp_path / "gone")  # at once: a removal file by file races with what the hub writes
    make_home(home, street, NAMES)
    started(home)
    losswatch(home, "hub", "start")
    assert hub_pid(home) != old
    assert ended(old)
    assert all_ok(home)


def test_a_killed_probe_is_replaced_and_checks_go_on(home, street):
    losswatch(home, "hub", "start")
    assert all_ok(home)
    hub = hub_pid(home)
    [probe] = children(hub)
    os.kill(probe, signal.SIGKILL)
    assert until(lambda: (found := children(hub)) and found != [probe])
    street.ill["oslo"] = 404
    assert until(lambda: sites(home) == {"kiel": "ok", "oslo": "failing"})
    assert hub_pid(home) == hub


def test_a_hub_that_was_frozen_goes_on_and_raises_no_false_alarm(home):
    losswatch(home, "hub", "start")
    assert all_ok(home)
    hub = hub_pid(home)
    for process in (hub, *children(hub)):
        os.kill(process, signal.SIGSTOP)
    time.sleep(5)  # the time that is lost is what is tested
    for process in (hub, *children(hub)):
        os.kill(process, signal.SIGCONT)
    thawed = datetime.now(UTC) + timedelta(seconds=1)
    fresh = lambda: [row["last_at"] or "" for row in lines(losswatch(home, "sites", "--json"))]  # noqa: E731
    assert until(lambda: min(fresh()) > thawed.isoformat())
    assert sites(home) == dict.fromkeys(NAMES, "ok")
    assert lines(losswatch(home, "incidents", "--state", "all", "--json")) == []


# ── odd surroundings ─────────────────────────────────────────────────────────────────────────────────────────────


def test_four_starts_at_the_same_instant_make_one_hub(home):
    begun = [
        subprocess.Popen(
            [sys.executable, "-m", "tui.cli.main", "--home", str(home), "hub", "start"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]  # fmt: skip
    assert [(one.communicate(timeout=60)[1], one.returncode) for one in begun] == [(b"", 0)] * 4
    assert until(lambda: status(home)["targets"] == len(NAMES))


def test_a_home_with_spaces_and_letters_of_the_world_in_another_zone_and_locale_works(tmp_path, street, started):
    home = make_home(tmp_path / "höme mit Größe 家", street, NAMES)
    started(home)
    odd = {**os.environ, "TZ": "America/New_York", "LC_ALL": "C", "TERM": "dumb"}
    odd.pop("XDG_RUNTIME_DIR", None)
    assert losswatch(home, "hub", "start", env=odd).returncode == 0
    assert all_ok(home)
    row = lines(losswatch(home, "sites", "--json", env=odd))[0]
    assert abs(datetime.fromisoformat(row["last_at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    said = losswatch(home, env=odd)
    assert (said.returncode, said.stdout.isascii(), "Street" in said.stdout) == (0, True, True)


def shell(home, line, **options):
    command = f"{sys.executable} -m tui.cli.main --home '{home}' {line}"
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False, **options)


def test_nowhere_to_write_is_no_traceback(home):
    losswatch(home, "hub", "start")
    assert all_ok(home)
    cut = shell(home, "sites --json | head -1; exit ${PIPESTATUS[0]}")
    assert (cut.returncode, len(lines(cut)), cut.stderr) == (0, 1, "")
    gone = shell(home, "check site http://127.0.0.1:9/ | true; exit ${PIPESTATUS[0]}")
    assert gone.stderr == ""
    assert shell(home, "hub status >&-").stderr == ""
    full = shell(home, "sites > /dev/full")
    assert (full.returncode, full.stderr) == (3, "losswatch: the output: No space left on device\n")


@pytest.mark.parametrize("words", [("hub", "start"), ("sites",), ("doctor",), ("apply",), ("secrets", "set", "x")])
def test_a_home_that_cannot_be_is_a_sentence(words):
    for place in ("/proc/nowhere", "/etc/passwd", "/tmp/" + "x" * 300):
        ran = losswatch(place, *words, input="v")
        assert ran.returncode in {2, 3, 64}
        assert "Traceback" not in ran.stdout + ran.stderr
        assert ran.stdout + ran.stderr


def test_without_a_home_directory_the_account_s_own_is_used(tmp_path):
    bare = {name: value for name, value in os.environ.items() if name not in {"HOME", "XDG_RUNTIME_DIR"}}
    for env in (bare, {**bare, "HOME": str(tmp_path / "absent")}):
        ran = subprocess.run(
            [sys.executable, "-m", "tui.cli.main", "hub", "status"],
            capture_output=True, text=True, timeout=60, check=False, env={**env, "XDG_STATE_HOME": str(tmp_path)},
        )  # fmt: skip
        assert (ran.returncode, "losswatch hub start" in ran.stdout) == (3, True)
