"""A parser's runs as its screen shows them: the last ones in columns, its fields against before, results by hour."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from checks.hub.evidence import Evidence
from checks.parsers.spec import load_spec
from checks.parsers.volatility import volatility
from data.errors import ConfigError
from data.model.cause import CAUSES
from data.model.ids import CauseId
from data.model.parser_view import FieldRow, HourCount, RunRow
from data.model.snapshot import BandPoint
from data.model.state import State
from data.store import parser_runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from checks.hub.hub import Hub
    from data.model.fact import ParserRun
    from data.model.ids import TargetId
    from data.model.parser_view import VolatilityRow
    from data.model.principal import Scope
    from data.model.snapshot import TargetDetail
    from data.model.target import Target
    from data.store.store import Store

HISTORY = 96
"""Runs in the chart of items: a day of one every quarter of an hour."""
VARIED = 2_000
"""Runs that say how a parser varies: three weeks of one every quarter of an hour."""
COLUMNS = 32
"""Runs that are shown; wider than most terminals."""
FIELD_RUNS = 30
"""Runs that say what fill is usual."""
FILLED = 0.5
"""A field filled less than this is empty as often as not: it says nothing of a run."""
USUAL_DAYS = 28
ENOUGH = 3
"""Fewest runs of one hour of day that make a usual figure."""


@dataclass(frozen=True, slots=True)
class Varied:
    """What changes without being broken."""

    rows: tuple[VolatilityRow, ...] = ()
    hours: tuple[HourCount, ...] = ()


@dataclass(slots=True)
class ParserDetails:
    """Completes the details of parsers. Reads the store and may replay pages: in a thread."""

    hub: Hub
    _varied: dict[TargetId, tuple[tuple[datetime, datetime], Varied]] = field(default_factory=dict)

    def of_parser(self, detail: TargetDetail, target: Target, scope: Scope, now: datetime) -> TargetDetail:
        """`detail` with everything that only parsers have."""
        runs = parser_runs.history(self.hub.store, scope, target.name, limit=HISTORY)
        broken = detail.row.state in {State.FAILING, State.DEGRADED}
        evidence = self.hub.pulls.evidence(target, scope) if broken and target.spec else Evidence()
        varied = self._of(target, scope, now, runs[0].at) if runs else Varied()
        places = self.hub.ranks.rows(target.id, scope, now)
        return replace(
            detail, fields=field_rows(runs, self._selectors(target)), runs=run_rows(runs), band=items_band(runs), band_unit="items",
            diff=evidence.diff, candidates=evidence.candidates, good_at=evidence.good_at, bad_at=evidence.bad_at,
            volatility=(*varied.rows, *places), by_hour=varied.hours,
        )  # fmt: skip

    def _of(self, target: Target, scope: Scope, now: datetime, newest: datetime) -> Varied:
        """Worked out again with every run and every hour: weeks of runs are too many for each look at the screen."""
        mark = newest, now.replace(minute=0, second=0, microsecond=0)
        known = self._varied.get(target.id)
        if known is None or known[0] != mark:
            rows = volatility(parser_runs.history(self.hub.store, scope, target.name, limit=VARIED), now)
            known = mark, Varied(rows, by_hour(self.hub.store, scope, target.name, now))
            self._varied[target.id] = known
        return known[1]

    def _selectors(self, target: Target) -> dict[str, str]:
        """Selector by field; none of an outside parser, or where the SPEC cannot be read: its checks say why."""
        if not target.spec:
            return {}
        try:
            spec = load_spec(self.hub.home.config / target.spec)
        except ConfigError:
            return {}
        return {one.name: one.css + (f" @{one.attr}" if one.attr else "") for one in spec.fields}


def run_rows(runs: Sequence[ParserRun]) -> tuple[RunRow, ...]:
    """The last runs, oldest first, from `runs`, newest first."""
    filled = {name for name, usual in _usual(runs[:FIELD_RUNS]).items() if usual >= FILLED}
    return tuple(_row(run, filled) for run in reversed(runs[:COLUMNS]))


def _row(run: ParserRun, filled: set[str]) -> RunRow:
    fills = [one.fill for one in run.fields if one.name in filled]
    return RunRow(run.at, state_of_run(run), run.items, min(fills, default=None), run.bytes, run.family)


def state_of_run(run: ParserRun) -> State:
    """What the verdict of a run means; one that we do not know, of an outside parser, is `unknown`."""
    if run.verdict in {"", "ok"}:
        return State.OK
    known = CAUSES.get(CauseId(run.verdict))
    return known.state if known else State.UNKNOWN


def field_rows(runs: Sequence[ParserRun], selectors: Mapping[str, str]) -> tuple[FieldRow, ...]:
    """The fields of the newest run beside what their fill was before, from `runs`, newest first."""
    if not runs:
        return ()
    before = _usual(runs[1:FIELD_RUNS])
    return tuple(
        FieldRow(one.name, one.state, one.fill, before.get(one.name, one.fill), selectors.get(one.name, ""))
        for one in runs[0].fields
    )


def _usual(runs: Sequence[ParserRun]) -> dict[str, float]:
    """Median fill of each field; of good runs where there are any, so that a long outage does not become the usual."""
    good = [run for run in runs if state_of_run(run) is State.OK] or runs
    fills: dict[str, list[float]] = {}
    for run in good:
        for one in run.fields:
            fills.setdefault(one.name, []).append(one.fill)
    return {name: median(some) for name, some in fills.items()}


def items_band(runs: Sequence[ParserRun]) -> tuple[BandPoint, ...]:
    """Items of each run, oldest first, in the band of all of them."""
    if not runs:
        return ()
    usual = sorted(run.items for run in runs)
    lo, mid, hi = (usual[int(len(usual) * share)] for share in (0.1, 0.5, 0.9))
    return tuple(BandPoint(run.at, mid, lo, hi, run.items) for run in reversed(runs))


def by_hour(store: Store, scope: Scope, parser: str, now: datetime) -> tuple[HourCount, ...]:
    """Results by hour of day over four weeks, and what the last 24 hours had; nothing is usual below three runs."""
    day = now - timedelta(days=1)
    found = parser_runs.items_by_hour(store, scope, parser, now - timedelta(days=USUAL_DAYS), day)
    return tuple(
        HourCount(hour, count, usual, lo, hi, newest)
        if count >= ENOUGH and usual is not None and lo is not None and hi is not None
        else HourCount(hour, 0, 0.0, 0.0, 0.0, newest)
        for hour, count, usual, lo, hi, newest in found
        if count >= ENOUGH or newest is not None
    )
