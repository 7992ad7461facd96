"""What is no change of a partner's data and yet worth a line to somebody: notes for finance. Pure."""

from __future__ import annotations

import statistics
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from checks.feeds.change import Change
from checks.feeds.kinds import HARMLESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from checks.feeds.canonical import Row
    from checks.feeds.preset import Preset
    from data.model.fact import PartnerStat

LEARNED = 5
"""Days beside the one in question from which a usual day is known."""
Totals = dict[str, Decimal]


def notes(known: Sequence[PartnerStat], rows: Iterable[Row], preset: Preset) -> tuple[Change, ...]:
    """Days whose net revenue fell below the loss of what a usual day brings: players won, the partner did nothing.

    Told once, with the delivery that first says so, be it the very first of all; counts are named beside it, for a jackpot
    leaves them as they are.
    """
    field = preset.fields.get("ngr")
    before, now = _by_day((stat.day, stat.measures) for stat in known), _by_day((row.day, row.measures) for row in rows)
    learned = now | before
    usual = {name: _median(learned, name) for name in ("ngr", "ftd_count")}
    if field is None or usual["ngr"] is None or usual["ngr"] <= 0:
        return ()
    found = []
    for day in sorted(now):
        was, revenue = before.get(day, {}).get("ngr"), now[day].get("ngr")
        if revenue is None or revenue >= -usual["ngr"] or (was is not None and was < -usual["ngr"]):
            continue
        words = f"{revenue:,.2f} on {day}{_beside(now[day].get('ftd_count'), usual['ftd_count'])}"
        n = len(learned)
        found.append(
            Change("net-revenue-negative", field.source, HARMLESS, f"usually {usual['ngr']:,.2f}", words, n, 1)
        )
    return tuple(found)


def _beside(players: Decimal | None, usual: Decimal | None) -> str:
    return "" if players is None or usual is None else f", {players:,.0f} first deposits where {usual:,.0f} are usual"


def _by_day(figures: Iterable[tuple[date | None, Mapping[str, Decimal | None]]]) -> dict[date, Totals]:
    found: dict[date, Totals] = defaultdict(lambda: defaultdict(Decimal))
    for day, measures in figures:
        for name in ("ngr", "ftd_count"):
            if day is not None and (figure := measures.get(name)) is not None:
                found[day][name] += figure
    return {day: dict(totals) for day, totals in found.items()}


def _median(days: Mapping[date, Totals], name: str) -> Decimal | None:
    there = [totals[name] for totals in days.values() if name in totals]
    return statistics.median(there) if len(there) > LEARNED else None
