"""Which edge provider answered, and whether an error or a challenge is its own. Signatures are data: edges.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from data.model.cause import cause
from data.model.observation import NO_CAUSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.sites.exchange import Exchange
    from data.config.settings import EdgeSignature
    from data.model.ids import CauseId

_PAGE = 65_536
SMALL = 49_152
"""Bytes of a page up to which it may be a challenge served with 200; a full page is not searched."""
_CONFIGURED_ERRORS = (502, 503, 504, *range(520, 531))
"""Statuses that a provider of whose pages nothing is known is believed to have made itself."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One provider's signature: it answered when `header` is there and holds `value`."""

    name: str
    header: str
    value: str = ""
    error: tuple[str, ...] = ()
    unreachable: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    error_status: tuple[int, ...] = ()
    unreachable_status: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Challenge:
    header: str = ""
    value: str = ""
    page: tuple[str, ...] = ()
    """Texts that must all stand on the page."""
    status: tuple[int, ...] = ()

    def shown(self, exchange: Exchange, names: set[str], page: str) -> bool:
        """`names` are those of the answer's headers."""
        if self.header and self.header not in names:
            return False
        if self.status and exchange.status not in self.status:
            return False
        if self.header and not any(n == self.header and self.value in text.lower() for n, text in exchange.headers):
            return False
        return all(text in page for text in self.page)


@dataclass(frozen=True, slots=True)
class Edges:
    """Every known signature, the configured ones first, by the header that gives it away."""

    by_header: dict[str, tuple[tuple[int, Edge], ...]]
    challenges: tuple[Challenge, ...]
    pops: dict[str, tuple[re.Pattern[str], ...]]
    """Where an edge names its data centre, by header: the first group."""

    @classmethod
    def of(cls, configured: Sequence[EdgeSignature] = ()) -> Edges:
        own = tuple(
            Edge(edge.name, edge.header.lower(), edge.value.lower(), error_status=_CONFIGURED_ERRORS)
            for edge in configured
        )
        shipped, challenges, pops = _shipped()
        found: dict[str, tuple[tuple[int, Edge], ...]] = {}
        for rank, edge in enumerate(own + shipped):
            found[edge.header] = (*found.get(edge.header, ()), (rank, edge))
        return cls(found, challenges, pops)

    def recognise(self, exchange: Exchange) -> Edge | None:
        """The provider whose header, holding its value, stands on the answer."""
        signed = [
            (rank, edge)
            for name, text in exchange.headers
            for rank, edge in self.by_header.get(name, ())
            if edge.value in text.lower()
        ]
        return min(signed, key=lambda item: item[0])[1] if signed else None

    def pop(self, exchange: Exchange) -> str:
        """Code of the data centre that answered, in capitals, where the edge names it; else an empty string."""
        for name, text in exchange.headers:
            for pattern in self.pops.get(name, ()):
                if found := pattern.search(text):
                    return found.group(1).upper()
        return ""

    def cause_of(self, exchange: Exchange, signs: str | None = None) -> CauseId:
        """`edge.*` when the answer is the edge's own doing, else no cause: an origin's error that passed through.

        `signs` are those of the page (`signs_of`) where it has been read already.
        """
        if exchange.status < 400 and not exchange.headers:
            return NO_CAUSE
        if exchange.status >= 400:
            page = _page(exchange)
        elif signs is None:
            page = signs_of(_page(exchange)) if len(exchange.body) <= SMALL else ""
        else:
            page = signs
        names = {name for name, _ in exchange.headers}
        if any(challenge.shown(exchange, names, page) for challenge in self.challenges):
            return cause("edge.challenge")
        edge = self.recognise(exchange)
        if edge is None:
            return NO_CAUSE
        return _own_doing(edge, exchange.status, page)


def _own_doing(edge: Edge, status: int, page: str) -> CauseId:
    if status in edge.unreachable_status:
        return cause("edge.origin_unreachable")
    if status >= 500 and any(text in page for text in edge.unreachable):
        return cause("edge.origin_unreachable")
    if status in edge.error_status:
        return cause("edge.error")
    if status >= 500 and any(text in page for text in edge.error):
        return cause("edge.origin_unreachable" if status == 504 else "edge.error")
    if status in {401, 403, 406} and any(text in page for text in edge.refused):
        return cause("edge.refused")
    return NO_CAUSE


def _page(exchange: Exchange) -> str:
    return exchange.body[:_PAGE].decode("utf-8", "replace").lower()


def signs_of(page: str) -> str:
    """The texts of challenges that stand on a page, given in lower case, one a line."""
    return "\n".join(sign for sign in _signs() if sign in page)


@cache
def _signs() -> tuple[str, ...]:
    _, challenges, _ = _shipped()
    return tuple(dict.fromkeys(text for challenge in challenges for text in challenge.page))


@cache
def _shipped() -> tuple[tuple[Edge, ...], tuple[Challenge, ...], dict[str, tuple[re.Pattern[str], ...]]]:
    table = tomllib.loads(files("checks.sites").joinpath("edges.toml").read_text(encoding="utf-8"))
    pops: dict[str, tuple[re.Pattern[str], ...]] = {}
    for row in table["pop"]:
        pops[row["header"]] = (*pops.get(row["header"], ()), re.compile(row["pattern"]))
    edges = tuple(Edge(**_tuples(row)) for row in table["edge"])
    return edges, tuple(Challenge(**_tuples(row)) for row in table["challenge"]), pops


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
