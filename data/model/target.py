from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from data.model.ids import PartnerId, TargetId, TeamId

NO_PARTNER = PartnerId("")


class TargetKind(StrEnum):
    SITE = "site"
    LINK = "link"
    PARSER = "parser"
    FEED = "feed"
    SLICE = "slice"


def target_id(kind: TargetKind, name: str) -> TargetId:
    return TargetId(f"{kind.value}:{name}")


def kind_of(target: TargetId) -> TargetKind:
    return TargetKind(target.partition(":")[0])


def name_of(target: TargetId) -> str:
    return target.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Expect:
    """What must hold for a site or link check to be `ok`; an empty field expects nothing."""

    status: tuple[int, ...] = ()
    """Accepted final statuses; empty means any 2xx."""
    text: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    final_host: str = ""
    final_path: str = ""
    """Prefix of the final path."""
    keep: tuple[str, ...] = ()
    """Query parameters of the first URL whose values must reach the last page, on its URL or handed over by cookie."""
    slow_ms: int = 0
    """Above this total time the target is `degraded`; 0 switches it off."""
    max_body: int = 1_048_576
    """Bytes after decoding; more is `proto.oversize` and never read."""
    brand: tuple[str, ...] = ()
    """Names of which one must stand on the final page, in its title, headings or text; another brand is a wrong target."""
    locale: str = ""
    """Language, or language and country, that the final page must declare: `de`, `de-AT`."""


@dataclass(frozen=True, slots=True)
class Target:
    """Anything watched. Owned by one team; the dimension fields are empty where they do not apply."""

    id: TargetId
    kind: TargetKind
    team: TeamId
    name: str
    url: str = ""
    site: str = ""
    partner: PartnerId = NO_PARTNER
    offer: str = ""
    geo: str = ""
    tier: int = 3
    project: str = ""
    interval_s: float = 300.0
    timeout_s: float = 10.0
    expect: Expect = field(default_factory=Expect)
    paused: bool = False
    spec: str = ""
    """Parser: path of its SPEC file, relative to the home. Feed: name of its preset."""
    origin: str = ""
    """`HOST[:PORT]` or `ADDRESS[:PORT]` behind the edge, asked directly when the edge fails; empty is none."""
    device: str = ""
    """`mobile` sends a phone's User-Agent; empty is losswatch's own."""
    depth: int = 0
    """Hops that are walked: 1 stops before the partner's host, 0 goes to the end."""
    outside: bool = False
    """Parser: somebody else runs it and pushes its runs; nothing is fetched."""
    canary: bool = False
    """Parser: its query always has results, so that its failure speaks for the whole host."""
    query: str = ""
    """Parser: the search whose ranks it feeds; empty where it feeds none."""


@dataclass(frozen=True, slots=True)
class Check:
    """One observation to be made of one target: what travels to a probe."""

    target: TargetId
    team: TeamId
    kind: TargetKind
    url: str
    timeout_s: float
    expect: Expect
    geo: str = ""
    """Country whose vantage must carry the check; empty means from here."""
    origin: str = ""
    """As `Target.origin`."""
    device: str = ""
    depth: int = 0
    vantage: str = ""
    """Name of the one vantage that must carry it; empty is any of the country."""
    partner: PartnerId = NO_PARTNER
    """Whose link it is: its brands are right, those of others are not."""
