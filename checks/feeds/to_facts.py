"""A partner's figures as facts: what a report says beyond what was told before, on the hours and slices it can be of. Pure.

A report is by day and by few dimensions; facts are by hour, offer, GEO and site. What it says more than was told is laid on the
hours since the last reading (of a day that is over: on the whole day), in the shares of our own clicks, since conversions are
judged given clicks: a day that arrives at once is no burst after 23 silent hours. What it says less is taken back where it was
told. The difference is always to what is stored as told, whoever told it, so that a restart, a second reading or a backfill
tells nothing twice, and postbacks that came first are counted once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from data.model.fact import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from data.model.ids import PartnerId, TeamId

HOUR = timedelta(hours=1)
COUNTS = ("clicks", "regs", "ftd")
MEASURES = (*COUNTS, "revenue")
ZERO = Decimal(0)
GRAIN = Decimal("0.0001")
PIECES = 40
"""Amounts without a conversion are laid down in so many parts at most: a row each would drown the store."""


class Leaf(NamedTuple):
    offer: str
    geo: str
    site: str


class Place(NamedTuple):
    """What a row of a report says of where it happened; `None` where it does not say."""

    offer: str | None = None
    geo: str | None = None
    site: str | None = None

    def holds(self, leaf: Leaf) -> bool:
        return all(said is None or said == is_ for said, is_ in zip(self, leaf, strict=True))

    @property
    def leaf(self) -> Leaf:
        """Where it is put when none of our clicks says more."""
        return Leaf(self.offer or "", self.geo or "", self.site or "")


ANYWHERE = Place()
Cell = tuple[datetime, Leaf]
"""An hour, UTC, and a leaf."""
Told = dict[str, dict[Cell, Decimal]]
"""By measure: what stands in the facts, cells that add up to nothing left out."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a report says of one place: a measure that it does not deliver is absent."""

    place: Place
    figures: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some hours that a report speaks of as one: a day of the partner, or an hour of it."""

    name: str
    """`2026-11-17`, `2026-11-17 13`: with the feed it seeds what is drawn."""
    hours: tuple[datetime, ...]
    """All of it, UTC."""
    fresh: Mapping[datetime, float]
    """Hours that news is laid on, each with its part, 0..1."""
    settled: bool
    """The report is final enough to lower what postbacks told."""


@dataclass(frozen=True, slots=True)
class Clicks:
    """Our own clicks of one team to one partner, by cell; and how an hour usually does where there are none."""

    cells: Mapping[Cell, int] = field(default_factory=dict)
    by_hour: Sequence[float] = (1.0,) * 24
    """Usual share by hour of the day, UTC."""


def told(rows: Iterable[tuple[datetime, str, str, str, int, int, int, Decimal]]) -> Told:
    """Sums of facts as (hour, offer, geo, site, clicks, regs, ftd, revenue)."""
    found: Told = {name: {} for name in MEASURES}
    for hour, offer, geo, site, clicks, regs, ftd, revenue in rows:
        cell = hour, Leaf(offer, geo, site)
        for name, figure in zip(MEASURES, (Decimal(clicks), Decimal(regs), Decimal(ftd), revenue), strict=True):
            if figure:
                found[name][cell] = found[name].get(cell, ZERO) + figure
    return found


def differences(
    feed: str, said: Sequence[Said], stretch: Stretch, ours: Told, theirs: Told, clicks: Clicks
) -> dict[Cell, dict[str, Decimal]]:
    """What is to be added to the facts of one stretch so that they say what the report does.

    `ours` is what this feed told of it before, `theirs` what postbacks of the same account told. 1. What was told is held
    against the most precise place of the report that holds it; what no place holds is no longer reported. 2. While the
    stretch runs, a report that is behind the postbacks lowers nothing: they are faster. 3. What is missing is drawn over the
    fresh hours and the place's leaves in the shares of our clicks, money with its conversions; what is too much is taken back.
    """
    ground = _Ground(frozenset(one.place for one in said), stretch, clicks)
    added: dict[Cell, dict[str, Decimal]] = defaultdict(dict)
    hours = frozenset(stretch.hours)
    for name in MEASURES:
        if not any(name in one.figures for one in said):
            continue
        own = {cell: figure for cell, figure in ours[name].items() if cell[0] in hours}
        others = {cell: figure for cell, figure in theirs[name].items() if cell[0] in hours}
        before = {cell: own.get(cell, ZERO) + others.get(cell, ZERO) for cell in own.keys() | others.keys()}
        need = _needs(name, said, ground, before)
        if sum(need.values(), ZERO) < 0 and not stretch.settled and any(others.values()):
            continue
        held: dict[Place, dict[Cell, Decimal]] = defaultdict(dict)
        for cell, figure in before.items():
            held[ground.place_of(cell[1])][cell] = figure
        for place in sorted(need, key=repr):
            luck = _luck(feed, stretch.name, name, place, need[place], sum(before.values(), ZERO))
            for cell, figure in _laid(name, need[place], place, ground, held[place], added, luck).items():
                added[cell][name] = added[cell].get(name, ZERO) + figure
    return {cell: figures for cell, figures in added.items() if any(figures.values())}


def facts(
    added: Mapping[Cell, Mapping[str, Decimal]], team: TeamId, partner: PartnerId, source: str, now: datetime
) -> list[Fact]:
    """One fact a cell, in the order of hours and leaves."""
    found = []
    for (hour, leaf), figures in sorted(added.items()):
        clicks, regs, ftd = (int(figures.get(name, 0)) for name in COUNTS)
        revenue = figures.get("revenue", ZERO)
        found.append(Fact(hour, now, team, partner, *leaf, clicks, regs, ftd, revenue, source))
    return found


def counted(
    feed: str, wanted: Mapping[datetime, Mapping[str, int]], value: Decimal, ours: Told, clicks: Clicks
) -> dict[Cell, dict[str, Decimal]]:
    """What is to be added so that the facts say what single events do: by hour, each first deposit worth `value`."""
    added: dict[Cell, dict[str, Decimal]] = {}
    for hour, counts in sorted(wanted.items()):
        stretch = Stretch(hour.isoformat(), (hour,), {hour: 1.0}, settled=True)
        named = {name: Decimal(counts.get(name, 0)) for name in ("regs", "ftd")}
        here = differences(feed, (Said(ANYWHERE, named),), stretch, ours, told(()), clicks)
        for cell, figures in here.items():
            if value and "ftd" in figures:
                figures["revenue"] = figures["ftd"] * value
            added[cell] = figures
    return added


def hours_between(begin: datetime, end: datetime) -> tuple[datetime, ...]:
    """Starts of the hours of UTC that begin in [begin, end): every hour belongs to one day, in any zone."""
    first = begin.astimezone(UTC)
    hour = first.replace(minute=0, second=0, microsecond=0)
    hour += HOUR if hour < first else timedelta()
    found = []
    while hour < end:
        found.append(hour)
        hour += HOUR
    return tuple(found)


def parts_of(hours: Sequence[datetime], begin: datetime, end: datetime) -> dict[datetime, float]:
    """The part of each hour that lies between two moments; hours of which none does are left out."""
    found = {hour: (min(end, hour + HOUR) - max(begin, hour)) / HOUR for hour in hours}
    return {hour: part for hour, part in found.items() if part > 0}


@dataclass(slots=True)
class _Ground:
    """The places of one report, and which leaf belongs to which."""

    places: frozenset[Place]
    stretch: Stretch
    clicks: Clicks
    _known: dict[Leaf, Place] = field(default_factory=dict)
    _mine: dict[Place, dict[Cell, int]] | None = None

    def place_of(self, leaf: Leaf) -> Place:
        """The most precise place that holds a leaf; `_GONE` where none does."""
        if leaf not in self._known:
            said = (Place(*(is_ if kept else None for is_, kept in zip(leaf, mask, strict=True))) for mask in _MASKS)
            self._known[leaf] = next((place for place in said if place in self.places), _GONE)
        return self._known[leaf]

    def clicks_of(self, place: Place) -> dict[Cell, int]:
        """Our clicks of the stretch that belong to a place."""
        if self._mine is None:
            self._mine, hours = {}, frozenset(self.stretch.hours)
            for cell, count in self.clicks.cells.items():
                if count > 0 and cell[0] in hours:
                    self._mine.setdefault(self.place_of(cell[1]), {})[cell] = count
        return self._mine.get(place, {})

    def weights(self, place: Place) -> dict[Cell, float]:
        """How likely each cell is: our clicks in the fresh hours, else over the stretch, else what is usual."""
        mine = self.clicks_of(place)
        fresh_hours = self.stretch.fresh or dict.fromkeys(self.stretch.hours, 1.0)
        fresh = {cell: count * fresh_hours[cell[0]] for cell, count in mine.items() if cell[0] in fresh_hours}
        if fresh:
            return fresh
        usual = {hour: part * max(self.clicks.by_hour[hour.hour], 1e-6) for hour, part in fresh_hours.items()}
        leaves: dict[Leaf, float] = defaultdict(float)
        for (_, leaf), count in mine.items():
            leaves[leaf] += count
        shared = leaves or {place.leaf: 1.0}
        return {(hour, leaf): part * count for hour, part in usual.items() for leaf, count in shared.items()}


_MASKS = tuple(sorted(product((True, False), repeat=3), key=lambda mask: (-sum(mask), mask)))
_GONE = Place("", "", "\x00")
"""Stands for what was told and is no longer reported anywhere."""


def _needs(name: str, said: Sequence[Said], ground: _Ground, before: Mapping[Cell, Decimal]) -> dict[Place, Decimal]:
    """By place: what is said less what was told; nothing where the measure is not delivered for the place."""
    need: dict[Place, Decimal] = defaultdict(Decimal)
    silent = {one.place for one in said if name not in one.figures}
    for one in said:
        if name in one.figures:
            figure = one.figures[name]
            need[one.place] += figure if name == "revenue" else max(figure.to_integral_value(), ZERO)
    for cell, figure in before.items():
        place = ground.place_of(cell[1])
        if place not in silent:
            need[place] -= figure
    return {place: amount for place, amount in need.items() if amount}


def _laid(
    name: str, amount: Decimal, place: Place, ground: _Ground, held: Mapping[Cell, Decimal],
    added: Mapping[Cell, Mapping[str, Decimal]], luck: np.random.Generator,
) -> dict[Cell, Decimal]:  # fmt: skip
    """`amount` of one measure as cells."""
    if name == "revenue":
        new = {
            cell: float(one["ftd"])
            for cell, one in added.items()
            if one.get("ftd", ZERO) > 0 and ground.place_of(cell[1]) == place
        }
        earned = {cell: abs(float(figure)) for cell, figure in held.items() if figure}
        basis = (new or earned) if amount > 0 else (earned or new)
        return _shared(amount, basis or ground.weights(place), luck)
    if amount < 0:
        return _taken_back(-int(amount), held, luck)
    weights = ground.weights(place)
    cells = sorted(weights)
    drawn = luck.multinomial(int(amount), _normal([weights[cell] for cell in cells]))
    return {cell: Decimal(int(count)) for cell, count in zip(cells, drawn, strict=True) if count}


def _shared(amount: Decimal, basis: Mapping[Cell, float], luck: np.random.Generator) -> dict[Cell, Decimal]:
    """Money in the shares of `basis`, exact to its grain; over many cells drawn in a few parts."""
    cells = sorted(basis)
    shares = _normal([basis[cell] for cell in cells])
    if len(cells) > PIECES:
        shares = luck.multinomial(PIECES, shares) / PIECES
    amounts = [(amount * Decimal(repr(float(share)))).quantize(GRAIN) for share in shares]
    amounts[int(np.argmax(shares))] += amount - sum(amounts, ZERO)
    return {cell: one for cell, one in zip(cells, amounts, strict=True) if one}


def _taken_back(count: int, held: Mapping[Cell, Decimal], luck: np.random.Generator) -> dict[Cell, Decimal]:
    """Events that are no longer reported, drawn from those that were told."""
    cells = sorted(cell for cell, figure in held.items() if figure > 0)
    there = [int(held[cell]) for cell in cells]
    count = min(count, sum(there))
    if not count:
        return {}
    drawn = luck.multivariate_hypergeometric(there, count, method="marginals")
    return {cell: Decimal(-int(one)) for cell, one in zip(cells, drawn, strict=True) if one}


def _normal(weights: Sequence[float]) -> NDArray[np.float64]:
    found = np.asarray(weights, np.float64)
    shares: NDArray[np.float64] = found / found.sum()
    return shares


def _luck(*words: object) -> np.random.Generator:
    """The same draw for the same news."""
    digest = blake2b("|".join(map(str, words)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))
