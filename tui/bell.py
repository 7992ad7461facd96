"""When the terminal rings and what its title says: somebody who looks elsewhere should know that money is being lost."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.model.incident import IncidentState
from data.text import clean_text
from tui.overview_lines import URGENT, severe

if TYPE_CHECKING:
    from data.model.ids import IncidentId
    from data.model.snapshot import Snapshot

_UNTITLED = frozenset({"", "dumb", "linux"})
"""Terminals without a title."""


@dataclass(slots=True)
class Bell:
    """Rings once for each incident that became urgent since the first picture and that nobody has yet."""

    is_on: bool = True
    _known: set[IncidentId] | None = None
    _title: str = field(default="", init=False)

    def rings(self, snapshot: Snapshot) -> bool:
        """Whether this picture is worth a ring; what burnt before anybody looked is not."""
        urgent = {one.id for one in snapshot.incidents if one.severity in URGENT}
        fresh = {one.id for one in snapshot.incidents if one.id in urgent and one.state is IncidentState.NEW}
        known, self._known = self._known, urgent
        return self.is_on and known is not None and bool(fresh - known)

    def title(self, snapshot: Snapshot) -> str:
        """What to write to the terminal so that its title tells of this picture; empty when it does already."""
        if not self.is_on or os.environ.get("TERM", "") in _UNTITLED:
            return ""
        counts = severe(snapshot)
        told = ", ".join(f"{counts[word]} {word}" for word in URGENT if counts[word])
        title = clean_text(" - ".join(part for part in (told, snapshot.company, "losswatch") if part), 120)
        if title == self._title:
            return ""
        first, self._title = not self._title, title
        return f"{_SAVE if first else ''}\x1b]2;{title}\x07"

    @property
    def farewell(self) -> str:
        """What gives the terminal its own title back."""
        return _RESTORE if self._title else ""


_SAVE, _RESTORE = "\x1b[22;2t", "\x1b[23;2t"
