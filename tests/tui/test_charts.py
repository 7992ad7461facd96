from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.model.snapshot import BandPoint
from tui.lines import plain, width_of
from tui.widgets.band_chart import band_chart
from tui.widgets.heat_strip import heat, resampled, spark

START = datetime(2026, 11, 17, tzinfo=UTC)


def points(*actual: float | None, expected: float = 100):
    return [
        BandPoint(START + timedelta(hours=at), expected, expected * 0.8, expected * 1.2, value)
        for at, value in enumerate(actual)
    ]


@given(st.text("odfup.", max_size=120), st.integers(0, 80))
def test_a_strip_fills_its_width_and_never_hides_the_worst(strip, width):
    assert len(resampled(strip, width)) == width
    assert width_of(heat(strip, width)) == width
    if "f" in strip and width:
        assert "f" in resampled(strip, width) or width < 1


def test_a_healthy_strip_is_one_run():
    assert len(heat("o" * 60, 20)) == 1


def test_states_of_a_strip_differ_in_height_as_well_as_colour():
    assert plain(heat("odfup.", 6)) == "▂▅█╌░·"


def test_the_newest_bucket_ends_the_strip():
    assert resampled("o" * 59 + "f", 13)[-1] == "f"


def test_a_sparkline_starts_at_zero_so_that_noise_stays_small():
    assert plain(spark([98, 100, 49], 3)) == "██▄"
    assert plain(spark([], 4)) == "    "


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e7)), max_size=80), st.integers(0, 120), st.integers(0, 30))
def test_a_chart_never_leaves_its_box(actual, width, height):
    lines = band_chart(points(*actual), width, height, "money")
    assert len(lines) <= max(height, 0)
    assert all(width_of(line) <= max(width, 14) for line in lines)


@pytest.mark.parametrize(("actual", "mark"), [((100, 100, 10), "▒"), ((100, 100, None), " ")])
def test_what_is_missing_from_the_band_is_marked_and_what_is_unknown_is_not(actual, mark):
    lines = band_chart(points(*actual), 34, 14, "money")
    last = [plain(line)[33] for line in lines[:-2]]
    assert (mark in last) is True
    assert ("▒" in last) is (mark == "▒")


def test_slow_answers_are_drawn_in_another_role_above_the_band():
    lines = band_chart(points(100, 400), 40, 14, "ms")
    assert any(role == "warn" for line in lines for _, role in line)
    money = band_chart(points(100, 400), 40, 14, "money")
    assert not any(role in {"warn", "loss"} for line in money for _, role in line)


def test_the_time_axis_ends_at_now():
    assert plain(band_chart(points(*[100] * 30), 60, 10, "money")[-1]).rstrip().endswith("now")


def test_a_single_bad_bucket_survives_squeezing():
    flat = points(*[100] * 300)
    flat[150] = replace(flat[150], actual=0.0)
    assert any("▒" in plain(line) for line in band_chart(flat, 50, 14, "money"))
