"""Findings that open no incident for now because the failure of a parent accounts for them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from checks.incidents.case import SYSTEM, milestone
from checks.incidents.change import Change
from checks.incidents.parents import held_back, holder_of, released
from data.model.incident import TimelineEntry
from data.model.target import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from checks.incidents.parents import Held, Parents
    from checks.incidents.shelf import Shelf
    from data.model.ids import FindingId, TargetId
    from data.model.incident import Finding


@dataclass(slots=True)
class Withheld:
    """They lie on the shelf like all others, and here by the parent that holds them back."""

    shelf: Shelf
    parents: Parents
    _by_parent: dict[TargetId, dict[FindingId, None]] = field(default_factory=dict)

    @property
    def holders(self) -> list[TargetId]:
        return list(self._by_parent)

    def put(self, kept: Finding) -> int:
        """Keep one that is held back; returns how many its parent holds now."""
        self.shelf.findings[kept.id] = kept
        others = self._by_parent.setdefault(holder_of(kept), {})
        others[kept.id] = None
        return len(others)

    def hold(self, finding: Finding, held: Held, now: datetime) -> Change:
        """It is kept without an incident; the incident of the parent says so, by steps where there are many."""
        kept = held_back(finding, held)
        count = self.put(kept)
        root = self.parents.root_of(held)
        if root.incident is None or not milestone(count - 1, count):
            return Change(findings=(kept,))
        many = f"{count} are" if count > 1 else f"{name_of(kept.target)} ({kept.cause}) is"
        said = TimelineEntry(root.incident, now, SYSTEM, f"{many} suppressed: {held.why}")
        return Change((), (kept,), (said,))

    def let_go(self, kept: Finding) -> None:
        """It is held back no longer, and nobody else's yet."""
        parent = holder_of(kept)
        others = self._by_parent.get(parent, {})
        others.pop(kept.id, None)
        if not others:
            self._by_parent.pop(parent, None)
        del self.shelf.findings[kept.id]

    def freed(self, parent: TargetId, is_explained: Callable[[Finding], bool]) -> Iterator[tuple[Finding, Held | None]]:
        """Let go of what this parent no longer holds back: each as it was before, and what holds it back instead.

        What fails elsewhere and explains it better than any parent frees it, too.
        """
        for number in list(self._by_parent.get(parent, ())):
            kept = self.shelf.findings[number]
            plain = released(kept)
            held = None if is_explained(plain) else self.parents.holds(plain)
            if held is None or held.parent.target != parent:
                self.let_go(kept)
                yield plain, held
