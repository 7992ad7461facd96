"""What incidents are routed, grouped and muted by."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from data.model.cause import family_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from data.model.ids import CauseId, IncidentId, TargetId, TeamId
    from data.model.incident import Finding, Incident, Severity


@dataclass(frozen=True, slots=True)
class Labels:
    """Of one incident. Where its members differ there are several values, and any of them counts."""

    incident: IncidentId
    cause: CauseId
    severity: Severity
    teams: frozenset[TeamId]
    owner: str = ""
    partners: frozenset[str] = frozenset()
    geos: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()

    def values(self, label: str) -> frozenset[str]:
        """By the label's name (`data.config.routes.LABELS`); empty where it has none."""
        known: dict[str, frozenset[str]] = {
            "team": frozenset(self.teams),
            "partner": self.partners,
            "geo": self.geos,
            "project": self.projects,
            "cause": frozenset({self.cause}),
            "family": frozenset({family_of(self.cause)}),
            "severity": frozenset({self.severity.value}),
            "owner": frozenset({self.owner} - {""}),
            "incident": frozenset({str(self.incident)}),
        }
        return known.get(label, frozenset())

    def shown(self) -> dict[str, str]:
        """What a receiver's machine can match by."""
        names = ("partner", "geo", "project")
        return {name: ",".join(sorted(self.values(name))) for name in names if self.values(name)}

    def all_of(self, matchers: Mapping[str, str]) -> bool:
        """Whether every label has the value asked for; a family stands for its causes. A missing label equals nothing."""
        return bool(matchers) and all(
            value in self.values(label) or (label == "cause" and value in self.values("family"))
            for label, value in matchers.items()
        )


@dataclass(slots=True)
class _Seen:
    partners: set[str] = field(default_factory=set)
    geos: set[str] = field(default_factory=set)
    projects: set[str] = field(default_factory=set)


@dataclass(slots=True)
class LabelBook:
    """Labels of incidents, gathered finding by finding: an incident may have a hundred thousand."""

    project_of: Callable[[TargetId], str] = lambda _: ""
    _seen: dict[IncidentId, _Seen] = field(default_factory=lambda: defaultdict(_Seen))

    def take(self, finding: Finding) -> None:
        if finding.incident is None:
            return
        seen = self._seen[finding.incident]
        for name, values in (("partner", seen.partners), ("geo", seen.geos)):
            if value := finding.fingerprint.get(name):
                values.add(value)
        if project := self.project_of(finding.target):
            seen.projects.add(project)

    def of(self, incident: Incident) -> Labels:
        seen = self._seen.get(incident.id) or _Seen()
        return Labels(
            incident.id,
            incident.cause,
            incident.severity,
            frozenset(incident.teams),
            incident.owner_role,
            frozenset(seen.partners),
            frozenset(seen.geos),
            frozenset(seen.projects),
        )

    def forget(self, incident: IncidentId) -> None:
        self._seen.pop(incident, None)


def owned(labels: Labels, owner: str) -> Labels:
    """With the owner that a rule gives it."""
    return replace(labels, owner=owner) if owner else labels
