"""Whether a move is this partner's alone: the other partners of the same days are the control group."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

LEAST_DAYS = 7
LEAST_PARTNERS = 3
Z = 6.0
FLOOR = 0.05
"""Least spread of log10 of a day's total, in decades."""
TOGETHER = 0.5
"""Share of the partner's own move from which the others' median move explains it."""


class Moved(StrEnum):
    """What the other partners say about one partner's move."""

    NOT = "not moved"
    ALONE = "moved alone"
    TOGETHER = "moved with the others"
    UNKNOWN = "no control"


@dataclass(frozen=True, slots=True)
class Control:
    """`own` and `others` are the last day over the usual; `others` is the median over partners."""

    moved: Moved
    own: float
    others: float
    n: int
    """Partners in the control group."""

    @property
    def words(self) -> str:
        match self.moved:
            case Moved.ALONE:
                return f"× {self.own:.3g}, {self.n} other partners × {self.others:.3g}: only this one moved"
            case Moved.TOGETHER:
                return f"× {self.own:.3g}, {self.n} other partners × {self.others:.3g}: a common cause"
            case Moved.NOT:
                return f"× {self.own:.3g}, as usual"
            case Moved.UNKNOWN:
                return f"× {self.own:.3g}, {self.n} other partners with a history: too few to compare"


def control(totals: Mapping[str, Sequence[float]], partner: str) -> Control:
    """Compare the last day of a partner's daily totals (oldest first, same days for all) with the other partners'.

    1. Usual is the median of log10 of the days before, its spread their MAD, at least .05 decades. 2. Moved is six
    deviations. 3. With three partners or more to compare, the move is common when their median went at least half of
    the way with it, else it is this partner's alone: a season moves all, a unit moves one.
    """
    own = _move(totals.get(partner, ()))
    others = [move for name, days in totals.items() if name != partner and (move := _move(days)) is not None]
    middle = statistics.median(move for move, _ in others) if others else 0.0
    if own is None:
        return Control(Moved.UNKNOWN, 1.0, 10**middle, len(others))
    away, spread = own
    if abs(away) <= Z * spread:
        return Control(Moved.NOT, 10**away, 10**middle, len(others))
    if len(others) < LEAST_PARTNERS:
        return Control(Moved.UNKNOWN, 10**away, 10**middle, len(others))
    common = middle * away > 0 and abs(middle) >= TOGETHER * abs(away)
    return Control(Moved.TOGETHER if common else Moved.ALONE, 10**away, 10**middle, len(others))


def _move(days: Sequence[float]) -> tuple[float, float] | None:
    """(how far the last day lies from the usual, spread of the usual), in decades; a day of nothing counts as a tenth."""
    if len(days) <= LEAST_DAYS or not all(math.isfinite(day) for day in days):
        return None
    usual = statistics.median(days[:-1])
    if usual <= 0:
        return None
    logs = [math.log10(max(day, usual / 10)) for day in days]
    middle = statistics.median(logs[:-1])
    spread = max(1.4826 * statistics.median(abs(log - middle) for log in logs[:-1]), FLOOR)
    return logs[-1] - middle, spread
