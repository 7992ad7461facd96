"""What is due and when: one heap for every target, steady phases, never two runs of one target at once."""

from __future__ import annotations

import heapq
import zlib
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(slots=True)
class _Entry:
    interval_s: float
    slot: float
    """Start of the next regular run, seconds of the epoch."""
    soon: float | None = None
    """An extra run that was asked for."""
    running: bool = False
    ticket: int = 0
    """The heap item that is valid for this entry; older ones are skipped."""
    due_at: float = 0.0
    """When the run under way should have begun."""
    passed: float | None = None
    """The first regular time that passed while the run was under way."""
    excused: bool = False
    """It waits because somebody asked us to: nothing of it is late or missed."""

    @property
    def at(self) -> float:
        return self.slot if self.soon is None else min(self.slot, self.soon)


@dataclass(slots=True)
class Lateness:
    """What of the last hour was not on time, by minute."""

    _minutes: deque[tuple[int, int, float]] = field(default_factory=lambda: deque(maxlen=61))
    """(minute of the epoch, runs, longest delay in seconds)."""

    def add(self, stamp: float, runs: int, delay_s: float) -> None:
        minute = int(stamp // 60)
        if self._minutes and self._minutes[-1][0] == minute:
            _, before, longest_s = self._minutes.pop()
            runs, delay_s = runs + before, max(delay_s, longest_s)
        self._minutes.append((minute, runs, delay_s))

    def runs(self, now: datetime) -> int:
        """Runs that began more than one interval late, or not at all."""
        return sum(runs for minute, runs, _ in self._minutes if minute >= now.timestamp() // 60 - 60)

    def longest_s(self, now: datetime) -> float:
        """The longest that a target stayed behind its time: its run began late, or an earlier one did not end."""
        return max((delay for minute, _, delay in self._minutes if minute >= now.timestamp() // 60 - 60), default=0.0)


class DueQueue:
    """Targets by the time of their next run.

    Regular runs lie on `phase + n * interval` of the epoch, the phase being a stable hash of the id: a restart, a hundred
    thousand new targets or a stall make no herd. A slot that passes while the target is still running, or that nobody
    asked for in time, is counted in `missed` and not made up for. All times are aware UTC of the hub's clock.
    """

    def __init__(self) -> None:
        self.missed = 0
        """Regular runs that never happened."""
        self.late = 0
        """Runs that began more than one interval after their time."""
        self.lateness = Lateness()
        self._entries: dict[str, _Entry] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._fresh: dict[str, float] = {}
        self._tickets = 0

    def __len__(self) -> int:
        return len(self._entries) + len(self._fresh)

    def __contains__(self, target: object) -> bool:
        return target in self._entries or target in self._fresh

    def put(self, target: str, interval_s: float, now: datetime | None = None) -> None:
        """Add a target or change its interval; a run that is under way stays so. Raises `ValueError` for no interval."""
        if not interval_s > 0:
            raise ValueError(f"the interval of {target} must be above 0 s, not {interval_s}")
        if now is None and target not in self._entries:
            self._fresh[target] = interval_s
            return
        entry = self._entries.get(target)
        if entry is None:
            assert now is not None
            self._entries[target] = entry = _Entry(interval_s, _next_slot(target, interval_s, now.timestamp()))
        elif entry.interval_s != interval_s:
            since = now.timestamp() if now else entry.slot - entry.interval_s
            entry.interval_s, entry.slot = interval_s, _next_slot(target, interval_s, since)
        self._push(target, entry)

    def remove(self, target: str) -> None:
        """Forget a target; unknown ones are fine."""
        self._entries.pop(target, None)
        self._fresh.pop(target, None)

    def soon(self, target: str, at: datetime) -> None:
        """One extra run at `at`, for confirmations and re-checks; the regular ones stay. Unknown targets are fine."""
        entry = self._entries.get(target)
        if entry is None:
            return
        stamp = at.timestamp()
        entry.soon = stamp if entry.soon is None else min(entry.soon, stamp)
        self._push(target, entry)

    def due(self, now: datetime, limit: int) -> list[str]:
        """Targets to run now, longest overdue first, at most `limit`; each is running until `done`."""
        stamp = now.timestamp()
        self._place_fresh(stamp)
        found: list[str] = []
        while len(found) < limit and self._heap and self._heap[0][0] <= stamp:
            _, ticket, target = heapq.heappop(self._heap)
            entry = self._entries.get(target)
            if entry is None or entry.ticket != ticket:
                continue
            if entry.running:
                self._skip_slot(target, entry, stamp)
            else:
                self._start(target, entry, stamp)
                found.append(target)
        return found

    def done(self, target: str, now: datetime) -> None:
        """The run of `target` ended; unknown ones are fine."""
        entry = self._entries.get(target)
        if entry is None or not entry.running:
            return
        stamp = now.timestamp()
        entry.running = False
        self._skip_slot(target, entry, stamp)
        if entry.passed is not None and not entry.excused:
            self.lateness.add(stamp, 0, stamp - entry.passed)
        entry.passed, entry.excused = None, False

    def waits(self, target: str, *, excused: bool) -> None:
        """The run handed out waits before it begins; `excused`: because somebody asked us to. Unknown ones are fine."""
        entry = self._entries.get(target)
        if entry is not None:
            entry.excused = excused

    def begun(self, target: str, now: datetime) -> None:
        """The run that was handed out begins now: late or in time. Unknown ones are fine."""
        entry = self._entries.get(target)
        if entry is None or not entry.running or entry.excused:
            return
        delay_s = now.timestamp() - entry.due_at
        late = delay_s > entry.interval_s
        self.late += late
        self.lateness.add(now.timestamp(), int(late), delay_s)

    def running(self) -> int:
        return sum(entry.running for entry in self._entries.values())

    def next_at(self) -> datetime | None:
        """When the next run is due; `None` when nothing waits. New targets are due a look at once."""
        if self._fresh:
            return datetime.fromtimestamp(0, UTC)
        while self._heap:
            at, ticket, target = self._heap[0]
            entry = self._entries.get(target)
            if entry is not None and entry.ticket == ticket:
                return datetime.fromtimestamp(at, UTC)
            heapq.heappop(self._heap)
        return None

    def _start(self, target: str, entry: _Entry, stamp: float) -> None:
        entry.running, entry.due_at = True, entry.at
        if entry.soon is not None and entry.soon <= stamp:
            entry.soon = None
        if entry.slot <= stamp:
            self._miss(entry, int((stamp - entry.slot) // entry.interval_s), stamp)
            entry.slot = _next_slot(target, entry.interval_s, stamp)
        self._push(target, entry)

    def _skip_slot(self, target: str, entry: _Entry, stamp: float) -> None:
        """Its last run is not over yet: a regular slot is lost, an extra run waits for the end."""
        if entry.slot <= stamp:
            entry.passed = entry.slot if entry.passed is None else entry.passed
            self._miss(entry, 1 + int((stamp - entry.slot) // entry.interval_s), stamp)
            entry.slot = _next_slot(target, entry.interval_s, stamp)
        self._push(target, entry)

    def _miss(self, entry: _Entry, runs: int, stamp: float) -> None:
        if runs and not entry.excused:
            self.missed += runs
            self.lateness.add(stamp, runs, 0.0)

    def _push(self, target: str, entry: _Entry) -> None:
        self._tickets += 1
        entry.ticket = self._tickets
        at = entry.slot if entry.running else entry.at
        heapq.heappush(self._heap, (at, entry.ticket, target))
        if len(self._heap) > 4 * len(self._entries) + 64:
            self._heap = [item for item in self._heap if self._valid(item)]
            heapq.heapify(self._heap)

    def _valid(self, item: tuple[float, int, str]) -> bool:
        entry = self._entries.get(item[2])
        return entry is not None and entry.ticket == item[1]

    def _place_fresh(self, stamp: float) -> None:
        for target, interval_s in self._fresh.items():
            self._entries[target] = entry = _Entry(interval_s, _next_slot(target, interval_s, stamp))
            self._push(target, entry)
        self._fresh.clear()


def phase_s(target: str, interval_s: float) -> float:
    """The target's stable place within its interval, 0 <= phase < interval."""
    return zlib.crc32(target.encode("utf-8", "surrogatepass")) / 2**32 * interval_s


def _next_slot(target: str, interval_s: float, stamp: float) -> float:
    """The first time after `stamp` that lies on the target's phase."""
    phase = phase_s(target, interval_s)
    slot = ((stamp - phase) // interval_s + 1) * interval_s + phase
    return slot if slot > stamp else slot + interval_s
