"""What the screens, the report and the past tell of an incident beside its own row: its story, and where its loss is counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checks.incidents.notify.heard import heard
from data.access.redaction import redact_incident, redact_words
from data.model.snapshot import Statement
from data.store import incidents, outbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from data.model.incident import Incident, TimelineEntry
    from data.model.principal import Scope
    from data.store.store import Store


@dataclass(slots=True)
class IncidentStory:
    """Reads the store: call it in a thread."""

    store: Store

    def told(
        self, incident: Incident, entries: Sequence[TimelineEntry], scope: Scope, at: datetime
    ) -> tuple[TimelineEntry, ...]:
        """Its lines up to `at` and who was told of it by then, oldest first, in words the reader may read."""
        notices = outbox.of_incident(self.store, scope, incident.id, incident.detected_at)
        lines = [*(one for one in entries if one.at <= at), *heard(notices, incident.id, at)]
        return tuple(replace(one, what=redact_words(one.what, scope)) for one in sorted(lines, key=lambda one: one.at))

    def shown(self, some: Iterable[Incident], scope: Scope) -> tuple[Incident, ...]:
        """Incidents as the reader may see them; another one that counts their loss is named where that may be seen, too."""
        rows = tuple(some)
        counting = {one.counted_in for one in rows if one.counted_in is not None}
        visible = counting if scope.teams is None else incidents.known(self.store, scope, counting)
        return tuple(redact_incident(one, scope, visible) for one in rows)


def counted(seen: Incident) -> tuple[Statement, ...]:
    """Where a loss is counted that two incidents share; `seen` is what the reader may see."""
    if seen.counted_in is None:
        return ()
    how_much = "part of its loss" if seen.loss.per_hour > 0 else "its loss"
    return (Statement("fact", f"{how_much} is counted in #{seen.counted_in}"),)
