"""What is known of every leaf and hour, as matrices, and only what was visible at the tick."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from checks.revenue import oddities
from checks.revenue.inputs import MEASURES, Queue, micros
from data.model.ids import TeamId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import DTypeLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

FROZEN = ("ftd_rate", "reg_rate")
"""Expected conversions per click, as predicted when the hour was first judged; 0 where it was not yet."""
_TYPES: dict[str, DTypeLike] = {
    "clicks": np.int32, "regs": np.int32, "ftd": np.int32, "revenue": np.float64, "ftd_rate": np.float32, "reg_rate": np.float32
}  # fmt: skip
DAY_H, WEEK_H = 24, 168
KEEP_H = 42 * DAY_H
"""Hours of history kept."""
AGES_H = 72
"""Conversions that arrive later than this after their report count as arrived."""
NEVER = np.int64(2**62)
MOST_LEAVES = 80_000
"""Leaves with hours of their own, 35 kB each; what comes after them is counted together."""
MOST_PARTNERS = 5_000
OTHERS = "(others)"
"""The name that stands for all those there is no room for."""
_HOUR_US = 3_600_000_000


def hour_of(moment: datetime) -> int:
    """Hours since the epoch at or before `moment`."""
    return int(moment.timestamp() // 3600)


def hour_after(moment: datetime) -> int:
    """The first epoch hour that begins at `moment` or later."""
    return -int(-moment.timestamp() // 3600)


def moment_of(hour: int) -> datetime:
    """When an epoch hour begins."""
    return datetime.fromtimestamp(hour * 3600, UTC)


@dataclass(frozen=True, slots=True)
class CubeMemory:
    """What a cube knows that its facts alone do not tell it again."""

    dims: tuple[str, ...]
    base: int
    width: int
    now_us: int
    names: tuple[list[str], ...]
    codes: Ints
    receipt_s: Ints
    arrived: Floats
    history_rows: int
    frozen_at: Ints
    """Places of the predictions in [leaf, hour], flat."""
    frozen: tuple[Floats, ...]
    limits: Floats
    """Of `oddities.Odd`: what is beyond them follows from the facts."""
    refused: tuple[dict[str, int], dict[str, int]]


class Cube:
    """Leaf x hour matrices of clicks, registrations, FTD and revenue, fed by append-only deltas.

    Rows wait until `advance(now)` reaches their `seen_at`: nothing later has any effect, the existence of a leaf
    included, and neither has the order or size of the deliveries they came in. `receipt_s[partner, hour]` is when the
    report covering that hour arrived, `NEVER` while it has not.
    """

    def __init__(self, dims: tuple[str, ...], keep_h: int = KEEP_H, most_leaves: int = MOST_LEAVES) -> None:
        self.dims, self.keep_h, self.most_leaves = dims, keep_h, most_leaves
        self.base = 0
        """Epoch hour of column 0."""
        self.top = 0
        """One past the last complete hour."""
        self.now_us = 0
        self.known_us = 0
        """Rows seen up to then were counted in an earlier life: they fill the matrices and nothing else."""
        self.names: tuple[list[str], ...] = tuple([] for _ in dims)
        self._numbers: tuple[dict[str, int], ...] = tuple({} for _ in dims)
        self._leaf_of: dict[tuple[str, ...], int] = {}
        self._codes: Ints = np.zeros((len(dims), 0), np.int64)
        self._values: dict[str, Floats] = {name: np.zeros((0, 0), kind) for name, kind in _TYPES.items()}
        self.masked: Bools = np.zeros((0, 0), np.bool_)
        """Hours of known incidents: neither learned from nor scanned."""
        self.receipt_s: Ints = np.full((0, 0), NEVER)
        self.arrived: Floats = np.zeros((0, AGES_H))
        """FTD by partner and age in hours since their report."""
        self.history_rows = 0
        """Facts older than two days taken in so far: a jump means that history was delivered."""
        self.odd = oddities.Odd()
        """Hours too strange to be believed, kept out of the matrices."""
        self._facts = Queue(MEASURES, dims)
        self._receipts = Queue((), ("partner",))
        self._partner = dims.index("partner")
        self._folds = [[dim in kept for dim in dims] for kept in ({*dims} - {"site"}, {"partner", "team"}, set[str]())]
        """Dimensions kept apart when there are too many leaves, stage by stage."""

    @property
    def now_s(self) -> int:
        return self.now_us // 1_000_000

    @property
    def leaves(self) -> int:
        return len(self._leaf_of)

    @property
    def width(self) -> int:
        return int(self.masked.shape[1])

    @property
    def codes(self) -> Ints:
        """[dim, leaf]: number of each leaf's value in `names[dim]`."""
        return self._codes[:, : self.leaves]

    def codes_of(self, dim: str) -> Ints:
        """[leaf]: number of its value in `names_of(dim)`."""
        return np.asarray(self.codes[self.dims.index(dim)])

    def names_of(self, dim: str) -> list[str]:
        return self.names[self.dims.index(dim)]

    def team_of(self, leaves: Ints) -> TeamId:
        """The one team of some leaves, `*` for several."""
        teams = np.unique(self.codes_of("team")[leaves])
        return TeamId(self.names_of("team")[teams[0]] if len(teams) == 1 else "*")

    @property
    def refused(self) -> Counter[str]:
        """Rows that were never let in, by reason."""
        return self._facts.refused + self._receipts.refused

    def measure(self, name: str, since: int, until: int) -> Floats:
        """[leaf, hour] for epoch hours `since` to `until`, a view; the window is cut to what is kept.

        Counts are whole numbers, rates have single precision: both become `float64` in any sum or product with one.
        """
        low, high = self.columns(since, until)
        return self._values[name][: self.leaves, low:high]

    def columns(self, since: int, until: int) -> tuple[int, int]:
        low = min(max(since - self.base, 0), self.width)
        return low, min(max(until - self.base, low), self.width)

    def kept(self, since: int, until: int) -> tuple[int, int]:
        """Those of some epoch hours that are kept: from one up to another."""
        low, high = self.columns(since, until)
        return self.base + low, self.base + high

    def add_facts(self, frame: pl.DataFrame) -> None:
        """Queue deltas with columns `hour`, `seen_at`, the dims and the measures."""
        self._facts.add(frame)

    def add_receipts(self, frame: pl.DataFrame) -> None:
        """Queue receipts with columns `partner`, `hour`, `seen_at`."""
        self._receipts.add(frame)

    def advance(self, now: datetime) -> None:
        """Make everything with `seen_at <= now` visible."""
        self.now_us = max(self.now_us, micros(now))
        self.top = self.now_us // _HOUR_US
        while (receipts := self._receipts.take(self.now_us)) is not None:
            self._apply_receipts(receipts)
        while (facts := self._facts.take(self.now_us)) is not None:
            self._apply_facts(facts)
        self._reach(self.top)
        self.odd.forget(self.top - oddities.LOOKS_H)

    def memory(self) -> CubeMemory:
        """What `remember` needs beside the facts and receipts of the hours kept."""
        whole = self.base, self.base + self.width
        rates = [self.measure(name, *whole).ravel() for name in FROZEN]
        at = np.flatnonzero(rates[0].astype(np.bool_) | rates[1].astype(np.bool_))
        return CubeMemory(
            dims=self.dims,
            base=self.base,
            width=self.width,
            now_us=self.now_us,
            names=self.names,
            codes=self.codes,
            receipt_s=self.receipt_s,
            arrived=self.arrived,
            history_rows=self.history_rows,
            frozen_at=at,
            frozen=tuple(rate[at] for rate in rates),
            limits=self.odd.limits,
            refused=(dict(self._facts.refused), dict(self._receipts.refused)),
        )

    def remember(self, kept: CubeMemory) -> None:
        """Be as when `memory` was taken, but for the figures: facts of all hours kept are to be added again."""
        self.base, self.now_us, self.known_us = kept.base, kept.now_us, kept.now_us
        self.top = self.now_us // _HOUR_US
        self.names = kept.names
        self._numbers = tuple({name: number for number, name in enumerate(names)} for names in kept.names)
        self._codes = kept.codes.copy()
        words = zip(
            *([names[code] for code in codes] for names, codes in zip(kept.names, kept.codes.tolist(), strict=True)),
            strict=True,
        )
        self._leaf_of = {name: number for number, name in enumerate(words)}
        size = self.leaves, kept.width
        self._values = {name: np.zeros(size, kind) for name, kind in _TYPES.items()}
        self.masked = np.zeros(size, np.bool_)
        for name, rate in zip(FROZEN, kept.frozen, strict=True):
            self._values[name].reshape(-1)[kept.frozen_at] = rate
        self.receipt_s, self.arrived = kept.receipt_s.copy(), kept.arrived.copy()
        self.history_rows = kept.history_rows
        self.odd = oddities.Odd(limits=kept.limits)
        self._facts.refused, self._receipts.refused = (Counter(refused) for refused in kept.refused)

    def thaw(self) -> None:
        """Forget every prediction."""
        for name in FROZEN:
            self._values[name][:] = 0.0

    def code(self, dim: str, value: str) -> int:
        """The number of a value, -1 for one never seen."""
        return self._numbers[self.dims.index(dim)].get(value, -1)

    def select(self, where: Mapping[str, str]) -> Bools:
        """[leaf]: whether it lies in the slice."""
        inside = np.ones(self.leaves, np.bool_)
        for dim, value in where.items():
            inside &= self.codes[self.dims.index(dim)] == self.code(dim, value)
        return inside

    def received(self, since: int, until: int) -> Bools:
        """[partner, hour]: whether its report is here; a partner that never sent a receipt counts as prompt."""
        low, high = self.columns(since, until)
        here = self.receipt_s[:, low:high] <= self.now_s
        silent = ~(self.receipt_s < NEVER).any(1)
        here[silent] = True
        return here

    def _recent(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of hours that are kept; makes room for them."""
        hour = rows["hour"].to_numpy()
        rows = rows.filter(hour >= self.top - self.keep_h)
        if rows.height:
            self._cover(int(rows["hour"].min()), int(rows["hour"].max()))  # type: ignore[arg-type]  # it holds numbers
        return rows

    def _apply_receipts(self, rows: pl.DataFrame) -> None:
        rows = self._recent(rows)
        names = rows["partner"].unique(maintain_order=True).to_list()
        fresh = [name for name in names if name not in self._numbers[self._partner]]
        room = MOST_PARTNERS - len(self.names[self._partner])
        for name in fresh[: max(room, 0)]:
            self._number(self._partner, name)
        codes = {name: self._numbers[self._partner].get(name, -1) for name in names}
        partner = rows["partner"].replace_strict(codes, return_dtype=pl.Int64).to_numpy()
        known = partner >= 0
        column = rows["hour"].to_numpy()[known] - self.base
        np.minimum.at(self.receipt_s, (partner[known], column), rows["seen"].to_numpy()[known] // 1_000_000)

    def _apply_facts(self, rows: pl.DataFrame) -> None:
        rows = self._recent(rows)
        if not rows.height:
            return
        leaf, column = self._admitted(rows), rows["hour"].to_numpy() - self.base
        cells = leaf * self.width + column
        touched = np.divmod(self._distinct(cells), self.width)
        self.odd.release(self, *touched)
        for name in MEASURES:
            flat = self._values[name].reshape(-1)  # a view: one place for each change is added to much faster than two
            np.add.at(flat, cells, rows[name].to_numpy().astype(_TYPES[name]))
        self.odd.hold(self, *touched)
        self._count(rows, leaf, column)

    def _distinct(self, cells: Ints) -> Ints:
        """Sorted, each once; of very many it is quicker to mark their places."""
        if len(cells) < self.masked.size // 16:
            return np.unique(cells)
        marks = np.zeros(self.masked.size, np.bool_)
        marks[cells] = True
        return np.flatnonzero(marks)

    def _count(self, rows: pl.DataFrame, leaf: Ints, column: Ints) -> None:
        """Learn how late what was not counted yet has come; conversions that are taken back teach nothing."""
        fresh = rows["seen"].to_numpy() > self.known_us
        rows, leaf, column = rows.filter(fresh), leaf[fresh], column[fresh]
        self.history_rows += int((rows["hour"].to_numpy() < self.top - 2 * DAY_H).sum())
        partner = self._codes[self._partner, leaf]
        told_s = self.receipt_s[partner, column]
        told_s = np.where(told_s < NEVER, told_s, (rows["hour"].to_numpy() + 1) * 3600)
        age_h = np.clip((rows["seen"].to_numpy() // 1_000_000 - told_s) // 3600, 0, AGES_H - 1)
        np.add.at(self.arrived, (partner, age_h), np.maximum(rows["ftd"].to_numpy(), 0.0))

    def _admitted(self, rows: pl.DataFrame) -> Ints:
        """[row]: its leaf; one seen for the first time gets the next number, in order of appearance."""
        key, first = np.unique(rows["key"].to_numpy(), return_index=True)
        words = rows.select(self.dims)[first].rows()
        leaf_of_key = np.zeros(int(key[-1]) + 1, np.int64)
        before = self.leaves
        for place in np.argsort(first, kind="stable"):
            leaf_of_key[key[place]] = self._leaf(words[place])
        self._grow_leaves()
        for number, name in islice(enumerate(self._leaf_of), before, None):
            for dim, value in enumerate(name):
                self._codes[dim, number] = self._number(dim, value)
        return np.asarray(leaf_of_key[rows["key"].to_numpy()])

    def _leaf(self, key: tuple[str, ...]) -> int:
        """The number of a leaf; with too many of them sites are counted together, then all but partner and team."""
        known = self._leaf_of.get(key)
        if known is not None:
            return known
        room = self.most_leaves
        for kept in self._folds:
            if self.leaves < room:
                break
            key = tuple([value if keep else OTHERS for keep, value in zip(kept, key, strict=True)])
            if key in self._leaf_of:
                break
            room += self.most_leaves // 4
        return self._leaf_of.setdefault(key, self.leaves)

    def _number(self, dim: int, value: str) -> int:
        known = self._numbers[dim].get(value)
        if known is None:
            known = self._numbers[dim][value] = len(self.names[dim])
            self.names[dim].append(value)
            if dim == self._partner:
                row = np.full((1, self.receipt_s.shape[1]), NEVER)
                self.receipt_s = np.concatenate([self.receipt_s, row])
                self.arrived = np.concatenate([self.arrived, np.zeros((1, AGES_H))])
        return known

    def _grow_leaves(self) -> None:
        room = self.masked.shape[0]
        if self.leaves <= room:
            return
        more = max(self.leaves, 3 * room // 2, 64) - room
        self.masked = _longer(self.masked, more)
        self._codes = np.pad(self._codes, ((0, 0), (0, more)))
        for name in self._values:
            self._values[name] = _longer(self._values[name], more)

    def _cover(self, oldest: int, newest: int) -> None:
        if not self.width:
            self.base = oldest
        elif oldest < self.base:
            self._shift(self.base - oldest)
        self._reach(newest + 1)

    def _reach(self, top: int) -> None:
        """Make room for hours before `top`, in whole weeks, and let go of the oldest weeks."""
        missing = top - (self.base + self.width)
        if missing > 0:
            self._widen(0, -(-missing // WEEK_H) * WEEK_H)
        excess = (self.top - self.keep_h - self.base) // WEEK_H * WEEK_H
        if excess > 0:
            self._shift(-min(excess, self.width))

    def _shift(self, hours: int) -> None:
        """Make room for so many hours before the first one; a negative number lets go of the oldest."""
        self.base -= hours
        if hours > 0:
            self._widen(hours, 0)
        else:
            self.masked = self.masked[:, -hours:].copy()
            self.receipt_s = self.receipt_s[:, -hours:].copy()
            for name in self._values:
                self._values[name] = self._values[name][:, -hours:].copy()

    def _widen(self, before: int, after: int) -> None:
        """Room for so many hours before the first and after the last, with nothing in them."""
        more = (0, 0), (before, after)
        self.masked = np.pad(self.masked, more)
        self.receipt_s = np.pad(self.receipt_s, more, constant_values=int(NEVER))
        for name in self._values:
            self._values[name] = np.pad(self._values[name], more)


def _longer(rows: NDArray[Any], more: int) -> NDArray[Any]:
    """With so many rows of zeros behind; they take no memory before they are written to."""
    longer = np.zeros((len(rows) + more, rows.shape[1]), rows.dtype)
    longer[: len(rows)] = rows
    return longer
