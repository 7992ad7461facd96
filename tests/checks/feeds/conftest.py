from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck, settings

from checks.feeds.pull import TokenCache, pull
from data.config.settings import Feed
from data.model.ids import PartnerId, TeamId

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
"""Properties are judged by what they say, not by how busy this machine is."""
NOW = datetime(2026, 11, 17, 9, 15, tzinfo=UTC)


@contextlib.asynccontextmanager
async def serving(app):
    """A real HTTP server on loopback for an ASGI application; gives its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # signals belong to pytest
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  # uvicorn offers no event
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def raw_server(answer):
    """A TCP server for answers that no HTTP framework would send; `answer(writer)` is run once a connection."""

    async def handle(reader, writer):
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def feed(base_url: str = "http://127.0.0.1:1", preset: str = "affilka", **changed) -> Feed:
    usual = Feed(
        "p01", TeamId("aurora"), PartnerId("P01"), preset, base_url, account="4711", options={"min_gap_s": "0"}
    )
    return replace(usual, **changed)


async def pulled(
    given: Feed, preset, secret: str = "s3cret-token", now: datetime = NOW, tokens: TokenCache | None = None
):
    async with httpx.AsyncClient(trust_env=False) as client:
        return await pull(given, preset, secret, client, now, tokens=tokens or TokenCache())


@pytest.fixture
def corpora() -> Path:
    """Real payloads that may not be committed."""
    root = Path(os.environ.get("LOSSWATCH_CORPORA") or Path(__file__).parents[4] / "shared" / "corpora") / "api"
    if not root.is_dir():
        pytest.skip("no corpora: set LOSSWATCH_CORPORA to the folder with api/cdc-states and api/stripe-fixtures")
    return root
