"""One slice read closely, held against what the made-up world did and against what the detector itself concludes."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from checks.hub.shared_book import SharedBook
from checks.revenue import views
from checks.revenue.cube import hour_of
from checks.revenue.look import look_at
from checks.revenue.reading import Part, Reader
from tests.checks.revenue.conftest import World

DAY = 24
BEGAN = 30 * DAY + 9
NOW = BEGAN + 8


@pytest.fixture(scope="module")
def silent():
    """Eight hours after P07 fell silent."""
    world = World(days=31, seed=3)
    world.thin(BEGAN, world.hours, 0.0, partner="P07")
    return world


@pytest.fixture(scope="module")
def book(silent):
    made = SharedBook({}, "EUR")
    made.add(silent.facts())
    made.add_receipts(silent.receipts())
    for hour in range(NOW - 8, NOW + 1):
        made.tick(silent.at(hour + 0.1), with_slices=False)
    return made


@pytest.fixture(scope="module")
def reader(book) -> Reader:
    return book.reader()


def leaves(reader, **where):
    return views.leaves_of(reader.cube, where, None)


def test_a_part_of_the_cube_reads_as_the_cube_does_for_its_leaves(reader):
    inside = leaves(reader, partner="P02")
    part, top = Part(reader.cube, inside), reader.cube.top
    assert part.leaves == len(inside) == part.codes.shape[1]
    assert (part.measure("clicks", top - 5, top) == reader.cube.measure("clicks", top - 5, top)[inside]).all()
    assert reader.cube.leaves > part.leaves


def test_the_strongest_window_of_a_quiet_slice_counts_what_came_and_what_was_due(reader, silent):
    for where in (
        {"partner": "P01"},
        {"geo": "FI"},
        {"partner": "P03", "offer": "casino", "geo": "PL", "site": "baltic-001"},
    ):
        by_channel = {one.channel: one for one in reader.windows(leaves(reader, **where))}
        ftd = by_channel["ftd"]
        came = silent.ftd[silent.inside(**where)][:, NOW - ftd.length_h : NOW - 1].sum()
        late = silent.ftd[silent.inside(**where)][:, NOW - 1].sum()
        assert came <= ftd.seen <= came + late
        assert ftd.due > 0
        assert max(one.nats for one in by_channel.values()) < 13


def test_hours_of_an_alarm_are_no_evidence_of_what_lies_around_it(reader, book):
    (case,) = book.tick(book_now(book)).alarms
    assert case.slice == {"partner": "P07"}
    around = reader.windows(leaves(reader, team="cedar"))
    assert max(one.nats for one in around) < 10


def book_now(book):
    return datetime.fromtimestamp(book.cube.now_s, UTC)


def test_the_parts_of_a_slice_add_up_to_it_and_say_where_it_is(reader):
    since, until = reader.cube.top - 8, reader.cube.top
    shares = reader.parts(leaves(reader, team="cedar"), {"team": "cedar"}, since, until)
    assert {one.dim for one in shares} == {"partner", "offer", "geo", "site"}
    by_partner = {one.value: one for one in shares if one.dim == "partner"}
    assert set(by_partner) == {"P06", "P07", "P09"}
    assert (by_partner["P07"].share, by_partner["P07"].ftd) == (0.0, 0.0)
    assert by_partner["P07"].nats > 10 > max(by_partner["P06"].nats, by_partner["P09"].nats)
    for figure in ("ftd", "revenue", "revenue_due"):
        totals = [sum(getattr(one, figure) for one in shares if one.dim == dim) for dim in ("partner", "offer", "geo")]
        assert totals == pytest.approx([totals[0]] * 3)
    missing = [one.revenue - one.revenue_due for one in shares]
    assert missing == sorted(missing)


def test_a_dimension_that_is_fixed_or_has_one_value_is_no_part(reader):
    since, until = reader.cube.top - 8, reader.cube.top
    shares = reader.parts(leaves(reader, partner="P07", geo="BR"), {"partner": "P07", "geo": "BR"}, since, until)
    assert {one.dim for one in shares} == {"offer", "site"}
    assert reader.parts(leaves(reader, partner="P07"), {"partner": "P07"}, until, until) == ()


def test_what_was_foretold_is_one_row_a_leaf_and_hour_that_had_clicks(reader, silent, book):
    top = reader.cube.top
    made = book.foretold(top - 6, silent.at(NOW))
    clicks = silent.clicks[:, NOW - 6 : NOW]
    assert made.height == int((clicks > 0).sum())
    assert made["hour"].min() >= silent.at(NOW - 6)
    row = made.filter((pl.col("partner") == "P01") & (pl.col("geo") == "FI") & (pl.col("offer") == "casino")).row(
        0, named=True
    )
    assert row["ftd_rate"] == pytest.approx(0.09 * 0.28, rel=0.5)
    assert row["value"] == pytest.approx(110, rel=0.3)
    assert 0 < row["common"] <= 1


def test_ordinary_days_leave_out_what_is_known_to_be_disturbed(reader, silent):
    since, until = hour_of(silent.at(20 * DAY)), hour_of(silent.at(NOW))
    whole = list(reader.days(leaves(reader, partner="P01"), since, until))
    assert len(whole) == 10
    for due, brought in whole:
        assert brought == pytest.approx(due.mean, abs=6 * due.sd)
    reader.cube.masked[leaves(reader, partner="P01"), reader.cube.columns(since, since + 1)[0]] = True
    assert len(list(reader.days(leaves(reader, partner="P01"), since, until))) == 9


def test_a_look_at_every_kind_of_slice_names_its_reports_and_partners(reader, silent):
    window, span = (silent.at(NOW - 24), silent.at(NOW)), (silent.at(NOW - 8), silent.at(NOW))
    for where in (
        {},
        {"team": "cedar"},
        {"partner": "P07", "geo": "BR"},
        {"geo": "DE", "offer": "sports", "site": "aurora-000"},
    ):
        look = look_at(reader, leaves(reader, **where), where, span, window, 14.0)
        assert len(look.band) == 24
        assert [row.partner for row in look.reports] == list(look.partners)
        assert all(not row.waiting and row.covered == silent.at(NOW) for row in look.reports)
        assert all(point.lo <= point.expected <= point.hi for point in look.band)
    assert look.partners == ("P01", "P02")


def test_a_rich_slice_speaks_sooner_than_each_of_its_parts(book, silent):
    now = silent.at(NOW)
    whole = book.fires_after_h({"partner": "P06"}, now)
    parts = [book.fires_after_h({"partner": "P06", "geo": geo}, now) for geo in ("BR", "MX", "CA")]
    assert whole is not None
    assert all(part is None or part > whole for part in parts)
    assert book.fires_after_h({"partner": "nobody"}, now) is None


def test_leaves_of_other_teams_are_not_read(reader):
    every = views.leaves_of(reader.cube, {"offer": "casino"}, None)
    mine = views.leaves_of(reader.cube, {"offer": "casino"}, frozenset({"cedar"}))
    none = views.leaves_of(reader.cube, {"offer": "casino"}, frozenset({"unheard of"}))
    assert 0 < len(mine) < len(every)
    assert set(mine) < set(every)
    assert not len(none)
    assert not len(views.leaves_of(reader.cube, {"team": "aurora"}, frozenset({"cedar"})))
    assert np.array_equal(every, np.sort(every))
