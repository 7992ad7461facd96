"""What the screen of one feed shows beside what every target has. Figures of money are `None` for who may not see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from data.model.delivery import Outcome, RestatedAs


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One pull that differed from the one before."""

    at: datetime
    first: date
    last: date
    rows: int
    outcome: Outcome
    detail: str
    payload: str
    """Start of the first body's hash; empty where none came."""
    bytes: int
    """Of its bodies, as received; 0 where none is kept any more."""
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class RestatementRow:
    """One figure of one day that moved after it had been delivered."""

    day: date
    measure: str
    currency: str
    was: Decimal | None
    now: Decimal | None
    share: float | None
    """Change over what it was; `None` where that was zero or may not be seen."""
    kind: RestatedAs
    age_days: int
    observed_at: datetime
    rows: int
    acknowledged_by: str = ""


@dataclass(frozen=True, slots=True)
class ContractRow:
    """One path of the records as this partner usually sends them."""

    path: str
    types: str
    """`integer`, `string decimal`, `null or number`, ..."""
    presence: float
    """Share of records that have it, 0..1."""
    blank: float
    """Share of those in which it is null or empty."""
    usual: str
    """`3 words: approved, pending, ...`, `0-1,204, median 31`, ...; empty where it says nothing."""
    used_by: str
    """Our measures, dimensions or the day that are read from it; empty where nobody reads it."""


@dataclass(frozen=True, slots=True)
class HourOfPostbacks:
    """Calls of one hour, UTC."""

    at: datetime
    good: int
    duplicate: int
    faulty: int
    usual: float | None
    """Good ones that this hour of the week usually brings; `None` where too little is known."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Two counts of the same thing, ours and theirs."""

    what: str
    """`clicks`, `first deposits by postback`, ..."""
    ours: float
    theirs: float
    usual: str
    """The share that is usual: `0.86-0.94`; empty where none is known yet."""
    fits: bool


@dataclass(frozen=True, slots=True)
class Backfill:
    """A stretch of the past that is being read, or that was read last."""

    first: date
    last: date
    done_days: int
    days: int
    state: str
    """running | waiting | done | cancelled | failed"""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FeedView:
    """Everything particular to a feed; the changes and the difference of its records are parts of every `TargetDetail`."""

    platform: str
    arrival: str = ""
    """`usually complete 7 h after the end of the day; last 06:12Z`."""
    unseen: str = ""
    """What nobody sees while it is blind: `€75 an hour unseen since 13:15Z`; empty while it sees."""
    quota: str = ""
    """What the platform says is left of its limit; empty where it says nothing."""
    failed: float | None = None
    """Share of the last 24 hours' pulls that brought no report."""
    throttled: int = 0
    """Times it asked for patience in the last 24 hours."""
    deliveries: tuple[DeliveryRow, ...] = ()
    """Newest first, at most 50."""
    waiting: int = 0
    """Quarantined deliveries that wait for a person."""
    restatements: tuple[RestatementRow, ...] = ()
    """Latest observed first, at most 200."""
    contract: tuple[ContractRow, ...] = ()
    """Read paths first, then by name, at most 200."""
    contract_since: datetime | None = None
    """When the oldest payload of the contract came."""
    postbacks: tuple[HourOfPostbacks, ...] = ()
    """Feeds that are pushed to us: the last 48 hours, oldest first."""
    reconciled: tuple[Reconciled, ...] = ()
    backfill: Backfill | None = None
    message: str = ""
    """What to write to the partner, ready to copy; empty while nothing is wrong."""
