"""What happened just before something broke, to it and to what it hangs together with."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from data.model.cause import words_of
from data.model.snapshot import LogLine
from data.model.state import State
from data.model.target import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from data.model.ids import TargetId
    from data.model.observation import Flip
    from data.model.target import Target

LOOK_BACK = timedelta(minutes=30)
LOOK_AHEAD = timedelta(minutes=5)
MOST = 12
_OURS = frozenset({"hub", "person"})
"""Kinds of log lines that tell of people and of the configuration."""


def window(since: datetime) -> tuple[datetime, datetime]:
    """The time around the beginning of a condition that is worth looking at."""
    return since - LOOK_BACK, since + LOOK_AHEAD


def prelude(
    target: Target, since: datetime, flips: Iterable[Flip], log: Iterable[LogLine], targets: Mapping[TargetId, Target]
) -> tuple[LogLine, ...]:
    """Lines around `since`, oldest first: flips of related targets (same site, same partner) and what people did.

    Of more than a dozen the ones nearest to the beginning are kept.
    """
    begin, end = window(since)
    lines = [
        LogLine(flip.at, flip.target.partition(":")[0], name_of(flip.target), _words(flip))
        for flip in flips
        if begin <= flip.at <= end and flip.new is not State.UNKNOWN and _related(target, targets.get(flip.target))
    ]
    lines += [line for line in log if line.kind in _OURS and begin <= line.at <= end]
    nearest = sorted(lines, key=lambda line: abs(line.at - since))[:MOST]
    return tuple(sorted(nearest, key=lambda line: line.at))


def _related(target: Target, other: Target | None) -> bool:
    if other is None or other.id == target.id:
        return other is not None
    same_site = bool(target.site) and target.site == other.site
    same_partner = bool(target.partner) and target.partner == other.partner
    return same_site or same_partner


def _words(flip: Flip) -> str:
    return words_of(flip.cause) if flip.cause else "ok again"
