"""Notices: what was said to whom about which incidents, and what became of it; and what people asked not to be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from data.model.ids import CauseId, IncidentId, TeamId
from data.model.incident import IncidentState, Severity

LATE = timedelta(minutes=10)
"""What was delivered so long after it was due to be said is marked late."""


class NoticeKind(StrEnum):
    OPENING = "opening"
    UPDATE = "update"
    """Something told before got worse, or more joined it."""
    REPEAT = "repeat"
    """Nothing new, and it is still open."""
    ESCALATION = "escalation"
    """Nobody acknowledged it in time."""
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    """Nothing that the receiver was told of is open any longer."""
    HANDOVER = "handover"
    TRIAL = "trial"
    """Somebody tried a channel out."""


class NoticeState(StrEnum):
    WAITING = "waiting"
    CLAIMED = "claimed"
    """A sender has it until its lease ends."""
    SENT = "sent"
    DEAD = "dead"
    """Given up; `problem` says why."""


@dataclass(frozen=True, slots=True)
class Told:
    """One incident as a receiver is told of it: already without what they may not see."""

    incident: IncidentId
    state: IncidentState
    severity: Severity
    cause: CauseId
    title: str
    where: str
    team: TeamId
    owner: str
    started_at: datetime
    detected_at: datetime
    members: int = 1
    money: str = ""
    """What it costs, in the words the receiver may read; empty where nothing may be said."""
    by: str = ""
    """Who has it, or who closed it."""
    closed_at: datetime | None = None
    merged: str = ""
    """`merged into #5: why`, where it became part of another."""
    labels: dict[str, str] = field(default_factory=dict)
    """What it can be matched by: `partner`, `geo`, `project`; several values with commas."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one channel. Its words are made from `told` when it is sent."""

    id: str
    kind: NoticeKind
    channel: str
    teams: tuple[TeamId, ...]
    """Whose incidents it is about: who may see that it was sent."""
    incidents: tuple[IncidentId, ...]
    """Those in `told`."""
    told: tuple[Told, ...]
    group: str
    """What was put together: messages of one group reach a channel in order."""
    route: str
    """Which rule sent it here, `losswatch.toml:41`."""
    receiver: str
    """Who was meant: a channel, a person, or a rota and who was on call."""
    created_at: datetime
    due_at: datetime
    """Not tried before."""
    state: NoticeState = NoticeState.WAITING
    text: str = ""
    """Of a hand-over note, which tells more than incidents."""
    step: int = 0
    """Of an escalation: how far up the chain, from 1."""
    attempts: int = 0
    repeated: bool = False
    """It may have arrived before: a sender ended, or waited in vain for the answer, after it had begun."""
    worker: str = ""
    until: datetime | None = None
    """End of the lease."""
    sent_at: datetime | None = None
    problem: str = ""
    """Why the last attempt in vain failed; kept when a later one did not."""
    instead_of: str = ""
    """The notice that its own channel did not take."""
    failed_at: datetime | None = None
    """When its channel did not take it for the first time."""
    tried_at: datetime | None = None
    """When it was last tried in vain."""

    @property
    def is_over(self) -> bool:
        return self.state in {NoticeState.SENT, NoticeState.DEAD}

    def is_late(self, now: datetime) -> bool:
        return self.state is not NoticeState.DEAD and (self.sent_at or now) - self.created_at > LATE


@dataclass(frozen=True, slots=True)
class Mute:
    """Nothing new is said of what matches until it ends; what is over is always said."""

    id: str
    teams: tuple[TeamId, ...]
    """Teams of whoever asked for it; `*` is every team. It never reaches further."""
    matchers: dict[str, str]
    """Label to value, all of which must hold; `incident` for one alone."""
    reason: str
    who: str
    starts_at: datetime
    ends_at: datetime

    def is_active(self, now: datetime) -> bool:
        return self.starts_at <= now < self.ends_at


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """How a channel does."""

    name: str
    kind: str
    waiting: int
    late: int
    dead: int
    problem: str = ""
    """Why the last attempt failed; empty when it did not."""


@dataclass(frozen=True, slots=True)
class NoticePage:
    """A window of what was said, newest first, with the totals of what a reader may see."""

    total: int
    rows: tuple[Notice, ...]
    now: datetime
    counts: dict[str, int] = field(default_factory=dict)
    channels: tuple[ChannelRow, ...] = ()
    mutes: tuple[Mute, ...] = ()
