from __future__ import annotations

import stat

import pytest

from checks.hub.listen import listen
from data.config.home import Home
from data.errors import LosswatchError, StoreLocked


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path, tmp_path, tmp_path / "run")


def test_the_socket_is_ours_and_our_groups_and_nobody_elses(home):
    listener = listen(home, "")
    try:
        assert stat.S_IMODE(home.socket.stat().st_mode) == 0o660
        assert stat.S_IMODE(home.runtime.stat().st_mode) == 0o750
    finally:
        listener.close()
    assert not home.socket.exists()


def test_a_second_hub_on_the_same_home_is_told_who_holds_it(home):
    import os

    listener = listen(home, "")
    try:
        with pytest.raises(StoreLocked, match=f"pid {os.getpid()}"):
            listen(home, "")
    finally:
        listener.close()


def test_the_socket_of_a_dead_hub_is_taken_over(home):
    home.runtime.mkdir()
    home.socket.touch()
    listener = listen(home, "")
    try:
        assert home.socket.is_socket()
    finally:
        listener.close()


def test_a_group_that_does_not_exist_is_named(home):
    with pytest.raises(LosswatchError, match=r"'nosuchgroup' does not exist.*groupadd"):
        listen(home, "nosuchgroup")


def test_a_path_that_no_socket_can_have_is_refused_before_anything_is_made(tmp_path):
    deep = tmp_path / ("x" * 120)
    with pytest.raises(LosswatchError, match="longer than 107 bytes"):
        listen(Home(deep, deep, deep), "")
    assert not deep.exists()
