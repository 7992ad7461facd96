from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from data.model.ids import PartnerId, TargetId, TeamId


@dataclass(frozen=True, slots=True)
class Fact:
    """A change to what is known of one slice-hour: append-only; the value of a slice-hour is the sum of its rows."""

    hour: datetime
    """Start of the event hour, UTC."""
    seen_at: datetime
    """When this row became visible to us; a replay at T uses only rows with `seen_at <= T`."""
    team: TeamId
    partner: PartnerId
    offer: str
    geo: str
    site: str
    clicks: int = 0
    regs: int = 0
    ftd: int = 0
    revenue: Decimal = Decimal(0)
    """Commission in the company's currency."""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The report of `partner` covering `hour` arrived at `seen_at`, also if it held zeros."""

    partner: PartnerId
    hour: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Exchange:
    """The rate that turned a currency into the company's, and the day it was quoted for."""

    rate: Decimal
    """Units of the company's currency for one of the other."""
    day: date


@dataclass(frozen=True, slots=True)
class PartnerStat:
    """What a partner's API says of one account-day and its dimensions: bitemporal, versions are appended.

    A version whose `measures` are empty says that the partner no longer delivers the row at all.
    """

    feed: str
    team: TeamId
    partner: PartnerId
    day: date
    """In the partner's own time zone."""
    dims: dict[str, str]
    """Canonical dimensions delivered: `brand`, `tracker`, `geo`, `channel`, ..., and `hour` (`00`..`23`, in the partner's zone)
    where the report is by hour."""
    measures: dict[str, Decimal | None]
    """Canonical measures (`clicks`, `registrations`, `ftd_count`, `commission_total`, ...); `None` = not delivered."""
    currency: str
    observed_at: datetime
    version: int = 1
    payload: str = ""
    """Hash of the raw payload it came from."""
    exchange: Exchange | None = None
    """How its money was worth the company's currency when it was observed; `None` where no rate was known."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A raw body as received, kept so that a mapping fix can be replayed."""

    hash: str
    feed: str
    team: TeamId
    received_at: datetime
    content_type: str
    body: bytes
    """zstd-compressed."""


@dataclass(frozen=True, slots=True)
class FeedChange:
    """A difference between what a partner sent and its contract."""

    feed: str
    team: TeamId
    payload: str
    kind: str
    """oasdiff's response rule where one exists, else ours (`scale-changed`, ...)."""
    path: str
    severity: str
    """breaking | risky | harmless"""
    was: str
    now: str
    n_before: int
    n_after: int
    first_seen: datetime
    last_seen: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FieldYield:
    """How one field of a parser did in one run."""

    name: str
    n: int
    fill: float
    state: str = "ok"
    """ok | low | dead | wrong"""


@dataclass(frozen=True, slots=True)
class ParserRun:
    """One page through one parser, or one run of a parser that is not ours."""

    parser: str
    team: TeamId
    at: datetime
    url: str
    geo: str
    items: int
    verdict: str
    """The observation's cause, or `ok`."""
    fields: tuple[FieldYield, ...] = field(default_factory=tuple)
    family: str = ""
    bytes: int = 0
    hosts: tuple[str, ...] = ()
    """Hosts of the first results in their order, at most ten."""
    seconds: float | None = None
    """Outside parsers: how long the run took."""
    error: str = ""
    """Outside parsers: what the run itself said went wrong."""
    query: str = ""
    """The search whose results these are; empty where it is none, or nobody says."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where one team's sites stand on one page of search results that was read right and is believed.

    A site that is not in `places` was not on the page; how long the page was says whether it could have been.
    """

    parser: str
    team: TeamId
    """Of the sites, whoever's parser it is."""
    at: datetime
    query: str
    geo: str
    results: int
    hosts: tuple[str, ...] = ()
    """Of the first results, whoever's they are: pages of one query have most of them in common."""
    places: dict[str, int] = field(default_factory=dict)
    """Best position, from 1, by site."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a target looked like while it was fine: a feed's contract or a parser's layouts, encoded by its family."""

    target: TargetId
    team: TeamId
    at: datetime
    body: bytes
