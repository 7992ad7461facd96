"""What is known of every leaf and hour, as matrices, and only what was visible at the tick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

MEASURES = ("clicks", "regs", "ftd", "revenue")
FROZEN = ("ftd_rate", "reg_rate")
"""Expected conversions per click, as predicted when the hour was first judged; 0 where it was not yet."""
DAY_H, WEEK_H = 24, 168
KEEP_H = 42 * DAY_H
"""Hours of history kept."""
AGES_H = 72
"""Conversions that arrive later than this after their report count as arrived."""
NEVER = np.int64(2**62)


def hour_of(moment: datetime) -> int:
    """Hours since the epoch at or before `moment`."""
    return int(moment.timestamp() // 3600)


@dataclass(slots=True)
class _Pending:
    """Rows sorted by `seen_s`, consumed from the front as time passes."""

    seen_s: Ints
    columns: dict[str, NDArray[np.generic]]
    used: int = 0

    def take(self, now_s: int) -> slice:
        end = int(np.searchsorted(self.seen_s, now_s, "right"))
        taken = slice(self.used, max(end, self.used))
        self.used = taken.stop
        return taken

    @property
    def is_empty(self) -> bool:
        return self.used >= len(self.seen_s)


class Cube:
    """Leaf x hour matrices of clicks, registrations, FTD and revenue, fed by append-only deltas.

    Rows wait until `advance(now)` reaches their `seen_at`: nothing later has any effect, the existence of a leaf
    included. `receipt_s[partner, hour]` is when the report covering that hour arrived, `NEVER` while it has not.
    """

    def __init__(self, dims: tuple[str, ...], keep_h: int = KEEP_H) -> None:
        self.dims, self.keep_h = dims, keep_h
        self.base = 0
        """Epoch hour of column 0."""
        self.top = 0
        """One past the last complete hour."""
        self.now_s = 0
        self.names: tuple[list[str], ...] = tuple([] for _ in dims)
        self._numbers: tuple[dict[str, int], ...] = tuple({} for _ in dims)
        self._keys: dict[tuple[str, ...], int] = {}
        self._leaf_of_key: Ints = np.full(0, -1, np.int64)
        self._key_of_leaf: list[tuple[str, ...]] = []
        self._codes: Ints = np.zeros((len(dims), 0), np.int64)
        self._values: dict[str, Floats] = {name: np.zeros((0, 0)) for name in (*MEASURES, *FROZEN)}
        self.masked: Bools = np.zeros((0, 0), np.bool_)
        """Hours of known incidents: neither learned from nor scanned."""
        self.receipt_s: Ints = np.full((0, 0), NEVER)
        self.arrived: Floats = np.zeros((0, AGES_H))
        """FTD by partner and age in hours since their report."""
        self.history_rows = 0
        """Facts older than two days taken in so far: a jump means that history was delivered."""
        self._facts: list[_Pending] = []
        self._receipts: list[_Pending] = []
        self._partner = dims.index("partner")

    @property
    def leaves(self) -> int:
        return len(self._key_of_leaf)

    @property
    def width(self) -> int:
        return int(self.masked.shape[1])

    @property
    def codes(self) -> Ints:
        """[dim, leaf]: number of each leaf's value in `names[dim]`."""
        return self._codes[:, : self.leaves]

    def measure(self, name: str, since: int, until: int) -> Floats:
        """[leaf, hour] for epoch hours `since` to `until`, a view; the window is cut to what is kept."""
        low, high = self.columns(since, until)
        return self._values[name][: self.leaves, low:high]

    def columns(self, since: int, until: int) -> tuple[int, int]:
        low = min(max(since - self.base, 0), self.width)
        return low, min(max(until - self.base, low), self.width)

    def add_facts(self, frame: pl.DataFrame) -> None:
        """Queue deltas with columns `hour`, `seen_at`, the dims and the measures."""
        if frame.is_empty():
            return
        frame = frame.with_columns(pl.col("hour", "seen_at").dt.epoch("s")).sort("seen_at", maintain_order=True)
        unique = frame.select(self.dims).unique(maintain_order=True)
        keys = [self._keys.setdefault(key, len(self._keys)) for key in unique.iter_rows()]
        joined = frame.join(unique.with_columns(pl.Series("key", keys, pl.Int64)), on=self.dims, maintain_order="left")
        columns: dict[str, NDArray[np.generic]] = {name: joined[name].cast(pl.Float64).to_numpy() for name in MEASURES}
        columns |= {"key": joined["key"].to_numpy(), "hour": joined["hour"].to_numpy() // 3600}
        self._facts.append(_Pending(joined["seen_at"].to_numpy().astype(np.int64), columns))

    def add_receipts(self, frame: pl.DataFrame) -> None:
        """Queue receipts with columns `partner`, `hour`, `seen_at`."""
        if frame.is_empty():
            return
        frame = frame.with_columns(pl.col("hour", "seen_at").dt.epoch("s")).sort("seen_at", maintain_order=True)
        columns: dict[str, NDArray[np.generic]] = {
            "partner": frame["partner"].to_numpy(),
            "hour": frame["hour"].to_numpy() // 3600,
        }
        self._receipts.append(_Pending(frame["seen_at"].to_numpy().astype(np.int64), columns))

    def advance(self, now: datetime) -> None:
        """Make everything with `seen_at <= now` visible."""
        self.now_s = max(self.now_s, int(now.timestamp()))
        self.top = self.now_s // 3600
        for pending in self._receipts:
            self._apply_receipts(pending, pending.take(self.now_s))
        for pending in self._facts:
            self._apply_facts(pending, pending.take(self.now_s))
        self._receipts = [pending for pending in self._receipts if not pending.is_empty]
        self._facts = [pending for pending in self._facts if not pending.is_empty]
        self._reach(self.top)

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

    def _apply_receipts(self, pending: _Pending, rows: slice) -> None:
        if rows.start == rows.stop:
            return
        hours = pending.columns["hour"][rows].astype(np.int64)
        self._cover(hours)
        named, places = np.unique(pending.columns["partner"][rows].astype(str), return_inverse=True)
        partners = np.array([self._number(self._partner, str(name)) for name in named], np.int64)[places]
        keep = (hours >= self.base) & (hours < self.base + self.width)
        at = (partners[keep], hours[keep] - self.base)
        np.minimum.at(self.receipt_s, at, pending.seen_s[rows][keep])

    def _apply_facts(self, pending: _Pending, rows: slice) -> None:
        if rows.start == rows.stop:
            return
        hours = pending.columns["hour"][rows].astype(np.int64)
        self._cover(hours)
        self.history_rows += int((hours < self.top - 2 * DAY_H).sum())
        keys = pending.columns["key"][rows].astype(np.int64)
        self._admit(keys)
        keep = (hours >= self.base) & (hours < self.base + self.width)
        leaf, column = self._leaf_of_key[keys[keep]], hours[keep] - self.base
        for name in MEASURES:
            np.add.at(self._values[name], (leaf, column), pending.columns[name][rows][keep].astype(np.float64))
        partner = self._codes[self._partner, leaf]
        told_s = self.receipt_s[partner, column]
        told_s = np.where(told_s < NEVER, told_s, (hours[keep] + 1) * 3600)
        age_h = np.clip((pending.seen_s[rows][keep] - told_s) // 3600, 0, AGES_H - 1)
        np.add.at(self.arrived, (partner, age_h), pending.columns["ftd"][rows][keep].astype(np.float64))

    def _admit(self, keys: Ints) -> None:
        """Give a leaf to every key seen for the first time, in order of appearance."""
        if len(self._leaf_of_key) < len(self._keys):
            fresh = np.full(len(self._keys) - len(self._leaf_of_key), -1, np.int64)
            self._leaf_of_key = np.concatenate([self._leaf_of_key, fresh])
        new = keys[self._leaf_of_key[keys] < 0]
        if not len(new):
            return
        words = list(self._keys)
        for key in dict.fromkeys(new.tolist()):
            self._leaf_of_key[key] = self.leaves
            self._key_of_leaf.append(words[key])
        self._grow_leaves()
        for leaf in range(self.leaves - len(dict.fromkeys(new.tolist())), self.leaves):
            for dim, value in enumerate(self._key_of_leaf[leaf]):
                self._codes[dim, leaf] = self._number(dim, value)

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
        more = max(self.leaves, 2 * room, 64) - room
        self.masked = np.concatenate([self.masked, np.zeros((more, self.width), np.bool_)])
        self._codes = np.concatenate([self._codes, np.zeros((len(self.dims), more), np.int64)], 1)
        for name in self._values:
            self._values[name] = np.concatenate([self._values[name], np.zeros((more, self.width))])

    def _cover(self, hours: Ints) -> None:
        oldest = max(int(hours.min()), self.top - self.keep_h)
        if not self.width:
            self.base = oldest
        elif oldest < self.base:
            self._reach_back(-(-(self.base - oldest) // WEEK_H) * WEEK_H)
        self._reach(int(hours.max()) + 1)

    def _reach_back(self, hours: int) -> None:
        """Make room for history that comes after newer hours did."""
        self.base -= hours
        self.masked = np.pad(self.masked, ((0, 0), (hours, 0)))
        self.receipt_s = np.pad(self.receipt_s, ((0, 0), (hours, 0)), constant_values=int(NEVER))
        for name in self._values:
            self._values[name] = np.pad(self._values[name], ((0, 0), (hours, 0)))

    def _reach(self, top: int) -> None:
        """Make room for hours before `top`, in whole weeks, and let go of the oldest weeks."""
        missing = top - (self.base + self.width)
        if missing > 0 and self.masked.shape[1] + missing >= 0:
            self._widen(-(-missing // WEEK_H) * WEEK_H)
        excess = (self.top - self.keep_h - self.base) // WEEK_H * WEEK_H
        if excess > 0:
            self._drop(min(excess, self.width))

    def _widen(self, hours: int) -> None:
        self.masked = np.pad(self.masked, ((0, 0), (0, hours)))
        self.receipt_s = np.pad(self.receipt_s, ((0, 0), (0, hours)), constant_values=int(NEVER))
        for name in self._values:
            self._values[name] = np.pad(self._values[name], ((0, 0), (0, hours)))

    def _drop(self, hours: int) -> None:
        self.base += hours
        self.masked = self.masked[:, hours:].copy()
        self.receipt_s = self.receipt_s[:, hours:].copy()
        for name in self._values:
            self._values[name] = self._values[name][:, hours:].copy()
