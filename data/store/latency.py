from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import rows, within

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.ids import TargetId
    from data.model.principal import Scope
    from data.store.store import Store


def usual(store: Store, scope: Scope, since: datetime, hours: int) -> dict[TargetId, tuple[float, float]]:
    """(median, 95th percentile) of total times in ms since then, for targets with at least so many hours rolled up.

    Both are the middle of the hours' own figures, so that a bad hour does not count.
    """
    mine, teams = within(scope)
    found = rows(
        store,
        f"SELECT target, median(p50_ms), median(p95_ms) FROM rollup_hour WHERE {mine} AND start >= ? AND failing = 0"
        " AND p50_ms IS NOT NULL GROUP BY target HAVING count(*) >= ?",
        [*teams, since, hours],
    )
    return {target: (p50, p95) for target, p50, p95 in found}
