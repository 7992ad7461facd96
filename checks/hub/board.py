from __future__ import annotations

from array import array
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from checks.hub.filters import seen_words
from checks.hub.ranking import Ranking
from checks.hub.strips import Strips
from checks.hub.uptime import Uptime
from checks.incidents.census import Census, mark_of
from checks.incidents.labels import WEB, labels_of
from data.model.cause import cause
from data.model.observation import TargetState
from data.model.snapshot import LogLine, StateCount, TargetRow
from data.model.state import State
from data.model.target import Target, TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from decimal import Decimal

    from data.model.ids import IncidentId, TargetId, TeamId
    from data.model.observation import Observation
    from data.model.principal import Scope

NO_RESULTS = cause("page.no_results")
RECENT = 32
"""Latencies kept per target for the percentiles of a list."""

SPANS = {
    TargetKind.SITE: (60.0, "60 min"),
    TargetKind.LINK: (60.0, "60 min"),
    TargetKind.PARSER: (1440.0, "24 h"),
    TargetKind.FEED: (1440.0, "24 h"),
    TargetKind.SLICE: (1440.0, "24 h"),
}
"""Seconds of one strip bucket and what 60 of them span, by kind."""


@dataclass(slots=True)
class Board:
    """What is true now of every target, in memory: the store keeps it, nobody reads it from there while we run."""

    targets: dict[TargetId, Target] = field(default_factory=dict)
    states: dict[TargetId, TargetState] = field(default_factory=dict)
    incident_of: dict[TargetId, IncidentId] = field(default_factory=dict)
    loss_of: dict[TargetId, Decimal] = field(default_factory=dict)
    """Money lost per hour, by target, as last priced."""
    next_at: dict[TargetId, datetime] = field(default_factory=dict)
    slice_rows: dict[TargetId, TargetRow] = field(default_factory=dict)
    """Slices have no check of their own: their rows come whole from the revenue tick."""
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=50))
    log_teams: deque[TeamId] = field(default_factory=lambda: deque(maxlen=50))
    """Owner of each log line, in step with `log`; an empty team is everybody's."""
    version: int = 0
    unwritten: set[TargetId] = field(default_factory=set)
    """Targets whose state moved on since it was last written."""
    strips: dict[TargetKind, Strips] = field(
        default_factory=lambda: {kind: Strips(bucket_s) for kind, (bucket_s, _) in SPANS.items()}
    )
    census: Census = field(default_factory=Census)
    """Sites and links by what they share."""
    ranking: Ranking = field(init=False)
    uptime: Uptime = field(default_factory=Uptime)
    doubted_parsers: set[TargetId] = field(default_factory=set)
    """Those that fail, also once only; asked for with every run of thousands of them."""
    _latency: dict[TargetId, array[float]] = field(default_factory=dict)
    _counts: Counter[tuple[TargetKind, TeamId, State]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """The ranking looks at the targets, whose dictionary stays the same."""
        self.ranking = Ranking(self.targets)

    def touch(self) -> None:
        self.version += 1

    def say(self, at: datetime, kind: str, who: str, text: str, team: TeamId) -> None:
        """Add a line to the log; `team` decides who reads it."""
        self.log.append(LogLine(at, kind, who, text))
        self.log_teams.append(team)
        self.touch()

    def put_target(self, target: Target) -> None:
        """Add or replace a target; its state survives a change of configuration."""
        self.targets[target.id] = target
        self.ranking.changed()
        before = self.states.get(target.id)
        known = before or TargetState(target.id, target.team, target.kind)
        state = State.PAUSED if target.paused else State.UNKNOWN if known.state is State.PAUSED else known.state
        if state is not known.state or known.team != target.team:
            known = replace(known, state=state, team=target.team)
        if known is not before:
            self.put_state(known)
        self.touch()
        if target.kind in WEB:
            fresh = known.target not in self.census or target.paused
            self.census.put(target.id, labels_of(target, known.traits), mark_of(known) if fresh else None)

    def remove_target(self, target_id: TargetId) -> None:
        target = self.targets.pop(target_id, None)
        state = self.states.pop(target_id, None)
        if state:
            self._counts[state.kind, state.team, state.state] -= 1
            self.ranking.gone(state)
        if target:
            self.strips[target.kind].forget(target_id)
        for known in (self._latency, self.incident_of, self.loss_of, self.next_at):
            known.pop(target_id, None)
        self.census.forget(target_id)
        self.uptime.forget(target_id)
        self.doubted_parsers.discard(target_id)
        self.touch()

    def put_state(self, state: TargetState) -> None:
        old = self.states.get(state.target)
        if old:
            self._counts[old.kind, old.team, old.state] -= 1
            if old.state is not state.state:
                self.uptime.moved(old, state)
        self._counts[state.kind, state.team, state.state] += 1
        self.ranking.moved(state, old)
        self._doubt(state)
        self.states[state.target] = state
        self.unwritten.add(state.target)
        self.touch()

    def recount(self) -> None:
        """Count anew from the states; needed once, after they were read back whole."""
        self._counts = Counter((state.kind, state.team, state.state) for state in self.states.values())
        self.ranking = Ranking(self.targets)
        for state in self.states.values():
            self.ranking.moved(state, None)
            self._doubt(state)
        self.touch()

    def _doubt(self, state: TargetState) -> None:
        """A parser that fails is not believed; a query that truly has no results is: the page was read as it is."""
        if state.kind is not TargetKind.PARSER:
            return
        failing = state.fails or state.state is State.FAILING
        if failing and state.cause != NO_RESULTS:
            self.doubted_parsers.add(state.target)
        else:
            self.doubted_parsers.discard(state.target)

    def observed(self, observation: Observation) -> None:
        """Strips and latencies of one observation; the state comes from the life cycle."""
        self.strips[observation.kind].add(observation.target, observation.started_at, observation.state)
        if observation.total_ms is not None and observation.state is not State.UNKNOWN:
            ring = self._latency.setdefault(observation.target, array("f"))
            ring.append(observation.total_ms)
            if len(ring) > RECENT:
                del ring[0]
        self.touch()

    def fared(self, observation: Observation, before: TargetState) -> None:
        """Count a site or link by what it shares, once its state is put."""
        target, state = self.targets[observation.target], self.states[observation.target]
        if target.kind not in WEB:
            return
        if state.traits is not before.traits:
            self.census.put(target.id, labels_of(target, state.traits))
        self.census.saw(observation)

    def counts(self, kind: TargetKind, scope: Scope) -> StateCount:
        if kind is TargetKind.SLICE:
            found = Counter(row.state for row in self.slice_rows.values() if scope.sees(row.team))
        else:
            found = Counter[State]()
            for (of_kind, team, state), n in self._counts.items():
                if of_kind is kind and scope.sees(team):
                    found[state] += n
        return StateCount(**{state.value: found[state] for state in State})

    def rows(self, kind: TargetKind, scope: Scope) -> Iterator[TargetRow]:
        """Every target of a kind in scope, in no order, without its strip (see `with_strip`)."""
        if kind is TargetKind.SLICE:
            yield from (row for row in self.slice_rows.values() if scope.sees(row.team))
            return
        for target in self.targets.values():
            if target.kind is kind and scope.sees(target.team):
                yield self.row(target)

    def row(self, target: Target) -> TargetRow:
        state = self.states[target.id]
        p50, p95 = self._percentiles(target.id)
        return TargetRow(
            target=target.id,
            kind=target.kind,
            team=target.team,
            name=target.name,
            state=state.state,
            cause=state.cause,
            detail=seen_words(state),
            since=state.since,
            last_at=state.last_at,
            next_at=self.next_at.get(target.id),
            geo=target.geo,
            partner=target.partner,
            offer=target.offer,
            site=target.site,
            tier=target.tier,
            p50_ms=p50,
            p95_ms=p95,
            uptime=self.uptime.share(state, state.last_at) if state.last_at else None,
            value=state.value,
            loss_per_hour=self.loss_of.get(target.id),
            incident=self.incident_of.get(target.id),
        )

    def with_strip(self, row: TargetRow, now: datetime) -> TargetRow:
        """The row with its heat strip; made only for rows that somebody sees."""
        every = self.targets[row.target].interval_s if row.target in self.targets else 0.0
        return replace(row, strip=self.strips[row.kind].read(row.target, now, every=every * 1.5))

    def find_row(self, target_id: TargetId, now: datetime) -> TargetRow | None:
        row = self.bare_row(target_id)
        return self.with_strip(row, now) if row else None

    def bare_row(self, target_id: TargetId) -> TargetRow | None:
        """As `find_row`, without the strip."""
        target = self.targets.get(target_id)
        return self.slice_rows.get(target_id) or (self.row(target) if target else None)

    def worst(self, kind: TargetKind, scope: Scope, limit: int) -> list[TargetRow]:
        """The first `limit` rows, worst first; all of the slices, in no order."""
        if kind is TargetKind.SLICE:
            return list(self.rows(kind, scope))
        return [self.row(target) for target in islice(self.ranking.worst_first(kind, scope, self.loss_of), limit)]

    def _percentiles(self, target_id: TargetId) -> tuple[float | None, float | None]:
        ring = self._latency.get(target_id)
        if not ring:
            return None, None
        ordered = sorted(ring)
        return ordered[len(ordered) // 2], ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]


def restore_strips(board: Board, strips: dict[TargetId, str], until: datetime) -> None:
    """Put strips read from the store back, so that a restart does not blank the screen."""
    for target_id, strip in strips.items():
        target = board.targets.get(target_id)
        if target:
            board.strips[target.kind].restore(target_id, until, strip)


def strip_window(kind: TargetKind, now: datetime) -> tuple[datetime, float]:
    """(since, bucket seconds) of the strip that ends now."""
    bucket_s, _ = SPANS[kind]
    return now - timedelta(seconds=bucket_s * 60), bucket_s


def visible_log(board: Board, scope: Scope) -> tuple[LogLine, ...]:
    pairs: Iterable[tuple[LogLine, TeamId]] = zip(board.log, board.log_teams, strict=True)
    return tuple(line for line, team in pairs if not team or scope.sees(team))
