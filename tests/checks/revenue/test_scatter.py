from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.revenue.book import RevenueBook
from checks.revenue.scatter import Curve, spread_of

DAY = 24
SILENT = Curve(np.zeros(0), np.zeros((0, 20)), cv2=1.0)


def measured(told):
    book = RevenueBook()
    book.add_receipts(told.receipts())
    book.add(told.facts())
    book.tick(told.at(told.hours), with_slices=False)
    return book._scatter


def test_eighty_per_cent_of_quiet_days_to_come_lie_between_the_tenth_and_the_ninetieth_of_those_that_were(world):
    inside = tried = 0
    for seed in (1, 2):
        told = world(days=35, seed=seed)
        scatter, then = measured(told), world(days=35, seed=seed + 50)
        for place in ({"partner": "P01"}, {"partner": "P04", "geo": "UK"}, {"geo": "PL"}, {"partner": "P09"}):
            rows = then.inside(**place)
            days = then.ftd[rows].sum(0).reshape(-1, DAY).sum(1)
            due = days.mean()
            low, high = np.quantile(scatter.count.at(due), [0.1, 0.9])
            inside += int(((days >= low * due) & (days <= high * due)).sum())
            tried += len(days)
    assert 0.7 <= inside / tried <= 0.92


def test_players_who_pay_unequally_make_money_more_doubtful_than_their_number(world):
    equal, unequal = world(days=30, seed=3), world(days=30, seed=3)
    unequal.revenue = unequal.revenue * unequal.draw.choice([0.25, 4.0], unequal.revenue.shape, p=[0.8, 0.2])
    widths = [np.ptp(np.quantile(measured(told).worth.at(24.0), [0.1, 0.9])) for told in (equal, unequal)]
    assert widths[1] > 1.8 * widths[0]


def test_hours_of_an_incident_are_no_scatter(world):
    calm, silent = world(days=35, seed=4), world(days=35, seed=4)
    silent.thin(20 * DAY, 22 * DAY, 0.0, team="aurora")
    told = RevenueBook()
    told.add_receipts(silent.receipts())
    told.add(silent.facts())
    for hour in range(20 * DAY, 35 * DAY, 4):
        told.tick(silent.at(hour), with_slices=False)
    low_of = [np.quantile(one.money.at(96.0), 0.05) for one in (measured(calm), told._scatter)]
    assert low_of[1] == pytest.approx(low_of[0], abs=0.12)


def test_where_nothing_was_seen_yet_a_broad_guess_is_made():
    low, middle, high = np.quantile(SILENT.at(10.0), [0.1, 0.5, 0.9])
    assert low < 0.6 < middle < 1.0
    assert high > 1.5
    assert np.ptp(SILENT.at(1000.0)) < np.ptp(SILENT.at(10.0)) / 4


@given(st.floats(0.01, 50.0))
def test_a_guessed_spread_has_the_mean_one(variance):
    assert spread_of(min(variance, 0.5)).mean() == pytest.approx(1.0, abs=0.05)
    assert (np.diff(spread_of(variance)) > 0).all()


def test_more_events_than_were_ever_seen_together_scatter_less():
    curve = Curve(np.array([3.0, 6.0]), np.array([np.linspace(0.2, 2.5, 20), np.linspace(0.4, 2.0, 20)]), 1.0)
    assert curve.at(1.0).tolist() == curve.at(3.0).tolist()
    between = curve.at(4.0)
    assert 0.2 < between[0] < 0.4
    assert np.ptp(curve.at(600.0)) < np.ptp(curve.at(60.0)) < np.ptp(curve.at(6.0))
