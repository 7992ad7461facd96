from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from checks.demo.corrections import NONE, Correction, corrected
from checks.demo.ledger import HISTORY_HOURS, Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.demo.partners import DemoPartner

_BUCKETS = 4
SEEN = 0.9
"""Share of our clicks that a partner counts."""


@dataclass(frozen=True, slots=True)
class DayFigure:
    """What a partner's platform shows for one day of its own calendar and one of our trackers.

    Figures are those of the first report; `correction` is what the partner added since.
    """

    day: date
    tracker: str
    geo: str
    clicks: int
    """Counted by the partner: about nine tenths of ours."""
    regs: int
    ftd: int
    commission: float
    """EUR."""
    jackpot: float = 0.0
    """EUR that one player won."""
    correction: Correction = NONE

    @property
    def first_deposits(self) -> float:
        return round(self.ftd * 31.4, 2)

    @property
    def withdrawals(self) -> float:
        return round(self.ftd * 11.7, 2)

    @property
    def deposits(self) -> float:
        return round(self.ftd * 62.5 + self.regs * 4.2, 2)

    @property
    def net_revenue(self) -> float:
        return round(self.commission * 2.5 - self.jackpot, 2)


@dataclass(frozen=True, slots=True)
class HourFigure:
    """What a platform that reports by hour shows for one hour, over all trackers."""

    hour: datetime
    """As its own clock says, without a zone."""
    clicks: int
    regs: int
    ftd: int
    commission: float
    """EUR."""


class Desk:
    """A partner's back office: day figures out of the same people whose clicks are in our log."""

    def __init__(self, partner: DemoPartner, ledger: Ledger) -> None:
        self.partner, self._ledger = partner, ledger
        self._zone = ZoneInfo(partner.timezone)
        self._groups: dict[tuple[str, str], list[int]] = {}
        for n, leaf in enumerate(ledger.world.leaves):
            if leaf.partner == partner.id:
                tracker = f"{leaf.geo.lower()}-{sum(map(ord, leaf.site)) % _BUCKETS + 1}"
                self._groups.setdefault((tracker, leaf.geo), []).append(n)

    def days(self, first: date, last: date, now: datetime) -> Iterator[DayFigure]:
        """Figures of each day from `first` to `last`, both included, that have at least one reported hour at `now`."""
        day = max(first, (now - timedelta(days=60)).date())
        while day <= min(last, now.astimezone(self._zone).date()):
            hours = self._ledger.reported(self.partner, self._hours_of(day), now)
            if hours:
                rows = list(self._day(day, [hour + HISTORY_HOURS for hour in hours]))
                yield from corrected(rows, self.partner.id, self._ledger.traffic.script, now)
            day += timedelta(days=1)

    def hours(self, first: date, last: date, now: datetime) -> Iterator[HourFigure]:
        """Each reported hour of those days, as a day's figures are."""
        leaves = [n for group in self._groups.values() for n in group]
        day = max(first, (now - timedelta(days=60)).date())
        while day <= min(last, now.astimezone(self._zone).date()):
            for hour in self._ledger.reported(self.partner, self._hours_of(day), now):
                clicks, regs, ftd, revenue = self._ledger.counts[:, hour + HISTORY_HOURS][:, leaves].sum(
                    axis=1, dtype=np.float64
                )
                at = (self._ledger.start + timedelta(hours=hour)).astimezone(self._zone).replace(tzinfo=None)
                yield HourFigure(at, int(clicks * SEEN), int(regs), int(ftd), round(float(revenue), 2))
            day += timedelta(days=1)

    def _hours_of(self, day: date) -> range:
        begin, end = (
            datetime.combine(each, time(), self._zone).astimezone(UTC) for each in (day, day + timedelta(days=1))
        )
        start = self._ledger.start
        return range(*(int((moment - start).total_seconds() // 3600) for moment in (begin, end)))

    def _day(self, day: date, rows: list[int]) -> Iterator[DayFigure]:
        for (tracker, geo), leaves in sorted(self._groups.items()):
            sums = self._ledger.counts[:, rows][:, :, leaves].sum(axis=(1, 2), dtype=np.float64)
            luck = random.Random(f"{self._ledger.world.seed}/{self.partner.id}/{day}/{tracker}")  # noqa: S311 - a simulation
            seen = int(sums[0] * luck.betavariate(180, 20))
            yield DayFigure(day, tracker, geo, seen, int(sums[1]), int(sums[2]), round(float(sums[3]), 2))
