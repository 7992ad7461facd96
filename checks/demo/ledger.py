from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from checks.demo.partners import PARTNERS, DemoPartner
from checks.demo.reporting import report_at
from checks.demo.traffic import DAY, HOUR, Bools, Clicks, Floats, Ints, Taken, Traffic
from data.model.fact import Fact, Receipt
from data.model.ids import PartnerId, TeamId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from checks.demo.switchboard import Setting
    from checks.demo.world import World

HISTORY_HOURS = 35 * 24


@dataclass(frozen=True, slots=True)
class Rows:
    """Facts as columns: `hour` and `seen` in seconds since the start, one row per (hour, leaf, seen)."""

    hour: Floats
    seen: Floats
    leaf: Ints
    clicks: Ints
    regs: Ints
    ftd: Ints
    revenue: Floats

    def __len__(self) -> int:
        return len(self.leaf)


@dataclass(frozen=True, slots=True)
class _Events:
    """Things that become visible: a click, a registration or a deposit, one element each."""

    seen: Floats
    hour: Floats
    leaf: Ints
    what: Ints
    """0 click, 1 registration, 2 first deposit."""
    revenue: Floats

    def pick(self, mask: Bools) -> _Events:
        return _Events(self.seen[mask], self.hour[mask], self.leaf[mask], self.what[mask], self.revenue[mask])


