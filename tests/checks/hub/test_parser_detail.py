from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.hub import parser_detail
from data.model.fact import FieldYield, ParserRun
from data.model.parser_view import HourCount
from data.model.principal import EVERYTHING
from data.model.state import State
from data.store.store import Store

NOW = datetime(2026, 11, 17, 11, 34, tzinfo=UTC)


def run(minutes=0.0, verdict="ok", items=10, **fills):
    fields = tuple(FieldYield(name, items, fill, "ok" if fill else "dead") for name, fill in fills.items())
    return ParserRun(
        "serp", "aurora", NOW - timedelta(minutes=minutes), "https://findly.example/", "DE", items, verdict, fields
    )


def test_the_last_runs_stand_oldest_first_and_no_more_than_fit_a_screen():
    rows = parser_detail.run_rows([run(at) for at in range(100)])
    assert len(rows) == parser_detail.COLUMNS
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert rows[-1].at == NOW


def test_a_run_is_as_full_as_its_emptiest_field_that_is_usually_filled():
    runs = [run(0, title=0.0, note=0.2), *(run(at, title=0.99, note=0.1) for at in range(1, 9))]
    assert [row.fill for row in parser_detail.run_rows(runs)[-2:]] == [0.99, 0.0]
    assert parser_detail.run_rows([run(0, note=0.1)])[0].fill is None


@pytest.mark.parametrize(
    ("verdict", "state"),
    [("ok", State.OK), ("", State.OK), ("parser.field_dead", State.FAILING), ("page.layout_unknown", State.DEGRADED), ("their own word", State.UNKNOWN)],
)  # fmt: skip
def test_a_verdict_says_the_state_of_its_run(verdict, state):
    assert parser_detail.state_of_run(run(verdict=verdict)) is state


def test_a_long_outage_does_not_become_the_usual():
    dead = [run(at, "parser.field_dead", title=0.0) for at in range(20)]
    fine = [run(at, title=0.98) for at in range(20, 26)]
    (row,) = parser_detail.field_rows([*dead, *fine], {"title": "h3"})
    assert (row.fill, row.usual_fill, row.state, row.selector) == (0.0, 0.98, "dead", "h3")


def test_a_parser_without_runs_has_no_rows():
    assert parser_detail.run_rows([]) == ()
    assert parser_detail.field_rows([], {}) == ()
    assert parser_detail.items_band([]) == ()


def test_the_band_of_items_ends_at_the_newest_run():
    points = parser_detail.items_band([run(at, items=10 + at) for at in range(10)])
    assert points[-1].at == NOW
    assert (points[-1].actual, points[-1].lo, points[-1].hi) == (10, 11, 19)


def test_results_by_hour_set_the_last_day_beside_what_was_usual_then(tmp_path):
    store = Store.open(tmp_path / "losswatch.duckdb", "a-key-for-tests")
    at_ten = [run(94 + 1440 * day, items=10 + day % 3) for day in range(1, 10)]
    others = [
        run(94, items=31),
        run(94 + 2880, "page.blocked", items=0),
        run(300 + 1440),
        replace(run(94), team="cedar", parser="other"),
    ]
    store.write([*at_ten, *others])
    store.flush()
    hours = parser_detail.by_hour(store, EVERYTHING, "serp", NOW)
    store.close()
    assert hours == (HourCount(10, 9, 11, 10, 12, 31),)


def test_on_the_first_day_nothing_is_usual_yet(tmp_path):
    store = Store.open(tmp_path / "losswatch.duckdb", "a-key-for-tests")
    store.write([run(at * 15, items=10 + at) for at in range(6)])
    store.flush()
    hours = parser_detail.by_hour(store, EVERYTHING, "serp", NOW)
    store.close()
    assert hours == (HourCount(10, 0, 0, 0, 0, 13), HourCount(11, 0, 0, 0, 0, 10))
