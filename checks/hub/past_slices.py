"""The revenue list as it was: alarms in the words said then, and what each partner brought, as it is known by now."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from checks.revenue.alarm import slice_of
from data.model.money import cents
from data.model.observation import NO_CAUSE
from data.model.principal import EVERYTHING
from data.model.snapshot import TargetRow
from data.model.state import State
from data.model.target import TargetKind
from data.store import alarms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from checks.hub.hub import Hub
    from data.model.alarm import AlarmEntry
    from data.model.ids import TargetId, TeamId
    from data.model.snapshot import BandPoint

_DAY = timedelta(hours=24)
_RECENT = 6
"""Hours whose mean is the present figure."""
_MOST = 200
"""Partners whose series are read."""


def slice_rows_at(hub: Hub, at: datetime) -> dict[TargetId, TargetRow]:
    """Slices that had an alarm, and every partner as a whole."""
    rows = {
        entry.target: _row(entry.target, entry.team, at, (), entry)
        for entry in alarms.lasting(hub.store, EVERYTHING, at, at)
        if entry.status == "open"
    }
    whole = [row for row in list(hub.board.slice_rows.values()) if set(slice_of(row.target)) == {"partner"}]
    for row in whole[:_MOST]:
        if row.target not in rows:
            band = hub.book.series_of([slice_of(row.target)], at - _DAY, at)
            rows[row.target] = _row(row.target, row.team, at, band, None)
    return rows


def _row(
    target: TargetId, team: TeamId, at: datetime, band: Sequence[BandPoint], alarm: AlarmEntry | None
) -> TargetRow:
    where = slice_of(target)
    told = [(point.actual, point.expected) for point in band if point.actual is not None][-_RECENT:]
    value = sum(actual for actual, _ in told) / len(told) if told else None
    expected = sum(due for _, due in told) / len(told) if told else None
    state = State.FAILING if alarm else State.OK if told else State.UNKNOWN
    words = f"{alarm.observed:,.0f} seen, {alarm.expected:,.1f} expected" if alarm else ""
    return TargetRow(
        target=target,
        kind=TargetKind.SLICE,
        team=team,
        name=" ".join(where.values()) or "everything",
        state=state,
        cause=alarm.cause if alarm else NO_CAUSE,
        detail=words
        or (f"{value / expected:.0%} of expected" if value is not None and expected else "nothing is known"),
        since=alarm.start if alarm else None,
        last_at=at,
        geo=where.get("geo", ""),
        partner=where.get("partner", ""),
        offer=where.get("offer", ""),
        site=where.get("site", ""),
        tier=1 if set(where) == {"partner"} else 2,
        value=value,
        expected=expected,
        loss_per_hour=cents(alarm.loss.per_hour) if alarm else None,
        trend=tuple(point.actual or 0.0 for point in band),
    )
