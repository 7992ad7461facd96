"""The hub's Unix socket: bound by us, one hub a home, and the kernel's word for who is on the other end."""

from __future__ import annotations

import fcntl
import grp
import os
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from data.errors import LosswatchError, StoreLocked

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from data.config.home import Home

LONGEST_PATH = 107
"""Bytes a Unix socket address can hold on Linux."""


@dataclass(slots=True)
class Listener:
    """A bound socket and the lock that makes this hub the only one of its home."""

    socket: socket.socket
    path: Path
    _lock: int
    _bound: os.stat_result
    """The socket's own file."""

    def close(self) -> None:
        """Unlink the socket first, so that nobody connects to a hub that is leaving; then let the next hub in.

        Where the home was deleted and made anew, another hub's socket may lie there by now: it is left alone.
        """
        with suppress(FileNotFoundError):
            if os.path.samestat(self.path.stat(), self._bound):
                self.path.unlink()
        self.socket.close()
        os.close(self._lock)


def listen(home: Home, group: str) -> Listener:
    """Bind `home.socket` with mode 0660 in a 0750 folder, owned by `group` where one is configured.

    Raises:
        StoreLocked: another hub holds this home; names its pid.
        LosswatchError: the path is too long, or the group does not exist.
    """
    if len(os.fsencode(home.socket)) > LONGEST_PATH:
        raise LosswatchError(
            f"the socket path {home.socket} is longer than {LONGEST_PATH} bytes: choose a shorter --home"
        )
    home.runtime.mkdir(mode=0o750, parents=True, exist_ok=True)
    lock = _lock(home.lock)
    home.socket.unlink(missing_ok=True)  # we hold the lock: whatever lies there belongs to a dead hub
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        bound.bind(str(home.socket))
    finally:
        os.umask(before)
    if group:
        _give_to(group, home.runtime, home.socket)
    home.socket.chmod(0o660)
    return Listener(bound, home.socket, lock, home.socket.stat())


def _lock(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise StoreLocked(
            f"a hub (pid {holder}) already runs for {path.parent}. Attach with `losswatch`, or end it with `losswatch hub stop`"
        ) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


def _give_to(group: str, *paths: Path) -> None:
    try:
        gid = grp.getgrnam(group).gr_gid
    except KeyError:
        raise LosswatchError(
            f"[hub] group {group!r} does not exist on this machine. Create it with `groupadd {group}`"
        ) from None
    for path in paths:
        os.chown(path, -1, gid)
    paths[0].chmod(0o750)


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end of a connection, by the kernel."""

    pid: int
    uid: int
    gid: int


class PeerProtocol(H11Protocol):
    """uvicorn's protocol with `request.state.peer`; uvicorn itself says nothing of a Unix socket's client."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it the same way
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, "peer": _peer_of(transport.get_extra_info("socket"))}


def _peer_of(connection: socket.socket) -> Peer:
    size = struct.calcsize("3i")
    return Peer(*struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)))
