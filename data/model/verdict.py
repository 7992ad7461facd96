"""What a person says of an alarm afterwards."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.model.incident import TimelineEntry

SAID = "verdict: "
"""How a line of the timeline begins that holds one; the last one counts."""


class Verdict(StrEnum):
    RIGHT = "right"
    FALSE = "false alarm"
    NOT_OURS = "not ours"
    """Something was wrong, and it is somebody else's to mend."""


def verdict_named(text: str) -> Verdict | None:
    """`right`, `false`, `false alarm`, `not-ours`, or the first letter; `None` for anything else."""
    given = " ".join(text.lower().replace("-", " ").replace("_", " ").split())
    if not given or len(given) > len(Verdict.FALSE):
        return None
    return next((one for one in Verdict if given == one or given in {one[0], one.partition(" ")[0]}), None)


def verdict_of(timeline: Iterable[TimelineEntry]) -> Verdict | None:
    """The last one that was said; `None` where nobody said anything."""
    said = [entry.what.removeprefix(SAID) for entry in timeline if entry.what.startswith(SAID)]
    return verdict_named(said[-1]) if said else None
