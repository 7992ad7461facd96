"""The revenue book: facts in, alarms, views and losses out. Pure apart from its own memory; time is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from checks.revenue import expectation, lattice, memory, scan, scatter, traffic, views
from checks.revenue.alarm import Alarm, cause_of, slice_target
from checks.revenue.calendar import Dates, Learned
from checks.revenue.cube import DAY_H, Cube, CubeMemory, hour_of, moment_of
from checks.revenue.losses import Losses
from checks.revenue.ranking import NATS_PER_DIM, WATCH_BELOW
from checks.revenue.traffic import Traffic
from checks.revenue.watch import CALM_DAYS, LEAST_PAGE_NATS, LOOK_BACK_H, RECENT_H, Case, Known, Watch, mark
from data.model.money import NO_LOSS, Loss, cents
from data.model.revenue_view import Watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from checks.revenue.belief import Prior
    from checks.revenue.calendar import Calendar
    from checks.revenue.cube import Bools, Floats, Ints
    from checks.revenue.expectation import Fit
    from checks.revenue.junk import Junk
    from checks.revenue.ranking import Ranking
    from checks.revenue.scan import Caution
    from checks.revenue.scatter import Scatter
    from checks.revenue.views import SliceView
    from checks.revenue.watch import Taken
    from data.model.snapshot import BandPoint

LEAST_HISTORY_H = 7 * DAY_H
"""With less nothing is raised: what is usual is not known yet."""
_REFIT_H = 24
_MUCH_MORE = 1.2
"""History that grew by this factor since the last fit is worth a new one at once."""
_CLEARLY_LESS = 0.75
"""Share of the expected that comes on a holiday."""
DIMS = ("partner", "offer", "geo", "site", "team")
_LEARNED = ("_effects", "_traffic", "_model", "_caution", "_scatter", "_common", "_known", "_numbers", "_fitted_rows")
"""What a tick leaves behind beside the cube; everything else is told again or follows from these."""


@dataclass(frozen=True, slots=True)
class RevenueTick:
    alarms: tuple[Alarm, ...]
    """Open ones, and those that closed or were withdrawn at this tick."""
    slices: tuple[SliceView, ...] = ()
    """What the revenue pane lists: each partner, each partner in each GEO, and every slice with an alarm."""
    waiting: tuple[str, ...] = ()
    """Calm lines: `waiting for P04 since 11-17 06:00Z`."""
    watching: tuple[Watched, ...] = ()
    """Slices under suspicion, most evidence first: over the watch line, below the page line."""
    junk: tuple[Junk, ...] = ()
    """Clicks far above the usual that nobody registers from: a calm note."""
    held: tuple[str, ...] = ()
    """What is not believed, and why: hours set aside, rows that were never let in."""


@dataclass(frozen=True, slots=True)
class Explained:
    """Slices, and for how long something is known of them: an incident accounts for what is missing, a plan sends guests."""

    slices: tuple[Mapping[str, str], ...]
    start: datetime
    end: datetime


class RevenueBook:
    """Slice-hours of clicks, registrations, FTD and commission with an expectation for each.

    Feed it with `add` and `add_receipts` in any order and call `tick(now)` at least hourly: only rows with
    `seen_at <= now` have any effect. `epc` is the configured commission per click by partner.
    """

    def __init__(
        self,
        dims: tuple[str, ...] = DIMS,
        epc: Mapping[str, float] | None = None,
        currency: str = "EUR",
        page_nats: float | None = None,
        calm_days: float = CALM_DAYS,
    ) -> None:
        self.cube = Cube(dims)
        self.currency, self._given_line = currency, page_nats
        self.calm_days = calm_days
        """Chance alone may reach the line once in so many days."""
        self._epc = dict(epc or {})
        self._model: Fit | None = None
        self.lattice = lattice.build(self.cube)
        self._caution: Caution | None = None
        self._scatter: Scatter | None = None
        self._common: dict[int, float] = {}
        self._known = Known()
        self._numbers = 0
        self._fitted_rows = 0
        self._explained: tuple[Explained, ...] = ()
        self._priors: tuple[Prior, ...] = ()
        self._traffic = Traffic()
        self.second_hand: frozenset[str] = frozenset()
        """Partners whose clicks are their own count: they come with the report, or not at all."""
        self._dates, self._effects = Dates(), tuple[Learned, ...]()

    def follow(self, calendar: Calendar) -> None:
        """Know this calendar from now on; what its events do to clicks is learned at the next fit."""
        if calendar != self._dates.calendar:
            self._dates = Dates(calendar)

    @property
    def page_nats(self) -> float:
        """Nats at which slices page: what was given, else what quiet days call for."""
        return self._known.line(self.calm_days) if self._given_line is None else self._given_line

    @page_nats.setter
    def page_nats(self, nats: float) -> None:
        self._given_line = nats

    def add(self, facts: pl.DataFrame) -> None:
        """Append deltas: `hour`, `seen_at`, the dims, `clicks`, `regs`, `ftd`, `revenue`."""
        self.cube.add_facts(facts)

    def add_receipts(self, receipts: pl.DataFrame) -> None:
        """Append `partner`, `hour`, `seen_at`."""
        self.cube.add_receipts(receipts)

    def memory(self) -> bytes:
        """Everything known beyond the facts, to be kept between two ticks: see `remember`."""
        learned = {name: getattr(self, name) for name in _LEARNED}
        return memory.dumps({"cube": self.cube.memory(), **learned})

    def remember(self, kept: bytes) -> str:
        """Go on where the book that gave `memory` stopped; returns why not, empty when all is well.

        Call it on a new book, before the first `tick`. The facts and receipts of the last `KEEP_H` hours (all that were
        visible then and whatever came since) are to be added as always; what is explained and believed is told again.
        From then on every tick says what it would have said without the interruption. A memory that is damaged, or of
        another version, leaves the book new: it learns from the facts alone, and alarms that were open get new ids.
        """
        try:
            parts = memory.loads(kept)
        except memory.Forgotten as problem:
            return f"what the revenue book knew cannot be used: {problem}"
        cube = parts.pop("cube", None)
        if not isinstance(cube, CubeMemory) or cube.dims != self.cube.dims or set(parts) != set(_LEARNED):
            return "what the revenue book knew cannot be used: it is of another book"
        self.cube.remember(cube)
        for name, part in parts.items():
            setattr(self, name, part)
        self.lattice = lattice.build(self.cube)
        return ""

    def resume(self, alarms: Iterable[Alarm]) -> None:
        """Take up open alarms of an earlier life, ids included; call it before the first `tick`."""
        for alarm in alarms:
            number = int(alarm.id.rpartition("-")[2])
            end = hour_of(alarm.updated_at)
            self._numbers = max(self._numbers, number)
            known = self._traffic.open if alarm.channel == traffic.CHANNEL else self._known.open
            case = Case(number, alarm.channel, dict(alarm.slice), hour_of(alarm.detected_at), hour_of(alarm.start), end)
            case.lent, case.window_h, case.why = alarm.prior_nats, alarm.window_h, alarm.why
            known.append(case)

    def tick(self, now: datetime, *, with_slices: bool = True) -> RevenueTick:
        """Advance to `now` and say what is missing; `with_slices=False` leaves the views out."""
        self.cube.advance(now)
        self._mask()
        watch = self._watch()
        if watch is None:
            return RevenueTick((), waiting=views.waiting(self.cube), held=self.held())
        for case in self._known.open:
            watch.follow(case)
        ended = [case for case in self._known.open if case.status != "open"]
        self._known.settle(self.cube)
        self.cube.masked = self._known.mask(self.cube)
        watching: tuple[Watched, ...] = ()
        if watch.model.history_h >= LEAST_HISTORY_H:
            if not self._known.quiet and self.cube.top - self.cube.base >= LOOK_BACK_H:
                watch.look_back(LEAST_PAGE_NATS)
            left = watch.raise_alarms(self._numbers + 1, self.page_nats)
            self._numbers = max((self._numbers, *(case.number for case in self._known.open)))
            watching = self._watching(left)
        ended += self._follow_traffic(watch.model)
        alarms = tuple(self._alarm(case) for case in (*ended, *self._known.open, *self._traffic.open))
        shown = views.slices(self.cube, watch.model, alarms, LEAST_HISTORY_H, self.line_of) if with_slices else ()
        notes = self._traffic.junk(self.cube, watch.model, self._dates)
        return RevenueTick(alarms, shown, views.waiting(self.cube), watching, junk=notes, held=self.held())

    def _follow_traffic(self, model: Fit) -> list[Case]:
        """Own clicks: a channel that neither masks conversions nor is masked by their alarms; gives what ended."""
        explained = self._untold()
        mark(explained, self.cube, self._known.explained)
        if self._traffic.fitted != model.hour:
            self._traffic.refit(self.cube, model, explained)
        ended = self._traffic.tick(self.cube, model, self._dates, explained, self._numbers + 1)
        self._numbers = max([self._numbers, *(case.number for case in self._traffic.open)])
        return ended

    def _untold(self) -> Bools:
        """[leaf, hour of the cube]: hours whose clicks are still to come with their partner's report."""
        cube, untold = self.cube, np.zeros(self.cube.masked.shape, np.bool_)
        names, partner = cube.names_of("partner"), cube.codes_of("partner")
        theirs = np.flatnonzero(np.array([name in self.second_hand for name in names], np.bool_)[partner])
        if len(theirs):
            untold[theirs] = ~cube.received(cube.base, cube.base + cube.width)[partner[theirs]]
        return untold

    def _watching(self, left: Ranking) -> tuple[Watched, ...]:
        """Slices under suspicion, and what they cost an hour if it is true."""
        losses, found = self._losses(), []
        assert losses is not None
        for suspect in left.watched(self.page_nats - WATCH_BELOW, self.page_nats):
            since, leaves = self.cube.top - suspect.window_h, left.lattice.members(suspect.slice)
            seen, expected = (float(part[suspect.slice, suspect.window]) for part in left.sums.seen(suspect.channel))
            missing = 1.0 if suspect.channel == "value" else max(1.0 - seen / expected, 0.0)
            usual = losses.expected(leaves, since, self.cube.top, calendar=False).mean / suspect.window_h
            where = left.lattice.name(suspect.slice, self.cube)
            figures = round(suspect.nats, 2), seen, expected, moment_of(since), cents(usual * missing)
            found.append(Watched(slice_target(where), where, suspect.channel, *figures))
        return tuple(found)

    def held(self) -> tuple[str, ...]:
        """One line for each hour set aside and for each reason for which rows were not let in."""
        refused = sorted(self.cube.refused.items())
        return (*self.cube.odd.told(self.cube), *(f"{count:,} rows left out: {reason}" for reason, count in refused))

    def _mask(self) -> None:
        """Take out of the scan and of what is learned from whatever is accounted for already."""
        self._known.explained = [
            (self._union(known.slices), hour_of(known.start), hour_of(known.end) + 1) for known in self._explained
        ]
        for case in self._known.open:
            case.leaves = np.flatnonzero(self.cube.select(case.where))
        self.cube.masked = self._known.mask(self.cube)

    def _watch(self) -> Watch | None:
        cube = self.cube
        if not cube.leaves or not cube.width:
            return None
        stale = self._model is None or cube.top - self._model.hour >= _REFIT_H
        if cube.history_rows > _MUCH_MORE * self._fitted_rows:
            cube.thaw()  # what was predicted before the history was there is worth nothing
            stale = True
        grown = self.lattice.leaves != cube.leaves
        if grown:
            self.lattice = lattice.build(cube)
        if stale:
            cube.odd.judge(cube)
            cube.masked = self._known.mask(cube)
            self._model = expectation.fit(cube, self._epc)
            self._fitted_rows = cube.history_rows
            scan.freeze(cube, self._model, cube.top - expectation.FIT_H)
        assert self._model is not None
        if stale:
            self._effects = self._dates.learn(cube)
        self._dates.learned = self._effects
        scan.freeze(cube, self._model, cube.top - RECENT_H)
        if stale or grown or self._caution is None:
            self._caution = scan.caution_of(cube, self._model, self.lattice)
        if stale or self._scatter is None:
            common = self._moved(cube.top - expectation.FIT_H, cube.top)
            self._scatter = scatter.measure(cube, self._model, self.lattice, common, cube.masked)
        self._common = {hour: factor for hour, factor in self._common.items() if hour >= cube.base}
        return Watch(cube, self._model, self.lattice, self._caution, self._common, self._known, self._priors)

    def loss(self, where: Mapping[str, str], start: datetime, now: datetime, *, basis: str = "clicks") -> Loss:
        """What a slice lost between `start` and `now`: see `loss_of`."""
        return self.loss_of([where], start, now, basis=basis)

    def loss_of(
        self,
        slices: Sequence[Mapping[str, str]],
        start: datetime,
        now: datetime,
        *,
        basis: str = "clicks",
        without: Sequence[Explained] = (),
        guests: Sequence[Explained] = (),
    ) -> Loss:
        """What the union of several slices lost between `start` and `now`; a leaf in two of them counts once.

        `basis="clicks"`: the worth of the clicks seen, which earned nothing (a dead link or offer), unless clearly more
        came in than clicks before them still bring. `"calendar"`: the worth of the clicks that did not come (a dead
        site). `"counts"`: conversions that are missing for no known reason. What lies in `without` is counted elsewhere;
        where `guests` are sent from elsewhere, `clicks` beyond the usual are theirs, and earn.
        """
        losses, leaves = self._losses(), self._union(slices)
        if losses is None or not len(leaves) or now <= start:
            return Loss(currency=self.currency)
        taken, theirs = ([(self._union(one.slices), one.start, one.end) for one in some] for some in (without, guests))
        if basis == "clicks":
            return losses.of_clicks(leaves, start, now, taken, theirs)
        return {"counts": losses.of_counts, "calendar": losses.of_visits}[basis](leaves, start, now, taken)

    def _losses(self) -> Losses | None:
        """How money is priced now; `None` before the first tick with facts."""
        if self._model is None or self._scatter is None:
            return None
        explained = self._known.explained
        return Losses(self.cube, self._model, self._scatter, self._dates, self._moved, explained, self.currency)

    def explain(self, known: Iterable[Explained]) -> None:
        """Leave these slice-hours out of the scan: somebody already knows why they earn nothing.

        Replaces what was explained before.
        """
        self._explained = tuple(known)

    def believe(self, priors: Iterable[Prior]) -> None:
        """Let evidence from other checks count at the next ticks; replaces what was believed before."""
        self._priors = tuple(priors)

    def expected_per_hour(self, where: Mapping[str, str], now: datetime) -> float:
        """Commission the calendar expects of a slice in the hour of `now`."""
        losses, leaves = self._losses(), self._union([where])
        if losses is None or not len(leaves):
            return 0.0
        hour = hour_of(now)
        return losses.expected(leaves, hour, hour + 1, calendar=True).mean

    def series(self, where: Mapping[str, str], since: datetime, until: datetime) -> tuple[BandPoint, ...]:
        """Hourly commission of a slice with its expectation and 80 % band; `actual` is None before the report is in."""
        return self.series_of([where], since, until)

    def series_of(self, slices: list[Mapping[str, str]], since: datetime, until: datetime) -> tuple[BandPoint, ...]:
        """As `series`, for the union of several slices."""
        leaves = self._union(slices)
        if self._model is None or not len(leaves):
            return ()
        return views.band(self.cube, self._model, leaves, hour_of(since), hour_of(until), self._moved)

    def fires_after_h(self, where: Mapping[str, str], now: datetime) -> float | None:
        """Hours of complete silence from `now` until an alarm could be raised here; None: not within a week."""
        leaves = self._union([where])
        if self._model is None or not len(leaves):
            return None
        return views.silence_h(views.coming_week(self.cube, self._model, hour_of(now)), leaves, self.line_of(where))

    def line_of(self, where: Mapping[str, str]) -> float:
        """Nats at which a slice pages."""
        return self.page_nats + NATS_PER_DIM * len(where)

    def _moved(self, since: int, until: int) -> Floats:
        """[hour]: what moved everybody. A little less than usual everywhere is noise, and would make all losses small."""
        common = np.array([self._common.get(hour, 1.0) for hour in range(since, until)])
        return np.where(common < _CLEARLY_LESS, common, 1.0)

    def _union(self, slices: Sequence[Mapping[str, str]]) -> Ints:
        inside = np.zeros(self.cube.leaves, np.bool_)
        for where in slices:
            inside |= self.cube.select(where)
        return np.flatnonzero(inside)

    def _alarm(self, case: Case) -> Alarm:
        now = self.cube.top
        return Alarm(
            id=f"r{moment_of(case.detected):%Y%m%d%H}-{case.number}",
            channel=case.channel,
            cause=cause_of(case.channel, case.share, case.end - case.start),
            slice=case.where,
            team=self.cube.team_of(case.leaves),
            detected_at=moment_of(case.detected),
            updated_at=moment_of(now),
            start=moment_of(case.start),
            end=moment_of(case.end) if case.status == "closed" else None,
            status=case.status,
            nats=case.nats + case.lent,
            observed=case.observed,
            expected=case.expected,
            loss=self._alarm_loss(case),
            prior_nats=case.lent,
            window_h=case.window_h,
            why=case.why,
        )

    def _elder(self, case: Case) -> list[Taken]:
        """What older alarms count already."""
        return [
            other.taken(self.cube.top)
            for other in (*self._known.open, *self._known.closed)
            if other.number < case.number and other.status != "withdrawn"
        ]

    def _alarm_loss(self, case: Case) -> Loss:
        """Without what older alarms count already and what incidents of a known cause account for."""
        losses = self._losses()
        assert losses is not None
        if case.status == "withdrawn":
            return NO_LOSS
        if case.channel == traffic.CHANNEL:
            return self.loss(case.where, moment_of(case.start), moment_of(case.end), basis="calendar")
        return losses.of_alarm(case, self._elder(case))
