"""What Corvane Media can switch: whom its redirector sends visitors to, and which edge stands before its sites.

The redirector reads a map file as nginx does, `/lumenjack http://trk.lumenjack.example/c;`, a line a partner. Its sites'
names point at Halyard Edge or, for tiers 1 and 2, at a reserve; a call to the company's own DNS turns them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from checks.demo.http import Request, Response
from checks.demo.partners import PARTNERS

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

MAP = "redirector/go.map"
"""Below the configuration."""
DNS_HOST = "dns.corvane.example"
RESERVED_TIERS = frozenset({1, 2})
"""Of the sites that the reserve can take: 95 % of the clicks."""
_TRACKERS = {partner.tracker_host: partner.id for partner in PARTNERS}


@dataclass(frozen=True, slots=True)
class Setting:
    """How things were switched from `at` on."""

    at: datetime
    sent: Mapping[str, str] = field(default_factory=dict)
    """Partner to the partner that gets its visitors instead."""
    reserve: bool = False
    """Whether the sites of `RESERVED_TIERS` are behind the reserve edge."""


@dataclass(slots=True)
class Switchboard:
    """Remembers each setting from the moment somebody looked; everything that depends on one looks first."""

    now: Callable[[], datetime]
    file: Path
    key: str = field(repr=False)
    """What whoever turns the DNS must know."""
    settings: list[Setting] = field(default_factory=list)
    reserve: bool = False
    """Whether the reserve edge stands before the sites it can take, now."""
    _lines: dict[str, str] = field(default_factory=dict)
    _stamp: tuple[int, int] = (0, 0)

    def look(self) -> list[Setting]:
        """All settings so far, the oldest first; none while everything is as usual from the beginning."""
        self._read()
        sent = {
            partner.id: other
            for partner in PARTNERS
            if (other := _TRACKERS.get(_host(self.tracker(partner.id)), partner.id)) != partner.id
        }
        last = self.settings[-1] if self.settings else Setting(self.now())
        if (sent, self.reserve) != (last.sent, last.reserve):
            self.settings.append(Setting(self.now(), sent, self.reserve))
        return self.settings

    def tracker(self, partner: str) -> str:
        """Where the map sends visitors of a partner; empty where it says nothing."""
        return self._lines.get(f"/{_SLUGS[partner]}", "")

    def answer(self, request: Request) -> Response:
        """`POST /v1/edge/reserve` and `/v1/edge/usual`, for who knows the key."""
        if request.header("authorization") != f"Bearer {self.key}":
            return Response(401, b"who are you?", "text/plain")
        name = request.path.removeprefix("/v1/edge/")
        if request.method != "POST" or name not in {"reserve", "usual"}:
            return Response(404, b"no such switch", "text/plain")
        self.reserve = name == "reserve"
        self.look()
        return Response(200, f"tiers 1 and 2 are behind the {name} edge\n".encode(), "text/plain")

    def _read(self) -> None:
        try:
            status = self.file.stat()
            if (stamp := (status.st_mtime_ns, status.st_ino)) == self._stamp:
                return
            text = self.file.read_text()
        except OSError:
            self._stamp = (0, 0)  # what comes next may have the inode of what went
            return  # a server goes on with the map it has
        self._stamp = stamp
        words = (line.strip().rstrip(";").split() for line in text.splitlines() if not line.startswith("#"))
        self._lines = {pair[0]: pair[1] for pair in words if len(pair) == 2}


_SLUGS = {partner.id: partner.slug for partner in PARTNERS}


def map_text(trackers: Mapping[str, str]) -> str:
    """The map as usual; `trackers` is each partner's address."""
    lines = [f"/{_SLUGS[partner]} {address};" for partner, address in trackers.items()]
    return "\n".join(["# go.*.example: where visitors of each partner are sent", *lines, ""])


def _host(address: str) -> str:
    return urlsplit(address).hostname or ""
