"""Whether settled days were lowered beyond what a partner's history is allowed to move."""

from __future__ import annotations

import math
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from checks.feeds.drift import RISKY, Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from checks.feeds.canonical import Row
    from checks.feeds.preset import Preset
    from data.model.fact import PartnerStat

SETTLING = 0.03
"""Share of first deposits a day usually loses while it settles."""
MONEY = ("commission_total", "ngr")


def restatement(known: Sequence[PartnerStat], rows: Sequence[Row], preset: Preset, today: date) -> Change | None:
    """A change of kind `history-restated` when counts or money of settled days fell together beyond the envelope.

    Only days at least `settle_days` old that are known and were delivered again are compared, all of them and then those
    that moved, where two or more did: what stood still must not water them down. A key that is gone counts as zero. A
    count may fall by 3 % and two standard deviations; money by the preset's envelope or the same share as the count's
    limit, whichever is more.
    """
    limit = today.toordinal() - preset.freshness.settle_days
    settled = {row.day for row in rows if row.day and row.day.toordinal() <= limit} & {stat.day for stat in known}
    was = {day: _totals(stat.measures for stat in known if stat.day == day) for day in settled}
    now = {day: _totals(row.measures for row in rows if row.day == day) for day in settled}
    moved = {day for day in settled if any(was[day].get(name) != now[day].get(name) for name in ("ftd_count", *MONEY))}
    for days in (settled, moved) if 1 < len(moved) < len(settled) else (settled,):
        before, after = (_totals(by_day[day] for day in days) for by_day in (was, now))
        if found := _lowered(before, after, preset, len(days)):
            return found
    return None


def _lowered(was: dict[str, Decimal], now: dict[str, Decimal], preset: Preset, days: int) -> Change | None:
    counts, floor = float(was.get("ftd_count", 0)), 1.0
    if counts > 0:
        allowed = SETTLING * counts + 2 * math.sqrt(SETTLING * counts) + 0.5
        floor = allowed / counts
        if "ftd_count" in now and counts - float(now["ftd_count"]) > allowed:
            return _change("ftd_count", was, now, preset, days)
    else:
        floor = preset.freshness.envelope
    for name in MONEY:
        before = float(was.get(name, 0))
        if before > 0 and name in now and float(now[name]) < before * (1 - max(floor, preset.freshness.envelope)):
            return _change(name, was, now, preset, days)
    return None


def _totals(found: Iterable[Mapping[str, Decimal | None]]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for measures in found:
        for name, figure in measures.items():
            if figure is not None:
                totals[name] += figure
    return totals


def _change(name: str, was: dict[str, Decimal], now: dict[str, Decimal], preset: Preset, days: int) -> Change:
    field = preset.fields.get(name)
    path = (field.source if field else "") or name
    share = float((now[name] - was[name]) / was[name])
    words = f"{now[name]:,.2f} ({share:+.1%}) over {days} settled days".replace("-", "−")
    return Change("history-restated", path, RISKY, f"{was[name]:,.2f}", words, days, days)
