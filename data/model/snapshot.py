"""What the hub shows: frozen, already sorted, filtered to a scope and derived. The dashboard only draws these."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from data.model.feed_view import FeedView
from data.model.health import HubHealth
from data.model.ids import CauseId, IncidentId, TargetId, TeamId
from data.model.incident import Incident, TimelineEntry
from data.model.money import ZERO
from data.model.observation import Flip, Hop, Observation
from data.model.parser_view import CandidateRow, DiffLine, FieldRow, HourCount, RunRow, VolatilityRow
from data.model.plan import Requirement, Switch
from data.model.revenue_view import RevenueView
from data.model.state import State
from data.model.target import TargetKind

PROTOCOL = 3
"""Version of everything the two exchange; hub and dashboard refuse each other when it differs."""


@dataclass(frozen=True, slots=True)
class Hello:
    """First answer of a hub to a connection."""

    protocol: int
    version: str
    company: str
    principal: str
    role: str
    teams: tuple[str, ...]
    """Teams in scope; `*` for all."""
    money: str
    """none | band | full"""
    currency: str
    pid: int
    started_at: datetime
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class StateCount:
    failing: int = 0
    degraded: int = 0
    unknown: int = 0
    ok: int = 0
    paused: int = 0

    @property
    def total(self) -> int:
        return self.failing + self.degraded + self.unknown + self.ok + self.paused


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One line of any list of targets. A figure that does not apply is `None`."""

    target: TargetId
    kind: TargetKind
    team: TeamId
    name: str
    state: State
    cause: CauseId
    detail: str
    """Short words for what is seen, e.g. `503 at the edge`, `0 of 30 items`, `× 100 on commission`."""
    since: datetime | None
    last_at: datetime | None
    next_at: datetime | None = None
    strip: str = ""
    """Heat strip, oldest left, one character a bucket: `o` ok, `d` degraded, `f` failing, `u` unknown, `p` paused,
    `.` no data. The list says its span."""
    geo: str = ""
    partner: str = ""
    offer: str = ""
    site: str = ""
    tier: int = 3
    p50_ms: float | None = None
    p95_ms: float | None = None
    uptime: float | None = None
    """Share of known time that was not failing, last 24 h, 0..1."""
    value: float | None = None
    """Parser: items now. Feed: rows of the last pull. Slice: revenue per hour now."""
    expected: float | None = None
    """Slice: expected revenue per hour."""
    loss_per_hour: Decimal | None = None
    """`None` also when the reader may not see money."""
    trend: tuple[float, ...] = ()
    """Slices and parsers: recent figures, oldest first, for a sparkline."""
    incident: IncidentId | None = None
    fires_after_h: float | None = None
    """Slices: hours of silence from now until an alarm could be raised; `None`: not within a week, or one is raised."""


@dataclass(frozen=True, slots=True)
class Pane:
    """One of the Overview's four panes: counts of everything, rows of the worst."""

    kind: TargetKind
    counts: StateCount
    rows: tuple[TargetRow, ...] = ()
    span: str = "60 min"
    """What the rows' strips cover."""


@dataclass(frozen=True, slots=True)
class LogLine:
    at: datetime
    kind: str
    """A target kind, or `hub`, `incident`, `person`."""
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class IncidentCount:
    """Open incidents."""

    open: int = 0
    acknowledged: int = 0
    sev1: int = 0
    sev2: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The Overview for one scope. `version` grows with every change and is compared, never computed with."""

    version: int
    at: datetime
    """The hub's clock when made."""
    company: str = ""
    currency: str = "EUR"
    speed: float = 1.0
    """Simulated seconds per second; 1.0 for a real hub."""
    next_due_s: float | None = None
    """Seconds of the hub's clock until the next check."""
    sites: Pane = field(default_factory=lambda: Pane(TargetKind.SITE, StateCount()))
    links: Pane = field(default_factory=lambda: Pane(TargetKind.LINK, StateCount()))
    parsers: Pane = field(default_factory=lambda: Pane(TargetKind.PARSER, StateCount()))
    feeds: Pane = field(default_factory=lambda: Pane(TargetKind.FEED, StateCount()))
    slices: Pane = field(default_factory=lambda: Pane(TargetKind.SLICE, StateCount()))
    incidents: tuple[Incident, ...] = ()
    """Open ones, most money lost per hour first; of very many the first hundreds, then urgent ones that nobody has yet."""
    beyond: IncidentCount = field(default_factory=IncidentCount)
    """Those that are open and not in `incidents`."""
    log: tuple[LogLine, ...] = ()
    """Newest last, at most 50."""
    loss_per_hour: Decimal | None = ZERO
    lost_today: Decimal | None = ZERO
    waiting: tuple[str, ...] = ()
    """Calm lines such as `waiting for P04 since 06:00Z`."""
    health: HubHealth = field(default_factory=HubHealth)


@dataclass(frozen=True, slots=True)
class ListPage:
    """A window of a list, sorted and filtered by the hub."""

    version: int
    total: int
    """Rows that match the filter."""
    offset: int
    rows: tuple[TargetRow, ...]
    counts: StateCount
    """Of all rows in scope, whatever the filter."""
    span: str = "60 min"


@dataclass(frozen=True, slots=True)
class IncidentPage:
    version: int
    total: int
    offset: int
    rows: tuple[Incident, ...]


