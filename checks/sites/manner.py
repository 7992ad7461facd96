"""As whom a chain is walked, and how far."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from checks.sites.traits import registrable
from checks.sites.url import on_host

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.sites.url import Url
    from data.config.settings import Brand
    from data.model.target import Check

MOBILE = "mobile"
_CHROME = re.compile(r"Chrome/(\d{2,4})")


@dataclass(frozen=True, slots=True)
class Manner:
    """The visitor that a check plays, and the sites it may enter."""

    agent: str = ""
    """User-Agent; empty is losswatch's own."""
    headers: tuple[str, ...] = ()
    mobile: bool = False
    """Follows what only a phone can: the web fallback of an app's intent."""
    depth: int = 0
    """Sites (registrable domains) that may be asked in a row; 0 is all of them."""
    beyond: tuple[str, ...] = ()
    """Hosts that a walk of limited depth never asks, wherever they come in the chain."""

    @classmethod
    def of(cls, check: Check, mobile_agent: str, brands: Iterable[Brand] = ()) -> Manner:
        """What the check says of device, language and depth; the partner's host is the end of a limited walk."""
        mobile = check.device == MOBILE
        language = (_accept_language(check.expect.locale),) if check.expect.locale else ()
        beyond: tuple[str, ...] = ()
        if check.depth:
            final, _ = split_host(check.expect.final_host)
            theirs = [
                host for brand in brands if check.partner and brand.partner == check.partner for host in brand.hosts
            ]
            beyond = tuple(host for host in (final, *theirs) if host)
        return cls(
            agent=mobile_agent if mobile else "",
            headers=(*language, *(_client_hints(mobile_agent) if mobile else ())),
            mobile=mobile,
            depth=check.depth,
            beyond=beyond,
        )

    def stops_before(self, url: Url, walked: Iterable[Url]) -> bool:
        """Whether `url`, which would come after `walked`, is beyond this walk."""
        if not self.depth:
            return False
        sites = [registrable(hop.host) for hop in walked]
        if any(on_host(url.host, host) for host in self.beyond):
            return registrable(url.host) != sites[0]
        sites.append(registrable(url.host))
        entered = 1 + sum(one != other for one, other in pairwise(sites))
        return entered > self.depth


def split_host(wanted: str) -> tuple[str, int | None]:
    """`HOST[:PORT]` of an expectation; a bare IPv6 address has no port."""
    name, colon, number = wanted.rpartition(":")
    if colon and number.isdigit() and not (name.count(":") and not name.endswith("]")):
        return name, int(number)
    return wanted, None


def _accept_language(locale: str) -> str:
    language = locale.partition("-")[0].lower()
    wished = f"{language}-{locale.partition('-')[2].upper()},{language};q=0.9" if "-" in locale else language
    return f"Accept-Language: {wished}" + ("" if language == "en" else ",en;q=0.3")


def _client_hints(agent: str) -> tuple[str, ...]:
    """What a phone's Chrome says besides its User-Agent; other browsers say nothing."""
    found = _CHROME.search(agent)
    if found is None:
        return ()
    platform = "Android" if "Android" in agent else "iOS"
    version = found.group(1)
    return (
        f'Sec-CH-UA: "Chromium";v="{version}", "Google Chrome";v="{version}", "Not_A Brand";v="24"',
        "Sec-CH-UA-Mobile: ?1",
        f'Sec-CH-UA-Platform: "{platform}"',
    )
