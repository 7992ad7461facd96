"""Names to addresses over UDP (TCP when truncated), so that every way a lookup can fail keeps its own cause."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from checks.sites.dnsline import Line, Server
from checks.sites.exchange import Fault
from checks.sites.lookups import Lookups
from data.model.cause import cause

if TYPE_CHECKING:
    from collections.abc import Iterable

_TRIES_S = (1.0, 2.0, 4.0)
_AAAA_GRACE_S = 0.05
"""How long a found A record waits for its AAAA sibling (RFC 8305)."""
_TTL_S = (1.0, 300.0)
_FAILED_TTL_S = 2.0
_CACHED_NAMES = 200_000
_DEAD_S = 5.0
_UNREACHABLE = "is not reachable"
_DECISIVE = frozenset({"dns.nxdomain", "dns.nodata"})


@dataclass(frozen=True, slots=True)
class Answer:
    addresses: tuple[str, ...] = ()
    fault: Fault | None = None
    ttl_s: float = _FAILED_TTL_S
    note: str = ""
    """Why the first resolver's word was not taken."""


class Resolver:
    """Resolves through the configured server or the system's; a second one says whether the name or the first one fails.

    The second is asked when the first fails, or says that there is no such name or address. 1. Both fail: the name's
    fault, unless everything fails, which is ours. 2. Only the second answers: its answer counts, with a note. 3. The first
    denies what the second knows: they disagree, and nobody knows (`local.resolver`).
    """

    def __init__(self, resolver: str = "", second: str = "") -> None:
        """Both as `HOST:PORT`; an empty `resolver` is the system's, an empty `second` is none. Raises `ValueError`."""
        self.servers = (parse_server(resolver),) if resolver else system_servers()
        self.second = parse_server(second) if second else None
        self.hosts = read_hosts()
        self.ipv6 = has_ipv6()
        self._cache: dict[str, tuple[float, Answer]] = {}
        self._running: dict[str, asyncio.Task[Answer]] = {}
        self._lines: dict[Server, Line] = {}
        self._lookups = Lookups()
        self._dead: tuple[float, bool] = (0.0, False)
        """Until when the last word on our own resolver holds, and that word."""

    async def address(self, host: str, timeout_s: float = 5.0) -> str:
        """The first address of `host`, an address itself included; raises `OSError` with the reason when there is none."""
        with suppress(ValueError):
            return str(ipaddress.ip_address(host))
        answer = await self.resolve(host, timeout_s)
        if answer.fault:
            raise OSError(answer.fault.detail)
        return answer.addresses[0]

    async def resolve(self, host: str, timeout_s: float) -> Answer:
        """Addresses of `host` or the cause of their absence, within `timeout_s` real seconds."""
        name = host.removesuffix(".")
        if name == "localhost" or name.endswith(".localhost"):
            return Answer(self.hosts.get(name) or ("127.0.0.1", "::1"))
        if name in self.hosts:
            return Answer(self.hosts[name])
        kept = self._cache.get(name)
        if kept and kept[0] > time.monotonic():
            return kept[1]
        task = self._running.get(name)
        if task is None:
            task = asyncio.create_task(self._look_up(name))
            self._running[name] = task
            task.add_done_callback(lambda done: self._keep(name, done))
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(task)
        except TimeoutError:
            self._lookups.note(name, time.monotonic(), answered=False)
            if self._lookups.suspicious(time.monotonic()) and (self._dead[1] or not self._lookups.good):
                return _OURS
            return Answer(fault=Fault(cause("dns.timeout"), f"no name server answered for {name}", deadline=True))

    def note(self, host: str) -> str:
        """Why the first resolver's word on `host` was not taken at the last lookup; empty when it was."""
        kept = self._cache.get(host.removesuffix("."))
        return kept[1].note if kept else ""

    def knows_locally(self, host: str) -> bool:
        """Whether `host` is answered without asking anybody."""
        name = host.removesuffix(".")
        return name == "localhost" or name.endswith(".localhost") or name in self.hosts

    async def name_servers(self, domain: str, timeout_s: float) -> tuple[str, ...] | None:
        """Names of the name servers of a zone, none where it has none; `None` when nobody could say."""
        try:
            async with asyncio.timeout(timeout_s):
                reply = await self._exchange(dns.message.make_query(domain, "NS"), self.servers[0])
        except (TimeoutError, OSError, dns.exception.DNSException, ValueError):
            return None
        if reply.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            return None
        found = [record.target for rrset in reply.answer if rrset.rdtype == dns.rdatatype.NS for record in rrset]
        return tuple(target.to_text(omit_final_dot=True).lower() for target in found)

    def close(self) -> None:
        for task in tuple(self._running.values()):
            task.cancel()
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    def _keep(self, name: str, task: asyncio.Task[Answer]) -> None:
        self._running.pop(name, None)
        if task.cancelled() or task.exception():
            return
        if len(self._cache) >= _CACHED_NAMES:
            self._cache.clear()
        answer = task.result()
        self._cache[name] = (time.monotonic() + answer.ttl_s, answer)

    async def _look_up(self, name: str) -> Answer:
        answer = await self._ask_all(name, self.servers)
        other = await self._ask_all(name, (self.second,)) if answer.fault and self.second else None
        found = _settled(name, answer, other)
        answered = found.fault is None or found.fault.cause in _DECISIVE or found.fault.cause == "local.resolver"
        self._lookups.note(name, time.monotonic(), answered=answered)
        return found if answered or not await self._is_dead() else _OURS

    async def _is_dead(self) -> bool:
        """Whether our own resolver is what fails: everything does, lately, and names that it knew it knows no more."""
        now_s = time.monotonic()
        if not self._lookups.suspicious(now_s):
            return False
        if self._dead[0] < now_s:
            first = self.servers[0]
            again = await asyncio.gather(*(self._ask(name, "A", first, _TRIES_S[0]) for name in self._lookups.good))
            dead = all(answer.fault and answer.fault.cause not in _DECISIVE for answer in again)
            self._dead = (time.monotonic() + _DEAD_S, dead)
        return self._dead[1]

    async def _ask_all(self, name: str, servers: tuple[Server, ...]) -> Answer:
        answer = Answer(fault=Fault(cause("dns.timeout"), f"no name server answered for {name}"))
        for try_s in _TRIES_S[: max(2, len(_TRIES_S) - len(servers))]:
            for server in servers:
                answer = await self._both(name, server, try_s)
                if answer.fault is None or answer.fault.cause in _DECISIVE:
                    return answer
            if answer.fault and answer.fault.cause != "dns.timeout":
                return answer
        return answer

    async def _both(self, name: str, server: Server, try_s: float) -> Answer:
        """A and, where IPv6 leads anywhere, AAAA; a slow or broken AAAA never spoils a found A."""
        if not self.ipv6:
            answer = await self._ask(name, "A", server, try_s)
            no_a = answer.fault is not None and answer.fault.cause == "dns.nodata"
            return await self._ask(name, "AAAA", server, try_s) if no_a else answer
        other = asyncio.create_task(self._ask(name, "AAAA", server, try_s))
        try:
            answer = await self._ask(name, "A", server, try_s)
            patience = _AAAA_GRACE_S if answer.fault is None else try_s
            await asyncio.wait({other}, timeout=patience)
            if other.done() and other.result().fault is None:
                found = other.result()
                return Answer(found.addresses + answer.addresses, None, min(found.ttl_s, answer.ttl_s or found.ttl_s))
        finally:
            other.cancel()
        return answer

    async def _ask(self, name: str, kind: str, server: Server, try_s: float) -> Answer:
        query = dns.message.make_query(name, kind, use_edns=0, payload=1232)
        query.id = secrets.randbelow(65_536)
        try:
            async with asyncio.timeout(try_s):
                reply = await self._exchange(query, server)
        except TimeoutError:
            return Answer(fault=Fault(cause("dns.timeout"), f"no name server answered for {name}"))
        except OSError:
            return Answer(fault=Fault(cause("dns.refused"), f"the resolver {server[0]} {_UNREACHABLE}"))
        except (dns.exception.DNSException, EOFError):  # dnspython raises the latter where TCP ends early
            return Answer(fault=Fault(cause("dns.servfail"), f"the name servers answer nonsense for {name}"))
        return _read(name, kind, reply)

    async def _exchange(self, query: dns.message.Message, server: Server) -> dns.message.Message:
        line = self._lines.get(server)
        if line is None or line.broken:
            line = await Line.open(server)
            self._lines[server] = line
        reply = dns.message.from_wire(await line.ask(query), ignore_trailing=True)
        if reply.flags & dns.flags.TC:
            return await dns.asyncquery.tcp(query, server[0], port=server[1])
        return reply


