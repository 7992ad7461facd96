"""The book's steps from click to commission, and what the funnel makes of them, on a simulated company."""

from __future__ import annotations

import numpy as np
import pytest

from checks.revenue.book import RevenueBook
from checks.revenue.funnel import COMMISSION, FTD, OWN, PARTNER, REGISTRATIONS, Counted, funnel, words
from checks.revenue.stages import counted

NOW = 30 * 24 + 20
SINCE = NOW - 20


def steps_of(world, hours=20, **where):
    """After a tick at `NOW`, the steps of a slice over the last `hours` but the one not yet reported."""
    book = RevenueBook()
    book.add(world.facts())
    book.add_receipts(world.receipts())
    book.tick(world.at(SINCE - 1))
    book.tick(world.at(NOW))
    first = NOW - hours + world.at(0).timestamp() // 3600
    leaves = np.flatnonzero(book.cube.select(where))
    return counted(book.cube, book._model, leaves, int(first), int(first) + hours - 1, np.ones(hours - 1))


def said(world, **where):
    found = steps_of(world, **where)
    return funnel(found, world.at(SINCE), world.at(NOW))


def test_a_usual_day_is_near_its_expectation_at_every_step_and_none_moved(world):
    made = world(32)
    found = steps_of(made, partner="P07")
    for name in (OWN, REGISTRATIONS, FTD, COMMISSION):
        assert found[name].seen == pytest.approx(found[name].expected, rel=0.3), name
    assert said(made, partner="P07").step == ""


@pytest.mark.parametrize(
    ("harm", "step"),
    [
        (lambda made, cells: made.scale(SINCE, NOW, clicks=0.1, events=0.1, partner="P07"), OWN),
        (lambda made, cells: made.thin(SINCE, NOW, 0.1, partner="P07"), REGISTRATIONS),
        (lambda made, cells: made.ftd.__setitem__(cells, 0) or made.revenue.__setitem__(cells, 0), FTD),
        (lambda made, cells: made.revenue.__setitem__(cells, made.revenue[cells] / 100), COMMISSION),
        (lambda made, cells: made.scale(SINCE, NOW, clicks=6, partner="P07"), OWN),
    ],
    ids=["clicks", "registrations", "first deposits", "commission", "junk clicks"],
)
def test_the_step_that_was_harmed_is_the_one_that_moved(world, harm, step):
    made = world(32)
    harm(made, np.ix_(made.inside(partner="P07"), np.arange(SINCE, NOW)))
    found = said(made, partner="P07")
    assert found.step == step
    assert words(found)


def test_hours_without_a_report_are_no_silence(world):
    made = world(32)
    made.told["P07"][SINCE:] = 48
    found = steps_of(made, partner="P07")
    assert (found[REGISTRATIONS].seen, found[REGISTRATIONS].expected) == (0, 0)
    assert said(made, partner="P07").step == ""


def test_the_partners_own_count_stands_between_ours_and_registrations(world):
    book_steps = steps_of(world(32), partner="P07") | {PARTNER: Counted(10, 2000)}
    found = funnel(book_steps, world(1).at(0), world(1).at(1))
    assert found.step == PARTNER


def traffic_alarms(world, second_hand):
    """Alarms about clicks after a day on which P07's report, clicks and all, did not come."""
    gone = world.inside(partner="P07")
    world.clicks[np.ix_(gone, np.arange(SINCE, NOW))] = 0
    world.told["P07"][SINCE:] = 48
    book = RevenueBook()
    book.second_hand = frozenset(second_hand)
    book.add(world.facts())
    book.add_receipts(world.receipts())
    book.tick(world.at(SINCE - 1))
    return [alarm for alarm in book.tick(world.at(NOW)).alarms if alarm.channel == "clicks"]


def test_clicks_that_come_with_a_report_are_awaited_and_our_own_are_missed(world):
    assert traffic_alarms(world(32), ()), "our own log would have told"
    assert traffic_alarms(world(32), ("P07",)) == []
