"""Pages of search results that are believed, as the store keeps them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from data.model.fact import Ranks
from data.model.principal import EVERYTHING, Scope
from data.store import ranks
from data.store.store import Store

T0 = datetime(2026, 11, 17, 6, tzinfo=UTC)


def page(minutes, team="aurora", query="casino", **places):
    at = T0 + timedelta(minutes=minutes)
    return Ranks(
        "serp", team, at, query, "DE", 30, ("a.example", "b.example"), {f"site:{n}": p for n, p in places.items()}
    )


@pytest.fixture
def store(tmp_path):
    opened = Store.open(tmp_path / "a.duckdb", None)
    yield opened
    opened.close()


def test_pages_come_back_oldest_first_and_as_they_were(store):
    kept = [page(n, kiel=n + 1) for n in range(3)]
    store.write(kept[::-1]).result()
    assert ranks.since(store, EVERYTHING, T0, 10) == kept


def test_only_the_newest_of_each_query_are_read(store):
    store.write([page(n) for n in range(5)] + [page(0, query="slots")]).result()
    found = ranks.since(store, EVERYTHING, T0, 2)
    assert [(one.query, one.at) for one in found] == [
        ("slots", T0), ("casino", page(3).at), ("casino", page(4).at),
    ]  # fmt: skip


def test_nobody_reads_where_the_sites_of_others_stand(store):
    store.write([page(0, kiel=1), page(0, team="cedar", lima=2)]).result()
    (mine,) = ranks.since(store, Scope(frozenset({"cedar"})), T0, 10)
    assert mine.places == {"site:lima": 2}


def test_what_is_older_than_asked_for_stays_in_the_dark(store):
    store.write([page(0), page(9)]).result()
    assert [one.at for one in ranks.since(store, EVERYTHING, T0 + timedelta(minutes=5), 10)] == [page(9).at]
