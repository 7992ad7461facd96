"""Our own clicks of a partner, whoever told of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from data.model.fact import Fact
from data.store import facts

T0 = datetime(2026, 11, 17, 6, tzinfo=UTC)


def test_clicks_of_a_partner_are_summed_by_hour_over_teams_and_places(store, put):
    one = Fact(T0, T0, "aurora", "P01", "o", "DE", "s", clicks=5)
    put(
        one,
        replace(one, team="cedar", site="t", clicks=7),
        replace(one, clicks=-1),
        replace(one, partner="P02", clicks=9),
    )
    put(replace(one, hour=T0 + timedelta(hours=1), clicks=3), replace(one, hour=T0 - timedelta(days=9), clicks=2))
    assert facts.clicks_of_partner(store, "P01", T0) == {T0: 11, T0 + timedelta(hours=1): 3}
