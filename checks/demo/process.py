from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from data.errors import LosswatchError

if TYPE_CHECKING:
    from pathlib import Path

    from data.config.home import Home

MARKER = ".losswatch-demo"
"""A folder that holds this file belongs to the demo and may be emptied; the file is locked while a demo runs."""
START_PATIENCE_S = 60.0
STOP_PATIENCE_S = 10.0


class DemoHome:
    """The demo's folder: claimed for one demo at a time, emptied only when it is the demo's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None

    @property
    def running(self) -> bool:
        """Whether some process has claimed this home."""
        marker = self.folder / MARKER
        try:
            with marker.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def claim(self) -> None:
        """Lock the folder for this process until it ends.

        Raises:
            LosswatchError: it holds something that is no demo, or another demo runs in it.
        """
        marker = self.folder / MARKER
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not marker.exists() and any(self.folder.iterdir()):
            raise LosswatchError(
                f"{self.folder} is not empty and not a demo's: it is left alone. Try: losswatch demo --home NEWDIR"
            )
        self._lock = marker.open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LosswatchError(
                f"a demo is already running in {self.folder}. Attach to it: losswatch --home {self.folder}"
                " (or start another: losswatch demo --home NEWDIR)"
            ) from None

    def clear(self) -> None:
        """Empty the claimed folder, the marker apart."""
        assert self._lock is not None
        for child in self.folder.iterdir():
            if child.name == MARKER:
                continue
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            else:
                child.unlink()


class CompanyProcess:
    """The simulated company as a child: it ends when its standard input does, so it cannot outlive us."""

    def __init__(self, home: Home, *, speed: float, seed: int, at: str = "06:00") -> None:
        folder = home.state / "demo"
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "company.log"
        arguments = ["--home", str(home.state), "--speed", str(speed), "--seed", str(seed), "--at", at]
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "checks.demo.company", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def wait_ready(self) -> None:
        """Return once the company listens and its home is written.

        Raises:
            LosswatchError: it ended or stayed silent; the message has its last words.
        """
        assert self._child.stdout is not None
        ready, _, _ = select.select([self._child.stdout], [], [], START_PATIENCE_S)
        line = self._child.stdout.readline() if ready else b""
        with suppress(ValueError):
            if json.loads(line or b"{}").get("ready"):
                return
        self.stop()
        words = self._log.read_text(errors="replace").strip().splitlines()
        raise LosswatchError(f"the simulated company did not start: {words[-1] if words else 'it said nothing'}")

    def stop(self) -> None:
        """End it and wait; killed when it does not listen."""
        assert self._child.stdin is not None
        with suppress(OSError):
            self._child.stdin.close()
        try:
            self._child.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


def end_hub(home: Home) -> None:
    """Ask the hub of a demo whose parent is gone to stop: without the company it would watch an empty street."""
    try:
        with home.lock.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                os.kill(int(lock.read().strip()), signal.SIGTERM)
    except (OSError, ValueError):
        return
