"""libcurl's words for a failed request to ours. Pure."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING

import pycurl

from checks.sites.certificate import refusal
from checks.sites.exchange import Fault
from data.model.cause import cause

if TYPE_CHECKING:
    from checks.sites.certificate import Certificate
    from checks.sites.transport import Proxy, Reply
    from checks.sites.url import Url

_BY_ERRNO = {
    errno.ECONNREFUSED: ("tcp.refused", "refuses the connection"),
    errno.ECONNRESET: ("tcp.reset", "resets the connection"),
    errno.EPIPE: ("tcp.reset", "resets the connection"),
    errno.ENETUNREACH: ("tcp.unreachable", "is not reachable: no route to its network"),
    errno.EHOSTUNREACH: ("tcp.unreachable", "is not reachable: no route to the host"),
    errno.ETIMEDOUT: ("tcp.timeout", "does not answer to connect"),
}
_WEIRD_SERVER_REPLY, _HTTP2_STREAM, _PROXY, _TOO_LARGE = 8, 92, 97, 100  # CURLE codes that pycurl gives no name
_BY_CODE = {
    pycurl.E_GOT_NOTHING: ("proto.empty_reply", "closes the connection without an answer"),
    pycurl.E_PARTIAL_FILE: ("proto.truncated", "ends its answer before the announced length"),
    _WEIRD_SERVER_REPLY: ("proto.malformed", "sends an answer that is not HTTP"),
    pycurl.E_UNSUPPORTED_PROTOCOL: ("proto.malformed", "sends an answer that is not HTTP"),
    pycurl.E_HTTP2: ("proto.malformed", "breaks the HTTP/2 protocol"),
    _HTTP2_STREAM: ("proto.truncated", "breaks off its HTTP/2 stream"),
    _TOO_LARGE: ("proto.oversize", "sends oversized headers"),
    pycurl.E_SSL_CIPHER: ("tls.protocol", "agrees to no cipher of ours"),
}
_OTHERWISE = {
    pycurl.E_SSL_CONNECT_ERROR: ("tls.protocol", "breaks off the TLS handshake"),
    pycurl.E_SSL_CERTPROBLEM: ("tls.protocol", "breaks off the TLS handshake"),
    pycurl.E_RECV_ERROR: ("tcp.reset", "breaks the connection off"),
    pycurl.E_SEND_ERROR: ("tcp.reset", "breaks the connection off"),
    pycurl.E_COULDNT_CONNECT: ("tcp.unreachable", "is not reachable"),
}
"""When the system named no errno."""
_PROXY_FAULTS = frozenset({pycurl.E_COULDNT_RESOLVE_PROXY, _PROXY})
_SOCKS_UNREACHED = frozenset(range(19, 27))
"""libcurl's CURLPX codes of a SOCKS proxy that works and cannot, or may not, reach the host."""
_WHY = {
    pycurl.E_COULDNT_RESOLVE_PROXY: "has no address",
    pycurl.E_COULDNT_CONNECT: "does not answer",
    pycurl.E_OPERATION_TIMEDOUT: "does not answer",
    pycurl.E_PEER_FAILED_VERIFICATION: "has a certificate that cannot be trusted",
    _PROXY: "refuses us",
}
_CLIENT_CERT = ("tls.client_cert", "asks for a client certificate")
_CHUNKS = ("proto.malformed", "sends chunks that cannot be read")
_BY_WORDS = {
    "certificate required": _CLIENT_CERT,
    "certificate_required": _CLIENT_CERT,
    "alert bad certificate": _CLIENT_CERT,
    "no certificate": _CLIENT_CERT,
    "wrong version number": ("tls.protocol", "does not speak TLS on this port"),
    "alert protocol version": ("tls.protocol", "speaks only outdated versions of TLS"),
    "unrecognized name": ("tls.protocol", "knows no certificate for this host name"),
    "chunk hex-length": _CHUNKS,
    "chunked-encoding": _CHUNKS,
}
"""What libcurl's message says more exactly than its code."""
_TELLING = frozenset(
    {
        *(_WEIRD_SERVER_REPLY, _HTTP2_STREAM, pycurl.E_HTTP2, pycurl.E_UNSUPPORTED_PROTOCOL),
        *(pycurl.E_SSL_CONNECT_ERROR, pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_RECV_ERROR, pycurl.E_SSL_CERTPROBLEM),
    }
)
"""Codes whose messages are the same each time; others count milliseconds, and evidence would change with every look."""
_NO_FAREWELL = "unexpected eof while reading"


def fault_of(reply: Reply, url: Url, chain: Certificate | None, proxy: Proxy | None) -> Fault | None:
    """Why `reply` is no usable answer, or `None`.

    1. Reading that stopped at a redirect is no fault; one that stopped at a limit is oversize.
    2. What fails before the proxy is through is the vantage's fault, so ours.
    3. The deadline: the phase that it cut says which cause.
    4. Certificates by verify result; the rest by errno, then by libcurl's code.
    """
    if reply.headers_too_large:
        return Fault(cause("proto.oversize"), f"{url.netloc} sends oversized headers")
    if not reply.error or reply.enough or reply.body_too_large:
        return _unfinished(reply, url, chain)
    said = reply.message if reply.error in _TELLING else ""
    return replace(_failure(reply, url, chain, proxy), said=said)


