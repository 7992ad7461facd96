from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from data.model.ids import CauseId, FindingId, IncidentId, TargetId, TeamId
from data.model.money import NO_LOSS, Loss
from data.model.target import TargetKind


class Severity(StrEnum):
    """SEV1 over 200 an hour or compliance, SEV2 50 to 200, SEV3 below 50, SEV4 blind or hygiene."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"


MERGED = "merged into #"
"""How the reason of an incident begins that became part of another."""


class IncidentState(StrEnum):
    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Finding:
    """An open or closed abnormal condition of one target."""

    id: FindingId
    target: TargetId
    team: TeamId
    kind: TargetKind
    cause: CauseId
    opened_at: datetime
    """When the condition began, as well as we can tell: the first failing observation."""
    detected_at: datetime
    """When it was confirmed."""
    detail: str = ""
    blame: str = ""
    fingerprint: dict[str, str] = field(default_factory=dict)
    """What may be shared with other findings: `edge`, `ip`, `host`, `partner`, `tracker`, `issuer`."""
    closed_at: datetime | None = None
    incident: IncidentId | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """One or more findings with one common cause."""

    id: IncidentId
    team: TeamId
    """Owner; `*` when the cause is shared by several teams."""
    teams: tuple[TeamId, ...]
    """Every team that has a member in it: who may see it."""
    cause: CauseId
    severity: Severity
    state: IncidentState
    title: str
    where: str
    """Short place for lists: the target, or the upstream and how many."""
    blame: str
    owner_role: str
    started_at: datetime
    detected_at: datetime
    members: int = 1
    """Distinct targets that ever belonged."""
    open_members: int = 1
    reason: str = ""
    """Why these findings are one incident."""
    loss: Loss = NO_LOSS
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""
    updated_at: datetime | None = None
    upstream: str = ""
    """What they share, `label=value` (`edge=Halyard Edge`); empty for one target."""
    evidence: dict[str, str] = field(default_factory=dict)
    """What speaks for the upstream and against its rivals, in words: what fails and what does not."""
    counted_in: IncidentId | None = None
    """Another incident in which part of this one's loss is counted, or all of it; `loss` is what is left."""

    @property
    def is_merged(self) -> bool:
        """It turned out to be part of another one, which its reason names; its members and its loss are counted there."""
        return self.state is IncidentState.CLOSED and self.reason.startswith(MERGED)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of an incident's story; immutable."""

    incident: IncidentId
    at: datetime
    who: str
    """A principal, or `losswatch`."""
    what: str
    """Past tense, one sentence."""
