"""Starting the peer that a benchmark stands beside."""

from __future__ import annotations

import socket
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import contextlib

PEER = "prometheus-blackbox-exporter"


def started(command: list[str], port: int, stack: contextlib.ExitStack) -> int:
    """Run `command` until the stack closes; gives its pid once it listens on `port`."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(process.wait, 10)
    stack.callback(process.terminate)
    for _ in range(200):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return process.pid
        time.sleep(0.05)
    raise RuntimeError(f"{command[0]} does not listen on {port}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
