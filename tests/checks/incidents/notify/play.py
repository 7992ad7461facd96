"""Incidents, rules and an outbox on a clock that tests move by hand; seconds are after 12:00Z on a Monday."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from checks.incidents.notify.labels import Labels
from checks.incidents.notify.outbox import Outbox
from checks.incidents.notify.reach import Directory
from data.access.receivers import scope_of
from data.config.notifying import Channel, Notifying, Person, Route
from data.config.settings import Partner
from data.model.codec import from_json, to_json
from data.model.incident import Incident, IncidentState, Severity
from data.model.money import Loss
from data.model.notice import Notice

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
PARTNERS = (Partner("P05", "Quillspin"),)
LOSS = Loss(*(Decimal(one) for one in (80, 60, 100, 320, 250, 410)))


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def incident(number=1, seconds=0, **more):
    base = {
        "team": "aurora", "teams": ("aurora",), "cause": "edge.error", "severity": Severity.SEV3, "state": IncidentState.NEW,
        "title": "edge answers errors", "where": f"site-{number}", "blame": "", "owner_role": "developer on call",
        "started_at": at(seconds), "detected_at": at(seconds), "loss": LOSS,
    }  # fmt: skip
    return Incident(id=number, **(base | more))


def labels_of(one, **more):
    return Labels(one.id, one.cause, one.severity, frozenset(one.teams), one.owner_role, **more)


CHANNELS = (
    Channel("chat", secret="s", role="senior"),
    Channel("mail", secret="s", role="senior"),
    Channel("ana-phone", secret="s", role="junior"),
    Channel("ben-phone", secret="s", role="senior"),
    Channel("lea-phone", secret="s", role="lead"),
    Channel("cedar", secret="s", role="senior", teams=("cedar",)),
)
PEOPLE = (
    Person("ana", ("ana-phone",)),
    Person("ben", ("ben-phone",)),
    Person("lea", ("lea-phone",)),
)


def rules(root=None, **more):
    return Notifying(root or Route(to=("chat",), place="losswatch.toml:1"), CHANNELS, PEOPLE, **more)


def directory_of(rules):
    return Directory(rules, {channel.name: scope_of(channel, PARTNERS) for channel in rules.channels})


@dataclass
class Play:
    """An outbox, what it said, and incidents that come and go; a restart makes it from what it said."""

    rules: Notifying
    now: float = 0
    said: list[Notice] = field(default_factory=list)
    alive: dict[int, Incident] = field(default_factory=dict)
    hushed: set[int] = field(default_factory=set)

    def __post_init__(self):
        self.outbox = Outbox(directory_of(self.rules))

    def see(self, one):
        self.alive[one.id] = one
        self.outbox.see(one, labels_of(one), at(self.now))

    def opens(self, number, severity="SEV3", **more):
        self.see(incident(number, self.now, severity=Severity(severity), **more))

    def change(self, number, **more):
        self.see(replace(self.alive[number], **more))

    def acks(self, number, who="ana"):
        self.change(number, state=IncidentState.ACKNOWLEDGED, acknowledged_at=at(self.now), acknowledged_by=who)

    def closes(self, number):
        self.change(number, state=IncidentState.CLOSED, closed_at=at(self.now), closed_by="losswatch")

    def reopens(self, number):
        self.change(number, state=IncidentState.NEW, closed_at=None, closed_by="")

    def rises(self, number, severity):
        self.change(number, severity=Severity(severity))

    def until(self, seconds, step=10):
        """Let time pass; the outbox is asked every ten seconds, as the hub does it more often."""
        while self.now < seconds:
            self.now = min(self.now + step, seconds)
            self.said += self.outbox.due(at(self.now), lambda labels: labels.incident in self.hushed)

    def restarts(self, *, with_rules=None):
        """The hub is gone and another comes: all it has is what was stored."""
        stored = [from_json(to_json(notice), Notice) for notice in self.said]
        self.rules = with_rules or self.rules
        self.outbox = Outbox(directory_of(self.rules), stored)
        pending = self.outbox.pending
        for one in self.alive.values():
            if one.state is not IncidentState.CLOSED or one.id in pending:
                self.outbox.see(one, labels_of(one), at(self.now))

    def runs(self, script, end):
        """`(second, what, *arguments)` in order, then on to `end`."""
        for second, what, *arguments in script:
            self.until(second)
            getattr(self, what)(*arguments)
        self.until(end)
        return self.told

    def obeys(self, rules):
        """losswatch.toml changed while the hub ran."""
        self.rules = rules
        self.outbox.configure(directory_of(rules), at(self.now))

    def hush(self, number):
        self.hushed.add(number)

    def unhush(self, number):
        self.hushed.discard(number)

    def merges(self, number, into):
        self.change(number, reason=f"merged into #{into}: they share an edge")
        self.closes(number)

    def sleeps(self, seconds):
        """Nobody asks the outbox anything for so long."""
        self.now += seconds

    @property
    def told(self):
        """`(seconds, kind, channel, numbers)` of everything said so far."""
        return [
            (round((one.created_at - NOON).total_seconds()), one.kind.value, one.channel, list(one.incidents))
            for one in self.said
        ]
