from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from data.model.cause import state_of
from data.model.ids import CauseId, TargetId, TeamId
from data.model.money import NO_LOSS, Loss
from data.model.observation import Observation
from data.model.state import State
from data.model.target import TargetKind, target_id

if TYPE_CHECKING:
    from collections.abc import Mapping

ORDER = ("partner", "offer", "geo", "site", "team")


_MARKS = str.maketrans({"%": "%25", ",": "%2C"})


def slice_target(where: Mapping[str, str]) -> TargetId:
    """`slice:partner=P02,geo=DE`: fixed dimensions only, in a constant order; commas within a name are escaped."""
    fixed = (f"{dim}={where[dim].translate(_MARKS)}" for dim in ORDER if dim in where)
    return target_id(TargetKind.SLICE, ",".join(fixed))


def slice_of(target: TargetId) -> dict[str, str]:
    """The dimensions a slice's id fixes."""
    pairs = (part.partition("=") for part in target.partition(":")[2].split(",") if part)
    return {dim: unquote(value) for dim, _, value in pairs}


@dataclass(frozen=True, slots=True)
class Alarm:
    """Money missing from one slice, as known at `updated_at`; the id stays while everything else may be corrected."""

    id: str
    channel: str
    """What gave the evidence: ftd | regs | value | clicks."""
    cause: CauseId
    slice: dict[str, str]
    team: TeamId
    """The one team of the slice's leaves, `*` for several."""
    detected_at: datetime
    updated_at: datetime
    start: datetime
    """Estimated from the evidence."""
    end: datetime | None
    """`None` while it goes on."""
    status: str
    """open | closed | withdrawn"""
    nats: float
    observed: float
    """Events seen since the start, in the channel's unit."""
    expected: float
    loss: Loss = NO_LOSS
    prior_nats: float = 0.0
    """Part of `nats` that other checks lent (`checks.revenue.belief`)."""
    window_h: int = 0
    """Length of the window in which it first stood out."""
    why: str = ""
    """Where the prior came from and what was left out of the window, in words."""

    @property
    def share(self) -> float:
        """Observed over expected."""
        return self.observed / self.expected if self.expected > 0 else 1.0

    @property
    def target(self) -> TargetId:
        return slice_target(self.slice)


_UNIT = {"ftd": "FTD", "regs": "registrations", "value": "worthless FTD", "clicks": "own clicks"}
_CAUSE = {"value": CauseId("revenue.value"), "clicks": CauseId("revenue.traffic")}


def cause_of(channel: str, share: float, lasted_h: float) -> CauseId:
    """The name of what is seen: conversions worth nothing, none, fewer all the time, or fewer at once."""
    if channel in _CAUSE:
        return _CAUSE[channel]
    if share <= 0.05:
        return CauseId("revenue.silence")
    return CauseId("revenue.leak" if share > 0.4 and lasted_h >= 72 else "revenue.drop")


_COUNTED = re.compile(r"(?P<seen>\d[\d,]*) (?P<unit>[A-Za-z ]+), (?P<due>\d[\d,]*(?:\.\d+)?) expected")


@dataclass(frozen=True, slots=True)
class Counted:
    """How much of what was due came, and of what."""

    unit: str
    share: float


def detail_of(alarm: Alarm) -> str:
    """One sentence: `0 of 12.4 expected registrations since 06:00Z`."""
    seen = f"{alarm.observed:,.0f} {_UNIT[alarm.channel]}, {alarm.expected:,.1f} expected"
    return f"{seen} since {alarm.start:%m-%d %H:%MZ}"


def counted(detail: str) -> Counted | None:
    """What such a sentence says; `None` for any other."""
    match = _COUNTED.match(detail)
    if match is None or not (due := float(match["due"].replace(",", ""))):
        return None
    return Counted(match["unit"], float(match["seen"].replace(",", "")) / due)


def observation(alarm: Alarm, now: datetime) -> Observation:
    """What the slice's state machine is told: failing while the alarm is open, ok once it is not."""
    is_open = alarm.status == "open"
    evidence = {dim: value for dim, value in alarm.slice.items() if dim != "team"}
    evidence |= {"began_at": alarm.start.isoformat(), "alarm": alarm.id, "nats": f"{alarm.nats:.1f}"}
    return Observation(
        target=alarm.target,
        team=alarm.team,
        kind=TargetKind.SLICE,
        started_at=now,
        state=state_of(alarm.cause) if is_open else State.OK,
        cause=alarm.cause if is_open else CauseId(""),
        detail=detail_of(alarm) if is_open else ("data arrived late" if alarm.status == "withdrawn" else "as expected"),
        value=alarm.share,
        blame=alarm.slice.get("partner", ""),
        evidence=evidence,
    )
