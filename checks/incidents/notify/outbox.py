"""What is to be said to whom, when: incidents in, notices out. Pure; an outbox rebuilt from its notices goes on as before.

The rules are those of Alertmanager: what meets one rule and has the same labels is one group; a new group waits
`group_wait`, tells once, then again after `group_interval` when something changed and after `repeat_interval` when nothing
did. What was opened and closed between two tellings is never told. What is over is told to whoever was told it began, and
neither mutes nor maintenance hold that back. Nights hold back what is not urgent until the morning.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.incidents.notify.escalation import Chain
from checks.incidents.notify.labels import owned
from checks.incidents.notify.routes import chosen, group_key
from checks.incidents.notify.words import told
from data.model.incident import IncidentState, Severity
from data.model.notice import Notice, NoticeKind, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from checks.incidents.notify.labels import Labels
    from checks.incidents.notify.reach import Directory, Reached
    from data.config.notifying import Route
    from data.model.ids import IncidentId, TeamId
    from data.model.incident import Incident

URGENT = frozenset({Severity.SEV1, Severity.SEV2})

MOST_NEWS = 200
"""Incidents that one turn of a group tells a channel of; the rest follow at the next look, so that nobody waits long."""
BREATH = timedelta(seconds=1)
MOST_ROWS = 100
"""Incidents in one notice; more are told in several, which a channel puts together."""


@dataclass(slots=True)
class Known:
    """The newest that is known of an incident, and through which groups it is told."""

    incident: Incident
    labels: Labels
    groups: dict[str, Route]
    """Only those that its labels lead to now."""

    @property
    def is_open(self) -> bool:
        return self.incident.state is not IncidentState.CLOSED


@dataclass(slots=True)
class Said:
    """What a channel believes of an incident that it was told of."""

    at: datetime
    severity: Severity
    taken: bool
    group: str


@dataclass(slots=True)
class Group:
    key: str
    route: Route
    since: datetime
    told_at: datetime | None = None
    members: set[IncidentId] = field(default_factory=set)
    hurry: datetime | None = None
    """Somebody took it or it got worse: told then. So is another urgent one, which waits no longer than the first."""

    @property
    def due_at(self) -> datetime:
        if self.told_at is None:
            return self.since + timedelta(seconds=self.route.group_wait_s)
        usual = self.told_at + timedelta(seconds=self.route.group_interval_s)
        return min(usual, self.hurry) if self.hurry else usual

    def hasten(self, at: datetime) -> None:
        self.hurry = min(self.hurry, at) if self.hurry else at


@dataclass(slots=True)
class _News:
    """What one channel is to be told about one group."""

    fresh: list[Known] = field(default_factory=list)
    risen: list[Known] = field(default_factory=list)
    taken: list[Known] = field(default_factory=list)
    over: list[Known] = field(default_factory=list)
    due: list[Known] = field(default_factory=list)
    """Told before, and time to say it again."""
    still: list[Known] = field(default_factory=list)
    """Open and told before, with no news."""

    @property
    def every(self) -> list[Known]:
        return [*self.fresh, *self.risen, *self.taken, *self.over, *self.due]

    def cut(self, most: int) -> bool:
        """Leave the first `most` of the news, the new and the worse first; whether some had to go."""
        many = len(self.every) > most
        for name in ("fresh", "risen", "taken", "over", "due"):
            setattr(self, name, getattr(self, name)[:most])
            most -= len(getattr(self, name))
        return many

    @property
    def kind(self) -> NoticeKind:
        is_open = self.fresh or self.risen or self.still or self.taken or self.due
        if self.fresh:
            return NoticeKind.OPENING
        if self.over and not is_open:
            return NoticeKind.RESOLVED
        if self.risen or self.over:
            return NoticeKind.UPDATE
        return NoticeKind.ACKNOWLEDGED if self.taken else NoticeKind.REPEAT


class Outbox:
    """Decides what is said. `see` every newest version of an incident, then take what is `due`."""

    def __init__(self, directory: Directory, notices: Iterable[Notice] = ()) -> None:
        """`notices` is what was said before, oldest first: at least all of incidents that may still be open."""
        self.directory = directory
        self._known: dict[IncidentId, Known] = {}
        self._groups: dict[str, Group] = {}
        self._said: dict[str, dict[IncidentId, Said]] = {}
        self._told_at: dict[str, datetime] = {}
        """When each group was told last."""
        self._ended: dict[tuple[str, str], dict[IncidentId, Told]] = {}
        """By group and channel what it was told is over, until everything is: the last message names all."""
        self._chain = Chain()
        for notice in notices:
            if notice.channel in directory.channels:
                self._remember(notice)

    @property
    def pending(self) -> frozenset[IncidentId]:
        """Incidents that some channel was told of and not yet that they are over."""
        return frozenset(number for said in self._said.values() for number in said)

    def configure(self, directory: Directory, now: datetime) -> None:
        """Take over new rules: every incident is routed anew; what was said stays said."""
        self.directory = directory
        self._said = {channel: said for channel, said in self._said.items() if channel in directory.channels}
        known, self._known, self._groups = self._known, {}, {}
        for one in known.values():
            self.see(one.incident, one.labels, now)
        for group in self._groups.values():
            group.since, group.told_at = now, None

    def see(self, incident: Incident, labels: Labels, now: datetime) -> None:
        """Take in the newest version of an incident."""
        known = self._known.get(incident.id)
        said = [self._said[channel][incident.id] for channel in self._said if incident.id in self._said[channel]]
        if incident.state is IncidentState.CLOSED and not said:
            self._forget(incident.id)
            return
        routes = {group_key(route, labels): route for route in chosen(self.directory.rules.root, labels)}
        self._known[incident.id] = Known(incident, labels, routes)
        for key, route in routes.items():
            wait = timedelta(seconds=route.group_wait_s)
            group = self._groups.get(key)
            if group is None:
                since = now if known else max(incident.detected_at, now - wait)
                group = self._groups[key] = Group(key, route, since, self._last_turn(key, route, now) if said else None)
            grew = known is None or incident.id not in group.members or known.incident.severity not in URGENT
            if grew and not said and incident.severity in URGENT:
                group.hasten(now + wait)
            group.members.add(incident.id)
        for one in said:
            one.group = one.group if one.group in self._groups else next(iter(routes))
            group = self._groups[one.group]
            group.members.add(incident.id)
            worse = incident.severity < one.severity and incident.severity in URGENT
            if worse or (incident.acknowledged_at is not None and not one.taken):
                group.hasten(now)

    def _last_turn(self, key: str, route: Route, now: datetime) -> datetime | None:
        """When the group had its last turn, though perhaps nothing was to be said then."""
        told_at = self._told_at.get(key)
        if told_at is None:
            return None
        turns = max((now - told_at).total_seconds(), 0.0) // route.group_interval_s
        return told_at + timedelta(seconds=turns * route.group_interval_s)

    def due(self, now: datetime, hushed: Callable[[Labels], bool] = lambda _: False) -> list[Notice]:
        """Everything that is to be said by now, remembered as said: store it before anything else happens."""
        made: list[Notice] = []
        for group in list(self._groups.values()):
            if group.due_at <= now:
                made += self._tell(group, now, hushed)
        climbed = self._escalate(now, hushed)
        for notice in climbed:
            self._remember(notice)
        return [*made, *climbed]

    def at_once(
        self, incidents: Iterable[IncidentId], now: datetime, hushed: Callable[[Labels], bool] = lambda _: False
    ) -> list[Notice]:
        """What is due of these incidents alone, to be stored with the very change that caused it.

        Of a group that was told this second the rest waits for `due`: thousands that fall together are told together.
        """
        keys = {key for number in incidents if number in self._known for key in self._known[number].groups}
        groups = [self._groups[key] for key in sorted(keys) if key in self._groups]
        ripe = [one for one in groups if one.due_at <= now and (one.told_at is None or now - one.told_at >= BREATH)]
        return [notice for group in ripe for notice in self._tell(group, now, hushed)]

    # ── a group ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, group: Group, now: datetime, hushed: Callable[[Labels], bool]) -> list[Notice]:
        reached = self.directory.receivers(group.route, now)
        made, rest = list[Notice](), False
        for channel in [*reached, *(channel for channel in self._said if channel not in reached)]:
            one = reached.get(channel) or self.directory.owner(channel, now)
            news = self._news(group, channel, now, hushed, told_now=channel in reached)
            urgent = any(known.incident.severity in URGENT for known in news.every)
            if news.every and (urgent or one.quiet_until is None):
                rest |= news.cut(MOST_NEWS)
                made += self._notices(group, one, news, now)
        for notice in made:
            self._remember(notice)
        group.told_at, group.hurry = now, now if rest else None
        self._sweep(group)
        return made

    def _news(
        self, group: Group, channel: str, now: datetime, hushed: Callable[[Labels], bool], *, told_now: bool
    ) -> _News:
        said = self._said.get(channel, {})
        scope = self.directory.scopes.get(channel)
        news = _News()
        for number in sorted(group.members):
            known, one = self._known[number], said.get(number)
            current = told_now and group.key in known.groups
            if one is None:
                visible = scope is not None and any(map(scope.sees, known.incident.teams))
                if current and visible and known.is_open and not hushed(known.labels):
                    news.fresh.append(known)
            elif one.group == group.key:
                self._sort(news, known, one, now, group.route, quiet=not current or hushed(known.labels))
        return news

    def _sort(self, news: _News, known: Known, said: Said, now: datetime, route: Route, *, quiet: bool) -> None:
        """Put an incident that was told before where it belongs; `quiet` ones are only told what ends or is taken."""
        repeat = timedelta(seconds=route.repeat_interval_s)
        if not known.is_open:
            news.over.append(known)
        elif known.incident.acknowledged_at is not None and not said.taken:
            news.taken.append(known)
        elif known.incident.severity < said.severity and not quiet:
            news.risen.append(known)
        elif not said.taken and not quiet and now - said.at >= repeat:
            news.due.append(known)
        else:
            news.still.append(known)

    def _notices(self, group: Group, one: Reached, news: _News, now: datetime) -> list[Notice]:
        kind, scope = news.kind, self.directory.scopes[one.channel]
        room = 0 if kind is NoticeKind.ACKNOWLEDGED else max(MOST_ROWS - len(news.every), 0)
        shown = [*news.every, *news.still[:room]]
        rows = [told(known.incident, owned(known.labels, group.route.owner), scope) for known in shown]
        teams = {team for known in shown for team in known.incident.teams}
        if kind is NoticeKind.RESOLVED:
            named = {row.incident for row in rows}
            rows += [
                row for number, row in self._ended.get((group.key, one.channel), {}).items() if number not in named
            ]
        parts = [rows[begin : begin + MOST_ROWS] for begin in range(0, len(rows), MOST_ROWS)]
        return [_made(kind, one, part, teams, group, now) for part in parts]

    def _sweep(self, group: Group) -> None:
        """Forget members that are over and that nobody believes to go on; a group without members ends."""
        for number in list(group.members):
            known = self._known.get(number)
            if known is None or (not known.is_open and not self._believed(group.key, number)):
                group.members.discard(number)
                if not any(number in said for said in self._said.values()):
                    self._forget(number)
        if not group.members:
            self._groups.pop(group.key, None)
            self._told_at.pop(group.key, None)

    def _believed(self, key: str, number: IncidentId) -> bool:
        """Whether a channel still believes, through this group, that the incident is open."""
        return any(number in said and said[number].group == key for said in self._said.values())

    def _forget(self, number: IncidentId) -> None:
        self._known.pop(number, None)
        self._chain.forget(number)
        for group in list(self._groups.values()):
            group.members.discard(number)
            if not group.members:
                self._groups.pop(group.key, None)

    # ── the chain ────────────────────────────────────────────────────────────────────────────────────────────────

    def _escalate(self, now: datetime, hushed: Callable[[Labels], bool]) -> list[Notice]:
        """Who is told next of what nobody acknowledged in time."""
        made: list[Notice] = []
        for number, known in self._known.items():
            route = next((route for route in known.groups.values() if route.escalate), None)
            urgent = known.is_open and known.incident.severity in self.directory.rules.ack_s
            is_told = any(number in said for said in self._said.values())
            if route is None or not urgent or not is_told or known.incident.state is not IncidentState.NEW:
                self._chain.rest(number)
                continue
            if hushed(known.labels):
                continue
            within = timedelta(seconds=self.directory.rules.ack_s[known.incident.severity])
            for step in self._chain.due(number, len(route.escalate), within, now):
                if told_now := self._step(known, route, step, now):
                    made += told_now
                    break  # somebody is told: they have their time
        return made

    def _step(self, known: Known, route: Route, step: int, now: datetime) -> list[Notice]:
        return self._direct(known, route, [route.escalate[step - 1]], NoticeKind.ESCALATION, now, step)

    def tell(self, incident: IncidentId, name: str, now: datetime) -> list[Notice]:
        """Tell one receiver of one incident, because somebody put it into their hands."""
        known = self._known.get(incident)
        if known is None:
            return []
        route = next(iter(known.groups.values()))
        made = self._direct(known, route, [name], NoticeKind.ACKNOWLEDGED, now)
        for notice in made:
            self._remember(notice)
        return made

    def _direct(
        self, known: Known, route: Route, names: Sequence[str], kind: NoticeKind, now: datetime, step: int = 0
    ) -> list[Notice]:
        key = group_key(route, known.labels)
        group = self._groups.get(key) or Group(key, route, now)
        made = []
        for one in self.directory.reach(names, now).values():
            scope = self.directory.scopes[one.channel]
            if any(map(scope.sees, known.incident.teams)):
                row = told(known.incident, owned(known.labels, route.owner), scope)
                made.append(_made(kind, one, [row], set(known.incident.teams), group, now, step))
        return made

    # ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _remember(self, notice: Notice) -> None:
        """What a notice makes its channel believe; the same for one just made and one from the store."""
        if notice.instead_of or not notice.told:
            return
        said, place = self._said.setdefault(notice.channel, {}), (notice.group, notice.channel)
        for row in notice.told:
            if row.closed_at is None:
                said[row.incident] = Said(notice.created_at, row.severity, bool(row.by), notice.group)
            elif said.pop(row.incident, None):
                self._chain.rest(row.incident)
                self._ended.setdefault(place, {})[row.incident] = row
        if notice.kind is NoticeKind.RESOLVED:
            self._ended.pop(place, None)
        if notice.kind is NoticeKind.ESCALATION:
            self._chain.told(notice.incidents, notice.step, notice.created_at)
        else:
            self._told_at[notice.group] = notice.created_at
            self._chain.began([row.incident for row in notice.told if row.severity in URGENT], notice.created_at)
        if not said:
            del self._said[notice.channel]


def _made(
    kind: NoticeKind, one: Reached, rows: Sequence[Told], teams: Iterable[TeamId], group: Group, now: datetime, step: int = 0
) -> Notice:  # fmt: skip
    numbers = tuple(row.incident for row in rows)
    return Notice(
        id=notice_id(kind, one.channel, group.key, now, numbers, step),
        kind=kind,
        channel=one.channel,
        teams=tuple(sorted(teams)),
        incidents=numbers,
        told=tuple(rows),
        group=group.key,
        route=group.route.place,
        receiver=one.receiver,
        created_at=now,
        due_at=now,
        step=step,
    )


def notice_id(
    kind: NoticeKind, channel: str, group: str, now: datetime, incidents: Sequence[IncidentId], step: int = 0
) -> str:
    """The same for the same decision, whoever makes it: what is decided twice is stored once."""
    words = "\n".join((kind, channel, group, now.isoformat(), ",".join(map(str, incidents)), str(step)))
    return hashlib.blake2b(words.encode(), digest_size=6).hexdigest()
