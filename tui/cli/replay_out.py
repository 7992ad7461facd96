"""Where a replay writes, and what it needs to go on there after it was stopped."""

from __future__ import annotations

import fcntl
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, BinaryIO, Self

import msgspec

from data.durable import replace_file
from data.errors import UsageError
from tui.cli.paper import complain

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_DIGEST = 16


@dataclass(frozen=True, slots=True)
class State:
    """A replay between two ticks."""

    ticks: int = 0
    """Done so far."""
    said: dict[str, str] = field(default_factory=dict)
    """A print of what was last said of each open alarm."""
    book: bytes = b""


class _Kept(msgspec.Struct):
    replay: str
    size: int
    """Bytes written so far; whatever is behind them is written again."""
    ticks: int
    said: dict[str, str]
    book: bytes


@dataclass(slots=True)
class Out:
    """Standard output, or a file with its state beside it (`FILE.state`) for as long as the replay is not complete."""

    stream: BinaryIO
    replay: str
    """What is replayed; a state of another replay is of no use."""
    beside: Path | None = None
    state: State = field(default_factory=State)
    lines: int = 0

    @classmethod
    def at(cls, path: Path | None, replay: str) -> Out:
        """Open `path` where it was left, or anew.

        Raises:
            UsageError: it cannot be written, or another replay is writing it.
        """
        if path is None:
            return cls(sys.stdout.buffer, replay)
        try:
            stream = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+b")
        except OSError as problem:
            raise UsageError(f"--out {path} cannot be written: {problem.strerror}") from None
        if not path.is_file():
            return cls(stream, replay)
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.close()
            raise UsageError(f"--out {path} is being written by another replay") from None
        out = cls(stream, replay, path.with_name(f"{path.name}.state"))
        out._take_up()
        return out

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.flush()
        if self.stream is not sys.stdout.buffer:
            self.stream.close()

    @property
    def keeps(self) -> bool:
        """Whether a replay that is stopped can go on."""
        return self.beside is not None

    def write(self, line: str) -> None:
        self.stream.write(line.encode())
        self.lines += 1

    def save(self, state: State) -> None:
        """Make what was written and the state durable, in that order."""
        if self.beside is None:
            return
        self.stream.flush()
        os.fsync(self.stream.fileno())
        body = msgspec.msgpack.encode(_Kept(self.replay, self.stream.tell(), state.ticks, state.said, state.book))
        replace_file(self.beside, blake2b(body, digest_size=_DIGEST).digest() + body)

    def finish(self) -> None:
        """All is written: there is nothing to go on with."""
        self.stream.flush()
        if self.beside:
            os.fsync(self.stream.fileno())
            self.beside.unlink(missing_ok=True)

    def forget(self) -> None:
        """Begin anew."""
        self.state = State()
        self.stream.seek(0)
        self.stream.truncate()

    def _take_up(self) -> None:
        """Cut off what the state does not know of; without a state that fits, everything."""
        kept, why = self._kept()
        if kept is None:
            if why:
                complain(f"{self.beside} is {why}: the replay begins again")
            self.forget()
            return
        self.stream.seek(kept.size)
        self.stream.truncate()
        self.state = State(kept.ticks, kept.said, kept.book)

    def _kept(self) -> tuple[_Kept | None, str]:
        """The state beside the file; or why it is none, empty where there is simply none."""
        assert self.beside is not None
        with suppress(FileNotFoundError):
            content = self.beside.read_bytes()
            digest, body = content[:_DIGEST], content[_DIGEST:]
            if blake2b(body, digest_size=_DIGEST).digest() != digest:
                return None, "damaged"
            try:
                kept = msgspec.msgpack.decode(body, type=_Kept)
            except msgspec.DecodeError:
                return None, "of another version"
            if kept.replay != self.replay:
                return None, "of a replay of other facts or times"
            if kept.size > os.fstat(self.stream.fileno()).st_size:
                return None, "of a longer file"
            return kept, ""
        return None, ""
