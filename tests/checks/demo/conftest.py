from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from checks.demo.company import Company, open_company
from checks.demo.ledger import Ledger
from checks.demo.script import Script
from checks.demo.traffic import Traffic
from checks.demo.world import build_world
from data.config.home import Home

DAY = datetime(2026, 11, 17, 6, tzinfo=UTC)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class OpenCompany:
    """A listening company whose clock the test sets."""

    company: Company
    clock: list[datetime] = field(default_factory=lambda: [DAY])

    def at(self, hour: int, minute: int = 0, days: int = 0) -> None:
        self.clock[0] = DAY.replace(hour=hour, minute=minute) + timedelta(days=days)
        self.company.ledger.history(self.clock[0])

    async def get(self, host, path="/", *, method="GET", tls=False, headers=(), body=b"", source=None) -> Answer:
        port = self.company.town.ports.https if tls else self.company.town.ports.http
        context = ssl.create_default_context(cadata=self.company.ca_pem.decode()) if tls else None
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            port,
            ssl=context,
            server_hostname=host if tls else None,
            local_addr=(source, 0) if source else None,
        )
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}:{port}", f"Content-Length: {len(body)}", *headers]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        answer = await read_answer(reader)
        writer.close()
        return answer


async def read_answer(reader) -> Answer:
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(status.split()[1]), headers, body)


@pytest.fixture(scope="session")
def world():
    return build_world(1)


@pytest.fixture
def ledger(world):
    return Ledger(world, Traffic(world, Script(DAY)))


@pytest.fixture
async def open_demo(tmp_path):
    clock = [DAY]
    async with AsyncExitStack() as stack:
        company = await open_company(Home.find(str(tmp_path)), DAY, lambda: clock[0], stack)
        yield OpenCompany(company, clock)
