"""One slice read closely: which window spoke for trouble, what its parts did, and what was foretold of its hours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from checks.revenue import lattice, price, scan, views
from checks.revenue.cube import DAY_H, Cube
from checks.revenue.evidence import WINDOWS_H
from checks.revenue.watch import RECENT_H

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from checks.revenue.cube import Bools, Floats, Ints
    from checks.revenue.expectation import Fit
    from checks.revenue.lattice import Lattice, Parts
    from checks.revenue.scan import Caution, Hours, Sums
    from data.model.snapshot import BandPoint

ENOUGH = 3.0
"""Events that must be due before a share is told."""
_PER_LEAF = (
    "ftd_rate", "reg_rate", "ftd_single", "reg_single", "value", "value_cv2", "low_value", "low_share", "ftd_seen",
    "regs_seen", "clicks_level", "click_profile",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """What one channel says over the last hours."""

    channel: str
    length_h: int
    seen: float
    due: float
    nats: float


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a slice over some hours."""

    dim: str
    value: str
    revenue: float
    revenue_due: float
    ftd: float
    ftd_due: float
    nats: float

    @property
    def share(self) -> float | None:
        """FTD seen over FTD due; `None` where too few are due to say."""
        return self.ftd / self.ftd_due if self.ftd_due >= ENOUGH else None


class Part(Cube):
    """Some leaves of a cube as they are now; to be read, not fed."""

    def __init__(self, whole: Cube, inside: Ints) -> None:
        self.__dict__.update(whole.__dict__)
        self._whole, self._inside = whole, inside

    @property
    def leaves(self) -> int:
        return len(self._inside)

    @property
    def codes(self) -> Ints:
        return self._whole.codes[:, self._inside]

    def measure(self, name: str, since: int, until: int) -> Floats:
        return self._whole.measure(name, since, until)[self._inside]


