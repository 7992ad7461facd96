"""From the revenue book to the board: alarms take the way of every observation, slices become rows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.revenue.alarm import Alarm, detail_of, observation
from data.model.codec import from_json, to_json
from data.model.fact import Baseline
from data.model.ids import TeamId
from data.model.money import cents
from data.model.observation import NO_CAUSE
from data.model.snapshot import TargetRow
from data.model.state import State
from data.model.target import Target, TargetKind, name_of, target_id

if TYPE_CHECKING:
    from datetime import datetime

    from checks.hub.hub import Hub
    from checks.revenue.views import SliceView
    from data.model.ids import IncidentId


ALARMS = target_id(TargetKind.SLICE, "")
"""Under which the open alarms are remembered across a restart."""


@dataclass(slots=True)
class Revenue:
    """Ticks the book off the loop and carries the result to the board and the intake."""

    hub: Hub
    waiting: tuple[str, ...] = ()
    """Calm lines: whose report is still awaited."""
    ready: bool = False
    """The book has looked at its facts at least once."""
    alarmed: dict[str, Alarm] = field(default_factory=dict)
    """Open alarms by id."""

    def resume(self, kept: bytes) -> None:
        """Take up the alarms that were open when the hub last ran."""
        alarms = from_json(kept, tuple[Alarm, ...])
        self.alarmed = {alarm.id: alarm for alarm in alarms}
        self.hub.book.resume(alarms)

    async def tick(self) -> None:
        """Score every slice as of now, but for what known incidents account for."""
        now, board = self.hub.clock.now(), self.hub.board
        self.hub.book.explain(self.hub.recent.explained(now))
        tick = await asyncio.to_thread(self.hub.book.tick, now)
        self.waiting, self.ready = tick.waiting, True
        for alarm in tick.alarms:
            if alarm.target not in board.targets:
                board.put_target(Target(alarm.target, TargetKind.SLICE, alarm.team, name_of(alarm.target)))
        told = [observation(alarm, now) for alarm in tick.alarms]
        told += [
            observation(replace(before, status="withdrawn"), now)
            for alarm in tick.alarms
            if (before := self.alarmed.get(alarm.id)) and before.target != alarm.target
        ]  # an alarm that settled on another slice is over where it was
        self.alarmed = {alarm.id: alarm for alarm in tick.alarms if alarm.status == "open"}
        if told:
            kept = Baseline(ALARMS, TeamId(""), now, to_json(tuple(self.alarmed.values())))
            await self.hub.intake.take(told, [kept])
        board.slice_rows = {
            view.target: slice_row(view, now, board.incident_of.get(view.target)) for view in tick.slices
        }
        for view in tick.slices:
            board.strips[TargetKind.SLICE].add(view.target, now, board.slice_rows[view.target].state)
        board.touch()


def slice_row(view: SliceView, now: datetime, incident: IncidentId | None) -> TargetRow:
    """One line of the revenue list. Without history or a report nothing can be said, and the line says that."""
    alarm = view.alarm
    if alarm:
        state, detail = State.FAILING, detail_of(alarm)
    elif not view.known:
        state, detail = State.UNKNOWN, "no report of a recent hour yet, or too little history"
    else:
        state, detail = State.OK, _share(view)
    return TargetRow(
        target=view.target,
        kind=TargetKind.SLICE,
        team=view.team,
        name=" ".join(view.slice.values()) or "everything",
        state=state,
        cause=alarm.cause if alarm else NO_CAUSE,
        detail=detail,
        since=alarm.start if alarm else None,
        last_at=now,
        geo=view.slice.get("geo", ""),
        partner=view.slice.get("partner", ""),
        offer=view.slice.get("offer", ""),
        site=view.slice.get("site", ""),
        tier=1 if set(view.slice) == {"partner"} else 2,
        value=view.revenue_per_hour,
        expected=view.expected_per_hour,
        loss_per_hour=cents(alarm.loss.per_hour) if alarm else None,
        trend=view.trend,
        incident=incident,
    )


def _share(view: SliceView) -> str:
    if view.expected_per_hour <= 0:
        return "no clicks"
    return f"{view.revenue_per_hour / view.expected_per_hour:.0%} of expected"
