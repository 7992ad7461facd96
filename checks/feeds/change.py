"""One difference between what a partner sends and what it sent, and how much it matters for what a path is read for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Use(StrEnum):
    """What a mapped path is read for."""

    MONEY = "money"
    COUNT = "count"
    DIM = "dim"
    DAY = "day"


Uses = Mapping[str, Use]
"""Mapped path to its use. `None` in place of a mapping means anything may be read."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `was` and `now` are short words; `n_before` and `n_after` what they rest on."""

    kind: str
    """A row of `kinds.KINDS`."""
    path: str
    severity: str
    was: str
    now: str
    n_before: int
    n_after: int


def use_of(path: str, uses: Uses | None) -> Use | None:
    """The use of a path or of anything mapped below it; money before all else."""
    if uses is None:
        return None
    below = {use for source, use in uses.items() if source == path or source.startswith((path + ".", path + "["))}
    return min(below, key=[Use.MONEY, Use.DAY, Use.COUNT, Use.DIM].index, default=None)


def is_money(uses: Uses | None) -> Callable[[str], bool | None]:
    """Whether a path is money: `None` when nobody said."""
    return lambda path: None if uses is None else use_of(path, uses) is Use.MONEY


def is_read(path: str, uses: Uses | None) -> bool:
    return uses is None or use_of(path, uses) is not None


def share_words(part: float) -> str:
    return f"{part:.0%}" if part in {0, 1} or 0.1 <= part <= 0.9 else f"{part:.1%}"
