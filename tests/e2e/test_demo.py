from __future__ import annotations

import subprocess
import sys


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


def test_a_report_without_a_demo_says_how_to_start_one(tmp_path):
    ran = losswatch("demo", "report", "--home", str(tmp_path))
    assert (ran.returncode, "losswatch demo" in ran.stderr) == (3, True)
