from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from checks.incidents.correlation import Upstream, bridge_labels, upstream_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from checks.incidents.case import Case
    from checks.incidents.labels import Label
    from data.model.ids import FindingId, IncidentId, TargetId
    from data.model.incident import Finding

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class Index:
    """Where to look for the incident of a finding: by target, by a rule's upstream, by an inferred one, by a bridge."""

    by_target: dict[TargetId, IncidentId] = field(default_factory=dict)
    _by_upstream: dict[Upstream, dict[IncidentId, None]] = field(default_factory=dict)
    _by_shared: dict[Label, dict[IncidentId, None]] = field(default_factory=dict)
    _by_bridge: dict[tuple[str, str], dict[FindingId, None]] = field(default_factory=dict)

    def add(self, member: Finding) -> None:
        assert member.incident is not None
        self.by_target[member.target] = member.incident
        upstream = upstream_of(member)
        if upstream is not None:
            self._by_upstream.setdefault(upstream, {})[member.incident] = None
        for label in bridge_labels(member):
            self._by_bridge.setdefault(label, {})[member.id] = None

    def share(self, case: Case) -> None:
        """The case's inferred upstream may be asked for from now on."""
        for label in case.shared:
            self._by_shared.setdefault(label, {})[case.incident.id] = None

    def unshare(self, case: Case) -> None:
        for label in case.shared:
            _without(self._by_shared, label, case.incident.id)

    def drop(self, case: Case) -> None:
        self.unshare(case)
        number = case.incident.id
        for member in case.findings.values():
            if self.by_target.get(member.target) == number:
                del self.by_target[member.target]
            upstream = upstream_of(member)
            if upstream is not None:
                _without(self._by_upstream, upstream, number)
            for label in bridge_labels(member):
                _without(self._by_bridge, label, member.id)

    def of_upstream(self, upstream: Upstream) -> list[IncidentId]:
        """Oldest first."""
        return sorted(self._by_upstream.get(upstream, ()))

    def of_shared(self, labels: Iterable[Label]) -> list[IncidentId]:
        return sorted({number for label in labels for number in self._by_shared.get(label, ())})

    def bridged(self, finding: Finding) -> Iterator[tuple[str, FindingId]]:
        """(value, member) of every finding that agrees with this one on a label by which a bridge may join them."""
        for label in bridge_labels(finding):
            for member in self._by_bridge.get(label, ()):
                yield label[1], member


def _without(known: dict[K, dict[V, None]], key: K, value: V) -> None:
    values = known.get(key)
    if values is not None:
        values.pop(value, None)
        if not values:
            del known[key]
