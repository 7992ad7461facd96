"""`[[parents]]`: targets whose failure accounts for that of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from data.config.table import Table

_MOST = 500
_COMES_LATER = "slice:"
"""Slices are in no inventory: they appear with the facts."""


@dataclass(frozen=True, slots=True)
class Parent:
    """While `parent` fails, what `child` names opens no incident of its own."""

    parent: str
    """Id of a target."""
    child: str
    """Id of a target, `*` allowed at the end; the parent itself is never meant."""
    reason: str = "declared as its parent"

    def is_over(self, target: str) -> bool:
        if target == self.parent:
            return False
        return target.startswith(self.child[:-1]) if self.child.endswith("*") else target == self.child


def parents(tables: Iterable[Table], targets: Collection[str]) -> tuple[Parent, ...]:
    """`targets` are the ids there are. A parent or child that is none of them, and a circle, are errors."""
    made: list[tuple[Table, Parent]] = []
    known = set(targets)
    for number, table in enumerate(tables):
        one = Parent(
            parent=table.choice("parent", sorted(known), "target", required=True),
            child=table.text("child", required=True),
            reason=table.text("reason", Parent("", "").reason, limit=120),
        )
        told = one.child.startswith(_COMES_LATER) or any(one.is_over(target) for target in known)
        if one.parent and one.child and not told:
            table.wrong("child", "names no target beside its parent", value=one.child, choices=sorted(known))
        if number == _MOST:
            table.wrong("parent", "is one of too many", allowed=f"{_MOST} at most")
        table.done()
        made.append((table, one))
    above = _above([one for _, one in made])
    for table, one in made:
        if circle := _circle(one.parent, above):
            table.wrong("parent", f"stands in a circle: {' is over '.join(circle)}", value=one.parent)
            break
    return tuple(one for _, one in made)


def _above(made: Collection[Parent]) -> Mapping[str, tuple[str, ...]]:
    """Which parents stand over which: whatever is no parent itself cannot close a circle."""
    names = {one.parent for one in made}
    return {name: tuple(sorted({one.parent for one in made if one.is_over(name)})) for name in names}


def _circle(start: str, above: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The way from a parent up to itself; nothing when there is none."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop()
        for name in above.get(way[-1], ()):
            if name == start:
                return [*way, start][::-1]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []
