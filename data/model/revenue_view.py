"""What the screen of one slice shows beside what every target has, and what the page of calibration shows.

Figures of money are `None` (or absent) for who may not see them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from data.model.ids import CauseId, IncidentId, TargetId
from data.model.money import Loss
from data.model.observation import NO_CAUSE


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One step from click to commission, since the trouble began or over the last day."""

    name: str
    """own clicks | partner clicks | registrations | FTD | commission"""
    seen: float | None
    """`None` where nobody counts it."""
    expected: float | None
    """From the calendar for own clicks, from the step before it for every other."""
    lo: float | None = None
    hi: float | None = None
    """Ends of the 80 % interval of `expected`."""
    moved: bool = False
    """Outside of what chance allows."""


@dataclass(frozen=True, slots=True)
class Funnel:
    since: datetime
    until: datetime
    steps: tuple[FunnelStep, ...] = ()
    step: str = ""
    """The first one that moved; empty where none did."""
    likely: str = ""
    """What usually moves it, in words."""
    owner: str = ""
    """Role that looks there first."""


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """What spoke for trouble at one tick: the strongest window of one channel."""

    at: datetime
    channel: str
    """ftd | regs | value | clicks"""
    window_h: int
    seen: float
    expected: float
    nats: float
    """Of the counts alone."""
    prior_nats: float = 0.0
    """What failing links, silent postbacks and the like added."""
    why: str = ""
    """Where the prior came from, and what was left out of the window (late reports, holidays), in words."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a moment of the series."""

    at: datetime
    kind: str
    """alarm | incident | deploy | holiday | sport | promotion | restated"""
    text: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReportRow:
    """How one partner's reports of a slice come in."""

    partner: str
    covered: datetime | None
    """Up to which hour every report is here."""
    last_at: datetime | None
    usual_h: float
    """Hours from the end of an hour to its report, median."""
    waiting: bool = False
    """Later than they usually are."""


@dataclass(frozen=True, slots=True)
class PartRow:
    """One part of a slice: the same slice with one more dimension fixed."""

    target: TargetId
    dim: str
    value: str
    seen: float | None
    """Commission over the time in question."""
    expected: float | None
    share: float | None
    """FTD seen over FTD expected; `None` where too few are expected to say."""
    nats: float
    lost: Decimal | None = None
    """Negative parts (more than expected) are shown as they are."""


@dataclass(frozen=True, slots=True)
class RevenueView:
    """A slice: its evidence, its funnel, its parts, and how soon it can say anything."""

    slice: dict[str, str]
    since: datetime
    until: datetime
    """The time `parts` and `funnel` are about: since the alarm began, or the last day."""
    cause: CauseId = NO_CAUSE
    """Of the open alarm."""
    nats: float = 0.0
    page_nats: float = 0.0
    odds: str = ""
    """`22,000 to 1`: how much likelier what is seen is with a failure than without."""
    loss: Loss | None = None
    counted_in: IncidentId | None = None
    """The incident that already counts this loss; its own shows none."""
    fires_after_h: float | None = None
    """Hours of silence from now until an alarm; `None`: not within a week."""
    common: float = 1.0
    """What moves everybody now: 0.6 on a holiday."""
    funnel: Funnel | None = None
    evidence: tuple[EvidenceRow, ...] = ()
    """Newest first."""
    marks: tuple[Mark, ...] = ()
    reports: tuple[ReportRow, ...] = ()
    parts: tuple[PartRow, ...] = ()
    """By dimension not fixed yet, most lost first, a few of each."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A slice whose evidence is between the watch line and the page line."""

    target: TargetId
    slice: dict[str, str]
    channel: str
    nats: float
    seen: float
    expected: float
    since: datetime
    per_hour: Decimal | None = None
    """What it would cost."""


@dataclass(frozen=True, slots=True)
class Held:
    """How often something that was foretold held."""

    name: str
    of: int
    held: int
    aim: float
    """Share that should hold, 0..1."""


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One alarm in the book of all of them."""

    id: str
    target: TargetId
    cause: CauseId
    detected_at: datetime
    start: datetime
    end: datetime | None
    status: str
    """open | closed | withdrawn"""
    nats: float
    first: Decimal | None
    """What it cost by the loss per hour first estimated two hours or more after detection, over the time it lasted..."""
    first_lo: Decimal | None
    first_hi: Decimal | None
    last: Decimal | None
    """...and by what is known now, late reports included."""
    verdict: str = ""
    """What people said of it: `confirmed` | `false` | `not ours` | empty."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether the detector keeps its word, over some days."""

    since: date
    until: date
    raised: int = 0
    withdrawn: int = 0
    bands: tuple[Held, ...] = ()
    """The 80 % band of ordinary days, by partner and for all together."""
    intervals: Held | None = None
    """First loss intervals that hold what was known in the end."""
    alarms: tuple[AlarmRow, ...] = field(default_factory=tuple)
    """Newest first, at most 200."""
