from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from data.text import clean_text

if TYPE_CHECKING:
    import ssl

MAX_REQUEST = 65_536
_REASONS = {
    200: "OK", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 413: "Content Too Large", 451: "Unavailable For Legal Reasons", 500: "Internal Server Error",
    503: "Service Unavailable",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    host: str
    """Lower case, without the port."""
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    client: str
    """Source address: how an operator tells countries apart."""

    def param(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.query if key == name), default)

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


@dataclass(frozen=True, slots=True)
class Response:
    status: int = 200
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)

    def encode(self, *, head: bool = False) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Status')}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            "Connection: close",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + (b"" if head else self.body)


Handler = Callable[[Request], Response]


class HttpProtocol(asyncio.Protocol):
    """One request a connection, HTTP/1.1: small enough to be cheap, so that every TLS check sees a full handshake."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._deadline = asyncio.get_running_loop().call_later(15, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if self._deadline is not None:
            self._deadline.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_REQUEST:
                self._answer(Response(413))
            return
        head = bytes(self._buffer[:end])
        length = _content_length(head)
        if length > MAX_REQUEST:
            self._answer(Response(413))
        elif len(self._buffer) >= end + 4 + length:
            self._serve(head, bytes(self._buffer[end + 4 : end + 4 + length]))

    def _serve(self, head: bytes, body: bytes) -> None:
        assert self._transport is not None
        peer = self._transport.get_extra_info("peername")
        request = parse_request(head, body, peer[0] if peer else "")
        if request is None:
            self._answer(Response(400))
        else:
            self._answer(self._handler(request), head=request.method == "HEAD")

    def _answer(self, response: Response, *, head: bool = False) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(response.encode(head=head))
            self._transport.close()


def parse_request(head: bytes, body: bytes, client: str) -> Request | None:
    """A request's head as sent; None when it is not HTTP."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return None
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    try:
        url = urlsplit(words[1])
        host = (url.hostname or urlsplit(f"//{headers.get('host', '')}").hostname or "").lower()
    except ValueError:
        return None
    query = tuple(parse_qsl(url.query, keep_blank_values=True, max_num_fields=100))
    return Request(words[0], clean_text(host), url.path or "/", query, headers, body, client)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0


async def listen(handler: Handler, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> asyncio.Server:
    """Serve `handler` on an ephemeral loopback port; with `context` over TLS."""
    loop = asyncio.get_running_loop()
    patience, farewell = (10.0, 1.0) if context else (None, None)
    return await loop.create_server(
        lambda: HttpProtocol(handler),
        host,
        0,
        ssl=context,
        backlog=1024,
        ssl_handshake_timeout=patience,
        ssl_shutdown_timeout=farewell,
    )


def port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port
