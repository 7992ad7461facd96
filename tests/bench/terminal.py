"""The dashboard on a terminal of 120x40, as a process of its own."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

import pexpect

from tests.bench.processes import ROOT

_MOST = 1 << 16


def dashboard(home: str) -> pexpect.spawn:
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    command = ["-m", "tui.cli.main", "--home", home]
    child = pexpect.spawn(sys.executable, command, cwd=str(ROOT), env=environment, dimensions=(40, 120))
    child.delaybeforesend = None
    return child


def read(child: pexpect.spawn, seconds: float) -> int:
    """Bytes that come within so long; what comes next is then the next key's."""
    received, end = 0, time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        with suppress(pexpect.TIMEOUT):
            received += len(child.read_nonblocking(_MOST, timeout=left))
    return received


def key_s(child: pexpect.spawn, key: str) -> float:
    """From a key to the first byte of its answer."""
    read(child, 0.25)
    began = time.perf_counter()
    child.send(key)
    with suppress(pexpect.TIMEOUT):
        child.read_nonblocking(_MOST, timeout=3.0)
    return time.perf_counter() - began
