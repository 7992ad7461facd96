from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.hub.keeping import as_stored
from checks.incidents.lifecycle import advance
from data.model.ids import TeamId
from data.model.state import State
from data.model.target import name_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from checks.engine.clock import Clock
    from checks.hub.board import Board
    from checks.hub.keeping import Keeping
    from checks.hub.recent import Recent
    from checks.incidents.change import Change
    from checks.incidents.desk import IncidentDesk
    from data.model.ids import TargetId
    from data.model.observation import Observation, TargetState
    from data.store.tables import Record


@dataclass(slots=True)
class Intake:
    """The way of an observation: life cycle, findings, incidents, and one durable batch for all of it.

    1. Rewriters say what it is worth: made while our own network was down it is `unknown`, before anybody judges it.
    2. The life cycle turns it into a state, perhaps a flip, perhaps a finding opened or closed.
    3. Findings go to the incident desk.
    4. Observation, state, flip, finding and incident are written in one batch: a crash keeps all of them or none.
    """

    board: Board
    desk: IncidentDesk
    recent: Recent
    keeping: Keeping
    clock: Clock
    confirm: Callable[[TargetId, datetime], None]
    """Asks for a check of the target at that time."""
    rewriters: tuple[Callable[[Observation], Observation], ...] = ()
    """What an observation is worth, by what the hub knows beside it; each gets what the one before made of it."""
    notices: Callable[[Change], list[Record]] = lambda _: []
    """What is to be said of a change, to be stored with it."""

    def take(self, observations: Iterable[Observation], extra: Iterable[Record] = ()) -> asyncio.Future[bool]:
        """Judge and store; the future says whether all of it is durable, or waits in memory for a store that is full."""
        rows: list[Record] = list(extra)
        for observation in observations:
            for rewrite in self.rewriters:
                observation = rewrite(observation)  # noqa: PLW2901 - a chain
            rows += self._one(observation)
        return self.keeping.keep(rows)

    def _one(self, observation: Observation) -> list[Record]:
        before = self.board.states.get(observation.target)
        if before is None or observation.target not in self.board.targets:
            return []  # removed from the inventory while the check was on its way
        step = advance(before, observation, target=self.board.targets[observation.target])
        self.board.observed(observation)
        self.board.put_state(step.state)
        if step.state is not before:
            self.board.fared(observation, before)
        rows: list[Record] = [as_stored(observation, before)]
        if _worth_writing(before, step.state):
            rows.append(step.state)
            self.board.unwritten.discard(observation.target)
        if step.confirm_in_s is not None:
            self.confirm(observation.target, observation.started_at + timedelta(seconds=step.confirm_in_s))
        if step.flip:
            rows.append(step.flip)
            self._say(observation)
        now = self.clock.now()
        if step.closed:
            rows += self.settle(self.desk.close(step.closed.finding, step.closed.at))
        for finding in (step.opened, step.revised):
            if finding:
                rows += self.settle(self.desk.open(finding, now))
        return rows

    def settle(self, change: Change) -> list[Record]:
        """Take a change of the desk over to the board; returns the rows to write."""
        for finding in change.findings:
            if finding.closed_at is None and finding.incident is not None:
                self.board.incident_of[finding.target] = finding.incident
            else:
                self.board.incident_of.pop(finding.target, None)
                self.board.loss_of.pop(finding.target, None)
        for incident in change.incidents:
            if incident.closed_at:
                self.recent.closed(incident, self.desk.members(incident.id), self.clock.now())
            else:
                self.recent.reopened(incident.id)
        for entry in change.timeline:
            known = self.desk.get(entry.incident)
            team = known.team if known and known.team != "*" else ""
            self.board.say(entry.at, "incident", f"#{entry.incident}", entry.what, TeamId(team))
        self.board.touch()
        return [*change.incidents, *change.findings, *change.timeline, *self.notices(change)]

    def _say(self, observation: Observation) -> None:
        state = self.board.states[observation.target]
        words = observation.detail or observation.cause or "ok again"
        self.board.say(observation.started_at, observation.kind.value, name_of(observation.target), words, state.team)


def _worth_writing(before: TargetState, after: TargetState) -> bool:
    """Whether more changed than the time, the figures and what a healthy page shows: the periodic flush brings those."""
    if before.state is after.state is State.OK and not before.fails and not after.fails:
        return False
    return replace(before, last_at=None, last_ms=None, value=None, oks=0, traits={}) != replace(
        after, last_at=None, last_ms=None, value=None, oks=0, traits={}
    )
