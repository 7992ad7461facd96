from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from data.errors import StoreLocked

if TYPE_CHECKING:
    from pathlib import Path


class FileLock:
    """Held from construction to `release()`; the file names the process that holds it.

    The kernel lets go when the process ends, however it ends, so a file left behind locks nobody out.
    """

    def __init__(self, path: Path) -> None:
        """Raises `StoreLocked`, with the holder's process id, when somebody else has it."""
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise StoreLocked(
                f"{path.with_suffix('').name} is in use by process {holder}. Stop it with: losswatch hub stop"
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    @property
    def taken_over(self) -> bool:
        """Whether another file lies in the place of ours: the folder was deleted and made anew."""
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._fd))
        except OSError:
            return False

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
