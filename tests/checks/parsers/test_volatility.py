from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from checks.parsers.volatility import band, changed, volatility
from data.model.fact import FieldYield, ParserRun

NOW = datetime(2026, 11, 17, 20, 30, tzinfo=UTC)
HOSTS = tuple(f"h{n}.example" for n in range(10))


def run(
    at=NOW, items=30, *, url="https://s.example/search?q=best+slots", hosts=HOSTS, family="f1", verdict="ok", **fills
):
    fields = tuple(FieldYield(name, round(fill * items), fill) for name, fill in fills.items())
    return ParserRun("serp", "aurora", at, url, "GB", items, verdict, fields, family, 0, hosts)


def days(count, items=None):
    """A run an hour: few results in the morning, many in the evening."""
    hours = [NOW - timedelta(hours=n) for n in range(24 * count)]
    return [run(at, items or (11 if at.hour < 12 else 32)) for at in hours]


def by_label(rows):
    return {row.label: row for row in rows}


def test_a_count_is_compared_with_its_hour_of_day():
    runs = days(4)
    assert (band(runs, 8).mid, band(runs, 20).mid) == (11, 32)
    assert by_label(volatility(runs, NOW))["results at 20:00"].words == "as usual at this hour"
    few = [run(NOW + timedelta(minutes=5), 11), *runs]
    row = by_label(volatility(few, NOW + timedelta(minutes=6)))["results at 20:00"]
    assert (row.now, row.usual, row.words) == ("11", "32 (32 to 32)", "fewer than usual at this hour")


def test_below_five_runs_nothing_is_called_usual():
    (row,) = volatility([run()], NOW)
    assert (row.label, row.usual) == ("results at 20:00", "")
    assert band([run()] * 4, 20) is None
    assert volatility([], NOW) == ()


def test_broken_runs_are_no_volatility():
    assert volatility([run(verdict="parser.field_dead", items=0)], NOW) == ()


def test_churn_is_the_share_of_hosts_that_are_new_against_yesterday():
    moved = replace(run(), hosts=("new.example", "newer.example", *HOSTS[:8]))
    assert changed(moved, run()) == 0.2
    assert changed(replace(moved, hosts=()), run()) is None
    rows = by_label(volatility([*days(4)[1:], moved], NOW))
    assert rows["new in the first 10"].now == "20%"
    assert rows["new in the first 10"].words == "against yesterday: more change than usual"


def test_without_hosts_nothing_is_said_of_places():
    assert not any("first" in row.label for row in volatility([replace(one, hosts=()) for one in days(3)], NOW))


def test_what_comes_and_goes_is_told_from_what_is_steady():
    runs = [replace(one, fields=(FieldYield("title", 9, 1.0), FieldYield("stars", 9, float(n % 3 == 0)))) for n, one in enumerate(days(3))]  # fmt: skip
    rows = by_label(volatility(runs, NOW))
    assert "field title" not in rows
    assert (rows["field stars"].usual, rows["field stars"].words) == ("in 33% of runs", "comes and goes")


def test_layouts_appear_and_vanish():
    runs = [replace(one, family="new" if n < 6 else "old") for n, one in enumerate(days(3))]
    rows = by_label(volatility(runs, NOW))
    assert rows["layout new"].words == "appeared 15:30Z"
    later = by_label(volatility(runs[:6] + runs[40:], NOW))
    assert later["layout old"].words.startswith("vanished; last seen 2026-11-16")


def test_each_query_has_its_own_rows():
    other = [replace(one, url="https://s.example/search?q=free+spins") for one in days(2)]
    labels = by_label(volatility([*days(2), *other], NOW))
    assert {"results at 20:00 best slots GB", "results at 20:00 free spins GB"} <= labels.keys()