@dataclass(frozen=True, slots=True)
class Reader:
    """What is needed to read slices between two ticks."""

    cube: Cube
    model: Fit
    lattice: Lattice
    caution: Caution
    common: Mapping[int, float]
    """Epoch hour -> what moved everybody then."""

    def windows(self, leaves: Ints) -> tuple[Window, ...]:
        """Of each channel the strongest window that ends now, without hours that something accounts for; strongest first."""
        top = self.cube.top
        hours = self._hours(leaves, top - RECENT_H, top, self.cube.masked[leaves])
        width = hours.ftd.shape[1]
        lengths_h = np.minimum(np.array(WINDOWS_H, np.float64), max(width, 1))
        cells, everywhere = lattice.cells(Part(self.cube, leaves)), np.ones(len(leaves), np.bool_)
        weighed = self._weighed(hours, cells, everywhere, scan.windows_of(width), self._caution(leaves), lengths_h)
        found = []
        for channel, nats in weighed.nats.items():
            seen, due = weighed.seen(channel)
            best = int(np.argmax(nats[0]))
            found.append(
                Window(channel, int(lengths_h[best]), float(seen[0, best]), float(due[0, best]), float(nats[0, best]))
            )
        return tuple(sorted(found, key=lambda one: -one.nats))

    def parts(self, leaves: Ints, fixed: Mapping[str, str], since: int, until: int) -> tuple[Share, ...]:
        """The slice by each dimension that is not fixed and has several values, most commission missing first."""
        if until <= since or not len(leaves):
            return ()
        hours = self._hours(leaves, since, until, np.zeros((len(leaves), self.cube.width), np.bool_))
        cells, spans = lattice.cells(Part(self.cube, leaves)), np.ones((hours.ftd.shape[1], 1))
        value = _of_leaves(self.model.value, leaves)
        usable = hours.usable
        revenue = (self.cube.measure("revenue", since, until)[leaves] * usable).sum(1)
        revenue_due = (hours.ftd_due * usable).sum(1) * value * self._moved(since, until)
        length_h = np.array([float(max(until - since, 1))])
        prints, numbers = self._prints()
        marks, whole = _marks(self.cube.leaves), self._slice_of(leaves)
        found = []
        for dim, codes, names in zip(self.cube.dims, self.cube.codes[:, leaves], self.cube.names, strict=True):
            present = np.unique(codes)
            if dim in fixed or len(present) < 2:
                continue
            for code in present.tolist():
                inside = codes == code
                mark = marks[leaves[inside]].sum()
                at = int(np.searchsorted(prints, mark))
                number = int(numbers[at]) if at < len(prints) and prints[at] == mark else whole
                weighed = self._weighed(hours, cells, inside, spans, self._only(number), length_h)
                nats = max(float(figures[0, 0]) for figures in weighed.nats.values())
                money = float(revenue[inside].sum()), float(revenue_due[inside].sum())
                found.append(
                    Share(dim, names[code], *money, float(weighed.ftd[0, 0]), float(weighed.ftd_due[0, 0]), nats)
                )
        return tuple(sorted(found, key=lambda one: one.revenue - one.revenue_due))

    def band(self, leaves: Ints, since: int, until: int) -> tuple[BandPoint, ...]:
        """Hour by hour the commission of some leaves, what is expected and its 80 % interval."""
        return views.band(self.cube, self.model, leaves, since, until, self.moved)

    def days(self, leaves: Ints, since: int, until: int) -> Iterator[tuple[price.Money, float]]:
        """What each whole ordinary day should have brought, and what it brought.

        Ordinary is a day of which every report is here and no hour is known to be disturbed.
        """
        cube = self.cube
        partners = np.unique(cube.codes_of("partner")[leaves])
        first = max(-(-since // DAY_H), -(-cube.base // DAY_H)) * DAY_H
        for hour in range(first, min(until, cube.top) - DAY_H + 1, DAY_H):
            low, high = cube.columns(hour, hour + DAY_H)
            if not cube.received(hour, hour + DAY_H)[partners].all() or cube.masked[leaves, low:high].any():
                continue
            common = self.moved(hour, hour + DAY_H)
            due = price.expected(cube, self.model, leaves, hour, hour + DAY_H, calendar=False, common=common)
            if due.mean > 0:
                yield due, float(cube.measure("revenue", hour, hour + DAY_H)[leaves].sum())

    def moved(self, since: int, until: int) -> Floats:
        """[hour]: what moved everybody."""
        return np.array([self.common.get(hour, 1.0) for hour in range(since, until)])

    def doubt(self, leaves: Ints) -> dict[str, tuple[Floats, float]]:
        """By channel: how far the slice's level may wander over each of `WINDOWS_H`, and how many events come at once."""
        caution, lengths_h = self._caution(leaves), np.array(WINDOWS_H, np.float64)
        top, nothing = self.cube.top, np.zeros((len(leaves), self.cube.width), np.bool_)
        hours = self._hours(leaves, top - RECENT_H, top, nothing)
        cells, together = lattice.cells(Part(self.cube, leaves)), {}
        for channel in ("ftd", "regs"):
            told = hours.told(channel, cells)
            together[channel] = max(float(told.variance(cells).sum()) / max(float(told.due.sum()), 1e-9), 1.0)
        return {
            "ftd": (caution.ftd.size(lengths_h)[0], together["ftd"]),
            "regs": (caution.regs.size(lengths_h)[0], together["regs"]),
        }

    def foretold(self, since: int, made_at: datetime) -> pl.DataFrame:
        """Rows as `data.store.expectations` keeps them: leaves and complete hours from `since` that had clicks."""
        cube, model = self.cube, self.model
        since, until = cube.kept(since, cube.top)
        rate = cube.measure("ftd_rate", since, until)[: len(model.value)]
        clicks = cube.measure("clicks", since, until)[: len(model.value)]
        leaf, hour = np.nonzero((clicks > 0) & (rate > 0))
        common = self.moved(since, until)
        stamps = pl.Series((hour + since) * 3_600_000_000, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
        names = {
            dim: pl.Series(np.array(cube.names[place], dtype=object)[cube.codes[place, leaf]].tolist(), dtype=pl.String)
            for place, dim in enumerate(cube.dims)
        }
        return pl.DataFrame(
            {
                "hour": stamps,
                "made_at": pl.repeat(made_at, len(leaf), dtype=pl.Datetime("us", "UTC"), eager=True),
                **names,
                "ftd_rate": rate[leaf, hour],
                "reg_rate": cube.measure("reg_rate", since, until)[leaf, hour],
                "value": model.value[leaf],
                "common": common[hour],
            }
        )

    def _hours(self, leaves: Ints, since: int, until: int, masked: Bools) -> Hours:
        return scan.hours_of(Part(self.cube, leaves), _narrowed(self.model, leaves), since, until, masked=masked)

    def _weighed(
        self, hours: Hours, cells: Parts, inside: Bools, spans: Floats, caution: Caution, lengths_h: Floats
    ) -> Sums:
        until = hours.since + len(spans)
        moved = np.array([self._moved(until - int(length), until) for length in lengths_h])
        return scan.weigh_alone(hours, inside, cells, spans, moved, caution, lengths_h)

    def _moved(self, since: int, until: int) -> float:
        return float(self.moved(since, until).mean()) if until > since else 1.0

    def _caution(self, leaves: Ints) -> Caution:
        return self._only(self._slice_of(leaves))

    def _only(self, number: int) -> Caution:
        kept = np.zeros(len(self.lattice), np.bool_)
        kept[number] = True
        return self.caution.only(kept)

    def _slice_of(self, leaves: Ints) -> int:
        """The slice of the lattice with these leaves, else the smallest around them, else the largest of all."""
        around = np.flatnonzero(self.lattice.shared(leaves) == len(leaves))
        if not len(around):
            return int(np.argmax(self.lattice.sizes))
        return int(around[np.argmin(self.lattice.sizes[around])])

    def _prints(self) -> tuple[Floats, Ints]:
        """A number by which a slice of the lattice is known from its leaves alone, sorted, and which slice has it."""
        prints = self.lattice.sums(_marks(self.cube.leaves))
        order = np.argsort(prints, kind="stable")
        return prints[order], order


def _marks(leaves: int) -> Floats:
    """Whole numbers below 2^32: sums of a million of them are exact, whatever their order."""
    return np.random.default_rng(20_061).integers(1, 2**32, leaves).astype(np.float64)


def _narrowed(model: Fit, leaves: Ints) -> Fit:
    known = leaves[leaves < len(model.value)]
    return replace(model, **{name: getattr(model, name)[known] for name in _PER_LEAF})


def _of_leaves(figures: Floats, leaves: Ints) -> Floats:
    """Figures of leaves; 0 for those the model has not met."""
    return np.asarray(np.where(leaves < len(figures), figures[np.minimum(leaves, len(figures) - 1)], 0.0))