@dataclass(frozen=True, slots=True)
class BandPoint:
    """One bucket of a series with its expectation; `actual` is `None` where data have not arrived."""

    at: datetime
    expected: float
    lo: float
    hi: float
    actual: float | None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One open or closed change of a feed's contract."""

    severity: str
    kind: str
    path: str
    was: str
    now: str
    n_after: int
    first_seen: datetime
    last_seen: datetime
    closed_at: datetime | None = None
    used_by: str = ""
    """Our measures, dimensions or the day that are read from the path; empty where nobody reads it."""


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing that the check of a site or link looks at, with what it saw last."""

    name: str
    state: State
    value: str
    expect: str
    last_at: datetime | None = None
    streak: int = 0
    """How many times in a row it was so; 0 where nobody counts."""


@dataclass(frozen=True, slots=True)
class TargetDetail:
    """All a detail screen shows of one target; parts that do not apply to its kind are empty."""

    version: int
    row: TargetRow
    url: str
    check: tuple[tuple[str, str], ...]
    """(label, value) pairs of what is expected and how often: `interval`, `final host`, `preset`, ..."""
    strip_hour: str
    strip_day: str
    strip_90d: str
    hops: tuple[Hop, ...] = ()
    observations: tuple[Observation, ...] = ()
    """Newest first, at most 50."""
    flips: tuple[Flip, ...] = ()
    fields: tuple[FieldRow, ...] = ()
    changes: tuple[ChangeRow, ...] = ()
    band: tuple[BandPoint, ...] = ()
    """Sites and links: latency. Parsers: items. Slices: revenue per hour."""
    band_unit: str = "ms"
    notes: tuple[str, ...] = ()
    """Honest remarks: `this alarm can fire after 4.4 h here`."""
    incidents: tuple[Incident, ...] = ()
    aspects: tuple[Aspect, ...] = ()
    """Sites and links: the check taken apart."""
    before: tuple[LogLine, ...] = ()
    """What happened in the half hour before the present state began, and shortly after: oldest first."""
    same: tuple[TargetRow, ...] = ()
    """Others of the same incident, worst first, a few."""
    volatility: tuple[VolatilityRow, ...] = ()
    """Parsers: how their pages usually vary."""
    diff: tuple[DiffLine, ...] = ()
    """Parsers: the last good page against the failing one, around the first dead selector. Feeds: one record of the last
    good delivery against the same record now."""
    candidates: tuple[CandidateRow, ...] = ()
    """Parsers: what could be written into the SPEC instead, field by field."""
    good_at: datetime | None = None
    """When the left side of `diff` was seen."""
    bad_at: datetime | None = None
    """When the right side of `diff` was seen."""
    runs: tuple[RunRow, ...] = ()
    """Parsers: the last runs, oldest first."""
    by_hour: tuple[HourCount, ...] = ()
    """Parsers: results by hour of day, hours that are known."""
    feed: FeedView | None = None
    """Feeds: deliveries, quarantine, restatements, contract, postbacks."""
    revenue: RevenueView | None = None
    """Slices: evidence, funnel, parts, reports."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What an incident screen says, labelled by how sure we are."""

    certainty: str
    """fact | guess | unknown"""
    text: str


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan for an incident: a declared one with its preconditions, or words of what people do first."""

    letter: str
    title: str
    gain_per_hour: Decimal | None = None
    gain_lo: Decimal | None = None
    gain_hi: Decimal | None = None
    id: str = ""
    """Of the declared plan; empty for words alone."""
    does: str = ""
    """Its adapter."""
    requires: tuple[Requirement, ...] = ()
    refused: str = ""
    """Why it cannot be used now; empty when it can."""
    keys: int = 1
    """People who must say yes."""
    approve: str = ""
    """The role that must; empty: whoever may apply plans."""
    expires_s: float = 0.0
    rehearsed: date | None = None
    """Declared, or the last drill that went well."""
    fresh: bool = False
    """The rehearsal is not too old."""
    auto: bool = False
    switch: Switch | None = None
    """Its present use, or the last one of this incident."""


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One thing to do about an incident, and whether somebody did it."""

    text: str
    done_by: str = ""
    """Empty: nobody yet."""
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UpstreamRow:
    """One thing that members of an incident share, and how everything behind it fares since the incident began."""

    kind: str
    """`edge provider`, `network`, ..."""
    name: str
    members: int
    """Sites and links behind it, in this incident or not."""
    failing: int
    fine: int
    chosen: bool = False
    """It is what the incident is blamed on."""


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    version: int
    incident: Incident
    statements: tuple[Statement, ...]
    timeline: tuple[TimelineEntry, ...]
    members: tuple[TargetRow, ...]
    """Worst first, at most 200; `incident.members` counts them all."""
    band: tuple[BandPoint, ...]
    """Commission per hour of what is affected, expected and actual."""
    plans: tuple[PlanRow, ...] = ()
    upstreams: tuple[UpstreamRow, ...] = ()
    """What the members share, the blamed one first; nothing once the incident is closed."""
    teams: tuple[tuple[str, int], ...] = ()
    """Members by team, most first."""
    checklist: tuple[ChecklistItem, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamLine:
    """One line of the hub's event stream. Exactly one of the payloads is set, or none for a heartbeat."""

    seq: int
    kind: str
    """hello | snapshot | heartbeat | resync | bye"""
    hello: Hello | None = None
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class CommandReply:
    ok: bool
    message: str
    """One sentence for the person who asked."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Body of every error answer of the hub."""

    error: str
    """One sentence: what is wrong, with ids and the next step."""
    code: str
    """not_allowed | not_found | bad_request | busy | internal"""
