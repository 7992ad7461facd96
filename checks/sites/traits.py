"""What a target shares with others: the network, the tracker and the name servers behind an answer."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from publicsuffixlist import PublicSuffixList

from data.model.target import TargetKind

if TYPE_CHECKING:
    from checks.sites.exchange import Walk
    from checks.sites.resolver import Resolver
    from data.model.target import Check

MOST_TRACKERS = 3
MOST_NAME_SERVERS = 4
_KEPT_S = 86_400.0
_FAILED_KEPT_S = 900.0
_AT_ONCE = 8
_WAITING = 5_000
"""Domains that may wait for their name servers; more are asked for when they are seen again."""
_KNOWN = 200_000
_PATIENCE_S = 10.0


@lru_cache(maxsize=65_536)
def registrable(host: str) -> str:
    """The domain that somebody registered to own `host`, by the public suffix list shipped with the library.

    An address stands for itself, and so does a name that is itself a public suffix or has no dot.
    """
    name = host.lower().strip("[]").removesuffix(".")
    if is_address(name):
        return name
    return _suffixes().privatesuffix(name) or name


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def network_of(ip: str) -> str:
    """The /24 (IPv4) or /48 (IPv6) of an address; empty for anything else."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


def trackers(walk: Walk, check: Check) -> str:
    """Hosts between the target and where it leads, in their order, at most three, joined by a space.

    A site's are those of foreign domains that it redirects through; a link's begin with its own first host. The host
    where the chain should end is none, nor is the one where it ended well.
    """
    hosts = [hop.url.host for hop in walk.exchanges]
    whole = walk.end is None and walk.last.fault is None and walk.last.status < 400
    end = hosts[-1] if whole else check.expect.final_host.partition(":")[0].lower()
    if check.kind is TargetKind.SITE:
        own = {registrable(hosts[0]), registrable(end)}
        between = [host for host in hosts if registrable(host) not in own]
    else:
        between = [host for host in hosts if host != end]
    return " ".join(list(dict.fromkeys(between))[:MOST_TRACKERS])


def traits_of(walk: Walk, check: Check, ip: str) -> dict[str, str]:
    """`tracker` and `network` of one walk; what is not known is left out. Pure."""
    found = {"tracker": trackers(walk, check), "network": network_of(ip)}
    return {name: value for name, value in found.items() if value}


@dataclass(slots=True)
class NameServers:
    """Name servers of registrable domains, asked for in the background and remembered for a day.

    Times are the monotonic clock's: a simulation does not make zones change faster.
    """

    resolver: Resolver
    _known: dict[str, tuple[float, str]] = field(default_factory=dict)
    _asking: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def of(self, host: str) -> str:
        """Those of the domain of `host`, joined by a space; empty until they are known. Never waits."""
        domain = registrable(host)
        if "." not in domain or is_address(domain) or self.resolver.knows_locally(host):
            return ""
        until, names = self._known.get(domain, (0.0, ""))
        if until < time.monotonic() and domain not in self._asking and len(self._asking) < _WAITING:
            self._asking[domain] = asyncio.create_task(self._ask(domain))
        return names

    def close(self) -> None:
        for task in tuple(self._asking.values()):
            task.cancel()

    async def _ask(self, domain: str) -> None:
        try:
            async with self._turn:
                found = await self.resolver.name_servers(domain, _PATIENCE_S)
        finally:
            self._asking.pop(domain, None)
        if len(self._known) >= _KNOWN:
            self._known.clear()
        old = self._known.get(domain, (0.0, ""))[1]
        kept_s = _FAILED_KEPT_S if found is None else _KEPT_S
        names = old if found is None else " ".join(sorted(found)[:MOST_NAME_SERVERS])
        self._known[domain] = (time.monotonic() + kept_s, names)
