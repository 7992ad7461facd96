"""The Overview, the lists and the incidents as they were at an earlier moment, from the store alone.

States come from the changes of state, words and figures from the last observation before the moment, incidents from their
findings and timeline. Two things are of today: the inventory, and what the revenue book knows of that time by now, with
all late reports in; the screen says so.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from checks.hub.board import Board, restore_strips, strip_window
from checks.hub.past_slices import slice_rows_at
from checks.hub.uptime import SPAN
from checks.hub.views import Views
from checks.incidents.history import as_of, by_incident, findings_as_of
from data.model.cause import words_of
from data.model.health import HubHealth
from data.model.ids import TeamId
from data.model.incident import IncidentState
from data.model.money import NO_LOSS, ZERO
from data.model.observation import TargetState
from data.model.principal import EVERYTHING
from data.model.state import State
from data.model.target import Target, TargetKind, name_of
from data.store import findings, flips, incidents, observations, timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from checks.hub.hub import Hub
    from checks.hub.sharing import Taken
    from data.model.ids import IncidentId
    from data.model.incident import Finding, Incident, TimelineEntry
    from data.model.observation import Flip, Observation
    from data.model.principal import Scope

KEPT = 8
"""Moments that are remembered: who steps through an hour comes back to them."""
LOOK_BACK = timedelta(hours=3)
"""Within which the last observation before the moment tells how a target was."""
_LOG = timedelta(hours=6)
_LINES = 50
_CLOCKWORK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Stopped:
    """A clock that stands."""

    at: datetime
    speed: float = 1.0

    def now(self) -> datetime:
        return self.at


@dataclass(slots=True)
class Moment:
    """What was true at one moment: stands where the desk and the list of lately ended incidents do for the present."""

    at: datetime
    board: Board
    incidents: dict[IncidentId, Incident]
    """As they were, priced; ended ones of the day among them."""
    findings: Mapping[IncidentId, Sequence[Finding]]
    told: Mapping[IncidentId, Sequence[TimelineEntry]]
    views: Views = field(init=False)

    @property
    def open_incidents(self) -> list[Incident]:
        return [one for one in self.incidents.values() if one.state is not IncidentState.CLOSED]

    def get(self, number: IncidentId) -> Incident | None:
        return self.incidents.get(number)

    def members(self, number: IncidentId) -> Sequence[Finding]:
        return self.findings.get(number, ())

    def lost_since(self, midnight: datetime, scope: Scope) -> Decimal:
        ended = [one for one in self.incidents.values() if one.closed_at is not None and one.closed_at >= midnight]
        return sum((one.loss.lost for one in ended if any(map(scope.sees, one.teams))), ZERO)


@dataclass(slots=True)
class Past:
    """Makes moments, one after the other: each is a few queries over all targets."""

    hub: Hub
    _kept: OrderedDict[datetime, Moment] = field(default_factory=OrderedDict)
    _gate: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def at(self, moment: datetime) -> Moment:
        """The end of the second that somebody names, for what a screen says of a second is part of it; at most now."""
        moment = min(moment.replace(microsecond=999_999), self.hub.clock.now())
        async with self._gate:
            if moment not in self._kept:
                self._kept[moment] = await asyncio.to_thread(self._made, moment)
            self._kept.move_to_end(moment)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return self._kept[moment]

    def _made(self, at: datetime) -> Moment:
        store, midnight = self.hub.store, at.replace(hour=0, minute=0, second=0)
        rows = incidents.around(store, EVERYTHING, at, max(at - midnight, SPAN))
        numbers = [one.id for one in rows]
        found = by_incident(findings_as_of(findings.of_incidents(store, EVERYTHING, numbers), at))
        told: dict[IncidentId, list[TimelineEntry]] = {number: [] for number in numbers}
        for entry in timeline.of_incidents(store, EVERYTHING, numbers):
            told[entry.incident].append(entry)
        then = [one for row in rows if (one := as_of(row, found.get(row.id, ()), told[row.id], at))]
        board = self._board(at)
        moment = Moment(at, board, {}, found, told)
        running = [(one, found.get(one.id, ())) for one in then if one.state is not IncidentState.CLOSED]
        taken = self.hub.pricing.share_out(running)
        for incident in then:
            members = found.get(incident.id, ())
            moment.incidents[incident.id] = self._priced(incident, members, board, at, taken.get(incident.id, ()))
            if incident.state is not IncidentState.CLOSED:
                board.incident_of.update(
                    {one.target: incident.id for one in found.get(incident.id, ()) if one.closed_at is None}
                )
        self._say(board, at, then, told)
        moment.views = Views(
            board=board,
            desk=moment,
            clock=Stopped(at, self.hub.clock.speed),
            settings=lambda: self.hub.settings,
            health=HubHealth,
            waiting=tuple,
            next_due=lambda: None,
            recent=moment,
            pid=self.hub.views.pid,
        )
        return moment

    def _priced(
        self, incident: Incident, members: Sequence[Finding], board: Board, at: datetime, taken: Sequence[Taken]
    ) -> Incident:
        """What today's book says that it had cost by then. Of what is too long ago for the book only ended ones have a price."""
        price = self.hub.pricing.price(incident, members, at, taken)
        if price.loss != NO_LOSS or price.counted_in is not None:
            board.loss_of.update(price.shares)
            return replace(incident, loss=price.loss, counted_in=price.counted_in)
        if incident.closed_at is not None:
            return incident
        return replace(incident, loss=replace(NO_LOSS, currency=incident.loss.currency), counted_in=None)

    def _board(self, at: datetime) -> Board:
        board, store = Board(), self.hub.store
        held = flips.states_at(store, EVERYTHING, at)
        seen = observations.newest(store, EVERYTHING, at - LOOK_BACK, at)
        for target in self._targets(held.values()):
            board.targets[target.id] = target
            board.states[target.id] = _state(target, held.get(target.id), seen.get(target.id), at)
        board.recount()
        board.uptime.restore(flips.between(store, EVERYTHING, at - SPAN, at, 200_000), at - SPAN)
        for kind in TargetKind:
            since, bucket_s = strip_window(kind, at)
            restore_strips(board, observations.buckets(store, EVERYTHING, since, at, bucket_s, kind=kind), at)
        board.slice_rows = slice_rows_at(self.hub, at)
        board.version = int(at.timestamp())
        return board

    def _targets(self, held: Iterable[Flip]) -> Iterable[Target]:
        """Today's inventory, and the slices that had a state."""
        yield from self.hub.settings.targets
        for flip in held:
            if flip.target.startswith(f"{TargetKind.SLICE}:"):
                yield Target(flip.target, TargetKind.SLICE, flip.team, name_of(flip.target))

    def _say(
        self, board: Board, at: datetime, then: Sequence[Incident], told: Mapping[IncidentId, Sequence[TimelineEntry]]
    ) -> None:
        """The log as it ended at the moment: changes of state, and what was told of the incidents."""
        lines = [
            (flip.at, flip.target.partition(":")[0], name_of(flip.target), words_of(flip.cause) if flip.cause else "ok again", str(flip.team))
            for flip in flips.between(self.hub.store, EVERYTHING, at - _LOG, at, 200_000)
        ]  # fmt: skip
        for incident in then:
            team = str(incident.team) if incident.team != "*" else ""
            lines += [
                (entry.at, "incident", f"#{entry.incident}", entry.what, team)
                for entry in told[incident.id]
                if at - _LOG <= entry.at <= at
            ]
        for line in sorted(lines, key=lambda one: one[0])[-_LINES:]:
            board.say(*line[:4], TeamId(line[4]))


def _state(target: Target, flip: Flip | None, seen: Observation | None, at: datetime) -> TargetState:
    """Of the last change of state before the moment, with the words and figures of the last look before it."""
    held = flip.new if flip else State.PAUSED if target.paused else State.OK if seen else State.UNKNOWN
    known = TargetState(target.id, target.team, target.kind, held)
    if flip is not None and flip.at <= at:
        known = replace(known, cause=flip.cause, since=flip.at, detail=flip.reason)
    if seen is None:
        return known
    same = seen.state is held and (flip is None or seen.started_at >= flip.at - _CLOCKWORK)
    return replace(
        known,
        last_at=seen.started_at,
        last_ms=seen.total_ms,
        value=seen.value,
        blame=seen.blame if same else "",
        cause=seen.cause if same else known.cause,
        detail=seen.detail if same else known.detail,
        evidence=seen.evidence if same else {},
    )
