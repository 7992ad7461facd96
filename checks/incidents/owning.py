"""Keeps whose an incident is true to the rules. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.incidents.case import SYSTEM
from checks.incidents.change import Change
from checks.incidents.notify.labels import LabelBook
from checks.incidents.notify.routes import owner_by
from data.config.notifying import Route
from data.model.incident import TimelineEntry

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from checks.incidents.shelf import Shelf
    from data.model.ids import IncidentId, TargetId
    from data.model.incident import Finding, Incident


@dataclass(slots=True)
class Owners:
    """Keeps `owner_role` of a desk's incidents true to the rules; every later change of it is a line of the timeline."""

    root: Route = field(default_factory=Route)
    project_of: Callable[[TargetId], str] = lambda _: ""
    _labels: LabelBook = field(init=False)

    def __post_init__(self) -> None:
        """Labels are gathered finding by finding."""
        self._labels = LabelBook(self.project_of)

    def saw(self, finding: Finding) -> None:
        self._labels.take(finding)

    def of(self, incident: Incident) -> str:
        return owner_by(self.root, self._labels.of(incident))

    def forget(self, incident: IncidentId) -> None:
        self._labels.forget(incident)

    def settle(self, change: Change, shelf: Shelf, now: datetime) -> Change:
        """The change with the right owner in each of its incidents; what closed with it is forgotten."""
        rows: list[Incident] = []
        said: list[TimelineEntry] = []
        for row in change.incidents:
            case, owner = shelf.cases.get(row.id), self.of(row)
            if row.is_merged:
                self.forget(row.id)
            if case is None or not case.is_open or owner == row.owner_role:
                rows.append(row)
                continue
            case.incident = replace(case.incident, owner_role=owner)
            rows.append(replace(row, owner_role=owner))
            if row.detected_at != now:  # what has just opened had no owner before
                said.append(
                    TimelineEntry(
                        row.id, now, SYSTEM, f"owner is now {owner or 'nobody'}, was {row.owner_role or 'nobody'}"
                    )
                )
        return replace(change, incidents=tuple(rows), timeline=(*change.timeline, *said))

    def review(self, shelf: Shelf, now: datetime) -> Change:
        """Every open incident whose owner the rules, or what changed in it since, make another."""
        moved = [
            case.incident
            for case in shelf.cases.values()
            if case.is_open and self.of(case.incident) != case.incident.owner_role
        ]
        return self.settle(Change(tuple(moved)), shelf, now) if moved else Change()
