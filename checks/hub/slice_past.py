"""Why, or why not, at a past hour: from the store alone, as it was known then."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from checks.hub.slice_rows import evidence_of
from checks.revenue.alarm import slice_of
from checks.revenue.evidence import WINDOWS_H, drop_nats
from data.model.observation import NO_CAUSE
from data.model.principal import MoneyRight
from data.model.revenue_view import EvidenceRow, RevenueView
from data.store import alarms, expectations, facts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from checks.hub.hub import Hub
    from checks.revenue.cube import Floats
    from data.model.ids import TargetId
    from data.model.principal import Scope

BACK_H = 120
"""The longest window."""
WORDS = 48
_LEAST_DUE = 1e-9
_CERTAIN = np.full(len(WINDOWS_H), 1e4), 1.0
"""Of a slice that nothing is known of now."""


def past(hub: Hub, target: TargetId, scope: Scope, at: datetime) -> RevenueView | None:
    """What was known of a slice at `at`; `None` where the reader's teams had no facts in it then.

    Windows hold the hours whose report was here, against what had been foretold of them; how far the slice's level
    wanders is today's.
    """
    store, where = hub.store, slice_of(target)
    top = at.replace(minute=0, second=0, microsecond=0)
    since = top - timedelta(hours=BACK_H)
    seen = expectations.seen_and_due(store, scope, where, since, top, at)
    if seen.is_empty():
        return None
    seen = _reported(seen, facts.receipts(store, scope, since, top, at))
    said = alarms.lasting(store, scope, since, at)
    own = next((one for one in said if one.target == target and one.status == "open"), None)
    present = _windows(seen, top, hub.book.doubt(where, scope.teams))
    words = alarms.words(store, scope, own.id, at, WORDS) if own else []
    evidence = tuple(evidence_of(entry, scope) for entry in words) if own else present
    return RevenueView(
        slice=where,
        since=own.start if own else since,
        until=at,
        cause=own.cause if own else NO_CAUSE,
        nats=own.nats if own else max((row.nats for row in present), default=0.0),
        page_nats=hub.book.line_of(where),
        loss=own.loss if own and scope.money is MoneyRight.FULL else None,
        evidence=evidence,
    )


def _reported(seen: pl.DataFrame, receipts: pl.DataFrame) -> pl.DataFrame:
    """Hours whose report was here; partners of which nobody tracks reports count as prompt."""
    tracked = receipts["partner"].unique()
    told = receipts.select("partner", "hour").unique().with_columns(told=pl.lit(value=True))
    joined = seen.join(told.with_columns(pl.col("hour").cast(seen.schema["hour"])), on=["partner", "hour"], how="left")
    return joined.filter(pl.col("told").is_not_null() | ~pl.col("partner").is_in(tracked.to_list()))


def _windows(seen: pl.DataFrame, top: datetime, doubt: Mapping[str, tuple[Floats, float]]) -> tuple[EvidenceRow, ...]:
    rows = []
    for channel, due in (("ftd", "ftd_due"), ("regs", "regs_due")):
        sums = [
            seen.filter(pl.col("hour") >= top - timedelta(hours=length)).select(pl.col(channel, due).sum()).row(0)
            for length in WINDOWS_H
        ]
        observed, expected = np.array(sums, np.float64).T
        nats = drop_nats(observed, expected, *doubt.get(channel, _CERTAIN))
        best = int(np.argmax(nats))
        if expected[best] > _LEAST_DUE:
            figures = float(observed[best]), float(expected[best]), float(nats[best])
            rows.append(EvidenceRow(top, channel, WINDOWS_H[best], *figures))
    return tuple(sorted(rows, key=lambda row: -row.nats))
