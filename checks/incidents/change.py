from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    """Both as one batch, each row once, in its later version."""
    if not first or not second:
        return first or second
    incidents = {row.id: row for row in (*first.incidents, *second.incidents)}
    findings = {row.id: row for row in (*first.findings, *second.findings)}
    return Change(tuple(incidents.values()), tuple(findings.values()), first.timeline + second.timeline)
