"""What went wrong on the way to a page, as causes: by status, by error of the client."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import httpx

from data.model.cause import cause
from data.model.observation import NO_CAUSE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.model.ids import CauseId

DEADLINE = cause("slow.total")
"""A page that did not arrive in time is failing, one that is only slow is not."""

_BY_STATUS = {
    401: "http.auth", 407: "http.auth", 403: "page.blocked", 410: "http.gone", 429: "http.rate_limited",
    451: "http.legal_block", 204: "page.empty", 205: "page.empty",
}  # fmt: skip
_BY_VERIFY_CODE = {
    9: "tls.not_yet_valid", 10: "tls.expired", 18: "tls.self_signed", 19: "tls.untrusted", 20: "tls.incomplete_chain",
    21: "tls.incomplete_chain", 62: "tls.hostname",
}  # fmt: skip
"""X509_V_ERR codes of OpenSSL."""
_BY_LOOKUP = {
    socket.EAI_NONAME: "dns.nxdomain", socket.EAI_AGAIN: "dns.timeout", socket.EAI_NODATA: "dns.nodata",
    socket.EAI_FAIL: "dns.servfail",
}  # fmt: skip
_BY_ERROR: tuple[tuple[type[BaseException], str], ...] = (
    (httpx.TooManyRedirects, "redirect.too_many"),
    (httpx.ConnectTimeout, "tcp.timeout"),
    (httpx.TimeoutException, DEADLINE),
    (ssl.SSLError, "tls.protocol"),
    (ConnectionRefusedError, "tcp.refused"),
    (ConnectionResetError, "tcp.reset"),
    (httpx.DecodingError, "proto.decode"),
    (httpx.UnsupportedProtocol, "config.url"),
    (httpx.InvalidURL, "config.url"),
    (httpx.ReadError, "tcp.reset"),
    (httpx.ConnectError, "tcp.unreachable"),
    (ValueError, "config.url"),
)


def cause_of_status(status: int, headers: Mapping[str, str]) -> CauseId:
    """The cause a status means; empty for a page that can be judged."""
    if headers.get("cf-mitigated", "").lower() == "challenge":
        return cause("edge.challenge")
    if status in _BY_STATUS:
        return cause(_BY_STATUS[status])
    if 200 <= status < 300:
        return NO_CAUSE
    if status == 503 and "retry-after" in headers:
        return cause("http.maintenance")
    return cause("http.5xx" if status >= 500 else "redirect.no_location" if status < 400 else "http.4xx")


def cause_of_error(problem: Exception) -> CauseId:
    """The cause an error of httpx means, by its type and by what it was raised from."""
    if isinstance(problem, httpx.RemoteProtocolError):
        words = str(problem)
        if "complete" in words:
            return cause("proto.truncated")
        return cause("proto.empty_reply" if "without sending" in words else "proto.malformed")
    roots = _chain(problem)
    for root in roots:
        if isinstance(root, ssl.SSLCertVerificationError):
            return cause(_BY_VERIFY_CODE.get(root.verify_code, "tls.untrusted"))
        if isinstance(root, socket.gaierror):
            return cause(_BY_LOOKUP.get(root.errno or 0, "dns.servfail"))
    for kind, name in _BY_ERROR:
        if any(isinstance(root, kind) for root in roots):
            return cause(name)
    return cause("proto.malformed")


def _chain(problem: BaseException | None) -> list[BaseException]:
    """The error and everything it was raised from."""
    found: list[BaseException] = []
    while problem is not None and problem not in found and len(found) < 10:
        found.append(problem)
        problem = problem.__cause__ or problem.__context__
    return found
