"""The Overview and the lists, made from the board for one scope. Nothing here waits for the store."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from checks.hub.board import SPANS, Board, visible_log
from checks.hub.filters import KINDS, sort_rows
from checks.hub.lists import Asked, Lists
from data.access.redaction import redact_incident, redact_row, redact_words
from data.errors import UsageError
from data.model.incident import IncidentState, Severity
from data.model.money import ZERO
from data.model.principal import MoneyRight
from data.model.snapshot import PROTOCOL, Hello, IncidentCount, IncidentPage, ListPage, Pane, Snapshot
from data.model.target import TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from decimal import Decimal

    from data.config.settings import Settings
    from data.model.health import HubHealth
    from data.model.incident import Incident
    from data.model.principal import Principal, Scope

VERSION = "0.1.0"
PANE_ROWS = 12
_WORD = re.compile(r"[^\s,;:()]+")
PAGE_LIMIT = 1000
MOST_INCIDENTS = 200
"""A snapshot goes to every dashboard once a second: of thousands that share nothing it holds the first, and counts the rest."""
_URGENT = frozenset({Severity.SEV1, Severity.SEV2})


class Now(Protocol):
    """What tells the time."""

    @property
    def speed(self) -> float: ...

    def now(self) -> datetime: ...


class Open(Protocol):
    """What knows the incidents that are open: the desk, or a moment of the past."""

    @property
    def open_incidents(self) -> Sequence[Incident]: ...


class Ended(Protocol):
    """What knows the price of those that ended."""

    def lost_since(self, midnight: datetime, scope: Scope) -> Decimal: ...


@dataclass(slots=True)
class Views:
    """Read models for the screens."""

    board: Board
    desk: Open
    clock: Now
    settings: Callable[[], Settings]
    health: Callable[[], HubHealth]
    waiting: Callable[[], tuple[str, ...]]
    next_due: Callable[[], datetime | None]
    recent: Ended
    pid: int
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    lists: Lists = field(init=False)

    def __post_init__(self) -> None:
        """Lists look at the board."""
        self.lists = Lists(self.board)

    def hello(self, who: Principal) -> Hello:
        company = self.settings().company
        return Hello(
            protocol=PROTOCOL,
            version=VERSION,
            company=company.name,
            principal=who.name,
            role=who.role,
            teams=("*",) if who.scope.teams is None else tuple(sorted(who.scope.teams)),
            money=who.scope.money.value,
            currency=company.currency,
            pid=self.pid,
            started_at=self.started_at,
            speed=self.clock.speed,
        )

    def snapshot(self, scope: Scope) -> Snapshot:
        now, company, due = self.clock.now(), self.settings().company, self.next_due()
        every = self._open(scope)
        incidents, left = _foremost(every)
        money = scope.money is MoneyRight.FULL
        per_hour = sum((incident.loss.per_hour for incident in every), ZERO)
        lost = sum((incident.loss.lost for incident in every), ZERO) + self.recent.lost_since(
            now.replace(hour=0, minute=0, second=0, microsecond=0), scope
        )
        return Snapshot(
            version=self.board.version,
            at=now,
            company=company.name,
            currency=company.currency,
            speed=self.clock.speed,
            next_due_s=max((due - now).total_seconds(), 0.0) if due else None,
            sites=self._pane(TargetKind.SITE, scope, now),
            links=self._pane(TargetKind.LINK, scope, now),
            parsers=self._pane(TargetKind.PARSER, scope, now),
            feeds=self._pane(TargetKind.FEED, scope, now),
            slices=self._pane(TargetKind.SLICE, scope, now),
            incidents=_shown(incidents, every, scope),
            beyond=_counted(left),
            log=tuple(replace(line, text=redact_words(line.text, scope)) for line in visible_log(self.board, scope)),
            loss_per_hour=per_hour if money else None,
            lost_today=lost if money else None,
            waiting=self._calm(scope),
            health=self.health(),
        )

    def _calm(self, scope: Scope) -> tuple[str, ...]:
        """Whose report is awaited and the like, without the lines about partners that the reader's teams have nothing with."""
        lines = tuple(redact_words(line, scope) for line in self.waiting())
        if scope.teams is None or not lines:
            return lines
        settings = self.settings()
        mine = {str(feed.partner) for feed in settings.feeds if scope.sees(feed.team)}
        mine |= {row.partner for row in self.board.slice_rows.values() if scope.sees(row.team)}
        others = {str(partner.id) for partner in settings.partners} - mine
        return tuple(line for line in lines if others.isdisjoint(_WORD.findall(line)))

    def incidents(self, scope: Scope, offset: int, limit: int) -> IncidentPage:
        """A window of the open incidents in scope, in the order of the snapshot."""
        every, start = self._open(scope), max(offset, 0)
        shown = _shown(every[start : start + max(limit, 0)], every, scope)
        return IncidentPage(self.board.version, len(every), start, shown)

    def _open(self, scope: Scope) -> list[Incident]:
        """Those in scope, most money lost per hour first; not redacted."""
        mine = [incident for incident in self.desk.open_incidents if any(map(scope.sees, incident.teams))]
        mine.sort(key=lambda incident: (-incident.loss.per_hour, incident.severity, incident.started_at))
        return mine

    def targets(
        self, who: Principal, kind: str, *, expression: str, sort: str, descending: bool, offset: int, limit: int
    ) -> ListPage:
        """One window of a list."""
        if kind not in KINDS:
            raise UsageError(f"no list {kind!r}; there are {', '.join(KINDS)}")
        now, scope, of_kind = self.clock.now(), who.scope, KINDS[kind]
        if sort == "loss_per_hour" and scope.money is not MoneyRight.FULL:
            sort = ""  # an order by a hidden column would tell it
        asked = Asked(of_kind, scope, expression, sort, descending)
        start = max(offset, 0)
        total, rows = self.lists.window(asked, now, start, min(limit, PAGE_LIMIT))
        return ListPage(
            version=self.board.version,
            total=total,
            offset=start,
            rows=tuple(self.board.with_strip(row, now) for row in rows),
            counts=self.board.counts(of_kind, scope),
            span=SPANS[of_kind][1],
        )

    def _pane(self, kind: TargetKind, scope: Scope, now: datetime) -> Pane:
        rows = self.board.worst(kind, scope, PANE_ROWS)
        if kind is TargetKind.SLICE:
            rows = sort_rows(rows, "", descending=False)[:PANE_ROWS]
        shown = (redact_row(self.board.with_strip(row, now), scope) for row in rows)
        return Pane(kind, self.board.counts(kind, scope), tuple(shown), SPANS[kind][1])


def _foremost(every: Sequence[Incident]) -> tuple[list[Incident], list[Incident]]:
    """The first ones, with those further down that somebody should take at once; and the rest."""
    shown, rest = list(every[:MOST_INCIDENTS]), every[MOST_INCIDENTS:]
    urgent = [one for one in rest if one.severity in _URGENT and one.state is IncidentState.NEW][:MOST_INCIDENTS]
    chosen = {one.id for one in urgent}
    return shown + urgent, [one for one in rest if one.id not in chosen]


def _shown(some: Iterable[Incident], every: Iterable[Incident], scope: Scope) -> tuple[Incident, ...]:
    """Redacted to what the scope, which sees `every`, may see."""
    visible = {incident.id for incident in every}
    return tuple(redact_incident(incident, scope, visible) for incident in some)


def _counted(some: Sequence[Incident]) -> IncidentCount:
    severities = Counter(incident.severity for incident in some)
    acknowledged = sum(incident.state is IncidentState.ACKNOWLEDGED for incident in some)
    return IncidentCount(len(some), acknowledged, severities[Severity.SEV1], severities[Severity.SEV2])
