"""Which of our own sites an address on a page of results belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from checks.parsers.page import host_of
from checks.parsers.witness import unwrap
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.model.ids import TargetId
    from data.model.target import Target


_PLAIN = re.compile(r"https?://([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?::[0-9]+)?(/[A-Za-z0-9/._~%-]*)?")


@dataclass(slots=True)
class OwnSites:
    """Sites by host; where several share one, the one whose path leads furthest towards the address."""

    _by_host: dict[str, list[tuple[str, TargetId]]] = field(default_factory=dict)

    @classmethod
    def of(cls, targets: Iterable[Target]) -> OwnSites:
        """Those whose checks are paused stand where they stood, unless another site has their address."""
        found: dict[str, list[tuple[str, TargetId]]] = {}
        for target in sorted(targets, key=lambda one: one.paused):
            host, path = _parts(target.url) if target.kind is TargetKind.SITE else ("", "")
            known = found.setdefault(host, []) if host else []
            if host and not (target.paused and any(path == other for other, _ in known)):
                known.append((path, target.id))
        for paths in found.values():
            paths.sort(key=lambda one: (-len(one[0]), one))
        return cls(found)

    def site(self, address: str) -> TargetId | None:
        """The site of an address; of a bare host the site with the shortest path. `None` for everybody else's."""
        paths = self._by_host.get(host_of(address))
        if not paths:
            return None
        path = _path(address)
        if not path:
            return paths[-1][1]
        return next((site for prefix, site in paths if path == prefix or path.startswith(f"{prefix}/")), None)

    def places(self, ranked: Iterable[tuple[int, str]]) -> dict[str, int]:
        """Best position by site, of (position, address) pairs; links through the engine are followed to their target."""
        found: dict[str, int] = {}
        for position, address in ranked:
            site = self.site(unwrap(address))
            if site is not None:
                found[site] = min(position, found.get(site, position))
        return found


def _parts(url: str) -> tuple[str, str]:
    """Host and path; of a hundred thousand addresses nearly all are written plainly."""
    plain = _PLAIN.fullmatch(url)
    if plain:
        return plain[1].lower().removeprefix("www."), (plain[2] or "").rstrip("/")
    return host_of(url), _path(url)


def _path(url: str) -> str:
    """Without a closing slash, so that the root is empty; a page's file name stays."""
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return ""
