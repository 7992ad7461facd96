"""What partners deliver, as events: one pull, one figure that moved afterwards, one postback."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from data.model.ids import CauseId, PartnerId, TeamId


class Outcome(StrEnum):
    """What became of a delivery."""

    STORED = "stored"
    QUARANTINED = "quarantined"
    """Its bodies are kept; none of its figures is."""
    RELEASED = "released"
    """It was quarantined; its figures were stored since, read anew or as they are."""
    SUPERSEDED = "superseded"
    """It was quarantined; a later delivery of the same days was fine."""
    FAILED = "failed"
    """No report came."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One pull of a feed: the bodies that came, and what became of them. Kept when it differs from the one before."""

    feed: str
    team: TeamId
    at: datetime
    """When it was asked for; with `feed` its key."""
    first: date
    last: date
    """Days asked for, inclusive, in the partner's zone."""
    payloads: tuple[str, ...]
    """Hashes of its bodies, in the order they came."""
    rows: int
    outcome: Outcome
    cause: CauseId
    """Empty when stored without a word."""
    detail: str
    decided_at: datetime | None = None
    decided_by: str = ""
    """Who released it: a person, or `hub`."""


class RestatedAs(StrEnum):
    """Why a figure of a closed day moved."""

    LATE_DATA = "late_data"
    """Risen while the day was still settling."""
    CORRECTION = "correction"
    """Moved within what this partner usually moves."""
    CLAW_BACK = "claw_back"
    """Lowered beyond it."""
    DELETION = "deletion"
    """Its rows are no longer delivered."""
    UNIT_CHANGE = "unit_change"
    """Moved by a power of ten, or by a currency's rate."""
    DEFINITION_CHANGE = "definition_change"
    """One figure moved on every day by the same share, the figures beside it did not."""


@dataclass(frozen=True, slots=True)
class Restatement:
    """One figure of one day that a partner changed after it had delivered it, summed over the day's dimensions."""

    feed: str
    team: TeamId
    partner: PartnerId
    day: date
    currency: str
    measure: str
    was: Decimal
    now: Decimal
    rows: int
    """Keys of the day whose figure differs."""
    kind: RestatedAs
    age_days: int
    """Days between the end of the day and the change."""
    observed_at: datetime
    payload_was: str
    """Hash of the body that said `was`."""
    payload_now: str
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    reference: str = ""
    """The dispute's number, where a person gave one."""

    @property
    def delta(self) -> Decimal:
        return self.now - self.was


@dataclass(frozen=True, slots=True)
class Postback:
    """One call of a partner about one player's step, as received; ids are hashes, for they belong to people."""

    feed: str
    team: TeamId
    partner: PartnerId
    received_at: datetime
    at: datetime | None
    """When the partner says it happened."""
    event: str
    """registration | ftd | qftd | deposit | rejected | ..., in our words; foreign words where we have none."""
    click: str
    """Hash of the click id; empty when none came."""
    transaction: str
    """Hash of the partner's own id of the event; empty when none came."""
    amount: Decimal | None
    currency: str
    fault: str = ""
    """macro | empty | duplicate | unreadable; empty when it is good."""
