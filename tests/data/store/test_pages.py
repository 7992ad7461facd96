from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from data.config.settings import HubSettings
from data.model.page import KeptPage
from data.model.principal import EVERYTHING
from data.store import pages, retention
from data.store.store import Store

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


def test_a_thousand_failing_runs_leave_what_is_kept_and_no_more(store, put, monkeypatch):
    monkeypatch.setattr(retention, "BAD_PAGES_BYTES", 100_000)
    body = b"z" * 1_000
    for batch in range(10):
        put(
            *(replace(page(1_000 - 100 * batch - n / 60, good=False), body=body) for n in range(100)),
            page(2_000 - batch),
        )
        retention.prune(store, HubSettings(), T0)
    left = pages.of_parser(store, EVERYTHING, "serp", good=False, limit=2_000)
    assert sum(len(one.body) for one in left) == 100_000
    assert min(one.at for one in left) >= T0 - timedelta(hours=100)
    assert len(kept(store)) == 5


def test_one_failing_page_stays_however_large(store, put, monkeypatch):
    monkeypatch.setattr(retention, "BAD_PAGES_BYTES", 10)
    put(*(replace(page(hour, good=False), body=b"z" * 1_000) for hour in range(3)))
    retention.prune(store, HubSettings(), T0)
    assert kept(store, good=False) == [("f1", 0)]


def test_no_page_can_be_read_without_the_key(tmp_path):
    words = b"the very words of a page " * 50
    one = Store.open(tmp_path / "k.duckdb", "key")
    one.write([replace(page(1), body=words)]).result()
    one.close()
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and words[:25] in path.read_bytes()]
