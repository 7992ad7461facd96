from __future__ import annotations

import numpy as np
import pytest

from checks.revenue.book import RevenueBook
from checks.revenue.cube import hour_of
from checks.revenue.watch import LEAST_PAGE_NATS, PAGE_NATS, Case, Known


def book_at(world, day):
    calm = world(days=day)
    book = RevenueBook()
    book.add(calm.facts())
    book.cube.advance(calm.at(day * 24))
    return book, hour_of(calm.at(0))


def case(book, number, where, start, end, status="open"):
    leaves = np.flatnonzero(book.cube.select(where))
    return Case(number, "ftd", where, start, start, end, status=status, leaves=leaves)


def covered(book, known, where, hour, without=None):
    mask = known.mask(book.cube, without)[: book.cube.leaves, hour - book.cube.base]
    inside = book.cube.select(where)
    assert not mask[~inside].any() or where == {}
    return mask[inside]


def test_the_end_of_one_alarm_does_not_lay_bare_the_hours_of_another(world):
    book, first = book_at(world, 8)
    partner, country = {"partner": "P07"}, {"partner": "P07", "geo": "BR"}
    past = case(book, 1, partner, first + 10, first + 20, "closed")
    false = case(book, 2, country, first + 12, first + 30)
    known = Known(open=[past, false])
    known.settle(book.cube)
    false.status = "withdrawn"
    known.settle(book.cube)
    assert known.closed == [past]
    assert known.open == []
    assert covered(book, known, partner, first + 15).all()
    assert not covered(book, known, partner, first + 25).any()


def test_an_open_alarm_accounts_for_every_hour_since_its_start_and_never_for_itself(world):
    book, first = book_at(world, 8)
    where = {"partner": "P01"}
    lasting = case(book, 1, where, first + 10, first + 20)
    known = Known(open=[lasting])
    assert covered(book, known, where, book.cube.top - 1).all()
    assert not known.mask(book.cube, without=lasting).any()


def test_alarms_are_forgotten_with_the_hours_they_lie_in(world):
    book, first = book_at(world, 8)
    known = Known(closed=[case(book, 1, {"partner": "P01"}, first - 90, first - 40, "closed")])
    known.settle(book.cube)
    assert known.closed == []


def test_the_line_is_where_chance_comes_once_in_the_days_somebody_wants():
    known = Known(quiet={day: 6.0 + 0.1 * day for day in range(21)})
    usual = 7.0
    for days in (7.0, 14.0, 49.0):
        per_day = 1 - np.exp(-np.exp(-(known.line(days) - (usual + np.log(np.log(2))))))  # a Gumbel, from its median
        assert per_day == pytest.approx(1 / days, rel=0.1)
    assert known.line(1e9) == PAGE_NATS
    assert known.line(1.1) == LEAST_PAGE_NATS
    assert Known(quiet={1: 5.0}).line() == PAGE_NATS
