"""The client of feeds, parsers and registries over connections that servers keep, or do not."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest

from checks.hub.http import ResolvingTransport

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Forgetful:
    """A server that answers so many requests of each connection and hangs up on the next; -1: garbage instead."""

    def __init__(self, *answers: int) -> None:
        self.answers, self.asked = list(answers), []

    async def _serve(self, reader, writer):
        number, left = len(self.asked), self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append([])
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.asked[number].append(head.split()[0].decode())
                if left <= 0:
                    writer.write(b"SMTP ready\r\n" if left else b"")
                    break
                left -= 1
                writer.write(OK)
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def client(self):
        async def resolve(_host):
            return "127.0.0.1"

        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport = ResolvingTransport(httpx.AsyncHTTPTransport(trust_env=False), resolve)
        async with server, httpx.AsyncClient(transport=transport, base_url=f"http://registry.example:{port}") as client:
            yield client


async def test_a_kept_connection_that_ended_before_its_answer_costs_nothing():
    server = Forgetful(1, 5)
    async with server.client() as client:
        assert [(await client.get("/")).text for _ in range(3)] == ["ok", "ok", "ok"]
    assert server.asked == [["GET", "GET"], ["GET", "GET"]]


async def test_all_kept_connections_that_ended_are_passed_over():
    server = Forgetful(1, 1, 1, 5)
    async with server.client() as client:
        await asyncio.gather(*(client.get("/") for _ in range(3)))
        assert len(server.asked) == 3
        assert (await client.get("/")).text == "ok"
    assert server.asked == [["GET", "GET"]] * 3 + [["GET"]]


@pytest.mark.parametrize("answers", [0, -1])
async def test_a_server_that_answers_nobody_is_asked_once(answers):
    server = Forgetful(answers)
    async with server.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/")
    assert server.asked == [["GET"]]


async def test_what_is_not_only_read_is_never_sent_twice():
    server = Forgetful(1, 5)
    async with server.client() as client:
        await client.get("/")
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/", content=b"pay")
    assert server.asked == [["GET", "POST"]]
