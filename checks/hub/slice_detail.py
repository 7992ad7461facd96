"""A slice as its screen shows it: the series with its band, what speaks for trouble, its parts, its reports, its marks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from math import exp, floor, log10
from typing import TYPE_CHECKING
from urllib.parse import unquote

from checks.hub.funnels import funnel_of
from checks.hub.slice_marks import marks_of, touches
from checks.hub.slice_past import past
from checks.hub.slice_rows import BLIND, evidence_of, slice_row
from checks.revenue.alarm import ORDER, slice_of, slice_target
from data.errors import UsageError
from data.model.ids import TargetId
from data.model.money import Loss, cents
from data.model.observation import NO_CAUSE
from data.model.principal import MoneyRight
from data.model.revenue_view import EvidenceRow, PartRow, RevenueView
from data.model.snapshot import BandPoint, TargetDetail
from data.store import alarms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from checks.hub.hub import Hub
    from checks.revenue.look import Look
    from checks.revenue.reading import Share
    from data.model.alarm import AlarmEntry
    from data.model.principal import Scope
    from data.model.revenue_view import Watched
    from data.model.snapshot import TargetRow

WINDOWS = {"6h": 6, "24h": 24, "7d": 168, "28d": 672}
"""Hours of the series that can be asked for."""
DAY = timedelta(days=1)
PARTS_OF_EACH = 8
WORDS = 48
"""Of an alarm, newest first: what was said of it hour by hour."""
_CERTAIN = 1e6
SHARE = "share"
"""Unit of a series for who may not see money: 1 is what was expected of the hour."""


def wanted(asked: str) -> TargetId:
    """The slice's id with its dimensions in their order, from `slice:geo=DE,partner=P02` or without `slice:`.

    Raises:
        UsageError: no such dimension, one that is fixed twice or has no value.
    """
    where: dict[str, str] = {}
    for part in filter(None, asked.removeprefix("slice:").split(",")):
        dim, sign, value = part.partition("=")
        dim, value = dim.strip(), unquote(value.strip())
        if dim not in ORDER:
            near = get_close_matches(dim, ORDER, 1)
            hint = f". Did you mean {near[0]!r}?" if near else ""
            raise UsageError(f"no dimension {dim!r}; there are {', '.join(ORDER)}{hint}")
        if not sign or not value or dim in where:
            raise UsageError(f"{part!r} is not DIMENSION=VALUE, each dimension once, such as partner=P02,geo=DE")
        where[dim] = value
    return slice_target(where)


def hours_asked(window: str) -> int:
    """Raises `UsageError` for a window that there is not."""
    if window not in WINDOWS:
        raise UsageError(f"no window {window!r}; there are {', '.join(WINDOWS)}")
    return WINDOWS[window]


def odds(nats: float) -> str:
    """How much likelier what is seen is with a failure than without: `22,000 to 1`; empty where nothing speaks for one."""
    if nats < 1.0:
        return ""
    ratio = exp(min(nats, 50.0))
    if ratio > _CERTAIN:
        return "over a million to 1"
    grain = 10 ** (floor(log10(ratio)) - 1)
    return f"{round(ratio / grain) * grain:,.0f} to 1"


@dataclass(slots=True)
class SliceDetails:
    """Any slice that has facts, whether a row of the list or not. A reader sees the part that is its teams'."""

    hub: Hub

    def row(self, target: TargetId, scope: Scope, now: datetime) -> TargetRow | None:
        """The slice's line; `None` where the reader's teams have no facts."""
        known = self.hub.board.slice_rows.get(target)
        if known is not None and scope.sees(known.team):
            return self.hub.board.with_strip(known, now)
        view = self.hub.book.view(slice_of(target), scope.teams)
        if view is None:
            return None
        incident = self.hub.board.incident_of.get(target) if scope.sees(view.team) else None
        row = slice_row(view, now, incident, self.hub.fusion.blind_to(view.slice))
        return self.hub.board.with_strip(row, now)

    def of_slice(self, detail: TargetDetail, scope: Scope, now: datetime, hours: int) -> TargetDetail:
        """`detail` with everything that only slices have. Reads the store: in a thread."""
        target = detail.row.target
        where, since = slice_of(target), now - timedelta(hours=hours)
        lasting = alarms.lasting(self.hub.store, scope, min(since, now - DAY), now)
        said = [one for one in lasting if touches(where, slice_of(one.target))]
        alarm = _own(said, where)
        began = alarm.start if alarm else now - DAY
        until = min(alarm.end or now, now) if alarm else now
        look = self.hub.book.look(where, scope.teams, (began, until), (since, now))
        if look is None:
            return detail
        view = self._view(detail, look, alarm, scope, (began, until), now)
        marks = marks_of(self.hub, where, look, said, detail.incidents, scope, (since, now))
        full = scope.money is MoneyRight.FULL
        return replace(
            detail,
            row=_row(detail.row, alarm),
            band=look.band if full else tuple(map(as_share, look.band)),
            band_unit=self.hub.settings.company.currency if full else SHARE,
            revenue=replace(view, marks=marks),
        )

    def watchlist(self, scope: Scope) -> tuple[Watched, ...]:
        """Slices under suspicion, of which every leaf belongs to the reader's teams."""
        mine = [one for one in self.hub.revenue.watching if self._sees(scope, one.slice)]
        full = scope.money is MoneyRight.FULL
        return tuple(mine) if full else tuple(replace(one, per_hour=None) for one in mine)

    def _sees(self, scope: Scope, where: Mapping[str, str]) -> bool:
        if scope.teams is None:
            return True
        view = self.hub.book.view(where, None)
        return view is not None and scope.sees(view.team)

    def past(self, target: TargetId, scope: Scope, at: datetime) -> RevenueView | None:
        """Why, or why not, as it was known at a past moment; `None` where the reader's teams had no facts."""
        view = past(self.hub, target, scope, at)
        return replace(view, odds=odds(view.nats)) if view else None

    def _view(
        self,
        detail: TargetDetail,
        look: Look,
        alarm: AlarmEntry | None,
        scope: Scope,
        span: tuple[datetime, datetime],
        now: datetime,
    ) -> RevenueView:
        where, full = slice_of(detail.row.target), scope.money is MoneyRight.FULL
        own = alarm is not None and alarm.status == "open" and alarm.target == detail.row.target
        evidence = self._evidence(alarm, look, scope, now)
        nats = alarm.nats if alarm else max((row.nats for row in evidence), default=0.0)
        blind = detail.row.cause == BLIND
        loss = (
            alarm.loss if alarm and own else _unseen(detail.row, look, now, self.hub.book.currency) if blind else None
        )
        return RevenueView(
            slice=where,
            since=span[0],
            until=span[1],
            cause=alarm.cause if alarm else BLIND if blind else NO_CAUSE,
            nats=nats,
            page_nats=look.page_nats,
            odds=odds(nats),
            loss=loss if full else None,
            fires_after_h=None if alarm or blind else look.fires_after_h,
            common=look.common,
            funnel=funnel_of(self.hub, where, scope, *span),
            evidence=evidence,
            reports=look.reports,
            parts=_parts(where, look.parts, full=full),
        )

    def _evidence(self, alarm: AlarmEntry | None, look: Look, scope: Scope, now: datetime) -> tuple[EvidenceRow, ...]:
        """Hour by hour what was said of the alarm; of a quiet slice the strongest window of each channel now."""
        if alarm is not None:
            words = alarms.words(self.hub.store, scope, alarm.id, limit=WORDS)
            return tuple(evidence_of(entry, scope) for entry in words)
        return tuple(
            EvidenceRow(now, one.channel, one.length_h, one.seen, one.due, one.nats)
            for one in look.windows
            if one.due > 0
        )


