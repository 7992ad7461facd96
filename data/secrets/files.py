"""Small private files: read only when they are what they should be, replaced as a whole."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from data.durable import replace_file
from data.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read_private(path: Path, *, shared_ok: bool = False) -> str:
    """Text of a regular file that is ours and closed to others (`shared_ok`: root's and our group's will do).

    Raises:
        VaultError: a link, somebody else's, or readable by others; says which, and the command that helps.
        OSError: it cannot be opened.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as problem:
        if path.is_symlink():
            raise VaultError(f"{path} is a link; it must be the file itself") from problem
        raise
    with os.fdopen(fd, encoding="utf-8") as file:
        found = os.fstat(file.fileno())
        owners = {os.geteuid(), 0} if shared_ok else {os.geteuid()}
        if not stat.S_ISREG(found.st_mode) or found.st_uid not in owners:
            raise VaultError(f"{path} is not a file of this account. Look at: ls -l {path}")
        if found.st_mode & (0o007 if shared_ok else 0o077):
            raise VaultError(f"{path} can be read by others. Next: chmod 600 {path}")
        return file.read()


def write_private(path: Path, text: str) -> None:
    """Replace `path` (mode 0600); on return it is on the disk, and at no moment is it half written."""
    replace_file(path, text.encode(), 0o600)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Alone among processes and threads until the block ends."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
