"""Slow against the site's own past. Pure.

A target keeps its last good total times; above max(3 x median, median + 400 ms, their 99th percentile) an answer is
late, and three late ones of the last five make it slow, if they lie more than a minute apart: less is a hiccup, perhaps
our own. Late answers are not learned from, unless they last. When most targets take much longer than they use to, it is
our own network, and nobody is slow.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from dataclasses import dataclass, field
from math import exp, log
from typing import TYPE_CHECKING

from data.model.cause import cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.model.ids import CauseId
    from data.model.observation import Timing

KEPT = 60
ENOUGH = 30
TIMES = 3.0
PLUS_MS = 400.0
LATE_OF_LAST = (3, 5)
LASTING_S = 60.0
"""Real seconds."""
ACCEPT = 288
"""Late answers in a row after which they are the usual ones: a day of checks every five minutes."""
_RECOUNT = 8
_FLEET = 256
_FLEET_ENOUGH = 20
_FLEET_SLOW = 1.7
PHASES = ("name lookup", "connecting", "TLS", "first byte")


@dataclass(slots=True)
class Pace:
    """What one target's answers took, from one place."""

    good_ms: array[float] = field(default_factory=lambda: array("f"))
    """The last `KEPT` that were not late."""
    phases_ms: array[float] = field(default_factory=lambda: array("f", (0.0,) * 4))
    """Running means of `PHASES` over good answers."""
    median_ms: float = 0.0
    limit_ms: float = 0.0
    """0 until there is enough to tell."""
    late: int = 0
    """The last answers as bits, the newest lowest; 1 is late."""
    late_since_s: float = 0.0
    """When the first of the late ones among the last was, real seconds."""
    late_run: int = 0
    fresh: int = 0
    """Answers since the median was taken."""
    slow: bool = False

    def seed(self, values_ms: Iterable[float]) -> None:
        """Start from figures of the past, such as hourly medians."""
        self.good_ms = array("f", list(values_ms)[-KEPT:])
        self._recount()

    def learn(self, total_ms: float, timing: Timing) -> None:
        good = self.good_ms
        good.append(total_ms)
        if len(good) > KEPT:
            del good[0]
        phases = self.phases_ms
        for number, took in enumerate((timing.dns_ms, timing.connect_ms, timing.tls_ms, timing.ttfb_ms)):
            if took is not None:
                phases[number] += (took - phases[number]) * (0.1 if len(good) > 10 else 1.0 / len(good))
        self.fresh += 1
        if self.fresh >= _RECOUNT:
            self._recount()

    def _recount(self) -> None:
        self.fresh = 0
        if len(self.good_ms) < ENOUGH:
            return
        ordered = sorted(self.good_ms)
        self.median_ms = ordered[len(ordered) // 2]
        high = ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]
        self.limit_ms = max(TIMES * self.median_ms, self.median_ms + PLUS_MS, high)


@dataclass(slots=True)
class Fleet:
    """How much longer than usual the targets took last, each by its own measure, seen from one place."""

    last: OrderedDict[str, float] = field(default_factory=OrderedDict)
    ratio: float = 1.0
    """Median; 1 is as usual."""
    _fresh: int = 0

    def add(self, target: str, ratio: float) -> None:
        self.last[target] = ratio
        self.last.move_to_end(target)
        if len(self.last) > _FLEET:
            self.last.popitem(last=False)
        self._fresh += 1
        if self._fresh >= 16 or ratio > TIMES:
            self._fresh = 0
            ordered = sorted(self.last.values())
            self.ratio = ordered[len(ordered) // 2] if len(ordered) >= _FLEET_ENOUGH else 1.0

    @property
    def ours(self) -> bool:
        """Most of them: it is where we look from."""
        return self.ratio > _FLEET_SLOW


@dataclass(frozen=True, slots=True)
class Slow:
    cause: CauseId
    detail: str


def judge(pace: Pace, fleet: Fleet, target: str, total_ms: float, timing: Timing, now_s: float) -> Slow | None:
    """Judge one answer that was good otherwise, then learn from it. Once slow, it takes four good of five to be well.

    `now_s` are real seconds from any moment on.
    """
    limit_ms = pace.limit_ms
    if not limit_ms:
        pace.learn(total_ms, timing)
        return None
    is_late = total_ms > limit_ms
    fleet.add(target, total_ms / max(pace.median_ms, 1.0))
    if fleet.ours:
        return None
    if is_late and not pace.late:
        pace.late_since_s = now_s
    pace.late = (pace.late << 1 | is_late) & 0b11111
    if not is_late:
        pace.late_run = 0
        pace.learn(total_ms, timing)
    else:
        pace.late_run += 1
        if pace.late_run > ACCEPT:
            pace.learn(total_ms, timing)
    many, _ = LATE_OF_LAST
    lasting = pace.slow or now_s - pace.late_since_s >= LASTING_S
    pace.slow = lasting and pace.late.bit_count() >= (many - 1 if pace.slow else many)
    return _words(pace, total_ms, timing) if pace.slow else None


def _words(pace: Pace, total_ms: float, timing: Timing) -> Slow:
    """Name the phase of the last hop that grew most, if it explains at least a third of the growth."""
    usual = pace.median_ms
    if total_ms <= pace.limit_ms:
        words = f"{pace.late.bit_count()} of the last 5 answers took more than {pace.limit_ms:,.0f} ms, usual are"
        return Slow(cause("slow.total"), f"{words} {usual:,.0f} ms")
    took = (timing.dns_ms, timing.connect_ms, timing.tls_ms, timing.ttfb_ms)
    grew = [(now or 0.0) - before for now, before in zip(took, pace.phases_ms, strict=True)]
    most = max(range(4), key=grew.__getitem__)
    explains = grew[most] > max((total_ms - usual) / 3.0, 0.0)
    where = f"mostly {PHASES[most]}" if explains else "before the last hop or in the body"
    name = "slow.ttfb" if explains and most == 3 else "slow.total"
    return Slow(cause(name), f"{total_ms:,.0f} ms against {usual:,.0f} ms as usual, {where}")


def spread(p50_ms: float, p95_ms: float) -> tuple[float, ...]:
    """`ENOUGH` values with about that median and 95th percentile, from a log-normal: to seed a pace after a restart."""
    sigma = max(log(max(p95_ms, 1.0) / max(p50_ms, 1.0)), 0.0) / 1.645
    steps = ((2 * number + 1) / ENOUGH - 1.0 for number in range(ENOUGH))
    return tuple(p50_ms * exp(sigma * 1.9 * step) for step in steps)