_BY_RCODE = {
    dns.rcode.NXDOMAIN: ("dns.nxdomain", "the name {name} does not exist"),
    dns.rcode.REFUSED: ("dns.refused", "the name servers refuse to answer for {name}"),
}


def _read(name: str, kind: str, reply: dns.message.Message) -> Answer:
    code = reply.rcode()
    if code != dns.rcode.NOERROR:
        failed = f"the name servers fail for {name} ({dns.rcode.to_text(code)})"
        found, words = _BY_RCODE.get(code, ("dns.servfail", failed))
        return Answer(fault=Fault(cause(found), words.format(name=name)))
    assert isinstance(reply, dns.message.QueryMessage)
    try:
        chain = reply.resolve_chaining()
    except dns.exception.DNSException:
        return Answer(fault=Fault(cause("dns.servfail"), f"the name servers answer nonsense for {name}"))
    if chain.answer is None and _refers_on(reply):
        return Answer(fault=Fault(cause("dns.servfail"), f"the name servers only refer to others for {name}"))
    if chain.answer is None:
        return Answer(fault=Fault(cause("dns.nodata"), f"the name {name} has no address"))
    addresses = tuple(str(record.address) for record in chain.answer if record.rdtype == dns.rdatatype.from_text(kind))
    shortest, longest = _TTL_S
    return Answer(addresses, None, min(max(float(chain.minimum_ttl), shortest), longest))


