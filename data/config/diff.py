from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from data.model.target import Target, TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Changed:
    """One target, old and new; `fields` names what differs."""

    old: Target
    new: Target
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What applying a configuration would do to the targets, each part in the order of ids."""

    added: tuple[Target, ...] = ()
    removed: tuple[Target, ...] = ()
    changed: tuple[Changed, ...] = ()
    beside: tuple[str, ...] = ()
    """What differs beside the targets, one line each."""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.beside)

    def summary(self) -> tuple[str, ...]:
        """Lines for a person: what is new, gone and changed by kind, with the first few names."""
        if not self:
            return ("nothing changed",)
        return (
            *_counted("+", "new", self.added),
            *_counted("−", "gone", self.removed),
            *_changes(self.changed),
            *self.beside,
        )


def difference(before: Iterable[Target], after: Iterable[Target]) -> Difference:
    """Targets by id; slices are left out, since they come from the facts and not from a file."""
    old = {target.id: target for target in before if target.kind is not TargetKind.SLICE}
    new = {target.id: target for target in after if target.kind is not TargetKind.SLICE}
    kept = sorted(old.keys() & new.keys())
    return Difference(
        added=tuple(new[name] for name in sorted(new.keys() - old.keys())),
        removed=tuple(old[name] for name in sorted(old.keys() - new.keys())),
        changed=tuple(_change(old[name], new[name]) for name in kept if old[name] != new[name]),
    )


def _change(before: Target, after: Target) -> Changed:
    names = (item.name for item in fields(Target))
    return Changed(before, after, tuple(name for name in names if getattr(before, name) != getattr(after, name)))


def _counted(sign: str, word: str, targets: tuple[Target, ...]) -> Iterable[str]:
    for kind in TargetKind:
        names = [target.name for target in targets if target.kind is kind]
        if names:
            yield f"{sign} {len(names):,} {_kind_words(kind, len(names))} {word}: {_some(names)}"


def _changes(changes: tuple[Changed, ...]) -> Iterable[str]:
    for kind in TargetKind:
        chosen = [change for change in changes if change.new.kind is kind]
        if chosen:
            counts = Counter(name for change in chosen for name in change.fields)
            what = ", ".join(f"{name.removesuffix('_s')} of {count:,}" for name, count in counts.most_common())
            names = _some([change.new.name for change in chosen])
            yield f"~ {len(chosen):,} {_kind_words(kind, len(chosen))} changed ({what}): {names}"


def _kind_words(kind: TargetKind, count: int) -> str:
    return kind.value if count == 1 else f"{kind.value}s"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED:,} more"
