"""What a person closed while it still failed: its row stays true, and it opens again when its members are seen to fail on. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checks.incidents.case import SYSTEM
from checks.incidents.change import Change
from checks.incidents.holds import holds_for
from data.config.units import format_duration
from data.model.incident import TimelineEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from checks.incidents.case import Case
    from checks.incidents.shelf import Shelf
    from data.model.ids import TargetId
    from data.model.incident import Finding, Incident


@dataclass(slots=True)
class ByHand:
    """Nobody is asked again before somebody looked: a parser that runs once a day opens nothing until its next run."""

    shelf: Shelf
    looked_at: Callable[[TargetId], datetime | None]
    """When a target was observed last."""

    def recovered(self, case: Case, closed: Finding, now: datetime) -> Change:
        """A member of what is closed is over: the row says how many still fail, the timeline when none does."""
        case.incident = replace(case.incident, open_members=case.open_members, updated_at=now)
        said: tuple[TimelineEntry, ...] = ()
        if not case.open_members:
            what = f"{case.whole} recovered, after {case.incident.closed_by} had closed it"
            said = (TimelineEntry(case.incident.id, now, SYSTEM, what),)
        return Change((case.incident,), (closed,), said)

    def review(self, now: datetime) -> list[Change]:
        """Open again what is seen to fail on; correct rows that count members which recovered unseen."""
        return [
            change for case in list(self.shelf.cases.values()) if not case.is_open for change in self._look(case, now)
        ]

    def _look(self, case: Case, now: datetime) -> Iterator[Change]:
        was = case.incident
        if any(self._fails_on(one, was) for one in case.open_findings):
            many = f"{case.open_members} of {was.members} members still fail" if was.members > 1 else "it still fails"
            case.reopen(now)
            case.refresh(now)
            self.shelf.index.weigh(case)
            since = format_duration(_minutes(now, was))
            what = f"reopened: {many}, {since} after {was.closed_by} closed it"
            yield Change((case.incident,), (), (TimelineEntry(was.id, now, SYSTEM, what),))
        elif was.open_members != case.open_members and not was.is_merged:
            case.incident = replace(was, open_members=case.open_members, updated_at=now)
            yield Change((case.incident,))

    def _fails_on(self, finding: Finding, incident: Incident) -> bool:
        looked = self.looked_at(finding.target)
        if looked is None or incident.closed_at is None:
            return False
        return looked >= incident.closed_at + holds_for(finding.cause)


def _minutes(now: datetime, was: Incident) -> float:
    assert was.closed_at is not None
    return max(round((now - was.closed_at).total_seconds() / 60), 1) * 60.0
