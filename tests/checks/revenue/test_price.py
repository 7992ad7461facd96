"""What a cause that is known costs: links that earn nothing, sites that are gone."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from checks.revenue.book import Explained, RevenueBook
from checks.revenue.price import Money, against, overlap

DAY = 24
START = 29 * DAY + 10
PARTNER = {"partner": "P01"}


def book_at(told, hour, fitted=START):
    book = RevenueBook()
    book.add_receipts(told.receipts())
    book.add(told.facts())
    book.tick(told.at(fitted), with_slices=False)
    book.cube.advance(told.at(hour))
    return book


def worth(told, clicks):
    """Of [leaf, hour] clicks, by the rates the world was made with."""
    ftd = told.ftd[:, : 29 * DAY].sum(1) / told.clicks[:, : 29 * DAY].sum(1)
    value = told.revenue[:, : 29 * DAY].sum(1) / told.ftd[:, : 29 * DAY].sum(1)
    return float((clicks.sum(1) * ftd * value).sum())


@pytest.fixture
def dead_link(world):
    told = world(days=31, seed=41)
    told.thin(START, told.hours, 0.0, **PARTNER)
    return told


def test_a_dead_link_costs_what_its_clicks_bring_in_the_end(dead_link):
    book = book_at(dead_link, START + 6)
    loss = book.loss(PARTNER, dead_link.at(START), dead_link.at(START + 6))
    inside = dead_link.inside(**PARTNER)
    truth = worth(dead_link, dead_link.clicks[:, START : START + 6] * inside[:, None])
    assert float(loss.lost) == pytest.approx(truth, rel=0.1)
    assert loss.lost_lo < truth < loss.lost_hi


def test_an_hour_that_it_was_dead_for_in_part_counts_in_part(dead_link):
    book = book_at(dead_link, START + 9)
    at = dead_link.at
    whole = float(book.loss(PARTNER, at(START), at(START + 3)).lost)
    first, rest = (
        float(book.loss(PARTNER, at(since), at(until)).lost)
        for since, until in ((START, START + 1.25), (START + 1.25, START + 3))
    )
    assert first + rest == pytest.approx(whole, abs=0.03)
    assert book.loss(PARTNER, at(START), at(START)).lost == 0
    assert book.loss(PARTNER, at(START), at(START - 1)).lost == 0


def test_the_clicks_of_an_hour_that_runs_are_all_the_clicks_there_are(dead_link):
    book = book_at(dead_link, START + 2.5)
    half = float(book.loss(PARTNER, dead_link.at(START), dead_link.at(START + 2.5)).lost)
    two = float(book.loss(PARTNER, dead_link.at(START), dead_link.at(START + 2)).lost)
    assert half >= two


def test_what_earlier_clicks_still_bring_makes_a_dead_link_no_cheaper(dead_link):
    cells = np.ix_(dead_link.inside(**PARTNER), np.arange(START, START + 1))
    quiet = book_at(dead_link, START + 3).loss(PARTNER, dead_link.at(START), dead_link.at(START + 3))
    dead_link.ftd[cells] = 1
    dead_link.revenue[cells] = 20.0
    echoed = book_at(dead_link, START + 3).loss(PARTNER, dead_link.at(START), dead_link.at(START + 3))
    assert echoed.lost == quiet.lost


def test_a_link_that_fails_for_some_visitors_only_costs_what_the_others_did_not_bring(world):
    told = world(days=31, seed=42)
    told.thin(START, START + 24, 0.5, **PARTNER)
    loss = book_at(told, START + 25).loss(PARTNER, told.at(START), told.at(START + 24))
    inside = told.inside(**PARTNER)
    whole = worth(told, told.clicks[:, START : START + 24] * inside[:, None])
    assert 0.35 * whole < float(loss.lost) < 0.7 * whole


def test_hours_counted_elsewhere_are_left_out(dead_link):
    book, at = book_at(dead_link, START + 8), dead_link.at
    country = {"partner": "P01", "geo": "DE"}

    def lost(where, **other):
        return float(book.loss_of([where], at(START), at(START + 8), **other).lost)

    elsewhere = Explained((country,), at(START), at(START + 8))
    assert lost(PARTNER, without=[elsewhere]) == pytest.approx(lost(PARTNER) - lost(country), abs=0.03)
    half = Explained((country,), at(START - 4), at(START + 4))
    later = float(book.loss_of([country], at(START + 4), at(START + 8)).lost)
    assert lost(country, without=[half]) == pytest.approx(later, abs=0.03)
    assert lost(country, without=[half, elsewhere]) == 0
    for basis in ("calendar", "counts"):
        assert lost(country, basis=basis, without=[elsewhere]) == 0


def test_missing_conversions_without_a_known_cause_cost_what_their_slices_scatter_allows(dead_link):
    lost = dead_link.revenue.copy()
    book = RevenueBook()
    book.add_receipts(dead_link.receipts())
    book.add(dead_link.facts())
    for hour in (START, START + 20):
        book.tick(dead_link.at(hour), with_slices=False)
    loss = book.loss(PARTNER, dead_link.at(START), dead_link.at(START + 12), basis="counts")
    inside = dead_link.inside(**PARTNER)
    truth = worth(dead_link, dead_link.clicks[:, START : START + 12] * inside[:, None])
    assert lost[inside, START : START + 12].sum() == 0
    assert loss.lost_lo < truth < loss.lost_hi


def test_a_time_nobody_has_figures_of_costs_nothing(dead_link):
    book, at = book_at(dead_link, START + 3), dead_link.at
    for basis in ("clicks", "counts"):
        assert book.loss(PARTNER, at(-5000), at(-4990), basis=basis).lost == 0


@pytest.mark.parametrize(
    ("came", "lasted_h", "said"),
    [(0.0, 10.0, 0.0), (100.0, 10.0, 0.0), (600.0, 10.0, 490.0), (900.0, 0.5, 0.0), (5000.0, 0.5, 4000.0)],
)
def test_only_clearly_more_than_an_echo_speaks_against_a_dead_link(came, lasted_h, said):
    assert against(Money(1000.0, 1600.0, 0.0), came, lasted_h) == pytest.approx(said)


def test_an_hour_overlaps_a_time_by_the_part_inside(world):
    at = world(days=1).at
    first = int(at(0).timestamp() // 3600)
    hours = np.arange(first, first + 4)
    assert overlap(hours, at(0.5), at(2.25)).tolist() == [0.5, 1.0, 0.25, 0.0]
    assert overlap(hours, at(1.25), at(1.5)).tolist() == [0.0, 0.25, 0.0, 0.0]
    assert overlap(hours, at(3), at(1)).tolist() == [0.0] * 4
    assert overlap(hours, at(0), at(0) + timedelta(days=1)).tolist() == [1.0] * 4
