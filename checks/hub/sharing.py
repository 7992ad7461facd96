"""Whose a loss is: an hour of a leaf that several incidents touch is counted in one of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from checks.revenue.book import Explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from data.model.ids import IncidentId, TargetId

Dims = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Stake:
    """A slice of the facts that one finding puts at risk."""

    dims: Dims
    basis: str
    """`calendar` when the clicks vanish with the target, `clicks` when they go on and earn nothing, `counts` when
    conversions are missing and nobody knows why."""
    start: datetime
    end: datetime | None
    """`None` while it goes on."""
    target: TargetId


BASES = ("calendar", "clicks", "counts")
"""Who comes first: clicks that never came cannot be lost on their way, and what is explained is not missing."""


@dataclass(frozen=True, slots=True)
class Move:
    """A slice whose visitors a plan sends elsewhere, where they earn: nothing of it is lost meanwhile."""

    where: Mapping[str, str]
    """Dimension to value, `team` and `project` among them; empty is all of the incident's."""
    since: datetime
    until: datetime | None
    """`None` while it goes on."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one incident puts at risk."""

    incident: IncidentId
    rank: int
    """How near its cause is to the root; lower comes first."""
    since: datetime
    stakes: tuple[Stake, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """Part of what an incident claims, counted in another."""

    stake: Stake
    incident: IncidentId
    from_basis: str
    """It is taken from the claimant's stakes of this basis."""


def share_out(claims: Iterable[Claim]) -> dict[IncidentId, tuple[Taken, ...]]:
    """For each incident the stakes of others that come before one of its own which they overlap.

    Before comes the stake whose basis is stronger (`BASES`), then the incident whose cause is nearer to the root, then
    the older one, then the one with the lower number. Of a `counts` stake only the first is named: the revenue book
    leaves out by itself what is explained and what older alarms count.
    """
    ordered = sorted(
        ((_place(claim, stake), claim.incident, stake) for claim in claims for stake in claim.stakes),
        key=lambda entry: entry[0],
    )
    taken: dict[IncidentId, dict[Taken, None]] = defaultdict(dict)
    before = _Before()
    for _, incident, stake in ordered:
        theirs = (
            Taken(other, owner, stake.basis)
            for other, owner in before.touching(stake)
            if owner is not None and owner != incident and _meet(other, stake)
        )
        taken[incident].update(dict.fromkeys(islice(theirs, 1) if stake.basis == "counts" else theirs))
        before.add(stake, incident)
    return {incident: tuple(found) for incident, found in taken.items() if found}


def spans(stakes: Iterable[Stake], now: datetime) -> tuple[Explained, ...]:
    """The slices and hours of some stakes, those of equal hours together."""
    groups: dict[tuple[datetime, datetime], dict[Dims, None]] = defaultdict(dict)
    for stake in stakes:
        groups[stake.start, stake.end or now][stake.dims] = None
    return tuple(Explained(tuple(dict(dims) for dims in same), *hours) for hours, same in groups.items())


def overlap(some: Sequence[Stake], others: Iterable[Stake]) -> list[Stake]:
    """Those of `others` that touch one of `some`."""
    index = _Before()
    for stake in some:
        index.add(stake, None)
    return [other for other in others if any(_meet(stake, other) for stake, _ in index.touching(other))]


def left_by(stake: Stake, moves: Iterable[Move]) -> list[Stake]:
    """What is left of a stake outside of the times in which its visitors were sent elsewhere; in order of time."""
    pieces = [stake]
    for move in moves:
        pieces = [rest for piece in pieces for rest in _outside(piece, move)]
    return pieces


def _outside(stake: Stake, move: Move) -> list[Stake]:
    before = replace(stake, end=min(filter(None, (stake.end, move.since))))
    after = [] if move.until is None else [replace(stake, start=max(stake.start, move.until))]
    return [one for one in (before, *after) if one.end is None or one.start < one.end]


def _place(claim: Claim, stake: Stake) -> tuple[int, int, datetime, int]:
    return BASES.index(stake.basis), claim.rank, claim.since, int(claim.incident)


def _meet(one: Stake, other: Stake) -> bool:
    """In time; that their slices touch is known."""
    return (one.end is None or one.end > other.start) and (other.end is None or other.end > one.start)


class _Before:
    """Stakes found by what they fix: two slices touch where every dimension both fix has one value."""

    def __init__(self) -> None:
        self._shapes: dict[frozenset[str], list[tuple[Stake, IncidentId | None]]] = defaultdict(list)
        self._joined: dict[
            tuple[frozenset[str], frozenset[str]], dict[Dims, list[tuple[Stake, IncidentId | None]]]
        ] = {}

    def add(self, stake: Stake, owner: IncidentId | None) -> None:
        shape = frozenset(name for name, _ in stake.dims)
        self._shapes[shape].append((stake, owner))
        for (known, common), index in self._joined.items():
            if known == shape:
                index[_only(stake.dims, common)].append((stake, owner))

    def touching(self, stake: Stake) -> Iterator[tuple[Stake, IncidentId | None]]:
        mine = frozenset(name for name, _ in stake.dims)
        for shape in list(self._shapes):
            yield from self._index(shape, shape & mine).get(_only(stake.dims, shape & mine), ())

    def _index(
        self, shape: frozenset[str], common: frozenset[str]
    ) -> Mapping[Dims, list[tuple[Stake, IncidentId | None]]]:
        if (shape, common) not in self._joined:
            index: dict[Dims, list[tuple[Stake, IncidentId | None]]] = defaultdict(list)
            for stake, owner in self._shapes[shape]:
                index[_only(stake.dims, common)].append((stake, owner))
            self._joined[shape, common] = index
        return self._joined[shape, common]


def _only(dims: Dims, names: frozenset[str]) -> Dims:
    return tuple(sorted((name, value) for name, value in dims if name in names))
