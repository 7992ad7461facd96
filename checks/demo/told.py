"""What partners told us and when, as the simulator knows it: what any earlier state of our figures is compared with."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.demo.figures import DayFigure

AUDITED = frozenset({"P05", "P06"})
"""Partners whose every word is kept: those of F15 and F4."""
ONE_PULL = timedelta(minutes=5)
"""Answers that follow each other so closely belong to one pull."""
MEASURES = ("clicks", "registrations", "ftd_count", "ngr", "commission_total")

Day = dict[str, Decimal]
"""Sum of each of `MEASURES`, in EUR."""


@dataclass(frozen=True, slots=True)
class State:
    """What had to be known of a partner at `at`, told as the days that differ from the state before."""

    partner: str
    at: datetime
    changed: dict[date, Day]
    held: bool = False
    """What was told just then is held back: nothing of it may be known."""


@dataclass(slots=True)
class Told:
    """Every answer with figures that an audited partner gave, the newest last; money as it is, whatever unit it was sent in."""

    _answers: dict[str, list[tuple[datetime, dict[date, Day]]]] = field(default_factory=lambda: defaultdict(list))

    def note(self, partner: str, at: datetime, figures: Iterable[DayFigure]) -> None:
        if partner not in AUDITED:
            return
        answers = self._answers[partner]
        days = _by_day(figures)
        if answers and at - answers[-1][0] < ONE_PULL:
            days = answers.pop()[1] | days
        answers.append((at, days))

    def states(self, partner: str, held_from: datetime | None = None, released: datetime | None = None) -> list[State]:
        """What had to be known after each answer.

        From `held_from` on answers wait; what waited is known with the first answer after `released`, when somebody began to
        let it in.
        """
        known: dict[date, Day] = {}
        waiting: dict[date, Day] = {}
        found: list[State] = []
        for at, days in self._answers[partner]:
            if held_from and held_from <= at and (released is None or at < released):
                waiting |= days
                found.append(State(partner, at, {}, held=True))
                continue
            fresh, waiting = waiting | days, {}
            changed = {day: sums for day, sums in fresh.items() if known.get(day) != sums}
            if changed:
                found.append(State(partner, at, changed))
            known |= fresh
        return found


def _by_day(figures: Iterable[DayFigure]) -> dict[date, Day]:
    """Sums of the cents of each row: what the rows themselves add up to."""
    found: dict[date, Day] = {}
    for each in figures:
        added = each.correction
        sums = found.setdefault(each.day, dict.fromkeys(MEASURES, Decimal(0)))
        sums["clicks"] += each.clicks
        sums["registrations"] += each.regs
        sums["ftd_count"] += each.ftd + added.ftd
        sums["ngr"] += _money(each.net_revenue) + _money(added.net_revenue)
        sums["commission_total"] += _money(each.commission) + _money(added.commission)
    return found


def _money(amount: float) -> Decimal:
    return Decimal(f"{amount:.2f}")
