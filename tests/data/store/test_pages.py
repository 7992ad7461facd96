from __future__ import annotations

from datetime import UTC, datetime, timedelta

from data.config.settings import HubSettings
from data.model.page import KeptPage
from data.model.principal import EVERYTHING
from data.store import pages, retention

T0 = datetime(2026, 11, 17, 6, tzinfo=UTC)


def page(hours, family="f1", parser="serp", *, good=True):
    verdict = "ok" if good else "parser.selector_dead"
    return KeptPage(parser, "aurora", T0 - timedelta(hours=hours), "u", family, verdict, good, b"x")


def kept(store, parser="serp", *, good=True):
    found = pages.of_parser(store, EVERYTHING, parser, good=good, limit=1000)
    return [(one.family, (T0 - one.at) // timedelta(hours=1)) for one in found]


def test_the_newest_page_comes_first_and_good_is_apart_from_failing(store, put):
    put(page(2), page(1), page(3, good=False))
    assert kept(store) == [("f1", 1), ("f1", 2)]
    assert kept(store, good=False) == [("f1", 3)]


def test_five_good_pages_of_each_layout_stay_however_old(store, put):
    put(*(page(24 * day) for day in range(40, 50)), *(page(hour, "f2") for hour in range(3)), page(1, parser="other"))
    retention.prune(store, HubSettings(), T0)
    assert kept(store) == [("f2", 0), ("f2", 1), ("f2", 2), *(("f1", 24 * day) for day in range(40, 45))]
    assert kept(store, "other") == [("f1", 1)]


def test_failing_pages_stay_thirty_days_and_two_hundred_a_parser(store, put):
    put(*(page(hour, good=False) for hour in range(230)), page(24 * 31, parser="old", good=False))
    retention.prune(store, HubSettings(), T0)
    assert len(kept(store, good=False)) == 200
    assert max(hours for _, hours in kept(store, good=False)) == 199
    assert kept(store, "old", good=False) == []


def test_layouts_without_end_are_bounded(store, put):
    put(*(page(number, f"f{number}") for number in range(60)))
    retention.prune(store, HubSettings(), T0)
    assert len(kept(store)) == 40
