"""Slices as lines of the revenue list, and what was said of an alarm as a line of its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.revenue.alarm import detail_of
from data.access.redaction import redact_words
from data.model.cause import cause
from data.model.money import cents
from data.model.observation import NO_CAUSE
from data.model.revenue_view import EvidenceRow
from data.model.snapshot import TargetRow
from data.model.state import State
from data.model.target import TargetKind

if TYPE_CHECKING:
    from datetime import datetime

    from checks.hub.fusion import Blind
    from checks.revenue.views import SliceView
    from data.model.alarm import AlarmEntry
    from data.model.ids import IncidentId
    from data.model.principal import Scope

BLIND = cause("revenue.blind")


def slice_row(view: SliceView, now: datetime, incident: IncidentId | None, blind: Blind | None = None) -> TargetRow:
    """One line of the revenue list. Without history or a report nothing can be said, and the line says that.

    `blind` says why the slice's figures do not reach us; what was seen to be lost before stays failing.
    """
    alarm, because = view.alarm, NO_CAUSE
    if alarm:
        state, because, detail = State.FAILING, alarm.cause, detail_of(alarm)
    elif blind:
        state, because, detail = State.UNKNOWN, BLIND, blind.words
    elif not view.known:
        state, detail = State.UNKNOWN, "no report of a recent hour yet, or too little history"
    else:
        state, detail = State.OK, _share(view)
    return TargetRow(
        target=view.target,
        kind=TargetKind.SLICE,
        team=view.team,
        name=" ".join(view.slice.values()) or "everything",
        state=state,
        cause=because,
        detail=detail,
        since=alarm.start if alarm else blind.since if blind else None,
        last_at=now,
        geo=view.slice.get("geo", ""),
        partner=view.slice.get("partner", ""),
        offer=view.slice.get("offer", ""),
        site=view.slice.get("site", ""),
        tier=1 if set(view.slice) == {"partner"} else 2,
        value=view.revenue_per_hour,
        expected=view.expected_per_hour,
        loss_per_hour=cents(alarm.loss.per_hour) if alarm else None,
        trend=view.trend,
        incident=incident,
        fires_after_h=None if blind else view.fires_after_h,
    )


def evidence_of(entry: AlarmEntry, scope: Scope) -> EvidenceRow:
    return EvidenceRow(
        at=entry.at,
        channel=entry.channel,
        window_h=entry.window_h,
        seen=entry.observed,
        expected=entry.expected,
        nats=entry.nats - entry.prior_nats,
        prior_nats=entry.prior_nats,
        why=redact_words(entry.why, scope),
    )


def _share(view: SliceView) -> str:
    if view.expected_per_hour <= 0:
        return "no clicks"
    return f"{view.revenue_per_hour / view.expected_per_hour:.0%} of expected"
