"""Prices of alarms against what was truly lost."""

from __future__ import annotations

import numpy as np
import pytest

from checks.revenue import scan, shortfall
from checks.revenue.book import RevenueBook
from checks.revenue.cube import hour_of
from checks.revenue.watch import Case

DAY = 24
SINCE = 29 * DAY + 6


def told_at(world, hour):
    book = RevenueBook()
    book.add_receipts(world.receipts())
    book.add(world.facts())
    book.tick(world.at(SINCE - 6), with_slices=False)
    book.cube.advance(world.at(hour))
    scan.freeze(book.cube, book._model, hour_of(world.at(SINCE - DAY)))
    return book


def priced(book, world, where, since, until, *, channel="ftd", status="closed", taken=(), share=0.0):
    case = Case(
        9, channel, where, 0, hour_of(world.at(since)), hour_of(world.at(until)), status=status,
        observed=share, expected=1.0, leaves=np.flatnonzero(book.cube.select(where)),
    )  # fmt: skip
    loss = shortfall.of_alarm(book.cube, book._model, book._scatter, case, taken, book._moved, "EUR")
    assert 0 <= loss.lost_lo <= loss.lost <= loss.lost_hi
    return loss


@pytest.fixture
def broken(world):
    return world(days=32, seed=11)


def cells(world, since, until, **where):
    return np.ix_(world.inside(**where), np.arange(since, until))


def test_commission_told_in_cents_is_priced_to_the_cent(broken):
    where = {"partner": "P02"}
    inside = cells(broken, SINCE, SINCE + 12, **where)
    lost = 0.99 * broken.revenue[inside].sum()
    broken.revenue[inside] /= 100
    book = told_at(broken, SINCE + 60)
    loss = priced(book, broken, where, SINCE, SINCE + 12, channel="value")
    assert float(loss.lost) == pytest.approx(lost, rel=0.01)
    assert loss.lost_lo > 0.9 * float(loss.lost)


def test_hours_of_cents_that_an_alarm_did_not_see_begin_are_its_all_the_same(broken):
    where = {"partner": "P02", "geo": "DE"}
    inside = cells(broken, SINCE, SINCE + 18, **where)
    lost = 0.99 * broken.revenue[inside].sum()
    broken.revenue[inside] /= 100
    book = told_at(broken, SINCE + 60)
    loss = priced(book, broken, where, SINCE + 5, SINCE + 14, channel="value")
    assert float(loss.lost) == pytest.approx(lost, rel=0.1)


def test_of_a_slice_too_wide_only_the_leaves_told_in_cents_are_priced(broken):
    inside = cells(broken, SINCE, SINCE + 18, partner="P02", geo="DE")
    lost = 0.99 * broken.revenue[inside].sum()
    broken.revenue[inside] /= 100
    book = told_at(broken, SINCE + 60)
    loss = priced(book, broken, {"partner": "P02"}, SINCE, SINCE + 18, channel="value")
    assert float(loss.lost) == pytest.approx(lost, rel=0.15)


def test_conversions_that_pay_nothing_cost_what_they_are_usually_worth(broken):
    inside = cells(broken, SINCE, SINCE + 24, partner="P07")
    lost = broken.revenue[inside].sum()
    broken.revenue[inside] = 0
    book = told_at(broken, SINCE + 60)
    loss = priced(book, broken, {"partner": "P07"}, SINCE, SINCE + 24, channel="value")
    assert float(loss.lost) == pytest.approx(lost, rel=0.15)
    assert loss.lost_lo < lost < loss.lost_hi


