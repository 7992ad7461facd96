from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.model.incident import Finding, Incident, TimelineEntry


@dataclass(frozen=True, slots=True)
class Change:
    """Rows to be written, newest word each: upsert the first two, append the last."""

    incidents: tuple[Incident, ...] = ()
    findings: tuple[Finding, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.incidents or self.findings or self.timeline)


def together(first: Change, second: Change) -> Change:
    """Both as one batch."""
    return batch([change for change in (first, second) if change])


def batch(changes: Sequence[Change]) -> Change:
    """All as one batch, each row once, in its latest version."""
    if len(changes) < 2:
        return changes[0] if changes else Change()
    incidents = {row.id: row for change in changes for row in change.incidents}
    findings = {row.id: row for change in changes for row in change.findings}
    return Change(
        tuple(incidents.values()), tuple(findings.values()), tuple(row for change in changes for row in change.timeline)
    )
