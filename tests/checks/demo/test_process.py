from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from checks.demo.process import MARKER, CompanyProcess, DemoHome
from checks.demo.truth import Truth
from data.config.home import Home
from data.errors import LosswatchError
from data.model.codec import from_json


def test_a_folder_that_is_not_a_demos_is_left_alone(tmp_path):
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(LosswatchError, match="left alone"):
        DemoHome(tmp_path).claim()
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_second_demo_on_the_same_folder_says_how_to_attach(tmp_path):
    first = DemoHome(tmp_path)
    first.claim()
    with pytest.raises(LosswatchError, match=f"losswatch --home {tmp_path}"):
        DemoHome(tmp_path).claim()


def test_a_demos_own_folder_is_emptied_without_following_links(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("mine")
    home = DemoHome(tmp_path / "demo")
    home.claim()
    (tmp_path / "demo" / "old").mkdir()
    (tmp_path / "demo" / "link").symlink_to(outside)
    home.clear()
    assert [path.name for path in (tmp_path / "demo").iterdir()] == [MARKER]
    assert (outside / "precious").exists()


def test_the_company_says_when_it_is_ready_and_ends_with_its_standard_input(tmp_path):
    home = Home.find(str(tmp_path))
    company = CompanyProcess(home, speed=90.0, seed=2, at="09:05")
    try:
        company.wait_ready()
        assert company.alive
        assert "T09:05:00Z" in home.toml.read_text(), "the day is joined when it was asked for"
        assert (home.spool / "history.parquet").exists()
        truth = from_json((tmp_path / "demo" / "truth.json").read_bytes(), Truth)
        assert (truth.started_at.hour, truth.speed) == (8, 90.0)
    finally:
        company.stop()
    assert not company.alive


def test_a_company_that_cannot_start_says_why(tmp_path):
    (tmp_path / "inventory").write_text("in the way")
    with pytest.raises(LosswatchError, match="did not start"):
        CompanyProcess(Home.find(str(tmp_path)), speed=90.0, seed=1).wait_ready()


PARENT = """
import sys, time
from checks.demo.process import CompanyProcess
from data.config.home import Home
company = CompanyProcess(Home.find(sys.argv[1]), speed=90.0, seed=1)
company.wait_ready()
print(company._child.pid, flush=True)
time.sleep(600)
"""


def test_a_company_does_not_outlive_a_parent_that_is_killed(tmp_path):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE)
    company = int(parent.stdout.readline())
    handle = os.pidfd_open(company)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    import select

    ended, _, _ = select.select([handle], [], [], 20)
    os.close(handle)
    assert ended
