"""Facts as they really come: late, twice, taken back, damaged, for partners that come and go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.revenue import inputs
from checks.revenue.book import DIMS, RevenueBook
from checks.revenue.cube import OTHERS, Cube
from tests.checks.revenue.test_book import watch

DAY = 24
LAST = 29 * DAY + 9
NOW = datetime(2026, 11, 10, tzinfo=UTC)


def row(**values):
    """One fact of an hour ago."""
    plain = {"hour": NOW - timedelta(hours=2), "seen_at": NOW - timedelta(hours=1), "partner": "P01", "offer": "casino"}
    plain |= {"geo": "FI", "site": "aurora-000", "team": "aurora", "clicks": 1, "regs": 0, "ftd": 0, "revenue": 0.0}
    return pl.DataFrame([{**plain, **values}], schema_overrides={"revenue": pl.Float64})


def book_of(*frames, receipts=None):
    book = RevenueBook()
    for frame in frames:
        book.add(frame)
    if receipts is not None:
        book.add_receipts(receipts)
    return book


def clicks(cube):
    return cube.measure("clicks", cube.base, cube.base + cube.width)


def said_of(book, world, since, until):
    return {id_: (one.detected_at, one.slice, one.status) for id_, one in watch(book, world, since, until).items()}


@pytest.fixture(scope="module")
def silent(make_world):
    """P02 earns nothing from day 29 on."""
    world = make_world(days=30, seed=31)
    world.thin(29 * DAY, world.hours, 0.0, partner="P02")
    return world, world.facts(), world.receipts()


@pytest.fixture(scope="module")
def found(silent):
    world, facts, receipts = silent
    said = said_of(book_of(facts, receipts=receipts), world, 29 * DAY - 2, LAST)
    assert [slice_ for _, slice_, _ in said.values()] == [{"partner": "P02"}]
    return said


# ── what is the same fact, and in which order ─────────────────────────────────────────────────────────────────────


def test_the_same_row_twice_is_two_changes():
    book = book_of(row(clicks=3), row(clicks=3))
    book.tick(NOW)
    assert clicks(book.cube).sum() == 6


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(6)), cuts=st.sets(st.integers(1, 5)))
def test_a_slice_hour_is_the_sum_of_its_changes_in_any_order_and_any_deliveries(order, cuts):
    changes = [row(clicks=9, revenue=0.1), row(clicks=-2, revenue=0.2), row(ftd=2, revenue=0.3), row(ftd=-1), row(geo="SE"), row(geo="NO", revenue=-7.7)]  # fmt: skip
    shuffled = pl.concat([changes[number] for number in order])
    ends = [*sorted(cuts), 6]
    book = book_of(*(shuffled[start:end] for start, end in zip([0, *ends], ends, strict=False)))
    straight = book_of(*changes)
    assert book.tick(NOW) == straight.tick(NOW)
    for name in ("clicks", "ftd", "revenue"):
        figures = [one.cube.measure(name, one.cube.base, one.cube.top) for one in (book, straight)]
        assert figures[0].tobytes() == figures[1].tobytes()
    assert book.cube.codes.tolist() == straight.cube.codes.tolist()


def test_very_many_changes_taken_some_at_a_time_leave_the_same_book(silent, monkeypatch):
    world, facts, receipts = silent
    books = []
    for at_once in (200_000, 5_000):
        monkeypatch.setattr(inputs, "_MOST_AT_ONCE", at_once)
        book = book_of(facts, receipts=receipts)
        book.cube.advance(world.at(28 * DAY))
        books.append(book.cube)
    whole, parts = books
    assert parts.names == whole.names
    assert parts.codes.tolist() == whole.codes.tolist()
    assert parts.arrived.tolist() == whole.arrived.tolist()
    for name in ("clicks", "regs", "ftd", "revenue"):
        figures = [one.measure(name, one.base, one.top) for one in books]
        assert figures[0].tobytes() == figures[1].tobytes()


def test_a_change_that_takes_back_what_was_not_seen_yet_is_put_aside_until_it_was():
    hour = NOW - timedelta(hours=3)
    book = book_of(row(hour=hour, clicks=-4), row(hour=hour, clicks=9, seen_at=NOW + timedelta(minutes=30)))
    tick = book.tick(NOW)
    assert clicks(book.cube).min() == 0
    assert tick.held == ("P01 casino FI aurora-000 aurora 11-09 21:00Z: -4 clicks, fewer than none",)
    assert book.tick(NOW + timedelta(hours=1)).held == ()
    assert clicks(book.cube).sum() == 5


def test_restated_months_leave_neither_alarm_nor_odd_lateness(silent):
    """Everything of P03 is taken back and told again, a tenth less, two weeks later."""
    world, facts, receipts = silent
    mine = facts.filter((pl.col("partner") == "P03") & (pl.col("ftd") > 0) & (pl.col("hour") < world.at(14 * DAY)))
    at = pl.lit(world.at(28 * DAY)).cast(pl.Datetime("us", "UTC"))
    back = mine.with_columns(-pl.col("regs", "ftd", "revenue"), seen_at=at)
    again = mine.with_columns(revenue=0.9 * pl.col("revenue"), seen_at=at)
    book = book_of(facts, back, again, receipts=receipts)
    said = said_of(book, world, 28 * DAY - 2, 28 * DAY + 20)
    said |= said_of(book, world, 29 * DAY, LAST)
    assert {slice_["partner"] for _, slice_, _ in said.values()} == {"P02"}
    assert (book.cube.arrived >= 0).all()


# ── rows that cannot be ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"revenue": float("nan")}, "revenue is no number"),
        ({"revenue": float("inf")}, "revenue is no number"),
        ({"revenue": -1e300}, "revenue beyond 1,000,000,000,000"),
        ({"clicks": 2**62}, "clicks beyond 10,000,000"),
        ({"clicks": -(2**62)}, "clicks beyond 10,000,000"),
        ({"ftd": 10**9}, "ftd beyond 1,000,000"),
        ({"hour": datetime(2099, 1, 1, tzinfo=UTC)}, "an hour that had not come when it was seen"),
        ({"hour": NOW}, "an hour that had not come when it was seen"),
        ({"seen_at": None}, "no time"),
        ({"hour": None}, "no time"),
    ],
)
def test_a_row_that_cannot_be_is_left_out_and_counted(silent, found, spoil, reason):
    world, facts, receipts = silent
    bad = row(**{"hour": world.at(20 * DAY), "seen_at": world.at(20 * DAY + 1), "partner": "P02", **spoil})
    schema = {name: facts.schema[name] for name in ("hour", "seen_at")}
    bad = bad.cast(schema)
    book = book_of(facts, bad, receipts=receipts)
    tick = book.tick(world.at(29 * DAY - 3))
    assert tick.held == (f"1 rows left out: {reason}",)
    assert said_of(book, world, 29 * DAY - 2, 29 * DAY + 8).keys() <= found.keys()
    assert book.cube.width < 60 * DAY


@pytest.mark.parametrize("years", [1, 30, 56])
def test_hours_long_past_change_nothing(silent, found, years):
    world, facts, receipts = silent
    old = facts.filter(pl.col("partner") == "P02").with_columns(pl.col("hour") - timedelta(days=365 * years))
    book = book_of(facts, old, receipts=receipts)
    assert said_of(book, world, 29 * DAY - 2, LAST) == found


def test_names_that_are_missing_or_empty_are_one_name():
    book = book_of(row(site=""), row().with_columns(site=pl.lit(None, pl.String)), row(site="x"))
    book.tick(NOW)
    assert sorted(book.cube.names[DIMS.index("site")]) == ["", "x"]
    assert clicks(book.cube).sum() == 3
    assert book.cube.select({"site": ""}).sum() == 1


def test_a_time_without_a_zone_is_utc():
    plain = row().with_columns(pl.col("hour", "seen_at").dt.replace_time_zone(None))
    book = book_of(plain)
    book.tick(NOW)
    assert book.cube.base == int((NOW - timedelta(hours=2)).timestamp()) // 3600


# ── rows that hardly can be ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "absurd", [{"clicks": 5_000_000}, {"ftd": 500_000}, {"regs": 900_000}, {"revenue": 9e8}, {"revenue": -9e8}]
)
def test_one_absurd_row_neither_deafens_its_slice_nor_raises_an_alarm(silent, found, absurd):
    world, facts, receipts = silent
    (measure, value), *_ = absurd.items()
    for hour in (12 * DAY, 28 * DAY + 20):
        bad = row(hour=world.at(hour), seen_at=world.at(hour + 1), partner="P02", clicks=0).with_columns(
            pl.lit(value).cast(facts.schema[measure]).alias(measure)
        )
        bad = bad.cast({name: facts.schema[name] for name in ("hour", "seen_at")})
        book = book_of(facts, bad, receipts=receipts)
        said = said_of(book, world, 29 * DAY - 2, LAST)
        assert [slice_ for _, slice_, _ in said.values()] == [{"partner": "P02"}]
        ((at, *_),), ((usual, *_),) = said.values(), found.values()
        assert abs(at - usual) <= timedelta(hours=1)
        (line,) = book.held()
        assert f" {measure} in one hour, at most " in line


def test_what_was_put_aside_comes_back_with_its_correction(silent):
    world, facts, receipts = silent
    hour = world.at(28 * DAY + 20)
    times = {name: facts.schema[name] for name in ("hour", "seen_at")}
    wrong = row(hour=hour, seen_at=hour + timedelta(hours=1), partner="P02", clicks=5_000_000).cast(times)
    right = row(hour=hour, seen_at=hour + timedelta(hours=9), partner="P02", clicks=-4_999_990).cast(times)
    book = book_of(facts, wrong, right, receipts=receipts)
    assert book.tick(hour + timedelta(hours=2)).held
    assert book.tick(hour + timedelta(hours=10)).held == ()
    usual = book_of(facts, receipts=receipts)
    usual.tick(hour + timedelta(hours=10))
    assert clicks(book.cube).sum() == clicks(usual.cube).sum() + 10


def test_a_large_new_slice_is_believed_after_a_day():
    hours = [NOW - timedelta(hours=back) for back in range(200, 1, -1)]
    small = [row(hour=hour, seen_at=hour + timedelta(hours=1), clicks=3) for hour in hours]
    large = [row(hour=hour, seen_at=hour + timedelta(hours=1), clicks=60_000, geo="BR") for hour in hours[-60:]]
    book = book_of(*small, *large)
    book.tick(hours[-58])
    for back in range(57, 0, -1):
        tick = book.tick(hours[-back])
    assert tick.held == ()
    assert clicks(book.cube).max() == 60_000


# ── who comes and goes, clocks, signs ─────────────────────────────────────────────────────────────────────────────


def test_a_new_partner_raises_nothing_and_is_known_after_its_first_weeks(make_world):
    world = make_world(days=31, seed=33)
    for figures in (world.clicks, world.regs, world.ftd, world.revenue):
        figures[np.ix_(world.inside(partner="P07"), np.arange(16 * DAY))] = 0
    world.thin(30 * DAY, world.hours, 0.0, partner="P07")
    receipts = world.receipts().filter((pl.col("partner") != "P07") | (pl.col("hour") >= world.at(16 * DAY)))
    book = book_of(world.facts(), receipts=receipts)
    assert watch(book, world, 15 * DAY, 19 * DAY) == {}
    assert watch(book, world, 29 * DAY, 30 * DAY) == {}
    (alarm,) = watch(book, world, 30 * DAY + 1, 30 * DAY + 20).values()
    assert alarm.slice == {"partner": "P07"}


def test_a_partner_that_is_gone_altogether_is_waited_for_and_earns_no_alarm(make_world):
    world = make_world(days=30, seed=34)
    gone = 28 * DAY
    for figures in (world.clicks, world.regs, world.ftd, world.revenue):
        figures[np.ix_(world.inside(partner="P04"), np.arange(gone, world.hours))] = 0
    receipts = world.receipts().filter((pl.col("partner") != "P04") | (pl.col("hour") < world.at(gone)))
    book = book_of(world.facts(), receipts=receipts)
    alarms = watch(book, world, gone, 30 * DAY).values()
    assert {alarm.channel for alarm in alarms} <= {"clicks"}  # its people are gone, too: that is told as traffic
    assert book.tick(world.at(30 * DAY)).waiting == (f"waiting for P04 since {world.at(gone):%m-%d %H:%MZ}",)


@pytest.mark.parametrize(("month", "length_h"), [(10, 25), (3, 23)])
def test_days_of_23_and_25_hours_are_reported_without_an_alarm(make_world, monkeypatch, month, length_h):
    """P01 reports each of its local days at the next local midnight; the clocks change within the time watched."""
    monkeypatch.setattr(
        "tests.checks.revenue.conftest.START", datetime(2026, month, 12 if month == 10 else 16, tzinfo=UTC)
    )
    world, place = make_world(days=16, seed=35), ZoneInfo("Europe/Malta")
    days = [world.at(hour).astimezone(place).date() + timedelta(days=1) for hour in range(world.hours)]
    ends = [datetime.combine(day, datetime.min.time(), place).timestamp() for day in days]
    assert length_h * 3600 in np.diff(sorted(set(ends)))
    world.told["P01"] = np.array(
        [(end - world.at(hour).timestamp()) // 3600 for hour, end in enumerate(ends)], np.int64
    )
    book = book_of(world.facts(), receipts=world.receipts())
    assert watch(book, world, 12 * DAY, 16 * DAY) == {}


def test_zeros_everywhere_are_nothing_to_say():
    frames = [row(hour=NOW - timedelta(hours=back), clicks=0) for back in range(2, 400)]
    book = book_of(*frames)
    tick = book.tick(NOW)
    assert (tick.alarms, tick.held) == ((), ())
    assert book.loss({"partner": "P01"}, NOW - timedelta(hours=9), NOW).lost == 0
    assert all(point.expected == 0 for point in book.series({"partner": "P01"}, NOW - timedelta(hours=9), NOW))


def test_a_partner_that_takes_back_more_than_it_pays_is_worth_nothing_and_not_less(make_world):
    world = make_world(days=30, seed=36)
    world.revenue[world.inside(partner="P06")] *= -1
    book = book_of(world.facts(), receipts=world.receipts())
    now = world.at(30 * DAY)
    said = watch(book, world, 30 * DAY - 6, 30 * DAY)
    assert not [one for one in said.values() if one.slice.get("partner") not in (None, "P06")]
    assert 0 <= book.expected_per_hour({"partner": "P06"}, now) < 5
    assert book.expected_per_hour({"partner": "P01"}, now) > 0
    assert book.loss({"partner": "P06"}, now - timedelta(hours=24), now).lost >= 0


@pytest.mark.parametrize("measure", ["clicks", "regs", "ftd", "revenue"])
def test_one_measure_that_is_nothing_but_zero_is_borne(make_world, measure):
    world = make_world(days=9, seed=37)
    getattr(world, measure)[:] = 0
    book = book_of(world.facts(), receipts=world.receipts())
    tick = book.tick(world.at(9 * DAY))
    assert all(np.isfinite(view.expected_per_hour) for view in tick.slices)


# ── too many ──────────────────────────────────────────────────────────────────────────────────────────────────────


def crowd(count, *dims):
    """As many facts, each with values of its own in these dimensions."""
    frame = pl.concat([row()] * 1).select(pl.all().repeat_by(count).explode())
    return frame.with_columns(pl.int_range(pl.len()).cast(pl.String).alias(dim) for dim in dims)


def test_two_hundred_thousand_sites_have_a_bounded_place():
    cube = Cube(DIMS, most_leaves=500)
    cube.add_facts(row(clicks=5))
    cube.add_facts(crowd(200_000, "site"))
    cube.advance(NOW)
    assert cube.leaves == 501
    assert clicks(cube).sum() == 200_005
    assert clicks(cube)[cube.select({"site": OTHERS})].sum() > 199_000


def test_with_too_many_of_everything_partner_and_team_are_kept_longest():
    cube = Cube(DIMS, most_leaves=40)
    for dims in (("site", "geo", "offer"), DIMS):
        cube.add_facts(crowd(90, *dims))
        cube.advance(NOW)
    assert cube.leaves <= 40 + 3 * 10 + 1
    assert clicks(cube).sum() == 180
    assert cube.select({"partner": "P01", "team": "aurora", "offer": OTHERS}).sum() == 1
    assert cube.select(dict.fromkeys(DIMS, OTHERS)).sum() == 1


def test_what_has_no_place_of_its_own_has_none_after_a_restart():
    def new():
        book = RevenueBook()
        book.cube.most_leaves = 40
        book.add(crowd(90, "site"))
        return book

    book, later = new(), new()
    book.tick(NOW)
    assert later.remember(book.memory()) == ""
    after = NOW + timedelta(hours=1)
    more = crowd(200, "site").with_columns(seen_at=pl.lit(after).cast(pl.Datetime("us", "UTC")))
    for one in (book, later):
        one.add(more)
    assert later.tick(after) == book.tick(after)
    assert later.memory() == book.memory()
