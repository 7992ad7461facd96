"""losswatch.toml as validated records. The loader is `data.config.load`; this module only says what there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from data.config.calendar import Calendar
from data.config.notifying import Notifying
from data.config.parents import Parent
from data.config.rates import Rates
from data.model.ids import CauseId, PartnerId, TeamId
from data.model.plan import Plan
from data.model.target import Target, TargetKind

Seconds = float


@dataclass(frozen=True, slots=True)
class Company:
    name: str = "losswatch"
    currency: str = "EUR"
    timezone: str = "UTC"
    rates: str = ""
    """File of exchange rates, relative to the home."""
    calendar: str = ""
    """File of sport events, promotions and own holidays, relative to the home."""
    holidays: bool = True
    """Whether public holidays of the countries of our traffic are known."""
    regions: tuple[str, ...] = ()
    """Parts of countries whose holidays count for the country, such as `CA-ON`."""
    chance_alarm: Seconds = 49 * 86400.0
    """How often chance alone may raise an alarm about money: rarer is surer, and later."""


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
    per_host_minute: int = 60
    """Requests a real minute to one target host, confirmations included; 0 is no limit."""
    per_edge: int = 50
    """Checks in flight per edge provider, per probe process; 0 is no limit."""
    max_skew_s: Seconds = 60.0
    """Our clock may differ from the canaries' `Date` by so much before verdicts that need the time are withheld."""
    mobile_agent: str = (
        "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
        "Mobile Safari/537.36 losswatch/0.1"
    )


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
    probe: str = ""
    """Agreed mark of our probes on this partner's links, `PARAM=VALUE`, so that they can be told from visitors."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One account at one partner's API."""

    name: str
    team: TeamId
    partner: PartnerId
    preset: str
    base_url: str = ""
    """Where it is asked for; empty for what is read from `path` or pushed to us."""
    path: str = ""
    """Folder or file that it is read from, relative to the home."""
    secret: str = ""
    """Name of the keyring entry; never the value."""
    account: str = ""
    interval_s: Seconds = 900.0
    days: int = 3
    """Days re-read on each pull."""
    options: dict[str, str] = field(default_factory=dict)
    """Per-account overrides of the preset, e.g. `currency`, `timezone`."""
    cpa: Decimal = Decimal(0)
    """Agreed commission for a qualified player, in the account's currency; 0 where none is agreed."""
    revshare: float = 0.0
    """Agreed share of NGR, 0..1; 0 where none is agreed."""
    expires: datetime | None = None
    """When its credential ends, where neither the token nor the platform says so."""
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Vantage:
    """A place to look from: an HTTP or SOCKS proxy in one country."""

    country: str
    proxy: str
    name: str = ""
    """Unique; the country and a number when none is given (`DE`, `DE-2`)."""


@dataclass(frozen=True, slots=True)
class EdgeSignature:
    """An edge provider recognised by a response header that it alone sets; adds to those losswatch knows."""

    name: str
    header: str
    value: str = ""
    """Substring of the header's value; empty is any."""


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand of a partner: where its pages are and in which countries it may be shown."""

    name: str
    partner: PartnerId
    hosts: tuple[str, ...]
    """A host below one of them counts."""
    licensed: tuple[str, ...] = ()
    """Countries, upper case; empty is everywhere."""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A time in which failures of some targets are expected: they are watched on, shown as paused and open nothing."""

    reason: str
    team: str = ""
    site: str = ""
    partner: str = ""
    targets: tuple[str, ...] = ()
    """Target ids, `*` allowed at the end. Every field given must match; a window that names nothing is an error."""
    start: datetime | None = None
    end: datetime | None = None
    """One-off: aware UTC."""
    weekdays: tuple[int, ...] = ()
    """Weekly: 0 is Monday."""
    at: str = ""
    """Weekly: `HH:MM` in `timezone`."""
    length_s: Seconds = 0.0
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Checklist:
    """What is to be done about some causes."""

    causes: tuple[str, ...]
    """Exact causes, or families with a dot at the end (`edge.`)."""
    items: tuple[str, ...]

    def is_for(self, cause: str) -> bool:
        return any(cause.startswith(one) if one.endswith(".") else cause == one for one in self.causes)


@dataclass(frozen=True, slots=True)
class Hygiene:
    """What is looked at beyond up and down; each part has its switch."""

    certificates: bool = True
    cert_warn_days: tuple[int, ...] = (21, 7, 2)
    domains: bool = False
    """Asks registries over RDAP, once a day a domain."""
    domain_warn_days: tuple[int, ...] = (30, 14, 3)
    rdap: str = "https://rdap.org/"
    seo: bool = True
    slowness: bool = True
    links: bool = True
    """Compares the links on a site's pages with the inventory."""


@dataclass(frozen=True, slots=True)
class PostbackSettings:
    """Where partners' calls are answered."""

    listen: str = ""
    """`HOST:PORT`; empty answers none over the network. Nothing else of the hub is served there."""
    public_url: str = ""
    """How the world reaches that place, so that the way to it is tried as well; empty tries our own door alone."""
    per_minute: int = 6_000
    """Calls a real minute of one feed; more are asked to come again."""


@dataclass(frozen=True, slots=True)
class ContentRule:
    """One rule for pages that earn nothing: a table of `checks/sites/rules/*.toml` or of the operator's own file."""

    id: str
    cause: CauseId
    any: tuple[str, ...]
    """Regular expressions in lower case; plain texts where the place is `source`."""
    where: tuple[str, ...] = ("title", "headings", "text")
    """Of `data.config.rules.PLACES`."""
    score: float = 1.0
    """Times the weight of the place; negative speaks against the cause."""
    max_text: int | None = None
    """Longest visible text of a page it applies to; 0 is any, `None` what is usual for the cause and place."""
    room: int | None = None
    """Characters that may stand around a match in a title or heading; `None` is the usual."""
    kinds: tuple[TargetKind, ...] = ()
    """Empty: what is usual for the cause."""
    status: tuple[int, ...] = ()
    """Empty: any 2xx, and the error statuses that are usual for the cause."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything configured: losswatch.toml plus inventory/*.csv, validated as one."""

    home: Path
    company: Company = field(default_factory=Company)
    rates: Rates = field(default_factory=Rates)
    """What `company.rates` says; empty where there is no file."""
    calendar: Calendar = field(default_factory=Calendar)
    """What `company.calendar` says, and public holidays."""
    hub: HubSettings = field(default_factory=HubSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    clock: ClockSettings | None = None
    teams: tuple[Team, ...] = ()
    users: tuple[User, ...] = ()
    partners: tuple[Partner, ...] = ()
    feeds: tuple[Feed, ...] = ()
    vantages: tuple[Vantage, ...] = ()
    edges: tuple[EdgeSignature, ...] = ()
    brands: tuple[Brand, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    hygiene: Hygiene = field(default_factory=Hygiene)
    postbacks: PostbackSettings = field(default_factory=PostbackSettings)
    notify: Notifying = field(default_factory=Notifying)
    plans: tuple[Plan, ...] = ()
    checklists: tuple[Checklist, ...] = ()
    parents: tuple[Parent, ...] = ()
    programs: tuple[str, ...] = ()
    """Absolute paths of what plans may run."""
    content_rules: str = ""
    """File of more rules for pages that earn nothing, relative to the home; the shape of `checks/sites/rules/*.toml`."""
    rules: tuple[ContentRule, ...] = ()
    """What that file says."""
    targets: tuple[Target, ...] = ()
    """Sites, links and parsers of the inventory and one target per feed; slices appear with the facts."""
