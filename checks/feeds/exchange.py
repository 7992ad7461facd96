"""The rate that a figure was worth when it was seen, beside the figure: amounts stay in the currency they came in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from data.model.fact import PartnerStat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.config.rates import Rates
    from data.store.tables import Record


def with_rates(rows: Iterable[Record], rates: Rates) -> list[Record]:
    """The rows, figures among them with the last rate known for their day; later rates do not move earlier versions."""
    return [_with_rate(row, rates) if isinstance(row, PartnerStat) else row for row in rows]


def _with_rate(stat: PartnerStat, rates: Rates) -> PartnerStat:
    return replace(stat, exchange=rates.at(stat.currency, stat.day)) if stat.measures else stat
