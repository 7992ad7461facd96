"""Edge, not origin: what a site's own server says when it is asked past the edge provider in front of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pycurl

from checks.sites.exchange import Walk
from checks.sites.traits import registrable
from checks.sites.transport import Door
from checks.sites.walk import read_reply
from data.model.cause import cause
from data.model.observation import ORIGIN_FINE
from data.model.state import State
from data.model.target import Expect

if TYPE_CHECKING:
    from checks.sites.exchange import Exchange
    from checks.sites.outcome import Verdict
    from checks.sites.url import Url
    from checks.sites.walk import Network
    from data.model.target import Check

_NETWORK = ("tcp.", "tls.", "slow.", "proto.")
_ODD = {
    10: "with an expired certificate",
    18: "with a certificate of its own",
    19: "with a certificate of a private authority",
    20: "with a certificate of a private authority",
    21: "with a certificate of a private authority",
}
"""Certificates that edges accept from origins and browsers from nobody, by OpenSSL's verify result."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking an origin: an exchange, or none and why it could not be found."""

    exchange: Exchange | None
    note: str = ""
    """Also how the certificate was odd, where an edge would not mind."""


@dataclass(frozen=True, slots=True)
class Origin:
    """An origin's word: `host` as configured, without its port."""

    host: str
    words: str
    fine: bool


def concerned(found: Verdict, made: Walk, check: Check, edge: str) -> bool:
    """Whether the origin can tell more: the edge failed, or what failed stands behind it.

    `edge` names the provider known to stand before the guilty host; empty when none is known.
    """
    if not check.origin or found.state is not State.FAILING:
        return False
    guilty = made.exchanges[found.at]
    if registrable(guilty.url.host) != registrable(made.exchanges[0].url.host):
        return False
    behind = bool(edge) and found.cause in {"http.5xx", "http.maintenance"}
    return behind or found.cause.startswith(("edge.", *_NETWORK))


def place_of(origin: str, default_port: int) -> tuple[str, int]:
    """`HOST`, `HOST:PORT`, `[V6]`, `[V6]:PORT` or a bare IPv6 address."""
    if origin.startswith("["):
        host, _, port = origin[1:].partition("]")
        return host, int(port[1:]) if port[1:].isdigit() else default_port
    host, colon, port = origin.rpartition(":")
    if colon and ":" not in host and port.isdigit():
        return host, int(port)
    return origin, default_port


async def ask(url: Url, check: Check, network: Network, timeout_s: float) -> Asked:
    """`url` as its origin answers it: same Host, same server name, another address."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    host, port = place_of(check.origin, url.port)
    try:
        address = await network.resolver.address(host, timeout_s)
    except OSError as problem:
        return Asked(None, str(problem))
    spent_s, limit = loop.time() - began, check.expect.max_body
    odd, door = "", Door(address, port)
    with network.transport.session() as session:
        reply = await session.get(url, (), timeout_s=timeout_s - spent_s, limit=limit, door=door)
        if reply.error == pycurl.E_PEER_FAILED_VERIFICATION and reply.verify in _ODD:
            odd, door = _ODD[reply.verify], replace(door, any_issuer=True)
            spent_s = loop.time() - began
            reply = await session.get(url, (), timeout_s=timeout_s - spent_s, limit=limit, door=door)
    return Asked(read_reply(url, reply, limit, spent_s), odd)


def bare(check: Check) -> Check:
    """The check as far as an origin's single answer can be judged by it."""
    return replace(check, expect=Expect(status=check.expect.status, max_body=check.expect.max_body))


def heard(check: Check, asked: Asked, judged: Verdict | None) -> Origin:
    """`judged` is what the answer alone would mean; a redirect is an answer like any other."""
    host, _ = place_of(check.origin, 0)
    answer = asked.exchange
    if answer is None:
        return Origin(host, f"has no address: {asked.note}", fine=False)
    if not answer.status:
        why = answer.fault.detail if answer.fault else "no status"
        return Origin(host, f"does not answer: {why}", fine=False)
    fine = answer.redirects or (judged is not None and judged.state in {State.OK, State.DEGRADED})
    what = "" if fine or judged is None or not judged.cause else f" ({judged.cause})"
    words = f"answers {answer.status} directly{what}"
    return Origin(host, f"{words} {asked.note}".rstrip(), fine)


def conclude(found: Verdict, made: Walk, origin: Origin) -> Verdict:
    """The verdict with the origin's word.

    Fine: the edge is to blame and stays so. Failing as well: what the edge answered was only the messenger's word, so the
    origin is to blame; where the edge itself gave no answer, both are named.
    """
    told = {
        "origin": origin.words,
        "origin_host": origin.host,
        "origin_state": ORIGIN_FINE if origin.fine else "failing",
    }
    evidence = {**found.evidence, **told}
    if origin.fine:
        detail = f"{found.detail}; the origin {origin.words}: edge, not origin"
        return replace(found, detail=detail, evidence=evidence)
    detail = f"{found.detail}; the origin {origin.words}"
    if not made.exchanges[found.at].status:
        return replace(found, detail=detail, evidence=evidence)
    name = cause("edge.origin_unreachable") if found.cause == "edge.error" else found.cause
    return replace(found, cause=name, detail=detail, evidence=evidence, blame=origin.host)
