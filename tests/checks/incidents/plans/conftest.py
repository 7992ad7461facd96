from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from data.model.plan import Plan

NOW = datetime(2026, 11, 17, 12, tzinfo=UTC)


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def plan():
    def made(**fields):
        return Plan(**({"id": "p", "letter": "B", "title": "send it to P11", "causes": ("link.inactive",)} | fields))

    return made


@pytest.fixture
async def client():
    async with httpx.AsyncClient(trust_env=False) as made:
        yield made


@pytest.fixture
async def serve():
    """`serve(answer)` gives the address of a server; `answer(method, path, headers, body)` gives status and body, or None to hang up."""
    servers = []

    async def start(answer):
        async def connected(reader, writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _ = head[0].split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            said = answer(method, path, headers, body)
            if said is not None:
                status, text = said
                writer.write(
                    f"HTTP/1.1 {status} X\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n{text}".encode()
                )
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()
