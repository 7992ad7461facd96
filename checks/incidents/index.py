from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from checks.incidents.correlation import Upstream, bridge_labels, is_symptom, upstream_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from checks.incidents.case import Case
    from checks.incidents.labels import Label
    from data.model.ids import FindingId, IncidentId, TargetId
    from data.model.incident import Finding

K = TypeVar("K")
V = TypeVar("V")
X = TypeVar("X")
_Side = dict[tuple[bool, str, str], dict["IncidentId", dict["FindingId", None]]]


@dataclass(slots=True)
class Index:
    """Where to look for the incident of a finding: by target, by a rule's upstream, by an inferred one, by a bridge."""

    by_target: dict[TargetId, IncidentId] = field(default_factory=dict)
    """Where it is now or was last..."""
    failing: dict[TargetId, IncidentId] = field(default_factory=dict)
    """...and of those that fail now, whether or not a person closed it meanwhile."""
    _by_upstream: dict[Upstream, dict[IncidentId, int]] = field(default_factory=dict)
    """How many members an incident has of each."""
    _by_shared: dict[Label, dict[IncidentId, None]] = field(default_factory=dict)
    _shared: dict[IncidentId, tuple[Label, ...]] = field(default_factory=dict)
    """What `_by_shared` has of each: an outage is narrowed down to a country, and widened."""
    _by_bridge: _Side = field(default_factory=dict)
    """Members by (whether they are symptoms, label, value) and incident."""
    _loose: dict[IncidentId, datetime] = field(default_factory=dict)
    """Starts of the incidents of sites and links that are not grouped yet..."""
    _starts: list[datetime] = field(default_factory=list)
    """...and the same in order."""

    def add(self, member: Finding) -> None:
        assert member.incident is not None
        self.by_target[member.target] = member.incident
        if member.closed_at is None:
            self.failing[member.target] = member.incident
        upstream = upstream_of(member)
        if upstream is not None:
            known = self._by_upstream.setdefault(upstream, {})
            known[member.incident] = known.get(member.incident, 0) + 1
        side = is_symptom(member)
        for name, value in bridge_labels(member):
            self._by_bridge.setdefault((side, name, value), {}).setdefault(member.incident, {})[member.id] = None

    def remove(self, member: Finding) -> None:
        """It is no longer of its incident."""
        assert member.incident is not None
        if self.by_target.get(member.target) == member.incident:
            del self.by_target[member.target]
        self.recovered(member)
        upstream = upstream_of(member)
        if upstream is not None:
            known = self._by_upstream.get(upstream, {})
            known[member.incident] = known.get(member.incident, 1) - 1
            if not known[member.incident]:
                _without(self._by_upstream, upstream, member.incident)
        side = is_symptom(member)
        for name, value in bridge_labels(member):
            by_incident = self._by_bridge.get((side, name, value), {})
            _without(by_incident, member.incident, member.id)
            if not by_incident:
                self._by_bridge.pop((side, name, value), None)

    def recovered(self, member: Finding) -> None:
        """It fails no longer."""
        if self.failing.get(member.target) == member.incident:
            del self.failing[member.target]

    def share(self, case: Case) -> None:
        """The case's inferred upstream may be asked for from now on, in place of the one before."""
        self.unshare(case)
        if case.shared:
            self._shared[case.incident.id] = case.shared
        for label in case.shared:
            self._by_shared.setdefault(label, {})[case.incident.id] = None

    def unshare(self, case: Case) -> None:
        for label in self._shared.pop(case.incident.id, ()):
            _without(self._by_shared, label, case.incident.id)

    def drop(self, case: Case) -> None:
        self.unshare(case)
        for member in case.findings.values():
            self.remove(member)
        self._weigh(case.incident.id, None)

    def weigh(self, case: Case) -> None:
        """Count a case as one that may turn out to be part of something larger, or no longer."""
        self._weigh(case.incident.id, case.incident.started_at if case.is_loose else None)

    def loose_since(self, since: datetime) -> int:
        """Incidents of sites and links that began since then and are not grouped yet."""
        return len(self._starts) - bisect_left(self._starts, since)

    def of_upstream(self, upstream: Upstream) -> list[IncidentId]:
        """Oldest first."""
        return sorted(self._by_upstream.get(upstream, ()))

    def of_shared(self, labels: Iterable[Label]) -> list[IncidentId]:
        return sorted({number for label in labels for number in self._by_shared.get(label, ())})

    def bridged(self, finding: Finding) -> Iterator[tuple[IncidentId, str, Iterable[FindingId]]]:
        """(incident, value, members) of what agrees with this one on a label and stands on the other side of a bridge."""
        other = not is_symptom(finding)
        for name, value in bridge_labels(finding):
            for number, members in sorted(self._by_bridge.get((other, name, value), {}).items()):
                yield number, value, members

    def _weigh(self, number: IncidentId, start: datetime | None) -> None:
        known = self._loose.get(number)
        if known == start:
            return
        if known is not None:
            del self._starts[bisect_left(self._starts, known)]
            del self._loose[number]
        if start is not None:
            self._loose[number] = start
            insort(self._starts, start)


def _without(known: dict[K, dict[V, X]], key: K, value: V) -> None:
    values = known.get(key)
    if values is not None:
        values.pop(value, None)
        if not values:
            del known[key]
