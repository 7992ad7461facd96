"""What nobody sees while parsers of search results fail: their ranks are no news, whatever they say."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from data.model.ids import TargetId
    from data.model.target import Target

MOST = 0.5
"""Above this share of a host's parsers that fail, none of its results is believed."""


@dataclass(frozen=True, slots=True)
class Blind:
    """One host whose results are not believed, wholly or for some queries."""

    host: str
    targets: frozenset[TargetId]
    """Parsers whose ranks are unseen: the failing ones, or all of the host."""
    queries: int
    why: str


def blindness(parsers: Iterable[Target], failing: Collection[TargetId]) -> tuple[Blind, ...]:
    """Hosts with parsers of search results of which any fail, most queries first.

    1. A canary query always has results: while one fails, nothing that host says in its country, and in those that have no
    canary of their own, is believed. 2. The same of the whole host while most of its parsers fail. 3. Else only the failing
    parsers' own queries are unseen.
    """
    by_host: dict[str, list[Target]] = defaultdict(list)
    for one in parsers:
        if one.kind is TargetKind.PARSER and one.query and not one.paused:
            by_host[host_of(one)].append(one)
    found = [blind for host, mine in by_host.items() if (blind := _of_host(host, mine, failing))]
    return tuple(sorted(found, key=lambda blind: (-blind.queries, blind.host)))


def speaks_for(canary: Target, parser: Target, alike: Iterable[Target]) -> bool:
    """Whether a canary's word counts for a parser of the same host, `alike` being all of that host.

    It does in its own country, and where the parser's country has no canary of its own.
    """
    return canary.geo == parser.geo or not any(one.canary and one.geo == parser.geo for one in alike)


def unseen(parsers: Iterable[Target], failing: Collection[TargetId]) -> frozenset[TargetId]:
    """Parsers whose ranks must raise no alarm of rank or deindexing now."""
    return frozenset().union(*(blind.targets for blind in blindness(parsers, failing)))


def blind_to(parsers: Iterable[Target], failing: Collection[TargetId]) -> str:
    """`rank and deindex of 24 queries are unseen: ...`; empty while everything is seen."""
    found = blindness(parsers, failing)
    if not found:
        return ""
    return f"rank and deindex of {_queries(found, 'is', 'are')} unseen: {'; '.join(blind.why for blind in found[:3])}"


def was_blind_to(parsers: Iterable[Target], failed: Collection[TargetId], began: datetime, ended: datetime) -> str:
    """What nobody saw while these failed, for an incident that is over; empty where nothing was missed."""
    found = blindness(parsers, failed)
    if not found:
        return ""
    until = f"{ended:%H:%MZ}" if ended.date() == began.date() else f"{ended:%Y-%m-%d %H:%MZ}"
    return f"rank and deindex of {_queries(found, 'was', 'were')} unseen from {began:%Y-%m-%d %H:%MZ} to {until}"


def host_of(target: Target) -> str:
    """Where the results come from; parsers of others may not say it and are taken together by team."""
    return _hostname(target.url) or f"team {target.team}"


@lru_cache(maxsize=16_384)
def _hostname(url: str) -> str:
    """Asked again with every run of thousands of searches."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _queries(found: Iterable[Blind], one: str, many: str) -> str:
    count = sum(blind.queries for blind in found)
    return f"1 query {one}" if count == 1 else f"{count:,} queries {many}"


def _of_host(host: str, parsers: Sequence[Target], failing: Collection[TargetId]) -> Blind | None:
    bad = [one for one in parsers if one.id in failing]
    if not bad:
        return None
    canaries = [one for one in bad if one.canary]
    told: Sequence[Target] = parsers
    if len(bad) <= MOST * len(parsers):
        countries = {one.geo for one in parsers if one.canary}  # where no other canary speaks
        mute = {one.geo for one in canaries}
        told = [
            one for one in parsers if one.id in failing or one.geo in mute or (canaries and one.geo not in countries)
        ]
    why = f"{len(bad)} of {len(parsers)} parsers of {host} fail"
    if canaries:
        why += f", the canary {canaries[0].query!r} among them"
    queries = len({(one.query, one.geo) for one in told})
    return Blind(host, frozenset(one.id for one in told), queries, why)
