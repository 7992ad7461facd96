"""Who shares what, and how each fared when last seen: the ground on which a shared upstream is inferred."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from checks.incidents.labels import Label, compatible
from data.model.cause import nature_of
from data.model.observation import NO_CAUSE
from data.model.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, KeysView
    from datetime import datetime

    from data.model.ids import CauseId, TargetId
    from data.model.observation import Observation, TargetState

SLOT_S: Final = 15
"""Seconds that one slot of time spans."""


def slot_of(at: datetime) -> int:
    return int(at.timestamp()) // SLOT_S


class Mark(NamedTuple):
    """How a target fared when last seen. `cause` is empty for one that is fine or of which nothing is known."""

    fine: int = 0
    """Slot in which it was last seen fine; 0 when it was not."""
    failed: int = 0
    """Slot in which its present failures began; 0 when it does not fail."""
    cause: CauseId = NO_CAUSE


NOTHING: Final = Mark()


@dataclass(slots=True)
class Tally:
    """The members of one label: how many there are, and when they failed or were last seen fine."""

    members: int = 0
    fine: dict[int, int] = field(default_factory=dict)
    """Members last seen fine, by the slot of that."""
    failed: dict[int, int] = field(default_factory=dict)
    """Members that fail in a way this upstream could cause, by the slot in which that began."""

    def fine_since(self, slot: int) -> int:
        """Members seen fine after `slot`; the slot itself proves nothing."""
        return sum(count for seen, count in self.fine.items() if seen > slot)

    def failed_since(self, slot: int) -> int:
        return sum(count for began, count in self.failed.items() if began >= slot)


class Entry(NamedTuple):
    labels: tuple[Label, ...]
    mark: Mark
    seen: int = 0
    """Slot of the last look that told anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Failing targets that share the same, began in one slot and fail in one way: what explains one explains all."""

    labels: tuple[Label, ...]
    """Those that others have, too..."""
    speaking: tuple[Label, ...]
    """...and of these, those that can fail in this way."""
    mark: Mark
    targets: dict[TargetId, None]


class Census:
    """Every site and link with its labels and how it fared. Pure; each change costs as much as a target has labels.

    An unconfirmed failure counts as one; `unknown` and `paused` speak for neither side. A label that only one target has
    is not counted at all, since it is shared with nobody.
    """

    def __init__(self) -> None:
        self._entries: dict[TargetId, Entry] = {}
        self._tallies: dict[Label, Tally] = {}
        self._alone: dict[Label, TargetId] = {}
        """Labels of one target; they get a tally when a second one comes."""
        self._failing: dict[TargetId, Alike] = {}
        self._alike: dict[tuple[tuple[Label, ...], Mark], Alike] = {}
        self._all = Tally()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, target: TargetId) -> bool:
        return target in self._entries

    def put(self, target: TargetId, labels: tuple[Label, ...], mark: Mark | None = None) -> None:
        """Add a target or change what it shares; without a `mark` it keeps its own."""
        known = self._entries.get(target)
        mark = (known.mark if known else NOTHING) if mark is None else mark
        if known is not None and known.labels == labels:
            return self._mark(target, known, mark)
        self.forget(target)
        for label in labels:
            self._add(label, target, mark)
        self._count(self._all, mark, 1, "")
        self._entries[target] = Entry(labels, mark, known.seen if known else 0)
        self._file(target)
        return None

    def saw(self, observation: Observation) -> None:
        """Take over how a target fared; one that was never put is ignored."""
        known = self._entries.get(observation.target)
        if known is not None:
            seen = known.seen if observation.state is State.UNKNOWN else slot_of(observation.started_at)
            self._mark(observation.target, known._replace(seen=seen), mark_after(observation, known.mark))

    def forget(self, target: TargetId) -> None:
        known = self._entries.pop(target, None)
        if known is None:
            return
        self._file(target)
        self._count(self._all, known.mark, -1, "")
        for label in known.labels:
            tally = self._tallies.get(label)
            if tally is None:
                self._alone.pop(label, None)
                continue
            self._count(tally, known.mark, -1, label[0])
            tally.members -= 1
            if not tally.members:
                del self._tallies[label]

    def labels(self, target: TargetId) -> tuple[Label, ...]:
        known = self._entries.get(target)
        return known.labels if known else ()

    def mark(self, target: TargetId) -> Mark:
        known = self._entries.get(target)
        return known.mark if known else NOTHING

    def seen(self, target: TargetId) -> int:
        """Slot of the last look that told whether it is fine; 0 when there was none."""
        known = self._entries.get(target)
        return known.seen if known else 0

    def tally(self, label: Label) -> Tally | None:
        """`None` for a label that fewer than two targets ever shared."""
        return self._tallies.get(label)

    @property
    def shared(self) -> KeysView[Label]:
        """Labels that have a tally."""
        return self._tallies.keys()

    def pooled(self, labels: Iterable[Label]) -> Tally:
        """The tallies of several labels that no target has two of, as one."""
        whole = Tally()
        for tally in (self._tallies[label] for label in labels if label in self._tallies):
            whole.members += tally.members
            for slot, count in tally.fine.items():
                _add(whole.fine, slot, count)
            for slot, count in tally.failed.items():
                _add(whole.failed, slot, count)
        return whole

    @property
    def failures(self) -> int:
        """Targets that fail now."""
        return len(self._failing)

    @property
    def everything(self) -> Tally:
        """All targets, whatever they share; `members` is left at 0, see `len`."""
        return self._all

    def failing(self, since: int) -> list[Alike]:
        """Targets whose present failures began in slot `since` or later."""
        return [some for some in self._alike.values() if some.mark.failed >= since]

    def _file(self, target: TargetId) -> None:
        """Put a target with those that fail as it does now, or with nobody."""
        known = self._failing.pop(target, None)
        if known is not None:
            del known.targets[target]
            if not known.targets:
                del self._alike[known.labels, known.mark]
        entry = self._entries.get(target)
        if entry is None or not entry.mark.failed:
            return
        labels, mark = tuple([label for label in entry.labels if label in self._tallies]), entry.mark
        some = self._alike.get((labels, mark))
        if some is None:
            speaking = tuple([label for label in labels if compatible(label[0], mark.cause)])
            some = self._alike[labels, mark] = Alike(labels, speaking, mark, {})
        some.targets[target] = None
        self._failing[target] = some

    def _add(self, label: Label, target: TargetId, mark: Mark) -> None:
        tally = self._tallies.get(label)
        if tally is None:
            first = self._alone.pop(label, None)
            if first is None:
                self._alone[label] = target
                return
            tally = self._tallies[label] = Tally(1)
            self._count(tally, self._entries[first].mark, 1, label[0])
            self._file(first)
        tally.members += 1
        self._count(tally, mark, 1, label[0])

    def _mark(self, target: TargetId, known: Entry, mark: Mark) -> None:
        self._entries[target] = known._replace(mark=mark)
        if mark == known.mark:
            return
        for label in known.labels:
            tally = self._tallies.get(label)
            if tally is not None:
                self._count(tally, known.mark, -1, label[0])
                self._count(tally, mark, 1, label[0])
        self._count(self._all, known.mark, -1, "")
        self._count(self._all, mark, 1, "")
        if mark.failed or known.mark.failed:
            self._file(target)

    def _count(self, tally: Tally, mark: Mark, by: int, name: str) -> None:
        if mark.fine:
            _add(tally.fine, mark.fine, by)
        elif mark.failed and (not name or compatible(name, mark.cause)):
            _add(tally.failed, mark.failed, by)


def mark_after(seen: Observation, known: Mark) -> Mark:
    """A run of failures of one nature keeps its beginning; `unknown` does not end it. Slow is neither fine nor failing."""
    if seen.state is State.FAILING:
        goes_on = known.failed and nature_of(seen.cause) == nature_of(known.cause)
        return Mark(failed=known.failed if goes_on else slot_of(seen.started_at), cause=seen.cause)
    if seen.state is State.OK or (seen.state is State.DEGRADED and not seen.cause.startswith("slow.")):
        return Mark(fine=slot_of(seen.started_at))
    return known if known.failed and seen.state is State.UNKNOWN else NOTHING


def mark_of(state: TargetState) -> Mark:
    """What a stored state tells after a restart: a first failure that was not yet confirmed is forgotten."""
    if state.state is State.FAILING and not state.oks:
        return (
            Mark(failed=slot_of(began), cause=state.cause) if (began := state.first_fail_at or state.since) else NOTHING
        )
    known = state.state in {State.OK, State.DEGRADED, State.FAILING} and not state.cause.startswith("slow.")
    return Mark(fine=slot_of(state.last_at)) if known and state.last_at and not state.fails else NOTHING


def _add(counts: dict[int, int], slot: int, by: int) -> None:
    left = counts.get(slot, 0) + by
    if left:
        counts[slot] = left
    else:
        counts.pop(slot, None)
