"""Pairs of figures that move together: when their ratio steps, a unit, a definition or a deal changed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from decimal import Decimal

from checks.feeds.change import Change
from checks.feeds.kinds import RISKY

PAIRS = (
    ("commission_total", "ftd_count"),
    ("commission_cpa", "qftd_count"),
    ("commission_revshare", "ngr"),
    ("ngr", "deposit_amount"),
    ("deposit_amount", "ftd_count"),
    ("ftd_count", "registrations"),
    ("qftd_count", "ftd_count"),
    ("registrations", "clicks"),
)
"""(upper, lower) by canonical measure."""
COUNTS = frozenset({"clicks", "registrations", "ftd_count", "qftd_count"})
RECENT = 2
LEARNED = 10
Z = 6.0
STEP = 0.08
"""Decades below which a step is not worth a word: a fifth."""
FLOOR = 0.015
LEAST = 20
"""Events in the recent days below which a count says too little."""


def parted(days: Sequence[Mapping[str, Decimal | None]], recent: int = RECENT) -> list[Change]:
    """Changes of kind `ratio-shifted`: the last `recent` days of a ratio against the days before, oldest first.

    Each day's log10 ratio scatters (MAD, at least .015 decades) and its counts are noisy (1/n); the recent days' pooled
    ratio must lie six deviations and a fifth away, and the days before must be ten or more.
    """
    found = []
    for upper, lower in PAIRS:
        past = [log for day in days[:-recent] if (log := _log_ratio([day], upper, lower)) is not None]
        now = _log_ratio(days[-recent:], upper, lower)
        events = [_sum(days[-recent:], name) for name in (upper, lower) if name in COUNTS]
        if len(past) < LEARNED or now is None or min(events, default=LEAST) < LEAST:
            continue
        middle = statistics.median(past)
        scatter = max(1.4826 * statistics.median(abs(log - middle) for log in past), FLOOR)
        noise = math.log10(math.e) * math.sqrt(sum(1 / count for count in events))
        if abs(now - middle) <= max(Z * max(scatter / math.sqrt(recent), noise), STEP):
            continue
        was, is_now = f"{_figure(10**middle)} per {lower}", f"{_figure(10**now)} (× {10 ** (now - middle):.3g})"
        found.append(Change("ratio-shifted", upper, RISKY, was, is_now, len(past), recent))
    return found


def _log_ratio(days: Sequence[Mapping[str, Decimal | None]], upper: str, lower: str) -> float | None:
    above, below = _sum(days, upper), _sum(days, lower)
    return math.log10(above / below) if above > 0 and below > 0 else None


def _sum(days: Sequence[Mapping[str, Decimal | None]], name: str) -> float:
    return float(sum((figure for day in days if (figure := day.get(name)) is not None), Decimal(0)))


def _figure(value: float) -> str:
    return f"{value:,.2f}" if value >= 0.1 else f"{value:.4f}"
