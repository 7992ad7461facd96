"""What slices lost, by what is known of them: dead pages, dead links, conversions that are missing for no known reason."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from checks.revenue.book import Explained
from tests.checks.revenue.test_book import book_of

DAY = 24


@pytest.mark.parametrize("basis", ["clicks", "calendar"])
def test_eighty_per_cent_of_true_losses_lie_in_the_interval(world, basis):
    inside = tried = 0
    for seed in range(6):
        silent, start = world(days=30, seed=100 + seed), 29 * DAY
        places = [
            {"partner": "P01"},
            {"partner": "P07", "geo": "BR"},
            {"partner": "P09"},
            {"geo": "PL"},
            {"partner": "P04"},
        ]
        losses = [
            silent.revenue[np.ix_(silent.inside(**where), np.arange(start, start + 18))].sum() for where in places
        ]
        for where in places:
            cells = np.ix_(silent.inside(**where), np.arange(start, silent.hours))
            silent.revenue[cells] = 0
            if basis == "calendar":
                silent.clicks[cells] = 0
        after = book_of(silent)
        after.tick(silent.at(start), with_slices=False)
        after.cube.advance(silent.at(start + 18))
        for where, true_loss in zip(places, losses, strict=True):
            loss = after.loss(where, silent.at(start), silent.at(start + 18), basis=basis)
            inside += float(loss.lost_lo) <= true_loss <= float(loss.lost_hi)
            tried += 1
    assert tried == 30
    assert 20 <= inside <= 30


def test_a_dead_sites_loss_goes_on_though_its_clicks_vanish(world):
    dead, start = world(days=31, seed=21), 30 * DAY
    cells = np.ix_(dead.inside(site="aurora-000"), np.arange(start, dead.hours))
    for figures in (dead.clicks, dead.regs, dead.ftd, dead.revenue):
        figures[cells] = 0
    book = book_of(dead)
    book.tick(dead.at(start + 6))
    now = dead.at(start + 6)
    by_calendar = book.loss({"site": "aurora-000"}, dead.at(start), now, basis="calendar")
    by_clicks = book.loss({"site": "aurora-000"}, dead.at(start), now, basis="clicks")
    assert by_calendar.lost > 50
    assert by_clicks.lost == 0
    assert by_calendar.lost_lo < by_calendar.lost < by_calendar.lost_hi


@pytest.mark.parametrize("earn", [0.5, 1.0])
def test_guests_at_a_broken_place_lose_nothing_and_their_commission_hides_no_loss(world, earn):
    start = 29 * DAY + 10

    def lost(guests, *, told):
        made = world(days=30)
        cells = np.ix_(made.inside(partner="P01"), np.arange(start, made.hours))
        for figures in (made.regs, made.ftd, made.revenue):
            figures[cells] = figures[cells] * guests * earn
        made.clicks[cells] *= 1 + guests
        book = book_of(made)
        book.tick(made.at(start), with_slices=False)
        book.cube.advance(made.at(start + 6))
        where = [{"partner": "P01"}]
        known = [Explained(tuple(where), made.at(start - 2), made.at(start + 6))] if told else []
        return float(book.loss_of(where, made.at(start), made.at(start + 6), guests=known).lost)

    alone = lost(0, told=False)
    assert lost(1, told=True) == pytest.approx(alone, rel=0.2)
    assert lost(0, told=True) == pytest.approx(alone, rel=0.2)
    assert lost(1, told=False) != pytest.approx(alone, rel=0.2)


def test_commission_that_was_earned_before_does_not_hide_the_loss_of_a_dead_site(world):
    dead, start = world(days=30), 29 * DAY + 10
    cells = np.ix_(dead.inside(partner="P01"), np.arange(start, dead.hours))
    dead.clicks[cells] = 0
    book = book_of(dead)
    book.tick(dead.at(start), with_slices=False)
    book.cube.advance(dead.at(start + 4))
    usual = book.expected_per_hour({"partner": "P01"}, dead.at(start))
    loss = book.loss({"partner": "P01"}, dead.at(start), dead.at(start + 4), basis="calendar")
    assert float(loss.lost) == pytest.approx(4 * usual, rel=0.35)


def test_two_overlapping_slices_are_lost_once(world):
    calm = world(days=30, seed=22)
    book = book_of(calm)
    now = calm.at(30 * DAY)
    book.tick(now)
    whole = book.loss_of([{"partner": "P02"}], now - timedelta(hours=6), now, basis="calendar")
    twice = book.loss_of(
        [{"partner": "P02"}, {"partner": "P02", "geo": "DE"}], now - timedelta(hours=6), now, basis="calendar"
    )
    assert whole == twice
