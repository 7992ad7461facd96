"""The hub's client: HTTP/1.1 over its Unix socket on asyncio streams and h11, so that a dashboard starts fast."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import h11
import msgspec

from data.errors import HubUnreachable, LosswatchError, NotAllowed, UsageError
from data.model.codec import from_json, to_json
from data.model.snapshot import PROTOCOL, CommandReply, Hello, Problem, StreamLine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable
    from datetime import datetime
    from pathlib import Path

T = TypeVar("T")

SILENCE_S = 15.0
"""A stream without a line for so long (three heartbeats) has lost its hub."""
MAX_LINE = 16_000_000
"""Bytes of one line of the stream; more is not a hub."""


class HubClient:
    """One hub on one socket. Every request is a connection of its own (0.1 ms on a Unix socket), so nothing is shared.

    Raises `HubUnreachable` when nothing answers, `NotAllowed` on 403, `UsageError` on 400 and `LosswatchError` with
    the hub's own sentence on any other error.
    """

    def __init__(self, socket: Path, *, timeout_s: float = 10.0) -> None:
        self.socket = socket
        self.timeout_s = timeout_s
        self.at: datetime | None = None
        """An earlier moment, which everything read is about; `None` is the present."""

    async def hello(self) -> Hello:
        """Ask who the hub is; raises when it speaks another protocol and says which side to restart."""
        return _greeting(await self._ask("GET", "/v1/hello"))

    async def get(self, path: str, kind: type[T]) -> T:
        """GET `path` (query included, already percent-encoded) decoded as `kind`; as of `at`, where the hub keeps a past."""
        if self.at is not None:
            path += f"{'&' if '?' in path else '?'}at={quote(self.at.isoformat())}"
        return _decoded(await self._ask("GET", path), kind)

    async def get_bytes(self, path: str) -> bytes:
        """GET `path`, as it comes."""
        return await self._ask("GET", path)

    async def command(self, name: str, **args: object) -> CommandReply:
        """Give one command, e.g. `command("acknowledge", incident=412)`."""
        return await self.ask(name, CommandReply, **args)

    async def ask(self, name: str, kind: type[T], **args: object) -> T:
        """Give a command that answers with more than a sentence, e.g. a dry run."""
        return _decoded(await self._ask("POST", f"/v1/commands/{name}", to_json(args)), kind)

    async def post_ndjson(self, path: str, lines: Iterable[bytes]) -> int:
        """Post encoded records, one a line; returns how many the hub has stored durably."""
        return _decoded(await self._ask("POST", path, b"\n".join(lines), "application/x-ndjson"), _Stored).stored

    async def events(self) -> AsyncGenerator[StreamLine]:
        """Lines of the hub's stream until it says goodbye or falls silent; the first is its greeting."""
        async with self._exchange("GET", "/v1/events") as (status, chunks):
            if status != 200:
                raise _refusal(status, b"".join([chunk async for chunk in chunks]))
            async for raw in _lines(chunks):
                line = _stream_line(raw)
                yield line
                if line.kind == "bye":
                    return
        raise HubUnreachable("The hub closed the stream. It reconnects by itself; `losswatch hub status` says more.")

    async def _ask(self, method: str, path: str, body: bytes = b"", content_type: str = "application/json") -> bytes:
        try:
            async with asyncio.timeout(self.timeout_s), self._exchange(method, path, body, content_type) as answer:
                status, chunks = answer
                content = b"".join([chunk async for chunk in chunks])
        except TimeoutError as late:
            message = f"The hub on {self.socket} did not answer within {self.timeout_s:g} s. Try: losswatch hub status"
            raise HubUnreachable(message) from late
        if status != 200:
            raise _refusal(status, content)
        return content

    @asynccontextmanager
    async def _exchange(
        self, method: str, path: str, body: bytes = b"", content_type: str = "application/json"
    ) -> AsyncGenerator[tuple[int, AsyncIterator[bytes]]]:
        """Send one request; gives the status and the body's chunks. Closes the connection on the way out."""
        reader, writer = await self._connect()
        http = h11.Connection(h11.CLIENT)
        headers = [("host", "hub"), ("connection", "close")]
        if method == "POST":
            headers += [("content-type", content_type), ("content-length", str(len(body)))]
        try:
            writer.write(http.send(h11.Request(method=method, target=path, headers=headers)) or b"")
            if body:
                writer.write(http.send(h11.Data(data=body)) or b"")
            writer.write(http.send(h11.EndOfMessage()) or b"")
            await writer.drain()
            response = await _next_event(http, reader, max(SILENCE_S, self.timeout_s))
            if not isinstance(response, h11.Response):
                raise HubUnreachable(f"What listens on {self.socket} is not a hub. Try: losswatch hub status")
            yield response.status_code, _body(http, reader)
        except TimeoutError:
            raise
        except (OSError, h11.RemoteProtocolError) as broken:
            raise HubUnreachable("The hub ended the connection. Try: losswatch hub status") from broken
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_unix_connection(str(self.socket), limit=1 << 20)
        except PermissionError as refused:
            raise NotAllowed(
                f"This account may not reach {self.socket}. Ask whoever runs the hub for access."
            ) from refused
        except OSError as absent:
            raise HubUnreachable(f"No hub answers on {self.socket}. Start one: losswatch hub start") from absent


