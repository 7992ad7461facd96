from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.config.units import format_duration, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("3d", 259_200),
        ("1w", 604_800),
        ("250ms", 0.25),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (" 5 m ", 300),
        ("0s", 0),
    ],
)
def test_a_duration_is_a_number_with_its_unit(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5x", "-5m", "5m!", "5 minutes", "1e3s", "٥m", "5m 3", "nan", "inf", "9" * 400 + "s"]
)
def test_anything_else_is_no_duration(text):
    with pytest.raises(ValueError, match=r"\A"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=10**11))
def test_a_duration_survives_being_written_and_read(milliseconds):
    assert round(parse_duration(format_duration(milliseconds / 1000)) * 1000) == milliseconds


@pytest.mark.parametrize(
    ("seconds", "text"), [(300, "5m"), (5400, "1h30m"), (0.25, "250ms"), (0, "0s"), (604_800, "1w"), (691_200, "8d")]
)
def test_a_duration_is_written_as_people_write_it(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "size"), [("200MB", 200_000_000), ("1GiB", 2**30), ("512", 512), ("1.5 k", 1500), ("0B", 0)]
)
def test_a_size_counts_in_tens_unless_it_says_i(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "1XB", "1MBs", "٥MB"])
def test_anything_else_is_no_size(text):
    with pytest.raises(ValueError, match=r"\A"):
        parse_size(text)