def test_a_value_alarm_without_one_worthless_conversion_costs_nothing(broken):
    broken.revenue = broken.ftd * 50.0
    book = told_at(broken, SINCE + 60)
    assert priced(book, broken, {"partner": "P07"}, SINCE, SINCE + 6, channel="value").lost == 0


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.6])
def test_most_true_losses_lie_in_the_interval_and_near_its_middle(world, keep):
    inside, errors = 0, []
    places = [
        {"partner": "P01"},
        {"partner": "P07", "geo": "BR"},
        {"partner": "P09"},
        {"geo": "PL"},
        {"partner": "P04"},
    ]
    for seed in (21, 22):
        here = world(days=32, seed=seed)
        lost = [here.thin(SINCE, SINCE + 24, keep, **where) for where in places]
        book = told_at(here, SINCE + 60)
        for where, truth in zip(places, lost, strict=True):
            loss = priced(book, here, where, SINCE, SINCE + 24, share=keep)
            inside += float(loss.lost_lo) <= truth <= float(loss.lost_hi)
            errors.append(abs(float(loss.lost) - truth) / truth)
    assert inside >= 7
    assert np.median(errors) < (0.2 if keep == 0.0 else 0.4)


def test_a_young_alarm_is_less_sure_than_an_old_one(broken):
    broken.thin(SINCE, SINCE + 48, 0.0, partner="P01")
    widths = []
    for hours in (3, 40):
        book = told_at(broken, SINCE + hours)
        loss = priced(book, broken, {"partner": "P01"}, SINCE, SINCE + hours, status="open")
        widths.append(float((loss.lost_hi - loss.lost_lo) / loss.lost))
    assert widths[0] > 1.5 * widths[1]


@pytest.mark.parametrize("keep", [0.0, 0.5])
def test_hours_nobody_told_yet_lose_the_share_lost_so_far(broken, keep):
    broken.told["P01"][SINCE + 6 :] = 30
    lost = broken.thin(SINCE, SINCE + 12, keep, partner="P01")
    book = told_at(broken, SINCE + 12)
    loss = priced(book, broken, {"partner": "P01"}, SINCE, SINCE + 12, status="open")
    assert float(loss.lost) == pytest.approx(lost, rel=0.35)


def test_an_hour_of_a_leaf_is_lost_to_the_older_alarm_alone(broken):
    broken.thin(SINCE, SINCE + 24, 0.0, partner="P02")
    book, country = told_at(broken, SINCE + 48), {"partner": "P02", "geo": "DE"}
    whole = priced(book, broken, {"partner": "P02"}, SINCE, SINCE + 24)
    part = priced(book, broken, country, SINCE, SINCE + 24)
    before = np.flatnonzero(book.cube.select(country)), hour_of(broken.at(SINCE)), hour_of(broken.at(SINCE + 24))
    rest = priced(book, broken, {"partner": "P02"}, SINCE, SINCE + 24, taken=[before])
    assert float(rest.lost + part.lost) == pytest.approx(float(whole.lost), rel=0.06)
    assert priced(book, broken, country, SINCE, SINCE + 24, taken=[before]).lost == 0


def test_a_leak_is_priced_by_what_is_missing_in_each_hour(world):
    slow = world(days=35, seed=31)
    lost = sum(slow.thin(SINCE + 6 * step, SINCE + 6 * step + 6, 1.0 - step / 20, partner="P01") for step in range(16))
    book = told_at(slow, SINCE + 120)
    loss = priced(book, slow, {"partner": "P01"}, SINCE, SINCE + 96, share=0.6)
    assert float(loss.lost) == pytest.approx(lost, rel=0.25)


@pytest.mark.parametrize("change", [-1.0, 0.0])
def test_money_that_is_taken_back_or_never_was_breaks_no_price(broken, change):
    broken.revenue = broken.revenue * change
    book = told_at(broken, SINCE + 12)
    for channel in ("ftd", "regs", "value"):
        priced(book, broken, {"partner": "P01"}, SINCE, SINCE + 12, channel=channel)


def test_an_alarm_whose_hours_are_no_longer_kept_costs_nothing(broken):
    book = told_at(broken, SINCE + 12)
    assert priced(book, broken, {"partner": "P01"}, -3000, -2990).lost == 0
