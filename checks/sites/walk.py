"""One chain, hop by hop, over the network: names, requests, bodies, redirects, one deadline."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checks.sites.body import decode, oversize
from checks.sites.certificate import read_chain
from checks.sites.chain import MAX_REDIRECTS, next_step
from checks.sites.exchange import Exchange, Fault, Walk
from checks.sites.faults import fault_of
from checks.sites.manner import Manner
from data.model.cause import cause
from data.model.observation import Timing

if TYPE_CHECKING:
    from checks.sites.resolver import Answer, Resolver
    from checks.sites.transport import Proxy, Reply, Session, Transport
    from checks.sites.url import Url
    from data.model.target import Expect


OWN = Manner()


@dataclass(slots=True)
class Network:
    """The two ways out of a probe."""

    transport: Transport
    resolver: Resolver

    def close(self) -> None:
        self.transport.close()
        self.resolver.close()


async def walk(
    start: Url, expect: Expect, timeout_s: float, network: Network, proxy: Proxy | None = None, manner: Manner = OWN
) -> Walk:
    """Follow `start` to its end: at most 10 redirects, one cookie jar, all of it within `timeout_s` real seconds.

    A loop is the first repeat of (URL, cookies): gates that set a cookie and come back are none. A walk of limited depth
    ends with the URL `ahead` that it does not ask for.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    exchanges: list[Exchange] = []
    seen: set[tuple[str, frozenset[str]]] = set()
    url, end, ahead, led = start, None, None, False
    with network.transport.session(manner.agent, manner.headers) as session:
        while end is None:
            seen.add((url.text, session.cookies()))
            left_s = began + timeout_s - loop.time()
            found = await _exchange(url, expect.max_body, left_s, session, network.resolver, proxy)
            exchanges.append(replace(found, client_side=led) if led else found)
            step = next_step(found, expect, mobile=manner.mobile)
            if step is None or isinstance(step, Fault):
                end = step
                break
            if manner.stops_before(step.url, (hop.url for hop in exchanges)):
                ahead = step.url
                break
            url, led = step.url, step.client_side
            end = _stuck(url, session, seen, len(exchanges))
    total_ms = _ms(loop.time() - began) or 0.0
    client_side = sum(hop.client_side for hop in exchanges)
    return Walk(tuple(exchanges), end, client_side, total_ms, proxy.name if proxy else "", ahead)


def _stuck(url: Url, session: Session, seen: set[tuple[str, frozenset[str]]], hops: int) -> Fault | None:
    if (url.text, session.cookies()) in seen:
        return Fault(cause("redirect.loop"), f"the chain comes back to {url.netloc} for ever")
    if hops > MAX_REDIRECTS:
        return Fault(cause("redirect.too_many"), f"more than {MAX_REDIRECTS} redirects")
    return None


async def _exchange(
    url: Url, limit: int, left_s: float, session: Session, resolver: Resolver, proxy: Proxy | None
) -> Exchange:
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await _addresses(url, left_s, resolver, proxy)
    dns_s = loop.time() - began
    if answer.fault:
        return Exchange(url, fault=answer.fault, timing=Timing(dns_ms=_ms(dns_s), total_ms=_ms(dns_s)))
    reply = await session.get(url, answer.addresses, timeout_s=left_s - dns_s, limit=limit, proxy=proxy)
    reply.ip = reply.ip or answer.addresses[0]
    return read_reply(url, reply, limit, dns_s, proxy)


async def _addresses(url: Url, left_s: float, resolver: Resolver, proxy: Proxy | None) -> Answer:
    """Of the host, or of a proxy that resolves the host itself, by its own country's name servers."""
    from checks.sites.resolver import Answer

    if left_s <= 0:
        return Answer(
            fault=Fault(cause("slow.total"), f"the deadline passed before {url.netloc} was asked", deadline=True)
        )
    if proxy is None or proxy.local_names:
        return Answer((url.host,)) if url.literal else await resolver.resolve(url.host, left_s)
    try:
        return Answer((await resolver.address(proxy.host, left_s),))
    except OSError:
        return Answer(fault=Fault(cause("local.network"), f"the vantage {proxy.name} has no address", ours=True))


def read_reply(url: Url, reply: Reply, limit: int, dns_s: float, proxy: Proxy | None = None) -> Exchange:
    """What one request brought, its body decoded within `limit` bytes."""
    chain = read_chain(reply.certinfo) if reply.certinfo else None
    fault = fault_of(reply, url, chain, proxy)
    headers = _headers(reply.lines)
    body = b""
    if fault is None and reply.body_too_large:
        fault = oversize(limit)
    if fault is None and not reply.enough:
        encodings = ",".join(value for name, value in headers if name == "content-encoding")
        decoded = decode(bytes(reply.body), encodings, limit)
        body, fault = decoded.body, decoded.fault
    elif reply.body:
        body = bytes(reply.body[:limit])
    return Exchange(
        url=url,
        ip="" if proxy else reply.ip,
        status=reply.status,
        headers=headers,
        body=body,
        fault=fault,
        timing=_timing(reply, dns_s, named=not url.literal and proxy is None),
        certificate=chain,
    )


def _headers(lines: list[bytes]) -> tuple[tuple[str, str], ...]:
    pairs = (line.decode("latin-1").partition(":") for line in lines[1:])
    return tuple((name.strip().lower(), value.strip()) for name, colon, value in pairs if colon)


def _timing(reply: Reply, dns_s: float, *, named: bool) -> Timing:
    """Libcurl's points in time, each from the request's start, as phases; a phase not reached stays `None`."""
    return Timing(
        dns_ms=_ms(dns_s) if named else None,
        connect_ms=_ms(reply.connect_s) if reply.connect_s else None,
        tls_ms=_ms(reply.tls_s - reply.connect_s) if reply.tls_s else None,
        ttfb_ms=_ms(reply.first_byte_s - reply.sent_s) if reply.first_byte_s else None,
        total_ms=_ms(dns_s + reply.total_s),
    )


def _ms(seconds: float) -> float:
    return round(max(seconds, 0.0) * 1000, 2)
