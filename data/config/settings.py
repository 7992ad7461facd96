"""losswatch.toml as validated records. The loader is `data.config.load`; this module only says what there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from data.model.ids import PartnerId, TeamId
from data.model.target import Target

Seconds = float


@dataclass(frozen=True, slots=True)
class Company:
    name: str = "losswatch"
    currency: str = "EUR"
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class HubSettings:
    probes: int = 0
    """Probe processes; 0 is one per core."""
    group: str = ""
    """Unix group that may reach the socket; empty keeps it to the hub's own account."""
    encrypt: bool = True
    keep_observations: Seconds = 3 * 86400.0
    keep_rollups: Seconds = 400 * 86400.0
    keep_payloads: Seconds = 30 * 86400.0
    min_free_bytes: int = 200_000_000
    """Below this raw observations are not stored; state and alerting go on in memory."""


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    canaries: tuple[str, ...] = ()
    """URLs that must answer while our own network is fine; three or more, in different networks."""
    resolver: str = ""
    """`HOST:PORT`; empty uses the system's."""
    second_resolver: str = ""
    ca_file: str = ""
    """Extra trusted certificates (PEM), relative to the home."""
    user_agent: str = "losswatch/0.1 (+monitoring)"
    per_host: int = 4
    """Checks in flight per target host."""
    in_flight: int = 200
    """Checks in flight in all, per probe process."""


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """Only for simulations: time runs from `sim_start` at `speed` since `wall_start`."""

    sim_start: datetime
    wall_start: datetime
    speed: float


@dataclass(frozen=True, slots=True)
class Team:
    id: TeamId
    name: str
    focus: str = ""


@dataclass(frozen=True, slots=True)
class User:
    account: str
    """Unix account name or numeric uid."""
    role: str
    teams: tuple[str, ...] = ()
    """`*` is every team."""


@dataclass(frozen=True, slots=True)
class Partner:
    id: PartnerId
    name: str
    epc: float = 0.0
    """Expected commission per click in the company's currency, used until history speaks."""
    currency: str = "EUR"
    timezone: str = "UTC"
    report_lag_s: Seconds = 3600.0
    """How long after an hour its report usually arrives."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One account at one partner's API."""

    name: str
    team: TeamId
    partner: PartnerId
    preset: str
    base_url: str
    secret: str = ""
    """Name of the keyring entry; never the value."""
    account: str = ""
    interval_s: Seconds = 900.0
    days: int = 3
    """Days re-read on each pull."""
    options: dict[str, str] = field(default_factory=dict)
    """Per-account overrides of the preset, e.g. `currency`, `timezone`."""
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Vantage:
    """A place to look from: an HTTP or SOCKS proxy in one country."""

    country: str
    proxy: str


@dataclass(frozen=True, slots=True)
class EdgeSignature:
    """An edge provider recognised by a response header that it alone sets; adds to those losswatch knows."""

    name: str
    header: str
    value: str = ""
    """Substring of the header's value; empty is any."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything configured: losswatch.toml plus inventory/*.csv, validated as one."""

    home: Path
    company: Company = field(default_factory=Company)
    hub: HubSettings = field(default_factory=HubSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    clock: ClockSettings | None = None
    teams: tuple[Team, ...] = ()
    users: tuple[User, ...] = ()
    partners: tuple[Partner, ...] = ()
    feeds: tuple[Feed, ...] = ()
    vantages: tuple[Vantage, ...] = ()
    edges: tuple[EdgeSignature, ...] = ()
    targets: tuple[Target, ...] = ()
    """Sites, links and parsers of the inventory and one target per feed; slices appear with the facts."""