@dataclass(frozen=True, slots=True)
class _Stored:
    stored: int


@dataclass(frozen=True, slots=True)
class _Protocol:
    protocol: int


@dataclass(frozen=True, slots=True)
class _Greeting:
    hello: _Protocol | None = None


async def _next_event(http: h11.Connection, reader: asyncio.StreamReader, silence_s: float = SILENCE_S) -> object:
    while (event := http.next_event()) is h11.NEED_DATA:
        async with asyncio.timeout(silence_s):
            received = await reader.read(1 << 16)
        http.receive_data(received)
    return event


async def _body(http: h11.Connection, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    try:
        while isinstance(event := await _next_event(http, reader), h11.Data):
            yield bytes(event.data)
    except TimeoutError as silent:
        raise HubUnreachable(f"The hub has been silent for {SILENCE_S:g} s. Try: losswatch hub status") from silent


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Whole lines of a chunked body; what follows the last newline is waited for."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        *whole, rest = held.split(b"\n")
        held = rest
        if len(held) > MAX_LINE:
            raise LosswatchError("The hub sent a line without an end. Restart it: losswatch hub stop")
        for line in whole:
            if line:
                yield bytes(line)


def _stream_line(raw: bytes) -> StreamLine:
    greeting = _decoded(raw, _Greeting).hello
    if greeting is not None:
        _check_protocol(greeting.protocol)
    return _decoded(raw, StreamLine)


def _greeting(raw: bytes) -> Hello:
    _check_protocol(_decoded(raw, _Protocol).protocol)
    return _decoded(raw, Hello)


def _check_protocol(theirs: int) -> None:
    if theirs > PROTOCOL:
        raise LosswatchError(
            f"The hub speaks protocol {theirs}, this dashboard {PROTOCOL}: update losswatch here and start it again."
        )
    if theirs < PROTOCOL:
        raise LosswatchError(
            f"The hub speaks protocol {theirs}, this dashboard {PROTOCOL}: restart the hub with `losswatch hub stop`, "
            "then `losswatch`."
        )


def _decoded(raw: bytes, kind: type[T]) -> T:
    try:
        return from_json(raw, kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as odd:
        message = (
            f"The hub's answer cannot be read ({odd}): restart the hub with `losswatch hub stop`, then `losswatch`."
        )
        raise LosswatchError(message) from odd


def _refusal(status: int, content: bytes) -> LosswatchError:
    try:
        sentence = from_json(content, Problem).error
    except (msgspec.ValidationError, msgspec.DecodeError):
        sentence = f"The hub answered {status}. Try: losswatch hub status"
    kind = {403: NotAllowed, 400: UsageError}.get(status, LosswatchError)
    return kind(sentence)
