"""The proxies a probe looks through: several per country, each with what this probe has seen of its own health."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from checks.sites.transport import Proxy
from checks.sites.url import Url, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from checks.sites.exchange import Exchange
    from checks.sites.walk import Network
    from data.config.settings import Vantage
    from data.model.target import Check

_PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
_FRESH_S = 30.0
"""Real seconds for which a word about a vantage's health holds."""
_CARRIED_S = 300.0
_CANARIES = 3
_CANARY_S = 5.0
_CANARY_BYTES = 65_536
_BY_PROXY = frozenset({"x-squid-error", "proxy-status", "proxy-authenticate", "proxy-authentication-info"})
FAILED = frozenset({403, 407, 502, 503, 504})
"""What a proxy answers in the place of a host."""


@dataclass(slots=True)
class Vantages:
    """Which way a check goes, and whether a vantage works. Times are the monotonic clock's."""

    proxies: tuple[Proxy, ...] = ()
    canaries: tuple[Url, ...] = ()
    """Pages that answer through every vantage that works."""
    _down: dict[str, tuple[float, str]] = field(default_factory=dict)
    """Why a vantage is not asked, and until when."""
    _well: dict[str, tuple[float, bool]] = field(default_factory=dict)
    _carried: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    """When an answer of a host last came through a vantage; a few hosts each."""
    _asking: dict[str, asyncio.Task[bool]] = field(default_factory=dict)

    def ways(self, check: Check) -> tuple[Proxy, ...]:
        """Vantages that may carry a check, in the order to try; one and the same for a target as long as it works."""
        if check.vantage:
            return tuple(proxy for proxy in self.proxies if proxy.name == check.vantage)
        country = check.geo.upper()
        there = [proxy for proxy in self.proxies if proxy.country == country]
        if not there:
            return ()
        turn = zlib.crc32(check.target.encode()) % len(there)
        turned = there[turn:] + there[:turn]
        return tuple(sorted(turned, key=lambda proxy: bool(self.down(proxy))))

    def elsewhere(self, country: str) -> Proxy | None:
        """A vantage of another country that works as far as we know."""
        return next((p for p in self.proxies if p.country != country.upper() and not self.down(p)), None)

    def down(self, proxy: Proxy) -> str:
        """Why it is known to be down; empty when it is worth a try."""
        until, why = self._down.get(proxy.name, (0.0, ""))
        return why if until > time.monotonic() else ""

    def note(self, proxy: Proxy, seen: Exchange) -> None:
        """Learn from an exchange that went through `proxy`: it failed by itself, or it carried an answer."""
        now = time.monotonic()
        if (seen.fault and seen.fault.ours) or seen.status == 407:
            why = seen.fault.detail if seen.fault else f"the vantage {proxy.name} asks for a login"
            self._down[proxy.name] = (now + _FRESH_S, why)
        elif seen.status and not written_by_proxy(seen):
            self._down.pop(proxy.name, None)
            hosts = self._carried[proxy.name]
            hosts.pop(seen.url.host, None)
            hosts[seen.url.host] = now
            if len(hosts) > 4:
                del hosts[next(iter(hosts))]

    async def well(self, proxy: Proxy, network: Network, beside: str, within_s: float) -> bool | None:
        """Whether it works: what a canary says through it, else whether it lately carried a host other than `beside`.

        `None` where neither is known.
        """
        if self.down(proxy):
            return False
        now = time.monotonic()
        until, word = self._well.get(proxy.name, (0.0, False))
        if until > now:
            return word
        if self.canaries:
            return await self._ask(proxy, network, min(within_s, _CANARY_S))
        carried = [at for host, at in self._carried[proxy.name].items() if host != beside]
        return True if any(now - at < _CARRIED_S for at in carried) else None

    async def _ask(self, proxy: Proxy, network: Network, within_s: float) -> bool:
        """Whether any of a few canaries answers through it; asked once for all who wonder."""
        task = self._asking.get(proxy.name)
        if task is None:
            task = asyncio.create_task(self._any_canary(proxy, network, within_s))
            self._asking[proxy.name] = task
            task.add_done_callback(lambda _: self._asking.pop(proxy.name, None))
        return await asyncio.shield(task)

    async def _any_canary(self, proxy: Proxy, network: Network, within_s: float) -> bool:
        async def answers(url: Url) -> bool:
            made = await look_through(url, proxy, network, within_s)
            return bool(made.status) and made.status not in FAILED and made.fault is None

        found = any(await asyncio.gather(*(answers(url) for url in self.canaries[:_CANARIES])))
        self._well[proxy.name] = (time.monotonic() + _FRESH_S, found)
        return found


async def dial(proxy: Proxy, network: Network, timeout_s: float) -> Proxy:
    """The proxy with its address, where its protocol needs it; without one when its name leads nowhere."""
    if proxy.local_names and not proxy.literal:
        with suppress(OSError):
            return replace(proxy, address=await network.resolver.address(proxy.host, timeout_s))
    return proxy


async def look_through(url: Url, proxy: Proxy, network: Network, within_s: float) -> Exchange:
    """One plain request through a vantage; redirects count as answers."""
    from checks.sites.exchange import REDIRECTS
    from checks.sites.walk import walk
    from data.model.target import Expect

    expect = Expect(status=tuple(REDIRECTS), max_body=_CANARY_BYTES)
    return (await walk(url, expect, within_s, network, await dial(proxy, network, within_s))).last


def written_by_proxy(seen: Exchange) -> bool:
    """Whether the proxy says in the answer that it wrote it. Only plain HTTP lets it.

    `Via` proves nothing: proxies add it to what they pass on, too.
    """
    if seen.url.scheme != "http":
        return False
    return seen.status == 407 or (seen.status in FAILED and any(name in _BY_PROXY for name, _ in seen.headers))


def proxies_of(vantages: Iterable[Vantage], canaries: Iterable[str] = ()) -> Vantages:
    """Vantages as configured; one whose proxy has no host counts as none."""
    found: list[Proxy] = []
    for name, vantage in named(vantages):
        with suppress(ValueError):
            parts = urlsplit(vantage.proxy)
            host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
            if host and port:
                found.append(Proxy(vantage.country.upper(), vantage.proxy, host, port, name))
    urls = (parse(text) for text in canaries)
    return Vantages(tuple(found), tuple(url for url in urls if isinstance(url, Url)))


def named(vantages: Iterable[Vantage]) -> Iterator[tuple[str, Vantage]]:
    """Each with its name: its own, or its country, from the second one on with a number (`DE-2`)."""
    counts: Counter[str] = Counter()
    for vantage in vantages:
        country = vantage.country.upper()
        counts[country] += 1
        yield vantage.name or (country if counts[country] == 1 else f"{country}-{counts[country]}"), vantage