class Ledger:
    """What has happened and what of it can be seen, up to any simulated moment.

    The own click log shows a click at once. Conversions of a partner with postbacks show when they happen; the others' with
    the report that covers their hour. `counts` holds the same people by event hour for the partners' APIs to report.

    People of an hour are drawn together and join as time goes on, each with what was switched (`settings`) when they
    clicked: nobody can have been sent elsewhere before somebody did so.
    """

    def __init__(self, world: World, traffic: Traffic) -> None:
        self.world, self.traffic, self.start = world, traffic, traffic.start
        self.counts = np.zeros((4, HISTORY_HOURS + 72, len(world.leaves)), dtype=np.float32)
        """(measure, hour since `-HISTORY_HOURS`, leaf); measures as in `MEASURES`."""
        self.settings: Callable[[], Sequence[Setting]] = tuple
        self._lived = -HISTORY_HOURS * HOUR
        self._hours: tuple[int, int] = (0, 0)
        self._drawn: tuple[Clicks, Clicks] | None = None
        self._converted: list[tuple[Floats, Ints, int]] = []
        self._taken: list[Taken] = []
        self._pending: list[_Events] = []
        self._partners = {partner.id: partner for partner in PARTNERS}
        self._receipted: dict[str, int] = dict.fromkeys(self._partners, -HISTORY_HOURS)

    def advance(self, now: datetime) -> Rows:
        """Facts that became visible since the last call; `seen` is `now` for all of them."""
        at = self._seconds(now)
        self._live(at)
        events = self._take(at)
        return self._rows(events, np.full(len(events.leaf), at))

    def history(self, now: datetime) -> Rows:
        """All that was visible at `now`, with `seen` rounded up to the hour in which it could first be seen."""
        at = self._seconds(now)
        self._live(at)
        events = self._take(at)
        return self._rows(events, np.minimum(np.ceil(events.seen / HOUR + 1e-9) * HOUR, at))

    def receipts(self, now: datetime) -> list[Receipt]:
        """Reports that arrived since the last call, oldest first."""
        arrived = []
        for partner in PARTNERS:
            n = self._receipted[partner.id]
            while (seen := report_at(partner, self._hour(n), self.traffic.script)) <= now:
                arrived.append(Receipt(PartnerId(partner.id), self._hour(n), seen))
                n += 1
            self._receipted[partner.id] = n
        return arrived

    def facts(self, rows: Rows) -> Iterator[Fact]:
        for n in range(len(rows)):
            leaf = self.world.leaves[int(rows.leaf[n])]
            yield Fact(
                hour=self.start + timedelta(seconds=float(rows.hour[n])),
                seen_at=self.start + timedelta(seconds=float(rows.seen[n])),
                team=TeamId(leaf.team),
                partner=PartnerId(leaf.partner),
                offer=leaf.offer,
                geo=leaf.geo,
                site=leaf.site,
                clicks=int(rows.clicks[n]),
                regs=int(rows.regs[n]),
                ftd=int(rows.ftd[n]),
                revenue=Decimal(str(round(float(rows.revenue[n]), 4))),
                source="demo",
            )

    def true_loss(self, event: str, now: datetime) -> float:
        """Expected commission of the people `event` took until `now`.

        People are real (drawn), their commission is the expectation of their leaf: what a patient accountant would claim.
        """
        reached = self._seconds(now)
        return sum(each.until(reached) for each in self._taken if each.event == event)

    def reported(self, partner: DemoPartner, hours: range, now: datetime) -> list[int]:
        """The hours (relative to the start) of `hours` that the partner's API shows at `now`, all of whose people have joined."""
        self._live(self._seconds(now))
        script = self.traffic.script
        return [n for n in hours if n >= -HISTORY_HOURS and report_at(partner, self._hour(n), script) <= now]

    def conversions(self, partner: str, since: datetime, until: datetime) -> Iterator[tuple[datetime, int]]:
        """When somebody of the day converted with `since < at <= until`, and how: 1 registered, 2 deposited."""
        low, high = self._seconds(since), self._seconds(until)
        self._live(high)
        for at, leaf, what in self._converted:
            mine = (at > low) & (at <= high) & (self.traffic.partner[leaf] == partner)
            for moment in at[mine]:
                yield self.start + timedelta(seconds=float(moment)), what

    def _live(self, at: float) -> None:
        """Everybody who clicked before `at` joins the ledger."""
        while self._lived < at:
            people, machines = self._of_now()
            first, span = self._hours
            until = min(at, (first + span) * HOUR)
            left, taken = self.traffic.suffer(people, first, self.settings())
            self._taken += [each.between(self._lived, until) for each in taken]
            self._join(left.between(self._lived, until))
            self._join(machines.between(self._lived, until))
            self._lived = until

    def _of_now(self) -> tuple[Clicks, Clicks]:
        """People and machines of the hour that is lived: the history in one stroke, the day hour by hour."""
        hour = int(self._lived // HOUR)
        if self._drawn is None or hour >= sum(self._hours):
            span = -24 - hour if hour < -24 else 1
            self._hours = hour, span
            self._drawn = self.traffic.draw(hour, span), self.traffic.flood(hour, span)
        return self._drawn

    def _join(self, people: Clicks) -> None:
        kinds = (
            (people.at, people.leaf, np.zeros(len(people))),
            (people.reg_at, people.leaf, np.zeros(len(people))),
            (people.ftd_at, people.leaf, people.value),
        )
        for what, (at, leaf, revenue) in enumerate(kinds):
            there = ~np.isnan(at)
            hour = np.floor(at[there] / HOUR)
            seen = at[there] if what == 0 else self._visible(at[there], hour, leaf[there])
            self._count(what, hour, leaf[there], revenue[there])
            if what and (today := at[there] > -DAY).any():
                self._converted.append((at[there][today], leaf[there][today], what))
            kind = np.full(len(hour), what, dtype=np.int64)
            self._pending.append(_Events(seen, hour * HOUR, leaf[there], kind, revenue[there]))

    def _visible(self, at: Floats, hour: Floats, leaf: Ints) -> Floats:
        """When conversions become visible; vectorised by looking each (partner, hour) up once."""
        seen = at.copy()
        for partner in (each for each in PARTNERS if not each.postbacks):
            mine = np.flatnonzero(self.traffic.partner[leaf] == partner.id)
            hours, back = np.unique(hour[mine], return_inverse=True)
            script = self.traffic.script
            arrival = [self._seconds(report_at(partner, self._hour(int(h)), script)) for h in hours]
            if len(hours):
                seen[mine] = np.array(arrival)[back]
        return seen

    def _count(self, what: int, hour: Floats, leaf: Ints, revenue: Floats) -> None:
        row = (hour + HISTORY_HOURS).astype(np.int64)
        while row.size and row.max() >= self.counts.shape[1]:
            self.counts = np.concatenate([self.counts, np.zeros_like(self.counts[:, :168])], axis=1)
        np.add.at(self.counts[what], (row, leaf), 1)
        if what == 2:
            np.add.at(self.counts[3], (row, leaf), revenue)

    def _take(self, at: float) -> _Events:
        parts = self._pending
        pool = _Events(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Events.__slots__))
        visible = pool.seen <= at
        self._pending = [pool.pick(~visible)]
        return pool.pick(visible)

    @staticmethod
    def _rows(events: _Events, seen: Floats) -> Rows:
        """Fold events into one row per (hour, leaf, seen)."""
        order = np.lexsort((events.leaf, events.hour, seen))
        hour, leaf, seen = events.hour[order], events.leaf[order], seen[order]
        what, revenue = events.what[order], events.revenue[order]
        if not len(order):
            none = np.zeros(0, dtype=np.int64)
            return Rows(hour, seen, leaf, none, none, none, revenue)
        fresh = np.ones(len(order), dtype=bool)
        fresh[1:] = (np.diff(hour) != 0) | (np.diff(leaf) != 0) | (np.diff(seen) != 0)
        first = np.flatnonzero(fresh)
        per = [np.add.reduceat((what == kind).astype(np.int64), first) for kind in range(3)]
        return Rows(hour[first], seen[first], leaf[first], per[0], per[1], per[2], np.add.reduceat(revenue, first))

    def _hour(self, n: int) -> datetime:
        return self.start + timedelta(hours=n)

    def _seconds(self, at: datetime) -> float:
        return (at - self.start).total_seconds()