def _refers_on(reply: dns.message.Message) -> bool:
    """A referral instead of an answer: the zone's servers are lame, or the resolver does not resolve."""
    kinds = {rrset.rdtype for rrset in reply.authority}
    return dns.rdatatype.NS in kinds and dns.rdatatype.SOA not in kinds and not reply.flags & dns.flags.RA


_OURS = Answer(fault=Fault(cause("local.resolver"), "our own resolver answers for no name at all"))


def _settled(name: str, answer: Answer, other: Answer | None) -> Answer:
    """What two resolvers' words come to; `other` is None where the second one was not asked. Pure."""
    fault = answer.fault
    if fault is None or other is None:
        return answer
    denied, failed = fault.cause in _DECISIVE, other.fault is not None and other.fault.cause not in _DECISIVE
    if denied and other.fault is None:
        detail = f"the first resolver says that {name} has no address, the second knows {other.addresses[0]}"
        return Answer(fault=Fault(cause("local.resolver"), detail))
    if denied:
        return answer
    if not failed:
        return replace(other, note=f"the first resolver failed: {fault.detail}")
    if _UNREACHABLE in fault.detail:
        return answer
    return Answer(fault=Fault(fault.cause, fault.detail + "; a second resolver agrees", agreed=True))


def parse_server(text: str) -> Server:
    """`HOST:PORT`, `HOST` or `[V6]:PORT`; raises `ValueError` with a sentence."""
    host, port = text.strip(), 53
    if host.startswith("["):
        host, _, tail = host[1:].partition("]")
        port = int(tail[1:]) if tail[1:].isdigit() else 53
    elif host.count(":") == 1:
        host, _, tail = host.partition(":")
        if not tail.isdigit():
            raise ValueError(f"the resolver must be HOST:PORT, not {text!r}")
        port = int(tail)
    if host == "localhost":
        host = "127.0.0.1"
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"the resolver must be an IP address and port, not {text!r}") from None
    if not 0 < port < 65_536:
        raise ValueError(f"the resolver's port must be between 1 and 65535, not {port}")
    return host, port


def system_servers(path: Path = Path("/etc/resolv.conf")) -> tuple[Server, ...]:
    found: list[Server] = []
    for words in _lines(path):
        if len(words) > 1 and words[0] == "nameserver":
            with suppress(ValueError):
                ipaddress.ip_address(words[1].partition("%")[0])
                found.append((words[1], 53))
    return tuple(found[:3]) or (("127.0.0.1", 53),)


def read_hosts(path: Path = Path("/etc/hosts")) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for words in _lines(path):
        with suppress(ValueError, IndexError):
            address = str(ipaddress.ip_address(words[0]))
            for name in words[1:]:
                found[name.lower()] = (*found.get(name.lower(), ()), address)
    return found


def has_ipv6() -> bool:
    """Whether the kernel has a route to the IPv6 internet; connecting a UDP socket sends nothing."""
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        probe.connect(("2001:db8::1", 9))
        return True
    return False


def _lines(path: Path) -> Iterable[list[str]]:
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return ()
    return (line.partition("#")[0].split() for line in text.splitlines())
