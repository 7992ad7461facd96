from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from data.config.home import Home
from data.errors import ConfigError, HubUnreachable, LosswatchError

if TYPE_CHECKING:
    import argparse

START_PATIENCE_S = 60.0
"""A store after a crash replays its log before the socket opens; longer than this is a fault."""
STOP_PATIENCE_S = 20.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=("run", "start", "stop", "status"),
        help="run in the foreground, start in the background, stop cleanly, or say how it is",
    )


def run(args: argparse.Namespace) -> int:
    home = Home.find(args.home)
    match args.action:
        case "run":
            from checks.hub.run import run as run_hub

            return run_hub(home)
        case "start":
            started = ensure_running(home)
            print(f"the hub {'is up' if started else 'was already running'} ({home.socket})")
            return 0
        case "stop":
            print("the hub has stopped" if stop(home) else f"no hub was running for {home.state}")
            return 0
        case _:
            return _status(home, as_json=args.json)


def answers(home: Home) -> bool:
    """Whether somebody accepts connections on the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(home.socket))
        except OSError:
            return False
    return True


def ensure_running(home: Home) -> bool:
    """Start a hub in the background unless one answers; returns whether one was started.

    The hub outlives this process and its terminal, as tmux's server does.

    Raises:
        HubUnreachable: it did not come up; the message is the hub's own.
    """
    if answers(home):
        return False
    arguments = [sys.executable, "-m", "checks.hub"] + ([str(home.state)] if home.state == home.config else [])
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + START_PATIENCE_S
    while time.monotonic() < deadline:
        if answers(home):
            return True
        # where the lock is held all the same, somebody else started one at the same moment: it answers soon
        if child.poll() is not None and _holder(home) is None:
            assert child.stderr is not None
            words = child.stderr.read().decode(errors="replace").strip().splitlines()
            if child.returncode == ConfigError.exit_code:
                raise LosswatchErrorAs64("\n".join(words))
            raise HubUnreachable(words[-1] if words else f"the hub did not start; see {home.log}")
        time.sleep(0.05)
    raise HubUnreachable(f"the hub did not come up within {START_PATIENCE_S:.0f} s; see {home.log}")


class LosswatchErrorAs64(LosswatchError):
    """The configuration stopped the hub; its words are passed on as they are."""

    exit_code = 64


def stop(home: Home) -> bool:
    """End the hub cleanly and wait for it; returns whether one was running."""
    pid = _holder(home)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_PATIENCE_S
    while time.monotonic() < deadline:
        if not _alive(pid):
            return True
        time.sleep(0.05)
    raise LosswatchError(f"the hub (pid {pid}) did not stop within {STOP_PATIENCE_S:.0f} s; see {home.log}")


def _holder(home: Home) -> int | None:
    """The pid in the lock file, if somebody holds the lock."""
    import fcntl

    try:
        with home.lock.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return int(lock.read().strip() or 0) or None
    except (OSError, ValueError):
        return None
    return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - a kernel file, not a path of ours
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _status(home: Home, *, as_json: bool) -> int:
    from tui.client import HubClient

    try:
        status: dict[str, Any] = asyncio.run(HubClient(home.socket).get("/v1/status", dict))
    except HubUnreachable:
        print(
            json.dumps({"running": False})
            if as_json
            else f"no hub is running for {home.state}. Start one: losswatch hub start"
        )
        return 3
    if as_json:
        print(json.dumps({"running": True, **status}))
    else:
        for name, value in status.items():
            print(f"{name:>16}  {value}")
    return 0 if status["state"] == "ok" else 1
