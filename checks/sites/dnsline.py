from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress

import dns.exception
import dns.message

Server = tuple[str, int]
"""Address and port."""


class Line(asyncio.DatagramProtocol):
    """One connected UDP socket to one server; answers are matched by id and question."""

    def __init__(self) -> None:
        self.broken = False
        self._waiting: dict[int, tuple[dns.message.Message, asyncio.Future[bytes]]] = {}
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def open(cls, server: Server) -> Line:
        loop = asyncio.get_running_loop()
        transport, line = await loop.create_datagram_endpoint(cls, remote_addr=server)
        line._transport = transport  # noqa: SLF001  # the protocol object is made by the loop, not by us
        return line

    async def ask(self, query: dns.message.Message) -> bytes:
        while query.id in self._waiting:
            query.id = secrets.randbelow(65_536)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[query.id] = (query, answer)
        assert self._transport is not None
        self._transport.sendto(query.to_wire())
        try:
            return await answer
        finally:
            self._waiting.pop(query.id, None)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002  # the socket is connected: one peer
        query, answer = self._waiting.get(int.from_bytes(data[:2], "big"), (None, None))
        if query is None or answer is None or answer.done():
            return
        with suppress(dns.exception.DNSException, ValueError):  # a forged or broken datagram is as if it never came
            reply = dns.message.from_wire(data, question_only=True, ignore_trailing=True)
            if query.is_response(reply) or not reply.question:
                answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """The kernel says nobody listens there (ICMP): every waiting question fails at once."""
        for _, answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.broken = True
        self.error_received(exc or OSError("closed"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
