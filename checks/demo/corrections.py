"""What partners change of days that they had reported: a claw-back (F15), a jackpot (D6), an ordinary correction (D7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from checks.demo.figures import DayFigure
    from checks.demo.script import Script

CLAWED_BACK = (3, 2, 1)
"""F15: ages in days of the days that P05 takes players back from, three of each."""
PLAYERS = 3
NET_CENTS, COMMISSION_CENTS = 188_000, 75_200
"""F15: what is taken off the three days together. The commission is 40 % of the net revenue: EUR 752 to dispute."""
JACKPOT = 40_000.0
"""D6: what one player wins at P05 the day before. The deal isolates such a winner: our commission stays."""
USUAL = 0.012
"""D7: share of its net revenue that P02's day loses at an age of two days, as days do."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What is added to a figure after it was reported; money in EUR."""

    ftd: int = 0
    net_revenue: float = 0.0
    commission: float = 0.0


NONE = Correction()


def corrected(figures: list[DayFigure], partner: str, script: Script, now: datetime) -> list[DayFigure]:
    """The rows of one day as the partner shows them at `now`."""
    if not figures:
        return figures
    age = (script.day.date() - figures[0].day).days
    if partner == "P02" and age == 2 and script.begun("D7", now):
        return [
            replace(each, correction=Correction(net_revenue=-round(each.net_revenue * USUAL, 2))) for each in figures
        ]
    if partner != "P05":
        return figures
    if age == 1:
        figures = _won(figures)
    return _clawed_back(figures, age) if age in CLAWED_BACK and script.begun("F15", now) else figures


def _won(figures: list[DayFigure]) -> list[DayFigure]:
    """The jackpot falls to the tracker with most players."""
    winner = _by_players(figures)[0]
    return [replace(each, jackpot=JACKPOT) if n == winner else each for n, each in enumerate(figures)]


def _clawed_back(figures: list[DayFigure], age: int) -> list[DayFigure]:
    """One player each of the trackers with most players, with an equal share of the money; the last cents go to the last."""
    first = CLAWED_BACK.index(age) * PLAYERS
    pick = {row: first + n for n, row in enumerate(_by_players(figures)[:PLAYERS])}
    return [
        replace(each, correction=_share(pick[n], PLAYERS * len(CLAWED_BACK))) if n in pick else each
        for n, each in enumerate(figures)
    ]


def _share(n: int, of: int) -> Correction:
    def cents(whole: int) -> float:
        return -(whole * (n + 1) // of - whole * n // of) / 100

    return Correction(-1, cents(NET_CENTS), cents(COMMISSION_CENTS))


def _by_players(figures: list[DayFigure]) -> list[int]:
    return sorted(range(len(figures)), key=lambda n: (-figures[n].ftd, figures[n].tracker))


def clawed_back_days(script: Script) -> tuple[date, ...]:
    return tuple(script.day.date() - timedelta(days=age) for age in CLAWED_BACK)
