"""Where parsers look from: an HTTP client for every vantage, made when it is first needed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from checks.hub.http import trust_of
from checks.sites.vantages import named

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from data.config.settings import Settings
    from data.model.target import Target

_SPOKEN = ("http://", "https://", "socks5://", "socks5h://")
"""Proxies that the client can go through; SOCKS4 is for sites and links alone."""


@dataclass(slots=True)
class Lookouts:
    """One client a vantage, which keeps its connections; another proxy under the same name gets another client."""

    settings: Callable[[], Settings]
    _clients: dict[tuple[str, str], httpx.AsyncClient] = field(default_factory=dict)
    """By name and proxy."""

    def ways(self, target: Target, sick: Collection[str] = ()) -> list[tuple[str, httpx.AsyncClient]]:
        """Vantages of the target's country with their clients, in the order to try: always the same one first, the sick last.

        None where the target has no country, or no proxy that the client speaks to stands there.
        """
        there = [
            (name, one.proxy)
            for name, one in named(self.settings().vantages)
            if target.geo and one.country.upper() == target.geo.upper() and one.proxy.startswith(_SPOKEN)
        ]
        turn = zlib.crc32(target.id.encode()) % len(there) if there else 0
        ordered = sorted(there[turn:] + there[:turn], key=lambda one: one[0] in sick)
        return [(name, self._client(name, proxy)) for name, proxy in ordered]

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    def _client(self, name: str, proxy: str) -> httpx.AsyncClient:
        client = self._clients.get((name, proxy))
        if client is None:
            settings = self.settings()
            client = self._clients[name, proxy] = httpx.AsyncClient(
                proxy=httpx.Proxy(proxy, ssl_context=trust_of(settings) if proxy.startswith("https") else None),
                verify=trust_of(settings),
                headers={"User-Agent": settings.network.user_agent},
                follow_redirects=False,
                trust_env=False,
            )
        return client
