"""The one address at which the world may call us: postbacks of configured feeds, and nothing else of the hub."""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from checks.feeds.fetch import Answer, Problem, fetch
from checks.hub.postback_ingest import Busy, flat
from data.errors import SecretMissing, StoreError
from data.model.cause import cause
from data.text import clean_text

if TYPE_CHECKING:
    from starlette.requests import Request

    from checks.hub.hub import Hub
    from data.config.settings import Feed

log = logging.getLogger(__name__)

BODY_LIMIT = 64 * 1024
MOST_PARAMETERS = 200
HEARTBEAT = "losswatch"
"""Parameter of our own calls: answered as any other call would be, and never stored."""
TRY_TIMEOUT_S = 10.0
RETRY_S = 30
AT_ONCE = 200
"""Connections at a time; more wait for the kernel."""


@dataclass(slots=True)
class Door:
    """Listens where the configuration says; an address that cannot be had keeps the hub from nothing else."""

    hub: Hub
    problem: str = ""
    """Why nobody is let in; empty while the door stands open, or none is configured."""
    _address: str = ""
    _server: uvicorn.Server | None = None
    _task: asyncio.Task[None] | None = None
    _socket: socket.socket | None = field(default=None, repr=False)

    @property
    def open(self) -> bool:
        return self._server is not None

    async def configure(self) -> None:
        """Open, move or shut the door as the settings say."""
        wanted = self.hub.settings.postbacks.listen
        if wanted == self._address and not self.problem:
            return
        await self.close()
        self._address, self.problem = wanted, ""
        if not wanted:
            return
        try:
            self._socket = _bound(wanted)
        except OSError as problem:
            self.problem = f"{wanted} cannot be listened on: {problem.strerror or problem}"
            log.error("postbacks: %s", self.problem)  # noqa: TRY400  # the sentence says it all
            return
        config = uvicorn.Config(
            application(self.hub), ws="none", loop="asyncio", lifespan="off", log_config=None, access_log=False,
            http="h11", limit_concurrency=AT_ONCE, timeout_keep_alive=15, timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=32 * 1024, server_header=False, date_header=False,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # signals are the hub's
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="postbacks")
        log.info("postbacks are taken at %s", wanted)

    async def close(self) -> None:
        if self._server and self._task:
            self._server.should_exit = True
            await asyncio.wait([self._task], timeout=3.0)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._socket:
            self._socket.close()
        self._server = self._task = self._socket = None

    async def tried(self, feed: Feed) -> Problem | None:
        """Call ourselves as a partner would, at our own address and by the world's name for it; what is wrong on the way."""
        settings = self.hub.settings.postbacks
        if not settings.listen:
            return None
        if self.problem:
            return Problem(cause("tcp.refused"), self.problem)
        try:
            secret = await asyncio.to_thread(self.hub.secrets.get, feed.secret) if feed.secret else ""
        except SecretMissing as missing:
            return Problem(cause("feed.auth"), str(missing))
        if not secret:
            return Problem(cause("feed.auth"), "the feed names no secret, so nobody is let in")
        host, _, port = settings.listen.rpartition(":")
        near = f"http://{_here(host)}:{port}"
        for base, words in ((near, "at its own address"), (settings.public_url, "by its public name")):
            if base and (problem := await self._called(f"{base}{path_of(feed, secret)}?{HEARTBEAT}=heartbeat", words)):
                return problem
        return None

    async def _called(self, url: str, words: str) -> Problem | None:
        answer = await fetch(self.hub.pulls.client, "GET", url, timeout_s=TRY_TIMEOUT_S, max_body=BODY_LIMIT)
        if isinstance(answer, Problem):
            return Problem(answer.cause, f"{answer.words}, {words}")
        return _refused(answer, words)


def path_of(feed: Feed, secret: str) -> str:
    return f"/v1/postbacks/{quote(feed.name, safe='')}/{quote(secret, safe='')}"


def _refused(answer: Answer, words: str) -> Problem | None:
    if answer.status == 200 and answer.body.strip() == b"ok":
        return None
    if answer.status == 200:
        return Problem(cause("http.4xx"), f"somebody else answers {words}")
    name = "http.5xx" if answer.status >= 500 else "http.4xx"
    return Problem(cause(name), f"answers {answer.status} {words}")


def _here(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104  # recognised, not bound


def _bound(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, int(port)), family=family, backlog=512)


def application(hub: Hub) -> Starlette:
    """`/v1/postbacks/{feed}/{secret}`, or the secret as `?key=`; everything else is not found, whoever asks."""

    async def call(request: Request) -> Response:
        feed = hub.postbacks.feed(request.path_params["feed"])
        given = request.path_params.get("secret") or request.query_params.get("key", "")
        if feed is None or not await hub.postbacks.admits(feed, given):
            return PlainTextResponse("not found", 404)
        return await answer(hub, feed, request)

    return Starlette(
        routes=[
            Route("/v1/postbacks/{feed}/{secret}", call, methods=["GET", "POST"]),
            Route("/v1/postbacks/{feed}", call, methods=["GET", "POST"]),
        ]
    )


async def answer(hub: Hub, feed: Feed, request: Request) -> Response:
    """Take one call of a feed whose sender is known: 200 once it is durable, and only then."""
    try:
        given = await parameters(request)
    except TooLarge:
        return PlainTextResponse("too large", 413)
    if given.pop(HEARTBEAT, ""):
        return _shut() if hub.store.problem else PlainTextResponse("ok")
    given.pop("key", "")
    try:
        await hub.postbacks.take(feed, given)
    except Busy as busy:
        return PlainTextResponse("too many calls", 429, {"Retry-After": f"{busy.wait_s:.0f}"})
    except StoreError as problem:
        log.warning("a postback of %s is put off: %s", feed.name, problem)
        return _shut()
    except Exception:  # a call that our own code stumbles over must come again, not be lost
        log.exception("a postback of %s raised", feed.name)
        return _shut()
    return PlainTextResponse("ok")


def _shut() -> Response:
    return PlainTextResponse("come again", 503, {"Retry-After": str(RETRY_S)})


class TooLarge(Exception):  # carries a refusal out of the reading
    pass


async def parameters(request: Request) -> dict[str, str]:
    """Of the query, and of a body that is a form or a JSON object; the body's win. Raises `TooLarge`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise TooLarge
    found = dict(list(request.query_params.items())[:MOST_PARAMETERS])
    return found | _of_body(bytes(body), request.headers.get("content-type", ""))


def _of_body(body: bytes, content_type: str) -> dict[str, str]:
    if not body.strip():
        return {}
    if "json" in content_type or body.lstrip()[:1] == b"{":
        try:
            return dict(list(flat(msgspec.json.decode(body)).items())[:MOST_PARAMETERS])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        return {}
    return {clean_text(name, 80): value for name, value in pairs}
