from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.revenue_view import Mark
from data.model.snapshot import BandPoint
from tui import format as fmt
from tui.lines import plain, width_of
from tui.widgets.band_series import Series, draw, frame

START = datetime(2026, 11, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)


def points(*actual: float | None, expected: float = 100.0) -> tuple[BandPoint, ...]:
    return tuple(BandPoint(START + at * HOUR, expected, expected * 0.6, expected * 1.4, value) for at, value in enumerate(actual))  # fmt: skip


def drawn(series: Series, width: int = 80, height: int = 16, **options) -> list[str]:
    return [plain(line) for line in draw(series, frame(series, width), height, **options)]


MARKS = st.builds(
    lambda at, kind, text, lasts: Mark(START + at * HOUR, kind, text, None if lasts is None else START + (at + lasts) * HOUR),
    st.integers(-50, 900), st.sampled_from(("alarm", "incident", "deploy", "holiday", "odd")), st.text(max_size=40), st.one_of(st.none(), st.integers(0, 300)),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(-1e5, 1e7)), max_size=700), st.lists(MARKS, max_size=8), st.integers(1, 200), st.integers(0, 30),
    st.one_of(st.none(), st.integers(0, 900)), st.booleans(),
)  # fmt: skip
def test_a_series_never_leaves_its_box(actual, marks, width, height, covered, late):
    reach = None if covered is None else START + covered * HOUR
    series = Series(points(*actual), tuple(marks), ((START, None),), reach, "reported until then", late)
    laid = frame(series, width)
    lines = draw(series, laid, height, len(laid.buckets) // 2 if laid.buckets else None)
    assert len(lines) <= max(height, 0)
    assert all(width_of(line) <= max(width, 14) for line in lines)


@given(st.integers(1, 1000), st.integers(20, 200))
def test_buckets_hold_every_hour_once_and_fill_the_width(count, width):
    series = Series(points(*[50.0] * count))
    laid = frame(series, width)
    assert laid.edges[-1] == laid.width == width - laid.gutter
    assert all(after > before for before, after in zip(laid.edges, laid.edges[1:], strict=False))
    assert all(one.until == following.at for one, following in zip(laid.buckets, laid.buckets[1:], strict=False))
    assert laid.buckets[0].at <= START
    assert laid.buckets[-1].until >= START + count * HOUR


def test_days_are_whole_over_a_month_and_hours_single_over_a_day():
    for count, length in ((24, 1), (168, 2), (672, 24)):
        laid = frame(Series(points(*[50.0] * count)), 119)
        assert laid.buckets[1].until - laid.buckets[1].at == length * HOUR
        assert laid.buckets[1].at.hour % length == 0


def test_a_bucket_that_is_reported_in_part_is_held_against_that_part():
    day = [BandPoint(START + at * HOUR, 10.0 * at, 0.0, 20.0 * at, 5.0 if at < 12 else None) for at in range(24 * 28)]
    first = frame(Series(tuple(day)), 119).buckets[0]
    assert (first.expected, first.actual) == (55.0, 5.0)


def test_loss_is_shaded_only_between_its_start_and_its_end_and_only_where_it_was_reported():
    series = Series(points(100, 0, 0, 100, 0, None), spans=((START + HOUR, START + 3 * HOUR),))
    columns = frame(series, 65).edges
    bottom = drawn(series, 65)[-3][frame(series, 65).gutter :]
    shaded = [bottom[columns[at]] == "▒" for at in range(6)]
    assert shaded == [False, True, True, False, False, False]


def test_what_was_not_reported_is_a_gap_in_what_came_and_not_in_what_was_expected():
    series = Series(points(100, None))
    lines = drawn(series, 65)
    assert not any(set(line[40:]) & set("▁▂▃▄▅▆▇█") for line in lines[:-2])
    assert any("░" in line[40:] for line in lines[:-2])


def test_the_cursor_crosses_the_chart_and_on_slow_lines_stands_on_the_axis_alone():
    series = Series(points(*[20.0] * 24))
    at = 5 + frame(series, 80).gutter
    crossed = drawn(series, cursor=0)
    alone = drawn(series, cursor=0, pole=False)
    assert sum("│" in line[at - 5 : at + 3] for line in crossed) > 5
    assert sum("▴" in line for line in crossed) == sum("▴" in line for line in alone) == 1
    assert not any("│" in line[at - 4 : at + 3] for line in alone)


@pytest.mark.parametrize(
    ("covered", "words", "reach"),
    [
        (24, "─ reported ─", 1.0),
        (12, "─ reported ─", 0.5),
        (0, " reported ╌", 0.0),
        (None, " reported ╌", 0.0),
        (1, " reported ╌", 0.0),
    ],
)
def test_the_line_of_reports_breaks_off_where_they_do(covered, words, reach):
    reported = None if covered is None else START + covered * HOUR
    line = drawn(Series(points(*[20.0] * 24), covered=reported, reported="reported"))[-1]
    assert words in line
    room = 80 - frame(Series(points(*[20.0] * 24)), 80).gutter
    assert line.count("╌") == pytest.approx(room * (1 - reach), abs=12)


def test_marks_share_two_lines_of_names_and_each_has_an_arrow():
    marks = (Mark(START + 20 * HOUR, "alarm", "clicks go on, FTD stopped"), Mark(START + 19 * HOUR, "deploy", "deploy aurora 8f31c0"), Mark(START + 2 * HOUR, "holiday", "a day off", START + 6 * HOUR))  # fmt: skip
    upper, lower, arrows, *_ = drawn(Series(points(*[50.0] * 24), marks))
    assert "clicks go on, FTD stopped" in upper
    assert "deploy aurora 8f31c0" in lower
    assert arrows.count("▼") == 3
    for line in (lower, upper):
        assert all(arrows[at] == "▼" for at, char in enumerate(line) if char == "│")
    assert "▼──" in arrows


def test_a_name_that_finds_no_place_leaves_its_arrow():
    marks = tuple(Mark(START + at * HOUR, "alarm", f"a long name of alarm {at}") for at in range(10, 16))
    *names, arrows = drawn(Series(points(*[50.0] * 24), marks))[:3]
    assert arrows.count("▼") == 6
    assert 0 < sum(line.count("a long name") for line in names) < 6


def test_names_and_arrows_give_way_where_there_are_few_lines():
    marks = (Mark(START + HOUR, "alarm", "stopped"),)
    assert not any("stopped" in line for line in drawn(Series(points(*[50.0] * 24), marks), height=6))
    assert len(drawn(Series(points(*[50.0] * 24), marks), height=6)) == 6


def test_shares_are_labelled_in_percent_and_money_in_its_currency():
    shares = tuple(replace(one, expected=1.0, lo=0.6, hi=1.4, actual=1.1) for one in points(*[0.0] * 24))
    assert any("150%" in line for line in drawn(Series(shares, unit="share")))
    assert any("EUR 150" in line for line in drawn(Series(points(*[20.0] * 24), symbol="EUR ")))


@pytest.mark.parametrize(
    ("nats", "said"),
    [
        (0.0, "even"),
        (1.0, "2.7 to 1"),
        (2.31, "10 to 1"),
        (5.0, "150 to 1"),
        (10.0, "22,000 to 1"),
        (13.8, "980,000 to 1"),
        (14.0, "over a million to 1"),
    ],
)
def test_evidence_is_said_in_odds(nats, said):
    assert fmt.odds(nats) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "—"), (0, "0"), (1.94, "1.9"), (99.96, "100"), (2826, "2,826"), (-2.5, "−2.5"), (float("inf"), "—")],
)
def test_a_count_has_a_fraction_only_where_it_says_something(value, said):
    assert fmt.events(value) == said


@pytest.mark.parametrize(
    ("length", "said"), [(None, "—"), (0.4, "0.4 h"), (9.96, "10 h"), (26.2, "26 h"), (47.9, "2 days"), (170, "7 days")]
)
def test_hours_become_days_where_they_read_better(length, said):
    assert fmt.hours(length) == said
