"""The HTTP client of parsers and feeds: names by the configured resolver, our own trust, nothing redirected unseen."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from data.config.settings import Settings

_READS = frozenset({"GET", "HEAD"})


@dataclass(slots=True)
class ResolvingTransport(httpx.AsyncBaseTransport):
    """Looks names up with `resolve` and connects to the address; Host header and TLS name stay the URL's."""

    inner: httpx.AsyncBaseTransport
    resolve: Callable[[str], Awaitable[str]]
    """Name to address; raises `OSError` when there is none."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        try:
            address = await self.resolve(host)
        except OSError as problem:
            raise httpx.ConnectError(f"cannot resolve {host}: {problem}", request=request) from problem
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)
        try:
            return await self._ask(request)
        finally:
            request.url = request.url.copy_with(host=host)

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        """Ask, and again when a connection kept from an earlier answer ended before this one (RFC 9112, 9.3.1).

        A server that hangs up between two requests says nothing about the second. One that does so on a connection made
        for it does, and whatever is not only read is never sent twice.
        """
        made = False

        async def trace(event: str, _info: object) -> None:
            nonlocal made
            made = made or event.startswith("connection.connect")

        request.extensions = {**request.extensions, "trace": trace}
        while True:
            try:
                return await self.inner.handle_async_request(request)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                if made or request.method not in _READS:
                    raise

    async def aclose(self) -> None:
        await self.inner.aclose()


def trust_of(settings: Settings) -> ssl.SSLContext:
    """The system's authorities, and the company's own where it has one."""
    trust = ssl.create_default_context()
    if settings.network.ca_file:
        trust.load_verify_locations(settings.home / settings.network.ca_file)
    return trust


def client_for(settings: Settings) -> httpx.AsyncClient:
    """One client for all pulls; one TLS context, because making one costs tens of milliseconds."""
    from checks.sites.resolver import Resolver

    inner = httpx.AsyncHTTPTransport(verify=trust_of(settings), limits=httpx.Limits(max_connections=32))
    resolver = Resolver(settings.network.resolver, settings.network.second_resolver)
    return httpx.AsyncClient(
        transport=ResolvingTransport(inner, resolver.address),
        headers={"User-Agent": settings.network.user_agent},
        follow_redirects=False,
        timeout=httpx.Timeout(20.0),
        trust_env=False,
    )