def _failure(reply: Reply, url: Url, chain: Certificate | None, proxy: Proxy | None) -> Fault:
    if proxy and (vantage := _vantage_fault(reply, proxy, url)):
        return vantage
    if reply.error == pycurl.E_OPERATION_TIMEDOUT:
        return _deadline(reply, url, proxy)
    if reply.error == pycurl.E_PEER_FAILED_VERIFICATION:
        return _refused_certificate(reply, url, chain)
    name, words = _plain(reply)
    return Fault(cause(name), f"{url.netloc} {words}")


def _plain(reply: Reply) -> tuple[str, str]:
    """Cause and words: by libcurl's message, by errno where the system named one, else by libcurl's code."""
    if found := next((found for words, found in _BY_WORDS.items() if words in reply.message), None):
        return found
    if found := _odd_end(reply):
        return found
    if reply.errno in _BY_ERRNO and reply.error not in _BY_CODE:
        return _BY_ERRNO[reply.errno]
    unreadable = ("proto.malformed", f"answers in a way that cannot be read (curl {reply.error})")
    return _BY_CODE.get(reply.error) or _OTHERWISE.get(reply.error) or unreadable


def _odd_end(reply: Reply) -> tuple[str, str] | None:
    """Ends that mean another thing by what came before them."""
    if reply.demanded:
        return _CLIENT_CERT
    cut_tls = reply.error == pycurl.E_RECV_ERROR and _NO_FAREWELL in reply.message
    if (reply.error == _HTTP2_STREAM or cut_tls) and not reply.status:
        return _BY_CODE[pycurl.E_GOT_NOTHING]
    if cut_tls:
        return "proto.truncated", "ends its answer without the farewell of TLS"
    if reply.error == pycurl.E_GOT_NOTHING and reply.status == 101:
        return "proto.malformed", "switches to another protocol unasked"
    return None


def _vantage_fault(reply: Reply, proxy: Proxy, url: Url) -> Fault | None:
    """A vantage that does not work itself (`ours`), or that works and says that it cannot reach the host."""
    unreached = reply.proxy_error in _SOCKS_UNREACHED or (reply.proxy_status >= 400 and reply.proxy_status != 407)
    broken = reply.error in _PROXY_FAULTS or reply.proxy_status == 407 or not reply.connect_s
    silent = url.scheme == "https" and reply.proxy_status == 0 and not reply.status and not reply.tls_s
    if unreached or (silent and proxy.tunnels and not broken):
        answer = f" (answers {reply.proxy_status})" if reply.proxy_status else ""
        return Fault(cause("local.network"), f"the vantage {proxy.name} cannot reach {url.netloc}{answer}")
    if broken:
        why = "asks for a login" if reply.proxy_status == 407 else _WHY.get(reply.error, "speaks no proxy protocol")
        return Fault(cause("local.network"), f"the vantage {proxy.name} {why}", ours=True)
    return None


def _deadline(reply: Reply, url: Url, proxy: Proxy | None) -> Fault:
    where = url.netloc
    if not reply.connect_s and not proxy:
        return Fault(cause("tcp.timeout"), f"{where} does not answer to connect", deadline=True)
    if url.scheme == "https" and not reply.tls_s:
        return Fault(cause("tls.timeout"), f"the TLS handshake with {where} does not end", deadline=True)
    if (not reply.first_byte_s and not reply.status) or 0 < reply.status < 200:  # hints are no answer
        return Fault(cause("slow.ttfb"), f"{where} sends nothing before the deadline", deadline=True)
    return Fault(cause("slow.total"), f"{where} is still sending at the deadline", deadline=True)


def _refused_certificate(reply: Reply, url: Url, chain: Certificate | None) -> Fault:
    found, words = refusal(reply.verify, chain)
    since = f" (ended {chain.ends:%Y-%m-%d %H:%MZ})" if chain and found == "tls.expired" else ""
    return Fault(found, f"{url.netloc} {words}{since}")


def _unfinished(reply: Reply, url: Url, chain: Certificate | None) -> Fault | None:
    """What libcurl takes for an answer and a browser does not."""
    if reply.lines and not any(line in {b"\r\n", b"\n"} for line in reply.lines):
        return Fault(cause("proto.truncated"), f"{url.netloc} ends its answer inside the headers")
    if chain is not None and not chain.names:
        detail = f"{url.netloc} has a certificate that names no host ({chain.subject} stands only in its subject)"
        return Fault(cause("tls.hostname"), detail)
    return _conflicting_lengths(reply, url.netloc)


def _conflicting_lengths(reply: Reply, where: str) -> Fault | None:
    """Two different Content-Length headers: a request-smuggling hazard that libcurl lets pass."""
    lengths = {line.partition(b":")[2].strip() for line in reply.lines if line[:15].lower() == b"content-length:"}
    if len(lengths) > 1:
        return Fault(cause("proto.malformed"), f"{where} announces two different lengths")
    return None