def _unseen(row: TargetRow, look: Look, now: datetime, currency: str) -> Loss:
    """What the calendar expects of a slice nobody sees: unseen, not lost."""
    hours = (now - (row.since or now)) / timedelta(hours=1)
    return Loss(
        unseen=cents(look.expected_per_hour * hours), unseen_per_hour=cents(look.expected_per_hour), currency=currency
    )


def _row(row: TargetRow, alarm: AlarmEntry | None) -> TargetRow:
    """A slice inside one that raises an alarm says so; one that raises it says that already."""
    if alarm is None:
        return row
    if alarm.target == row.target:
        return row
    place = " ".join(slice_of(alarm.target).values()) or "everything"
    return replace(row, detail=f"{row.detail}; part of the alarm on {place}", since=alarm.start)


def as_share(point: BandPoint) -> BandPoint:
    """The hour as multiples of what was expected of it; without an expectation nothing is told."""
    usual = point.expected
    if usual <= 0:
        return BandPoint(point.at, 0.0, 0.0, 0.0, None)
    actual = None if point.actual is None else point.actual / usual
    return BandPoint(point.at, 1.0, point.lo / usual, point.hi / usual, actual)


def _own(said: Sequence[AlarmEntry], where: Mapping[str, str]) -> AlarmEntry | None:
    """The open alarm of this very slice, else the one around it that the slice lies in."""
    around = [one for one in said if one.status == "open" and slice_of(one.target).items() <= where.items()]
    return max(around, key=lambda one: (len(slice_of(one.target)), one.nats), default=None)


def _parts(where: Mapping[str, str], shares: Sequence[Share], *, full: bool) -> tuple[PartRow, ...]:
    rows, told = [], dict[str, int]()
    for one in shares:
        told[one.dim] = told.get(one.dim, 0) + 1
        if told[one.dim] > PARTS_OF_EACH:
            continue
        rows.append(
            PartRow(
                target=slice_target({**where, one.dim: one.value}),
                dim=one.dim,
                value=one.value,
                seen=one.revenue if full else None,
                expected=one.revenue_due if full else None,
                share=one.share,
                nats=one.nats,
                lost=cents(one.revenue_due - one.revenue) if full else None,
            )
        )
    return tuple(sorted(rows, key=lambda row: ORDER.index(row.dim)))
