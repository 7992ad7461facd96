from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from data.model.ids import CauseId, TargetId, TeamId
from data.model.state import State
from data.model.target import TargetKind

NO_CAUSE = CauseId("")
ORIGIN_FINE = "fine"
"""`evidence["origin_state"]` where the origin behind a failing edge, asked directly, is well."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Phases of the last hop in milliseconds; `None` for a phase that was not reached or not needed."""

    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    ttfb_ms: float | None = None
    total_ms: float | None = None
    """Of the whole chain, wall time."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One request of a chain. `url` and `location` are cleaned and redacted."""

    url: str
    ip: str = ""
    status: int = 0
    ms: float = 0.0
    location: str = ""
    cert_days_left: float | None = None
    cause: CauseId = NO_CAUSE
    edge: str = ""
    """Edge provider that answered, by `checks.sites.edges`; empty when none was recognised."""
    issuer: str = ""
    """Who issued the certificate; empty without TLS."""
    cert_ends: datetime | None = None
    """Earliest end among the certificate and its chain."""
    client_side: bool = False
    """A page led here, by script or meta refresh, not the protocol."""
    params: str = ""
    """What this hop did to the parameters that must survive, in words; empty when nothing."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One measurement of one target. Immutable; all else derives from it."""

    target: TargetId
    team: TeamId
    kind: TargetKind
    started_at: datetime
    """Aware UTC, by the hub's clock."""
    state: State
    cause: CauseId = NO_CAUSE
    detail: str = ""
    """One sentence for a person; cleaned and redacted."""
    region: str = "local"
    total_ms: float | None = None
    value: float | None = None
    """The family's headline figure: items (parser), rows (feed), observed/expected (slice)."""
    timing: Timing = field(default_factory=Timing)
    hops: tuple[Hop, ...] = ()
    blame: str = ""
    """Host, partner or upstream the cause points at."""
    evidence: dict[str, str] = field(default_factory=dict)
    """Small named facts: `edge`, `ip`, `title`, `matched`, `tracker`, `issuer`, ...; cleaned and redacted."""


@dataclass(frozen=True, slots=True)
class TargetState:
    """The current state of one target, kept in memory and upserted."""

    target: TargetId
    team: TeamId
    kind: TargetKind
    state: State = State.UNKNOWN
    cause: CauseId = NO_CAUSE
    detail: str = ""
    since: datetime | None = None
    """When the present state began."""
    last_at: datetime | None = None
    """When it was last observed."""
    last_ms: float | None = None
    value: float | None = None
    blame: str = ""
    fails: int = 0
    """Consecutive observations that failed, confirmations included."""
    oks: int = 0
    """Consecutive ok observations since the last failure."""
    first_fail_at: datetime | None = None
    """First failing observation of the current run, before it was confirmed."""
    evidence: dict[str, str] = field(default_factory=dict)
    traits: dict[str, str] = field(default_factory=dict)
    """What it shared with others when it last answered: `edge`, `ip`, `network`, `tracker`, `issuer`, `ns`, `registrar`.
    Kept through failures, which show less."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A change of state: an immutable fact from which availability and timelines derive."""

    target: TargetId
    team: TeamId
    at: datetime
    old: State
    new: State
    cause: CauseId
    reason: str
