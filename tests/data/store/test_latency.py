from __future__ import annotations

from datetime import UTC, datetime, timedelta

from data.model.principal import EVERYTHING, Scope
from data.store import latency, rollups

T0 = datetime(2026, 11, 17, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_usual_time_is_that_of_the_middle_hour_and_hours_with_failures_do_not_count(store, put, observed):
    for hour, ms in enumerate((100.0, 110.0, 5000.0)):
        put(*observed("o" * 30, start=T0 + hour * HOUR, step_s=60, ms=ms))
    put(*observed("f" * 30, start=T0 + 3 * HOUR, step_s=60, ms=9000.0))
    rollups.run(store, T0 + 4 * HOUR)
    ((target, (p50, p95)),) = latency.usual(store, EVERYTHING, T0, 3).items()
    assert (target, 110.0 <= p50 <= p95 < 200.0) == ("site:a", True)
    assert latency.usual(store, EVERYTHING, T0, 4) == {}
    assert latency.usual(store, EVERYTHING, T0 + 2 * HOUR, 2) == {}
    assert latency.usual(store, Scope(frozenset({"cedar"})), T0, 1) == {}
