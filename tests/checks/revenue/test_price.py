"""A loss so far and its rate."""

from __future__ import annotations

import pytest

from checks.revenue.price import loss_of


@pytest.mark.parametrize(("hours", "rate"), [(2.0, 15), (1.0, 30), (0.5, 60), (0.25, 120), (0.05, 120), (0.0, 120)])
def test_what_is_lost_an_hour_is_said_before_the_hour_is_over_and_not_made_of_minutes(hours, rate):
    loss = loss_of(15.0, 30.0, 45.0, hours, "EUR")
    assert (loss.lost, loss.per_hour) == (30, rate)
    assert (loss.per_hour_lo, loss.per_hour_hi) == (rate / 2, rate * 1.5)
