from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Container

TTL_S = 300


class NameServer(asyncio.DatagramProtocol):
    """Answers A of every host of the simulated world with 127.0.0.1, other types with nothing, other names with NXDOMAIN."""

    def __init__(self, hosts: Container[str]) -> None:
        self._hosts = hosts
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        reply = answer(data, self._hosts)
        if reply is not None:
            self._transport.sendto(reply, addr)


def answer(raw: bytes, hosts: Container[str]) -> bytes | None:
    """The reply to one query in wire format; None where there is nothing to answer to."""
    try:
        query = dns.message.from_wire(raw)
    except (dns.exception.DNSException, ValueError):
        return None
    if query.flags & dns.flags.QR or len(query.question) != 1:
        return None
    question = query.question[0]
    reply = dns.message.make_response(query, recursion_available=True)
    host = question.name.to_text(omit_final_dot=True).lower()
    if host not in hosts:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    elif question.rdtype == dns.rdatatype.A:
        reply.answer.append(dns.rrset.from_text(question.name, TTL_S, dns.rdataclass.IN, dns.rdatatype.A, "127.0.0.1"))
    wire: bytes = reply.to_wire()
    return wire


async def serve_names(hosts: Container[str]) -> tuple[asyncio.DatagramTransport, int]:
    """Listen on an ephemeral UDP port of 127.0.0.1; gives transport and port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: NameServer(hosts), local_addr=("127.0.0.1", 0))
    port: int = transport.get_extra_info("sockname")[1]
    return transport, port
