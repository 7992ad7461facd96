"""libcurl's multi interface under asyncio: one epoll of curl's own sockets, watched by the loop as a single file."""

from __future__ import annotations

import asyncio
import errno
import select
import ssl
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import certifi
import pycurl

from checks.sites.body import ACCEPTED
from checks.sites.exchange import REDIRECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.sites.certificate import CertInfo
    from checks.sites.url import Url

HEADER_LIMIT = 65_536
_REFUSED = "alert handshake failure"
_ASKED = b"Request CERT"
"""libcurl's words for a refused handshake, and for the message that asks for a certificate."""
_HEADERS = (
    f"Accept-Encoding: {ACCEPTED}",
    "Accept: text/html,application/xhtml+xml,*/*;q=0.8",
    "Accept-Language: en",
)
_EVENTS = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP or SOCKS proxy, with the country its requests come from."""

    country: str
    url: str
    host: str
    port: int
    name: str = ""
    """Of the vantage; several may be in one country."""
    address: str = ""
    """Where `host` is; needed by a proxy that leaves names to us."""

    @property
    def local_names(self) -> bool:
        """We resolve hosts for it: its protocol takes addresses only, or the operator says so."""
        return self.url.startswith(("socks4:", "socks5:"))

    @property
    def literal(self) -> bool:
        """`host` is an IP address."""
        return ":" in self.host or self.host.replace(".", "").isdigit()

    @property
    def tunnels(self) -> bool:
        """It answers CONNECT with a status."""
        return self.url.startswith("http")


@dataclass(frozen=True, slots=True)
class Door:
    """Where a host is asked instead of where its name leads: an origin behind its edge."""

    address: str
    port: int
    any_issuer: bool = False
    """Its certificate must be for the host; who issued it and until when does not matter."""


@dataclass(slots=True)
class Reply:
    """What libcurl saw of one request: unjudged and untrusted."""

    lines: list[bytes] = field(default_factory=list)
    """Header lines of the last answer, its status line first."""
    body: bytearray = field(default_factory=bytearray)
    limit: int = 0
    error: int = 0
    """CURLE code; 0 is none."""
    message: str = ""
    errno: int = 0
    verify: int = 0
    status: int = 0
    proxy_status: int = 0
    proxy_error: int = 0
    """CURLPX code of a SOCKS proxy; 0 is none."""
    ip: str = ""
    connect_s: float = 0.0
    tls_s: float = 0.0
    sent_s: float = 0.0
    first_byte_s: float = 0.0
    total_s: float = 0.0
    certinfo: CertInfo = ()
    header_bytes: int = 0
    headers_too_large: bool = False
    body_too_large: bool = False
    demanded: bool = False
    """The server refused the handshake after it had asked for a certificate of ours."""
    enough: bool = False
    """Reading stopped because the answer is a redirect: its body does not matter."""

    def take_header(self, line: bytes) -> int | None:
        if line.startswith(b"HTTP/"):  # a new block: after 100 Continue, early hints or a proxy's CONNECT
            self.lines.clear()
        self.header_bytes += len(line)
        if self.header_bytes > HEADER_LIMIT:
            self.headers_too_large = True
            return -1
        self.lines.append(line)
        return None

    def take_body(self, piece: bytes) -> int | None:
        if not self.body and self._is_redirect():
            self.enough = True
            return -1
        room = self.limit + 1 - len(self.body)
        self.body += piece[:room]
        if len(self.body) > self.limit:
            self.body_too_large = True
            return -1
        return None

    def _is_redirect(self) -> bool:
        status = self.lines[0].split(None, 2)[1:2] if self.lines else []
        return bool(status) and status[0].isdigit() and int(status[0]) in REDIRECTS and any(
            line[:9].lower() == b"location:" and line[9:].strip() for line in self.lines
        )  # fmt: skip


class Transport:
    """Carries any number of requests at once; each is one new connection, so that every check proves the whole way."""

    def __init__(self, *, ca_file: str = "", user_agent: str = "losswatch") -> None:
        self.on_reply: Callable[[Url, Reply], None] | None = None
        """Called in the task of the check after each of its requests, answered or not."""
        self._loop = asyncio.get_running_loop()
        self._ca_file, self._user_agent = ca_file or trusted_bundle(), user_agent
        self._idle: list[Any] = []
        self._waiting: dict[Any, asyncio.Future[tuple[int, str]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._epoll = select.epoll()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._socket_changed)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._timer_changed)
        self._loop.add_reader(self._epoll.fileno(), self._ready)

    def close(self) -> None:
        self._loop.remove_reader(self._epoll.fileno())
        if self._timer:
            self._timer.cancel()
        for handle in tuple(self._waiting):
            self._multi.remove_handle(handle)
            handle.close()
        self._waiting.clear()
        for handle in self._idle:
            handle.close()
        self._idle.clear()
        self._multi.close()
        self._epoll.close()

    @contextmanager
    def session(self, agent: str = "", headers: tuple[str, ...] = ()) -> Iterator[Session]:
        """A cookie jar for one chain, with another User-Agent and other headers than ours where they are given."""
        handle = self._idle.pop() if self._idle else self._new_handle()
        if agent:
            handle.setopt(pycurl.USERAGENT, agent)
        if headers:
            handle.setopt(pycurl.HTTPHEADER, merged(headers))
        try:
            yield Session(self, handle)
        finally:
            handle.setopt(pycurl.COOKIELIST, "ALL")
            if agent:
                handle.setopt(pycurl.USERAGENT, self._user_agent)
            if headers:
                handle.setopt(pycurl.HTTPHEADER, list(_HEADERS))
            self._idle.append(handle)

    async def perform(self, handle: Any) -> tuple[int, str]:
        """Run a prepared handle to its end: (CURLE code, message)."""
        done: asyncio.Future[tuple[int, str]] = self._loop.create_future()
        self._waiting[handle] = done
        self._multi.add_handle(handle)
        try:
            return await done
        finally:
            if self._waiting.pop(handle, None) is not None:
                self._multi.remove_handle(handle)

    def _new_handle(self) -> Any:
        handle = pycurl.Curl()
        for option, value in (
            (pycurl.NOSIGNAL, 1),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.FRESH_CONNECT, 1),
            (pycurl.FORBID_REUSE, 1),
            (pycurl.SSL_SESSIONID_CACHE, 0),
            (pycurl.OPT_CERTINFO, 1),
            (pycurl.CAINFO, self._ca_file),
            (pycurl.PROXY_CAINFO, self._ca_file),
            (pycurl.COOKIEFILE, ""),
            (pycurl.USERAGENT, self._user_agent),
            (pycurl.NOPROXY, ""),
            (pycurl.BUFFERSIZE, 32_768),
            (
                pycurl.SSL_EC_CURVES,
                "X25519:P-256:P-384:P-521",
            ),  # a post-quantum share for every check costs a tenth of its CPU
            (
                pycurl.TLS13_CIPHERS,
                "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
            ),  # the order of browsers; SHA-384 first makes each handshake dearer
            (pycurl.HTTPHEADER, list(_HEADERS)),
        ):
            handle.setopt(option, value)
        return handle

    def _socket_changed(self, what: int, fd: int, _multi: Any, _data: Any) -> None:
        if what == pycurl.POLL_REMOVE:
            with suppress(OSError):  # a closed socket has left the epoll by itself
                self._epoll.unregister(fd)
            return
        try:
            self._epoll.modify(fd, _EVENTS.get(what, 0))
        except FileNotFoundError:
            self._epoll.register(fd, _EVENTS.get(what, 0))

    def _timer_changed(self, after_ms: int) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if after_ms >= 0:  # libcurl forbids calling back into it from here, also for 0
            self._timer = self._loop.call_later(after_ms / 1000, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._collect()

    def _ready(self) -> None:
        for fd, events in self._epoll.poll(0):
            mask = pycurl.CSELECT_IN if events & select.EPOLLIN else 0
            mask |= pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0
            mask |= pycurl.CSELECT_ERR if events & (select.EPOLLERR | select.EPOLLHUP) else 0
            self._multi.socket_action(fd, mask)
        self._collect()

    def _collect(self) -> None:
        more = 1
        while more:
            more, fine, failed = self._multi.info_read()
            for handle in fine:
                self._finish(handle, 0, "")
            for handle, code, message in failed:
                self._finish(handle, code, message)

    def _finish(self, handle: Any, code: int, message: str) -> None:
        self._multi.remove_handle(handle)
        done = self._waiting.pop(handle, None)
        if done is not None and not done.done():
            done.set_result((code, message))


@dataclass(slots=True)
class Session:
    """One easy handle for one chain: its requests share cookies and nothing else."""

    _transport: Transport
    _handle: Any

    def cookies(self) -> frozenset[str]:
        return frozenset(self._handle.getinfo(pycurl.INFO_COOKIELIST))

    async def get(
        self,
        url: Url,
        addresses: tuple[str, ...],
        *,
        timeout_s: float,
        limit: int,
        proxy: Proxy | None = None,
        door: Door | None = None,
    ) -> Reply:
        """GET `url`, reading at most `limit` + 1 bytes of body; whatever happens is in the reply.

        `addresses` are the host's, or those of a proxy that resolves the host itself; `door` replaces them.
        """
        handle, reply = self._handle, Reply(limit=limit)
        handle.setopt(pycurl.URL, url.text)
        handle.setopt(pycurl.RESOLVE, _resolved(url, addresses, proxy))
        handle.setopt(pycurl.PROXY, proxy.url if proxy else "")  # an unset proxy would be taken from the environment
        handle.setopt(pycurl.CONNECT_TO, [f"::{_bracketed(door.address)}:{door.port}"] if door else [])
        handle.setopt(pycurl.SSL_VERIFYPEER, 0 if door and door.any_issuer else 1)
        handle.setopt(pycurl.TIMEOUT_MS, max(int(timeout_s * 1000), 1))
        handle.setopt(pycurl.HEADERFUNCTION, reply.take_header)
        handle.setopt(pycurl.WRITEFUNCTION, reply.take_body)
        reply.error, reply.message = await self._transport.perform(handle)
        _measure(handle, reply, secure=url.scheme == "https")
        if reply.error == pycurl.E_SSL_CONNECT_ERROR and _REFUSED in reply.message:
            reply.demanded = await self._overhear(timeout_s - reply.total_s)
        if self._transport.on_reply:
            self._transport.on_reply(url, reply)
        return reply

    async def _overhear(self, left_s: float) -> bool:
        """Shake hands once more, without a request, and hear whether a certificate of ours is asked for.

        Before TLS 1.3 a server that wants one refuses with the same alert as one that likes no cipher.
        """
        handle, heard = self._handle, bytearray()
        handle.setopt(pycurl.TIMEOUT_MS, max(int(left_s * 1000), 1))
        for option, value in ((pycurl.CONNECT_ONLY, 1), (pycurl.VERBOSE, 1)):
            handle.setopt(option, value)
        handle.setopt(
            pycurl.DEBUGFUNCTION, lambda kind, said: heard.extend(said) if kind == pycurl.INFOTYPE_TEXT else None
        )
        await self._transport.perform(handle)
        for option in (pycurl.CONNECT_ONLY, pycurl.VERBOSE):
            handle.setopt(option, 0)
        return _ASKED in heard


def _resolved(url: Url, addresses: tuple[str, ...], proxy: Proxy | None) -> list[str]:
    """What libcurl shall know of names beforehand; it takes addresses in place of names as they are."""
    shown = ",".join(_bracketed(address) for address in addresses)
    known = []
    if shown and (proxy is None or proxy.local_names) and not url.literal:
        known.append(f"+{url.host}:{url.port}:{shown}")
    at = _bracketed(proxy.address) if proxy and proxy.local_names else shown
    if proxy and at and not proxy.literal:
        known.append(f"+{proxy.host}:{proxy.port}:{at}")
    return known


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _measure(handle: Any, reply: Reply, *, secure: bool) -> None:
    get = handle.getinfo
    reply.status = get(pycurl.RESPONSE_CODE)
    reply.ip = get(pycurl.PRIMARY_IP) or ""
    reply.connect_s, reply.first_byte_s = get(pycurl.CONNECT_TIME), get(pycurl.STARTTRANSFER_TIME)
    reply.sent_s, reply.total_s = get(pycurl.PRETRANSFER_TIME), get(pycurl.TOTAL_TIME)
    if reply.error:
        reply.errno, reply.proxy_status = get(pycurl.OS_ERRNO), get(pycurl.HTTP_CONNECTCODE)
        reply.proxy_error = get(pycurl.PROXY_ERROR)
    if secure:
        reply.tls_s, reply.verify = get(pycurl.APPCONNECT_TIME), get(pycurl.SSL_VERIFYRESULT)
        reply.certinfo = tuple(get(pycurl.INFO_CERTINFO))


def merged(headers: tuple[str, ...]) -> list[str]:
    """Our headers with `headers` (`Name: value`) in the place of those of the same name."""
    named = {line.partition(":")[0].lower(): line for line in (*_HEADERS, *headers)}
    return list(named.values())


def trusted_bundle() -> str:
    """The system's certificate authorities, or the ones shipped with Python's certifi."""
    system = ssl.get_default_verify_paths().cafile
    for path in (system, "/etc/ssl/certs/ca-certificates.crt"):
        if path and Path(path).is_file():
            return path
    return certifi.where()


def bundle_with(extra: str, target: Path) -> str:
    """Write the trusted authorities plus those of the PEM file `extra` to `target`; gives its path.

    Raises `OSError` when `extra` cannot be read or holds no certificate.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(extra)
    except ssl.SSLError:
        raise OSError(errno.EINVAL, "it holds no PEM certificate") from None
    target.write_bytes(Path(trusted_bundle()).read_bytes() + b"\n" + Path(extra).read_bytes())
    return str(target)
