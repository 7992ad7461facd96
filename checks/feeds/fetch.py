"""One HTTP call with a total deadline, a body cap before and after decompression, and problems as values."""

from __future__ import annotations

import asyncio
import socket
import ssl
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx

from data.model.cause import cause
from data.model.ids import CauseId
from data.text import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN = (
    "content-type", "retry-after", "deprecation", "sunset", "warning", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset",
)  # fmt: skip
MAX_WAIT = timedelta(hours=24)
_TLS = {
    9: "tls.not_yet_valid",
    10: "tls.expired",
    18: "tls.self_signed",
    19: "tls.untrusted",
    20: "tls.incomplete_chain",
    62: "tls.hostname",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no report: a cause and words that hold neither URL nor secret."""

    cause: CauseId
    words: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    """Only those in `SHOWN`, and those asked for."""
    body: bytes = b""

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def is_html(self) -> bool:
        head = self.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        return "html" in self.content_type or head.startswith((b"<!doctype html", b"<html"))


class _Stop(Exception):  # carries a problem out of the stream, never leaves this module
    def __init__(self, name: str, words: str) -> None:
        super().__init__(words)
        self.problem = Problem(cause(name), words)


async def fetch(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    timeout_s: float,
    max_body: int,
    params: tuple[tuple[str, str], ...] = (),
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    content: bytes | None = None,
    keep: str = "",
) -> Answer | Problem:
    """The answer whatever its status, or why there is none. Redirects are not followed: a report has no reason to move.

    `params` go to the query the URL has already. `keep` is one more header to be told of, in lower case.
    """
    try:
        async with asyncio.timeout(timeout_s):
            request = client.stream(
                method, httpx.URL(url).copy_merge_params(params) if params else url, headers=headers, data=form,
                content=content, follow_redirects=False, timeout=timeout_s,
            )  # fmt: skip
            async with request as response:
                return await _answer(response, max_body, keep)
    except TimeoutError:
        return Problem(cause("tcp.timeout"), f"no complete answer within {timeout_s:g} s")
    except _Stop as stop:
        return stop.problem
    except httpx.HTTPError as problem:
        return _network(problem, timeout_s)
    except (httpx.InvalidURL, UnicodeError, ValueError):
        return Problem(cause("config.url"), "the request cannot be made from this base URL and secret")


async def _answer(response: httpx.Response, max_body: int, keep: str) -> Answer:
    location = response.headers.get("location", "").lower() if response.is_redirect else ""
    if any(word in location for word in ("login", "signin", "sign-in", "auth")):
        raise _Stop("feed.auth", "redirected to a login page")
    shown = {name: redact(response.headers[name]) for name in (*SHOWN, keep) if name in response.headers}
    return Answer(response.status_code, shown, await _body(response, max_body))


async def _body(response: httpx.Response, limit: int) -> bytes:
    """The body, decompressed step by step; stops at the cap instead of reading past it."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip", "deflate", ""}:
        raise _Stop("proto.decode", f"content encoding nobody asked for: {encoding[:20]!r}")
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32) if encoding in {"gzip", "x-gzip", "deflate"} else None
    parts: list[bytes] = []
    size = 0
    async for raw in response.aiter_raw():
        part = raw
        if inflate:
            try:
                part = inflate.decompress(raw, limit - size + 1)
            except zlib.error:
                raise _Stop("proto.decode", "broken compression") from None
        size += len(part)
        if size > limit:
            raise _Stop("proto.oversize", f"more than {limit // 1024 // 1024 or 1} MiB")
        parts.append(part)
    if inflate and parts and not inflate.eof:
        raise _Stop("proto.truncated", "compressed body cut short")
    return b"".join(parts)


def _network(problem: httpx.HTTPError, timeout_s: float) -> Problem:
    """A transport failure by its root: names, certificates, refusals, deadlines. Texts of libraries are not quoted."""
    for root in _roots(problem):
        for kind, name, words in _CAUSES:
            if isinstance(root, kind):
                return Problem(cause(name), words)
        if isinstance(root, ssl.SSLCertVerificationError):
            return Problem(cause(_TLS.get(root.verify_code, "tls.untrusted")), "certificate not accepted")
        if isinstance(root, socket.gaierror):
            missing = root.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
            return Problem(cause("dns.nxdomain" if missing else "dns.servfail"), "the host name does not resolve")
    if isinstance(problem, httpx.TimeoutException):
        return Problem(cause("tcp.timeout"), f"no complete answer within {timeout_s:g} s")
    tls = any(isinstance(root, ssl.SSLError) for root in _roots(problem))
    return Problem(
        cause("tls.protocol" if tls else "tcp.reset"), "TLS handshake failed" if tls else "the connection broke"
    )


_CAUSES: tuple[tuple[type[BaseException], str, str], ...] = (
    (ConnectionRefusedError, "tcp.refused", "connection refused"),
    (ConnectionResetError, "tcp.reset", "connection reset"),
    (httpx.LocalProtocolError, "feed.auth", "the secret holds characters that no header may carry"),
    (httpx.RemoteProtocolError, "proto.truncated", "the answer ended early"),
)


def _roots(problem: BaseException) -> list[BaseException]:
    """The chain of causes, innermost first."""
    chain: list[BaseException] = []
    here: BaseException | None = problem
    while here is not None and len(chain) < 10:
        chain.append(here)
        here = here.__cause__ or here.__context__
    return chain[::-1]


def retry_at(header: str, now: datetime) -> datetime | None:
    """`Retry-After` in seconds or as a date, at most a day ahead; nothing for anything else."""
    text = header.strip()
    try:
        wait = timedelta(seconds=int(text)) if text.isdigit() and len(text) < 10 else None
        moment = now + wait if wait is not None else parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment, now), now + MAX_WAIT)
