from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, within
from data.store.tables import PARTNER_STAT

if TYPE_CHECKING:
    from datetime import date, datetime

    from data.model.fact import PartnerStat
    from data.model.principal import Scope
    from data.store.store import Store

_LATEST = (
    "QUALIFY row_number() OVER (PARTITION BY feed, day, dims, currency ORDER BY version DESC) = 1 ORDER BY day, dims"
)


def current(store: Store, scope: Scope, feed: str, since: date) -> list[PartnerStat]:
    """The latest version of each account-day from `since` on; rows that are no longer delivered are left out."""
    return _there(records(store, PARTNER_STAT, within(scope), "feed = ? AND day >= ?", [feed, since], _LATEST))


def as_of(store: Store, scope: Scope, feed: str, moment: datetime) -> list[PartnerStat]:
    """What was known of each account-day at `moment`."""
    return _there(records(store, PARTNER_STAT, within(scope), "feed = ? AND observed_at <= ?", [feed, moment], _LATEST))


def versions(store: Store, scope: Scope, feed: str, first: date, last: date) -> list[PartnerStat]:
    """Everything ever said of the days from `first` to `last`, both inclusive: by day, row and version."""
    tail = "ORDER BY day, dims, currency, version"
    return records(store, PARTNER_STAT, within(scope), "feed = ? AND day BETWEEN ? AND ?", [feed, first, last], tail)


def _there(found: list[PartnerStat]) -> list[PartnerStat]:
    return [stat for stat in found if stat.measures]
